"""A stored session, how long it lasts, and the refusal of a cookie that identifies none."""

from __future__ import annotations

from arc.sessions.values import deep_copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from arc.sessions.delta import Path

FLASHES = "_arc_flash"
"""The reserved key for the messages of `flash` in every store."""


class Facts:
    """What a session is besides its data: its identity, its times, its principal and its messages.

    A session does not change its facts: `but` makes other ones.

    - `created` is when the session began, `signed_in_at` when its user signed in, both in Unix seconds.
    - `flashes` are pairs of kind and message.
    - `lifetime` is what the sign-in set: an idle lifetime in seconds, `"browser"`, or None.
    """

    def __init__(
        self,
        id: str,  # noqa: A002  # the attribute's name
        created: int,
        user_id: str | None = None,
        signed_in_at: int | None = None,
        flashes: tuple[tuple[str, str], ...] = (),
        lifetime: int | str | None = None,
    ) -> None:
        self.id, self.created, self.lifetime = id, created, lifetime
        self.user_id, self.signed_in_at, self.flashes = user_id, signed_in_at, flashes

    def but(self, **changes: Any) -> Facts:
        """Return the same facts with `changes`."""
        facts = {name: getattr(self, name) for name in _FACTS}
        return Facts(**{**facts, **changes})

    def content(self) -> tuple[object, ...]:
        """Return what an app can change without a new id."""
        return self.user_id, self.signed_in_at, self.flashes


_FACTS = ("id", "created", "user_id", "signed_in_at", "flashes", "lifetime")


class Record(Facts):
    """A stored session: the app's data and the session's facts. Times are Unix seconds.

    - `issued` is when the session was last written, None if its store does not know.
    - `expires` is the end that the store knows, None if it knows none.
    - `text` is the JSON of `data` if that is known. `source` is the JSON that a store has decoded, if that has other
      keys, too, or was written otherwise.
    - `stale` demands an early renewal, for example because an old secret opened the session.
    - `state` belongs to the store.
    - `foreign` is true for a session that is still in the old store; `left_out` has the paths of those of its values
      that cannot be stored in the new one.
    - `origin_ends` is when the old store's token of a session that has moved expires. Until then that token could
      restore the session.
    """

    # A request makes two records. What few have is an attribute of the class until it is set, and what most have can be
    # passed by position, because keywords for a class take a dict.
    text: str | None = None
    source: str | None = None
    stale: bool = False
    state: object = None
    foreign: bool = False
    left_out: Sequence[Path] = ()
    origin_ends: int | None = None

    def __init__(
        self,
        id: str,  # noqa: A002  # the attribute's name
        data: dict[str, Any],
        created: int,
        issued: int | None = None,
        expires: int | None = None,
        user_id: str | None = None,
        signed_in_at: int | None = None,
        flashes: tuple[tuple[str, str], ...] = (),
        lifetime: int | str | None = None,
    ) -> None:
        self.id, self.data, self.created = id, data, created
        self.issued, self.expires = issued, expires
        self.user_id, self.signed_in_at, self.flashes = user_id, signed_in_at, flashes
        self.lifetime = lifetime

    def copy(self, **changes: Any) -> Record:
        """Return a copy with `changes` to its attributes, which shares no container with this record."""
        copy = Record.__new__(Record)
        vars(copy).update(vars(self), data=deep_copy(self.data))
        vars(copy).update(changes)
        if "data" in changes:
            copy.text = None
        return copy

    def set_values(self, values: dict[str, Any]) -> None:
        """Set data and messages from `values`, a dict like that of the property."""
        self.data, self.text = {key: value for key, value in values.items() if key != FLASHES}, None
        self.flashes = tuple((kind, message) for kind, message in values.get(FLASHES, ()))

    @property
    def values(self) -> dict[str, Any]:
        """The data and, under their reserved key, the messages. A delta changes these."""
        return {**self.data, FLASHES: [list(pair) for pair in self.flashes]} if self.flashes else self.data


class IdTaken(Exception):
    """A new record's id is in use, and the session manager must mint another one. Never leaves the core."""


class Refused(Exception):  # not an error, since visitors can send anything
    """The reason why a token or a signed id opens no session. Never leaves the core.

    `reason` is `malformed`, `too-long`, `forged`, `expired`, `clock`, `unknown-id` or `ended`. For a session that
    others have replaced, `replaced` is a record without data whose `issued` is when that happened. A sign-out passes it
    to the store's `destroy`, which ends the replacements.
    """

    def __init__(self, reason: str, replaced: Record | None = None) -> None:
        self.reason, self.replaced = reason, replaced
        super().__init__(reason)


def describe(path: Path) -> str:
    """Return the Python expression for a path in the session, or "the flashes" for the messages."""
    return "the flashes" if path == (FLASHES,) else "session" + "".join(f"[{key!r}]" for key in path)


# -- lifetimes

NODES_WEEK = 604_800
"""Node's fixed lifetime, whatever ours is: of a token from its `iat`, of a row until its `_ttl`."""

BROWSER = "browser"
"""The lifetime of a session whose cookie ends with the browser. The default idle lifetime applies on the server."""


def parse_lifetime(value: object) -> int | str | None:
    """Return the lifetime in a stored `value`, None for a value that `sign_in` never stores."""
    if value == BROWSER:
        return BROWSER
    return value if type(value) is int and value > 0 else None


class Lifetimes:
    """The `idle` and `absolute` lifetimes of sessions in seconds; `absolute` is None when it is unlimited.

    A session can have an idle lifetime of its own, set by its sign-in.
    """

    __slots__ = ("_absolute", "_idle")

    def __init__(self, idle: int, absolute: int | None) -> None:
        self._idle, self._absolute = idle, absolute

    def end(self, record: Record) -> int:
        """Return when `record` ends: the earliest of its idle end, its absolute end and the end in its store."""
        end, issued = record.expires, record.issued
        if issued is not None:
            lifetime = record.lifetime
            idle_end = issued + (lifetime if isinstance(lifetime, int) else self._idle)
            end = idle_end if end is None or idle_end < end else end
        if self._absolute:
            last = record.created + self._absolute
            end = last if end is None or last < end else end
        return end or 0

    def is_over(self, record: Record, now: int, *, may_have_moved: bool) -> bool:
        """True when `record` has ended. With `may_have_moved`, another request may have extended the idle lifetime."""
        if may_have_moved:
            return self._absolute is not None and now >= record.created + self._absolute
        return now >= self.end(record)

    def new_end(self, created: int, lifetime: int | str | None, now: int) -> int:
        """Return the end of a session that is written now."""
        end = now + (lifetime if isinstance(lifetime, int) else self._idle)
        return min(end, created + self._absolute) if self._absolute else end

    def renewal_due(self, record: Record, now: int, *, on_server: bool) -> bool:
        """True after a tenth of the idle lifetime, and when the stored end is later than the settings allow."""
        end, target = self.end(record), self.new_end(record.created, record.lifetime, now)
        if record.stale or target - end >= max(1, self._idle_lifetime(record.lifetime) // 10) or end > target:
            return True
        if record.issued is None or on_server:
            return False
        # Node accepts a sealed token until its `exp`, or for a week after its `iat`: keep its end in sync with ours.
        return now - record.issued >= NODES_WEEK // 10 or (end < record.issued + NODES_WEEK and record.expires != end)

    def half_elapsed(self, record: Record, now: int) -> bool:
        """True after half of the time for which we and Node accept an unchanged sealed session."""
        return (
            record.issued is None or now - record.issued >= min(self._idle_lifetime(record.lifetime), NODES_WEEK) // 2
        )

    def _idle_lifetime(self, lifetime: int | str | None) -> int:
        return lifetime if isinstance(lifetime, int) else self._idle
