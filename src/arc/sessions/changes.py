"""Finding what a request changed in a session, for stores that merge parallel changes."""

from __future__ import annotations

from arc.sessions.delta import MISSING, Change, Delta, create_change
from arc.sessions.list_merge import WITHIN, starts_with
from arc.sessions.record import FLASHES
from arc.sessions.values import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from arc.sessions.delta import Path
    from arc.sessions.snapshot import Snapshot

    Number = int | float
    Count = tuple[Number, Number, Number]  # the sum of what was added, the number before, and the number after
    Counts = Mapping[Path, Count | None]


def find_changes(
    snapshot: Snapshot,
    live: Mapping[str, Any],
    data: dict[str, Any],
    flashes: tuple[list[list[str]], list[list[str]]],
    counts: Counts,
    *,
    replaced: bool,
) -> Delta:
    """Return the changes from `snapshot` to the session `live`, whose normalized copy is `data`.

    `flashes` are the messages before and now, which change like a list under a reserved key. `counts` has the sums
    that `increment` added. `replaced` is true when all data was replaced.
    """
    before, now = flashes
    base = {**snapshot.data, FLASHES: before} if before else snapshot.data
    ours = {**data, FLASHES: now} if now else data
    if replaced:
        changes = [Change("remove", (key,), base=value) for key, value in base.items() if key not in ours]
        changes += [
            Change("set", (key,), value, base.get(key, MISSING))
            for key, value in ours.items()
            if key not in base or not same([value], [base[key]])
        ]
        return Delta(changes, ours, replaces=True, base=base)
    changes = list(_Comparison(snapshot).compare_maps((), snapshot.data, live, data, counts))
    if before != now:
        appended = starts_with(now, before)
        value = now[len(before) :] if appended else now
        changes.append(Change("append" if appended else "edit", (FLASHES,), value, before))
    return Delta(changes, ours)


class _Comparison:
    """A comparison with a snapshot, which knows the session's containers by identity."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def compare_maps(
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
                yield from self._compare_values(here, base[key], live[key], value, counts)
            else:
                first = self._first_value(here, live[key], value)
                yield create_change(here, value, first, _counted(here, first, value, counts) if counts else None)

    def _compare_values(self, path: Path, base: Any, live: Any, data: Any, counts: Counts) -> Iterator[Change]:
        in_place = self._snapshot.live(base) is live and type(base) is type(data)
        if in_place and isinstance(data, dict):
            yield from self.compare_maps(path, base, live, data, counts)
        elif not same([base], [data]):
            if in_place and isinstance(data, list):
                if starts_with(data, base):
                    yield Change("append", path, data[len(base) :], base)
                else:
                    yield Change("edit", path, data, base, inside=self._inside(base, live, data))
            else:
                yield Change("set", path, data, base)

    def _inside(self, base: list[Any], live: list[Any], data: list[Any]) -> dict[int, tuple[int, Delta]]:
        """Return `Change.inside`: the containers in a list that were changed in place."""
        places = {id(self._snapshot.live(old)): place for place, old in enumerate(base) if isinstance(old, dict | list)}
        inside = {}
        for place, element in enumerate(live):
            old_place = places.pop(id(element), None)
            if old_place is not None:
                changes = tuple(self._compare_values((WITHIN,), base[old_place], element, data[place], {}))
                if changes:
                    inside[place] = (old_place, Delta(changes, {WITHIN: data[place]}))
        return inside

    def _first_value(self, path: Path, live: Any, value: Any) -> Any:
        """Return what a new value was first assigned as. A container created within a loaded one began empty."""
        if not isinstance(live, dict | list):
            return value
        first = self._snapshot.first_values.get(path[0])
        return type(value)() if first is None else first


def _added(count: Count | None, base: Any, value: Any) -> Number | None:
    """Return what was added to the number `base`, None when `value` was assigned."""
    return count[0] if count is not None and (count[1], count[2]) == (base, value) else None


def _counted(path: Path, first: Any, value: Any, counts: Counts) -> dict[Path, Number]:
    """Return the numbers in a new container that were only counted, by their paths within it.

    The container was first assigned as `first` and is now `value`.
    """
    counted = {}
    for where, count in counts.items():
        within = where[len(path) :]
        if within and where[: len(path)] == path and _at(first, within) is MISSING:
            added = _added(count, 0, _at(value, within))
            if added is not None:
                counted[within] = added
    return counted


def _at(container: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(container, dict) or key not in container:
            return MISSING
        container = container[key]
    return container
