"""A session as it was loaded, by value and by identity, so that a commit can tell what changed and how."""

from __future__ import annotations

from arc.sessions.delta import FLASHES, MISSING, WITHIN, Change, Delta, created
from arc.sessions.list_merge import begins_with
from arc.sessions.text import copy_of, decode, encode, stands_for, text_of
from arc.sessions.values import normalise, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from arc.sessions.delta import Path

    Kept = tuple[dict[str, Any], str | None]  # data as it is stored, and its text where that is known
    Number = int | float
    Count = tuple[Number, Number, Number]  # what was added, to which number, and the number that this gave
    Counts = Mapping[Path, Count | None]


class Snapshot:
    """The data and facts of a session at one moment, as JSON text: C makes it, and compares it with that of later.

    With `merges`, containers are known by identity too: one that is still the same object was changed in place,
    another one was assigned. `text` is the JSON of `data` where that is at hand. `bounded` is that of `normalise`.
    """

    __slots__ = ("_base", "_began", "_bounded", "_containers", "_loaded", "_now", "_text", "_top", "facts", "merges")

    def __init__(
        self,
        data: dict[str, Any],
        facts: tuple[object, ...],
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
        self._began: dict[str, Any] = {}

    @property
    def data(self) -> dict[str, Any]:
        """The data, which shares no container with the session."""
        if self._base is None:
            self._base = self._top if self._text is None else decode(self._text)
            if self.merges:
                pairs = zip(_containers(self._base), self._containers, strict=False)
                self._loaded = {id(copy): live for copy, live in pairs}
        return self._base

    def differs(self, data: dict[str, Any], facts: tuple[object, ...]) -> bool:
        """True when `data`, at any depth and type-strictly, or `facts` are not as they were."""
        now = self._now = text_of(data)
        if facts != self.facts:
            return True
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

    def renew(self, data: dict[str, Any], facts: tuple[object, ...]) -> None:
        """Take `data`, which `differs` was just asked about, and `facts` as the state after a commit."""
        self._text, self._top, self._base, self.facts = self._now, dict(data), None, facts

    def assigned(self, key: str, value: Any) -> None:
        """Remember what container `key`, which was not there, was first assigned: later changes to it are in place."""
        if self.merges and key not in self._top:
            try:
                self._began[key] = normalise({key: value}, self.data, bounded=self._bounded)[key]
            except (TypeError, ValueError):  # The commit says what is wrong with it, if it is still there.
                self._began.pop(key, None)

    def delta(
        self,
        live: Mapping[str, Any],
        data: dict[str, Any],
        flashes: tuple[list[list[str]], list[list[str]]],
        counts: Counts,
        *,
        replaced: bool,
    ) -> Delta:
        """What changed from the snapshot to `live`, of which `data` is the normalised copy.

        `flashes` are the messages as loaded and as they are now; they change as a list under a reserved key.
        `counts` holds what `increment` added to numbers.
        """
        before, now = flashes
        base = {**self.data, FLASHES: before} if before else self.data
        ours = {**data, FLASHES: now} if now else data
        changes: list[Change] = []
        if replaced:
            changes += [Change("remove", (key,), base=value) for key, value in base.items() if key not in ours]
            changes += [
                Change("set", (key,), value, base.get(key, MISSING))
                for key, value in ours.items()
                if key not in base or not same([value], [base[key]])
            ]
            return Delta(changes, ours, replaces=True, base=base)
        changes += self._of_map((), self.data, live, data, counts)
        if before != now:
            changes.append(_of_flashes(before, now))
        return Delta(changes, ours)

    def _of_map(
        self,
        path: Path,
        base: dict[str, Any],
        live: Mapping[str, Any],
        data: dict[str, Any],
        counts: Counts,
    ) -> Iterator[Change]:
        for key, value in base.items():
            if key not in data:
                yield Change("remove", (*path, key), base=value)
        for key, value in data.items():
            here = (*path, key)
            added = _added(counts.get(here), base.get(key, 0), value) if counts else None
            if added is not None:
                yield Change("increment", here, added, base.get(key, MISSING))
            elif key in base:
                yield from self._of_value(here, base[key], live[key], value, counts)
            else:
                first = self._first(here, live[key], value)
                yield created(here, value, first, _counted(here, first, value, counts) if counts else None)

    def _of_value(self, path: Path, base: Any, live: Any, data: Any, counts: Counts) -> Iterator[Change]:
        in_place = self._loaded.get(id(base)) is live and type(base) is type(data)
        if in_place and isinstance(data, dict):
            yield from self._of_map(path, base, live, data, counts)
        elif not same([base], [data]):
            if in_place and isinstance(data, list):
                if begins_with(data, base):
                    yield Change("append", path, data[len(base) :], base)
                else:
                    yield Change("edit", path, data, base, inside=self._inside(base, live, data))
            else:
                yield Change("set", path, data, base)

    def _inside(self, base: list[Any], live: list[Any], data: list[Any]) -> dict[int, tuple[int, Delta]]:
        """The containers of a list that were changed in place: `Change.inside`."""
        were = {id(self._loaded[id(was)]): place for place, was in enumerate(base) if isinstance(was, dict | list)}
        found = {}
        for place, element in enumerate(live):
            was = were.pop(id(element), None)
            if was is not None:
                changes = tuple(self._of_value((WITHIN,), base[was], element, data[place], {}))
                if changes:
                    found[place] = (was, Delta(changes, {WITHIN: data[place]}))
        return found

    def _first(self, path: Path, live: Any, value: Any) -> Any:
        """What a new container began as: empty, when it was made inside another one."""
        if not isinstance(live, dict | list):
            return value
        began = self._began.get(path[0])  # None within what was loaded, which was not assigned.
        return type(value)() if began is None else began


def _containers(value: Any) -> Iterator[Any]:
    """A container and every one within it, each before what is in it."""
    yield value
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from _containers(one)


def _added(count: Count | None, base: Any, value: Any) -> Number | None:
    """What was added to a number that was `base` at first; None when `value` came by assigning."""
    return count[0] if count is not None and (count[1], count[2]) == (base, value) else None


def _counted(path: Path, first: Any, value: Any, counts: Counts) -> dict[Path, Number]:
    """The numbers in a new container `value`, first assigned as `first`, that are counts alone: by path within it."""
    found = {}
    for where, count in counts.items():
        within = where[len(path) :]
        if within and where[: len(path)] == path and _at(first, within) is MISSING:
            added = _added(count, 0, _at(value, within))
            if added is not None:
                found[within] = added
    return found


def _at(container: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(container, dict) or key not in container:
            return MISSING
        container = container[key]
    return container


def _of_flashes(before: list[list[str]], now: list[list[str]]) -> Change:
    if begins_with(now, before):
        return Change("append", (FLASHES,), now[len(before) :], before)
    return Change("edit", (FLASHES,), now, before)
