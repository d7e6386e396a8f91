"""A session as it was loaded, by value and by identity, so that a commit can tell what changed and how."""

from __future__ import annotations

from arc.sessions.text import copy_of, decode, encode, stands_for, text_of
from arc.sessions.values import normalise, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Facts = tuple[str | None, int | None, tuple[tuple[str, str], ...]]  # who is signed in, since when, the messages
    Kept = tuple[dict[str, Any], str | None]  # data as it is stored, and its text where that is known


class Snapshot:
    """The data and facts of a session at one moment, as JSON text: C makes it, and compares it with that of later.

    With `merges`, containers are known by identity too: one that is still the same object was changed in place,
    another one was assigned; `began` holds what containers were first assigned as, by their key. `text` is the JSON of
    `data` where that is at hand. `bounded` is that of `normalise`.
    """

    __slots__ = ("_base", "_bounded", "_containers", "_loaded", "_now", "_text", "_top", "began", "facts", "merges")

    def __init__(
        self,
        data: dict[str, Any],
        facts: Facts,
        *,
        text: str | None = None,
        merges: bool = False,
        bounded: bool = True,
    ) -> None:
        self.facts, self.merges, self._bounded = facts, merges, bounded
        self._text: str | None = encode(data) if text is None else text
        self._top = dict(data)  # of which what is no container stays as it is now
        self._base: dict[str, Any] | None = None
        self._now: str | None = None
        self._containers = list(_containers(data)) if merges else []
        self._loaded: dict[int, object] = {}
        self.began: dict[str, Any] = {}

    @property
    def data(self) -> dict[str, Any]:
        """The data, which shares no container with the session."""
        if self._base is None:
            self._base = self._top if self._text is None else decode(self._text)
            if self.merges:
                pairs = zip(_containers(self._base), self._containers, strict=False)
                self._loaded = {id(copy): live for copy, live in pairs}
        return self._base

    def live(self, copy: dict[str, Any] | list[Any]) -> object:
        """The container of the session that `copy`, one within `data`, was made of; with `merges` alone."""
        return self._loaded.get(id(copy))

    def differs(self, data: dict[str, Any], facts: Facts) -> bool:
        """True when `data`, at any depth and type-strictly, or `facts` are not as they were."""
        self._now = text_of(data)
        return facts != self.facts or self._is_changed(data, self._now)

    def differs_from_copy(self, copy: dict[str, Any], facts: Facts) -> bool:
        """`differs` of a normalised `copy` of the data that it was just asked about, whose text it keeps."""
        return facts != self.facts or self._is_changed(copy, text_of(copy))

    def _is_changed(self, data: dict[str, Any], now: str | None) -> bool:
        if now == self._text:
            return dict(data) != self._top if now is None else not stands_for(now, data)
        return now is None or self._text is None or self._is_other(data)

    def _is_other(self, data: dict[str, Any]) -> bool:
        """True when data of another text is other data: in another order it is not, nor where JSON makes both equal."""
        top = self._top
        if data.keys() != top.keys():
            return True
        for key, value in data.items():
            was = top[key]
            if type(value) is not type(was) or not (isinstance(value, dict | list) or value == was):
                return True
        return not same(self.data, dict(data))

    def normalised(self, data: dict[str, Any]) -> Kept:
        """What `normalise` makes of `data`, which `differs` was just asked about."""
        copy = None if self._now is None else copy_of(data, self._now, bounded=self._bounded)
        return (normalise(data, self.data, bounded=self._bounded), None) if copy is None else (copy, self._now)

    def renew(self, data: dict[str, Any], facts: Facts) -> None:
        """Take `data`, which `differs` was just asked about, and `facts` as the state after a commit."""
        self._text, self._top, self._base, self.facts = self._now, dict(data), None, facts
        if self.merges:
            self._containers, self._loaded, self.began = list(_containers(data)), {}, {}

    def assigned(self, key: str, value: Any) -> None:
        """Remember what container `key`, which was not there, was first assigned: later changes to it are in place."""
        if self.merges and key not in self._top:
            try:
                self.began[key] = normalise({key: value}, self.data, bounded=self._bounded)[key]
            except (TypeError, ValueError):  # The commit says what is wrong with it, if it is still there.
                self.began.pop(key, None)


def _containers(value: Any) -> Iterator[Any]:
    """A container and every one within it, each before what is in it."""
    yield value
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from _containers(one)
