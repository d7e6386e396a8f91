"""A session's state after a load or a commit, which a commit compares with the current state."""

from __future__ import annotations

from arc.sessions.text import copy_via_text, decode, encode, encode_or_none, represents
from arc.sessions.values import normalize, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Facts = tuple[str | None, int | None, tuple[tuple[str, str], ...]]  # user id, time of the sign-in, messages
    Normalized = tuple[dict[str, Any], str | None]  # data as it will be stored, and its text if that is known


class Snapshot:
    """The data and facts of a session at one moment. The data is kept as JSON text, which C makes and compares.

    With `merges`, a snapshot also knows containers by identity: the same object was changed in place, and another
    object was assigned. `first_values` maps new keys to the containers that were first assigned to them.

    `text` is the JSON of `data` if that is known. `bounded` is the argument of `normalize`.
    """

    __slots__ = (
        "_base",
        "_bounded",
        "_containers",
        "_live",
        "_now",
        "_text",
        "_top",
        "facts",
        "first_values",
        "merges",
    )

    def __init__(
        self,
        data: dict[str, Any],
        facts: Facts,
        *,
        text: str | None,
        merges: bool,
        bounded: bool,
    ) -> None:
        self.facts, self.merges, self._bounded = facts, merges, bounded
        self._text: str | None = encode(data) if text is None else text
        self._top = dict(data)  # Its scalars cannot change, but its containers can.
        self._base: dict[str, Any] | None = None
        self._now: str | None = None
        self._containers = list(_containers(data)) if merges else []
        self._live: dict[int, object] = {}
        self.first_values: dict[str, Any] = {}

    @property
    def data(self) -> dict[str, Any]:
        """The data, which shares no container with the session."""
        if self._base is None:
            self._base = self._top if self._text is None else decode(self._text)
            if self.merges:
                pairs = zip(_containers(self._base), self._containers, strict=False)
                self._live = {id(copy): live for copy, live in pairs}
        return self._base

    def live(self, copy: dict[str, Any] | list[Any]) -> object:
        """Return the session's container of which `copy`, a container within `data`, is the copy. Needs `merges`."""
        return self._live.get(id(copy))

    def differs(self, data: dict[str, Any], facts: Facts) -> bool:
        """True when `data` has changed at any depth, including the types of its values, or `facts` have changed."""
        self._now = encode_or_none(data)
        return facts != self.facts or self._is_changed(data, self._now)

    def differs_from_copy(self, copy: dict[str, Any], facts: Facts) -> bool:
        """Like `differs`, for a normalized `copy` of the data last passed to `differs`."""
        return facts != self.facts or self._text is None or self._is_different(copy)

    def _is_changed(self, data: dict[str, Any], now: str | None) -> bool:
        if now == self._text:
            return dict(data) != self._top if now is None else not represents(now, data)
        return now is None or self._text is None or self._is_different(data)

    def _is_different(self, data: dict[str, Any]) -> bool:
        """True when data whose text differs is different. Texts also differ by the order of keys."""
        top = self._top
        if data.keys() != top.keys():
            return True
        for key, value in data.items():
            before = top[key]
            if type(value) is not type(before) or not (isinstance(value, dict | list) or value == before):
                return True
        return not same(self.data, dict(data))

    def normalized(self, data: dict[str, Any]) -> Normalized:
        """Return `normalize(data)` and its text if that is known. `data` was last passed to `differs`."""
        copy = None if self._now is None else copy_via_text(data, self._now, bounded=self._bounded)
        return (normalize(data, self.data, bounded=self._bounded), None) if copy is None else (copy, self._now)

    def renew(self, data: dict[str, Any], facts: Facts) -> None:
        """Take the snapshot again after a commit, of `data`, which was last passed to `differs`, and `facts`."""
        self._text, self._top, self._base, self.facts = self._now, dict(data), None, facts
        if self.merges:
            self._containers, self._live, self.first_values = list(_containers(data)), {}, {}

    def record_assignment(self, key: str, value: Any) -> None:
        """Remember the container first assigned to a new `key`, so that later changes to it count as in place."""
        if self.merges and key not in self._top:
            try:
                self.first_values[key] = normalize({key: value}, self.data, bounded=self._bounded)[key]
            except (TypeError, ValueError):  # The commit raises this if the value is still there.
                self.first_values.pop(key, None)


def _containers(value: Any) -> Iterator[Any]:
    """Yield a container and every container within it, each before its contents."""
    yield value
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from _containers(one)
