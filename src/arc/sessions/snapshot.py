"""A session's state after a load or a commit, which a commit compares with the current state."""

from __future__ import annotations

from arc.sessions.text import copy_via_text, decode, decode_own, encode, represents
from arc.sessions.values import drop_reserved, normalize, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Facts = tuple[str | None, int | None, tuple[tuple[str, str], ...]]  # user id, time of the sign-in, messages
    Normalized = tuple[dict[str, Any], str | None]  # data as it will be stored, and its text if that is known

_CONTAINERS = (dict, list)


class Progress:
    """The part of a session's state that few requests change. Until then, these are attributes of the class."""

    # Since the latest commit:
    destroyed = regenerated = replaced = signed_in = False
    # About the request:
    blocked = ""  # why this request may neither replace nor clear the visitor's cookie
    replaced_ids: tuple[str, ...] = ()
    closed = False
    gone = False  # The session of an earlier commit ended before the next one.
    stored: tuple[str, str] | None = None  # the cookie's value and the id that the latest commit stored
    cookies: tuple[str, ...] | None = None  # of the latest commit, None after a change
    earlier: tuple[str, ...] | None = None  # of the commit before, None when there was none


class Snapshot:
    """The data and facts of a session at one moment. The data is kept as JSON text, which C makes and compares.

    If it `merges`, a snapshot also knows containers by identity: the same object was changed in place, and another
    object was assigned. `first_values` maps new keys to the containers that were first assigned to them.

    `data` is not changed later, although its containers may be. `text` is its JSON, or JSON that has reserved keys
    besides, None if neither is known. `bounded` is the argument of `normalize`.
    """

    # What few requests need is an attribute of the class until it is set.
    bounded = True
    merges = False
    _base: dict[str, Any] | None = None
    _now: str | None = None
    _committed = False  # True from a commit until the snapshot is taken again
    _containers: Sequence[object] = ()
    _live: Mapping[int, object] = {}

    def __init__(self, data: dict[str, Any], facts: Facts, text: str | None) -> None:
        self._top, self.facts = data, facts
        self._text: str | None = encode(data) if text is None else text
        self.first_values: dict[str, Any] = {}

    def follow_containers(self) -> None:
        """Know the containers in the data by identity."""
        self.merges, self._containers = True, list(_containers(self._top))

    @property
    def data(self) -> dict[str, Any]:
        """The data, which shares no container with the session."""
        if self._base is None:
            self._base = self._top if self._text is None else drop_reserved(decode(self._text))
            if self.merges:
                pairs = zip(_containers(self._base), self._containers, strict=False)
                self._live = {id(copy): live for copy, live in pairs}
        return self._base

    def live(self, copy: dict[str, Any] | list[Any]) -> object:
        """Return the session's container of which `copy`, a container within `data`, is the copy. Needs `merges`."""
        return self._live.get(id(copy))

    def differs(self, data: dict[str, Any], facts: Facts) -> bool:
        """True when `data` has changed at any depth, including the types of its values, or `facts` have changed."""
        text = self._text
        try:
            now = self._now = encode(data)
        except (TypeError, ValueError, RecursionError):  # values that JSON does not have
            self._now = None
            return facts != self.facts or text is not None or dict(data) != self._top
        if facts != self.facts or text is None:
            return True
        if now == text or (text.startswith(f"{now[:-1]},") and _are_reserved(text[len(now) :])):
            return not represents(now, data)
        return self._is_different(data)

    def change(self, data: dict[str, Any], facts: Facts) -> Normalized | None:
        """Return the data as it will be stored, None unless that or `facts` have changed."""
        if not self.differs(data, facts):
            return None
        now = self._now
        copy = None if now is None else copy_via_text(data, now, bounded=self.bounded)
        if copy is not None:
            return copy, now
        copy = normalize(data, self.data, bounded=self.bounded)
        if facts != self.facts or self._text is None or self._is_different(copy):
            return copy, None
        return None

    def _is_different(self, data: dict[str, Any]) -> bool:
        """True when data whose text differs is different. Texts also differ by the order of keys."""
        top = self._top
        if data.keys() != top.keys():
            return True
        for key, value in data.items():
            before = top[key]
            if value is not before and (
                type(value) is not type(before) or (value != before and not isinstance(value, _CONTAINERS))
            ):
                return True
        return not same(self.data, dict(data))

    def normalized(self, data: dict[str, Any]) -> Normalized:
        """Return `normalize(data)` and its text if that is known. `data` was last passed to `differs`."""
        now = self._now
        if now is not None:
            copy = copy_via_text(data, now, bounded=self.bounded)
            if copy is not None:
                return copy, now
        return normalize(data, self.data, bounded=self.bounded), None

    def commit(self, data: dict[str, Any]) -> None:
        """Record that `data`, which was last passed to `differs`, was committed."""
        self._committed = True
        if self.merges:
            self._containers = list(_containers(data))

    def renew(self, data: dict[str, Any], facts: Facts) -> None:
        """Take the snapshot again, of the `data` and `facts` that were last committed, before the next change."""
        if not self._committed:
            return
        self._text, self._top, self._base, self.facts = self._now, dict(data), None, facts
        self._committed = False
        if self.merges:
            self._live, self.first_values = {}, {}

    def record_assignment(self, key: str, value: Any) -> None:
        """Remember the container first assigned to a new `key`, so that later changes to it count as in place."""
        if self.merges and key not in self._top:
            try:
                self.first_values[key] = normalize({key: value}, self.data, bounded=self.bounded)[key]
            except (TypeError, ValueError):  # The commit raises this if the value is still there.
                self.first_values.pop(key, None)


def _are_reserved(members: str) -> bool:
    """True when the last members of an object, with its closing bracket, have reserved keys alone."""
    return not drop_reserved(decode_own(f"{{{members}", encoded=True))


def _containers(value: Any) -> Iterator[Any]:
    """Yield a container and every container within it, each before its contents."""
    yield value
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from _containers(one)
