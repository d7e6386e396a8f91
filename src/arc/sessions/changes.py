"""What a request changed in a session, found by comparing it with its snapshot; for stores that merge."""

from __future__ import annotations

from arc.sessions.delta import MISSING, WITHIN, Change, Delta, created
from arc.sessions.list_merge import begins_with
from arc.sessions.record import FLASHES
from arc.sessions.values import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from arc.sessions.delta import Path
    from arc.sessions.snapshot import Snapshot

    Number = int | float
    Count = tuple[Number, Number, Number]  # what was added, to which number, and the number that this gave
    Counts = Mapping[Path, Count | None]


def changes_of(
    snapshot: Snapshot,
    live: Mapping[str, Any],
    data: dict[str, Any],
    flashes: tuple[list[list[str]], list[list[str]]],
    counts: Counts,
    *,
    replaced: bool,
) -> Delta:
    """What changed from `snapshot` to `live`, of which `data` is the normalised copy.

    `flashes` are the messages as loaded and as they are now; they change as a list under a reserved key.
    `counts` holds what `increment` added to numbers.
    """
    before, now = flashes
    base = {**snapshot.data, FLASHES: before} if before else snapshot.data
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
    changes += _Comparison(snapshot).of_map((), snapshot.data, live, data, counts)
    if before != now:
        changes.append(_of_flashes(before, now))
    return Delta(changes, ours)


class _Comparison:
    """A comparison with a snapshot, which knows the containers of the session by identity."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def of_map(
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
        in_place = self._snapshot.live(base) is live and type(base) is type(data)
        if in_place and isinstance(data, dict):
            yield from self.of_map(path, base, live, data, counts)
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
        were = {id(self._snapshot.live(was)): place for place, was in enumerate(base) if isinstance(was, dict | list)}
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
        began = self._snapshot.began.get(path[0])  # None within what was loaded, which was not assigned.
        return type(value)() if began is None else began


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
