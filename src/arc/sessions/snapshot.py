"""A session's state after a load or a commit, which a commit compares with the current state."""

from __future__ import annotations

from arc.sessions.record import Facts
from arc.sessions.text import copy_via_text, decode, encode, is_spelled_alike, is_storable, represents
from arc.sessions.values import drop_reserved, normalize, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from arc.sessions.record import Record

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
    text: str | None = None  # the JSON of the data, if the latest commit has found it by `new_text`
    cookies: tuple[str, ...] | None = None  # of the latest commit, None after a change
    earlier: tuple[str, ...] | None = None  # of the commit before, None when there was none


class Snapshot:
    """The data and facts of a session at one moment. The data is kept as JSON text, which C makes and compares.

    If it `merges`, a snapshot also knows containers by identity: the same object was changed in place, and another
    object was assigned. `first_values` maps new keys to the containers that were first assigned to them.

    `data` is not changed later, although its containers may be. `text` is its JSON, or JSON that has reserved keys
    besides, None if neither is known. If it is `exact`, it has only this data as `encode` writes it, and then other
    text means another session even if only the order of keys differs within, unless a writer may have spelled a value
    otherwise. `bounded` is the argument of `normalize`.
    """

    # What few requests need is an attribute of the class until it is set.
    bounded = True
    exact = False
    merges = False
    _base: dict[str, Any] | None = None
    _now: str | None = None
    _containers: Sequence[object] = ()
    _live: Mapping[int, object] = {}

    def __init__(self, data: dict[str, Any], facts: Facts, text: str | None) -> None:
        self._top, self.facts = data, facts
        self._text: str | None = encode(data) if text is None else text
        self.first_values: dict[str, Any] = {}

    @classmethod
    def of(cls, record: Record | None, now: str | None, *, bounded: bool) -> Snapshot:
        """Return the snapshot of a loaded session, or of a new one. `now` is the JSON of what was committed since."""
        if record is None:
            snapshot = cls({}, Facts("", 0), "{}")
        else:
            snapshot = cls(record.data, record, record.text or record.source)
            snapshot.exact = record.text is not None
        snapshot.bounded, snapshot._now = bounded, now
        return snapshot

    def follow_containers(self, data: dict[str, Any]) -> None:
        """Know the containers in `data`, as it was loaded or committed, by identity."""
        self.merges, self._containers = True, list(_containers(data))

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
            return self._has_new(facts) or text is not None or dict(data) != self._top
        if text is None or (facts is not self.facts and self._has_new(facts)):
            return True
        if now == text:
            return not represents(now, data)
        if not self.exact and text.startswith(f"{now[:-1]},") and _are_reserved(text[len(now) :]):
            return not represents(now, data)
        return self._is_different(data)

    def change(self, data: dict[str, Any], facts: Facts) -> Normalized | None:
        """Return the data as it will be stored, None unless that or `facts` have changed."""
        if not self.differs(data, facts):
            return None
        normalized = self.normalized(data)
        if normalized[1] is None and not self._has_new(facts) and self._text is not None:
            return normalized if self._is_different(normalized[0]) else None
        return normalized

    def _has_new(self, facts: Facts) -> bool:
        return facts.content() != self.facts.content()

    def _is_different(self, data: dict[str, Any]) -> bool:
        """True when data whose text differs is different. Texts also differ by the order of keys."""
        top = self._top
        if data != top:
            return True
        return (self.exact and _changed_within(data, top, self._text or "")) or not same(self.data, dict(data))

    def normalized(self, data: dict[str, Any]) -> Normalized:
        """Return `data` as it will be stored, and its text if that is known. `data` was last passed to `differs`."""
        now = self._now
        if now is not None:
            copy = copy_via_text(data, now, bounded=self.bounded)
            if copy is not None:
                return copy, now
        return normalize(data, self.data, bounded=self.bounded), None

    def renew(self, data: dict[str, Any], facts: Facts) -> None:
        """Take the snapshot again, of the `data` and `facts` that were last committed, before the next change.

        `data` was last passed to `differs` by that commit.
        """
        self._text, self._top, self._base, self.facts = self._now, dict(data), None, facts
        if self.merges:
            self._live, self.first_values = {}, {}

    def forget_change(self) -> None:
        """Take back that `differs` was passed a change, which is not committed."""
        self._now = self._text

    def record_assignment(self, key: str, value: Any) -> None:
        """Remember the container first assigned to a new `key`, so that later changes to it count as in place."""
        if self.merges and key not in self._top:
            try:
                self.first_values[key] = normalize({key: value}, self.data, bounded=self.bounded)[key]
            except (TypeError, ValueError):  # The commit raises this if the value is still there.
                self.first_values.pop(key, None)


def new_text(data: dict[str, Any], loaded: Record) -> str | None:
    """Return the JSON of changed data, "" if nothing has changed, and None if only a snapshot can find out.

    This is a short way for a session whose facts are still those of `loaded`, in a store without limits for numbers.
    """
    try:
        now = encode(data)
    except (TypeError, ValueError, RecursionError):
        return None
    text = loaded.text or ""
    if now == text:
        return "" if represents(now, data) else None
    if data != loaded.data or _changed_within(data, loaded.data, text):
        return now if is_storable(now, data) else None
    return None


def _changed_within(data: dict[str, Any], before: dict[str, Any], text: str) -> bool:
    """True when data whose text is no longer `text`, but which equals `before`, surely has changed.

    The two share containers, which may have changed, and have equal values of other types, such as 1 and True. What
    else makes another text is another order of the keys, and the spelling of another writer.
    """
    return list(data) == list(before) and is_spelled_alike(text)


def _are_reserved(members: str) -> bool:
    """True when the last members of an object, with its closing bracket, have reserved keys alone."""
    return not drop_reserved(decode(f"{{{members}"))


def _containers(value: Any) -> Iterator[Any]:
    """Yield a container and every container within it, each before its contents."""
    yield value
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from _containers(one)
