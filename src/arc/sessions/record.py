"""A session as a store keeps it, and the refusal of a cookie that stands for none."""

from __future__ import annotations

from arc.sessions.values import deep_copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from arc.sessions.delta import Path

FLASHES = "_arc_flash"
"""The reserved key under which messages for the next page travel in every store."""


class Record:
    """A stored session: the visitor's data, and the session's own facts. Times are Unix seconds.

    `data` holds the user's own keys. `issued` is when it was last written, None where a store does not
    know; `expires` is the end the store itself was told, None where it was told none. `stale` asks for
    a renewal before its time: the session was opened by an old secret. `lifetime` is what a sign-in asked for: an idle
    lifetime in seconds, `"browser"`, or None. `text` is the JSON of `data` where that is at hand. `state` is the
    store's own.
    A session that was taken over from another store has an older token: until `origin_ends` that could bring
    it back. `foreign` says that it still lives in the other store, and `left_out` holds the paths of what was in its
    data there and cannot be kept here.
    """

    __slots__ = (
        "created",
        "data",
        "expires",
        "flashes",
        "foreign",
        "id",
        "issued",
        "left_out",
        "lifetime",
        "origin_ends",
        "signed_in_at",
        "stale",
        "state",
        "text",
        "user_id",
    )

    def __init__(
        self,
        id: str,  # noqa: A002  # the word of the design
        data: dict[str, Any],
        *,
        created: int,
        issued: int | None = None,
        expires: int | None = None,
        user_id: str | None = None,
        signed_in_at: int | None = None,
        flashes: tuple[tuple[str, str], ...] = (),
        text: str | None = None,
        stale: bool = False,
        state: object = None,
        origin_ends: int | None = None,
        lifetime: int | str | None = None,
        foreign: bool = False,
        left_out: Sequence[Path] = (),
    ) -> None:
        self.id, self.data, self.created = id, data, created
        self.issued, self.expires = issued, expires
        self.user_id, self.signed_in_at, self.flashes = user_id, signed_in_at, flashes
        self.text, self.stale, self.state = text, stale, state
        self.origin_ends, self.lifetime, self.foreign, self.left_out = origin_ends, lifetime, foreign, left_out

    def copied(self, **changes: Any) -> Record:
        """A record that shares no container with this one, with `changes` to its attributes."""
        copy = Record(self.id, deep_copy(self.data), created=self.created)
        for name in self.__slots__:
            if name not in ("id", "data", "created"):
                setattr(copy, name, getattr(self, name))
        for name, value in changes.items():
            setattr(copy, name, value)
        if "data" in changes:
            copy.text = None
        return copy

    def hold(self, values: dict[str, Any]) -> None:
        """Take data and messages from `values`, as `values` gives them."""
        self.data, self.text = {key: value for key, value in values.items() if key != FLASHES}, None
        self.flashes = tuple((kind, message) for kind, message in values.get(FLASHES, ()))

    @property
    def values(self) -> dict[str, Any]:
        """The data, with the messages as a list under their reserved key: what a delta changes."""
        return {**self.data, FLASHES: [list(pair) for pair in self.flashes]} if self.flashes else self.data

    def __repr__(self) -> str:
        return f"<Record of {len(self.data)} keys>"


class Refused(Exception):  # not an error: a visitor may send anything
    """A token or signed id that opens no session; never leaves the core.

    `reason` is one of `malformed`, `too-long`, `forged`, `expired`, `clock`, `unknown-id` and `ended`.
    `replaced` is set for a session that other sessions have replaced, at first at its `issued`, Unix seconds: nothing
    can be read from it, but a sign-out passes it to the store's `destroy`, which ends those.
    """

    def __init__(self, reason: str, replaced: Record | None = None) -> None:
        self.reason, self.replaced = reason, replaced
        super().__init__(reason)


def described(path: Path) -> str:
    """A path as its user would write it; messages are called what the user calls them."""
    return "the flashes" if path == (FLASHES,) else "session" + "".join(f"[{key!r}]" for key in path)
