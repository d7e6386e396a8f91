"""The changes of one request, and how they are repeated on data that other requests have changed.

An assigned value replaces; a container that was changed in place merges. A delta is pure data: `apply` returns the
changed data, and `rebase` returns the same changes on other data, with the paths where one side's work was lost.
"""

from __future__ import annotations

from arc.sessions.list_merge import merge_lists, starts_with
from arc.sessions.values import deep_copy, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Path = tuple[str, ...]


MISSING: Any = object()
"""Stands for a missing value."""


class Change:
    """One change at a `path` of keys. `base` is the value before, `MISSING` without one.

    `kind` is one of:

    - `set`: assign `value`.
    - `remove`: remove the key.
    - `create`: put the container `value` under a missing key; `base` is what was first assigned.
    - `append`: append the elements of `value` to the list.
    - `edit`: the list became `value`, and not only by appending.
    - `increment`: add the number `value`.

    `inside` is for edited lists. It maps the place in `value` of each container that was changed in place to its place
    in `base` and to the delta of `{WITHIN: container}`. `counted` is for created containers. It maps the path within
    the container of each number that was counted from 0 to that number.
    """

    __slots__ = ("base", "counted", "inside", "kind", "path", "value")

    def __init__(
        self,
        kind: str,
        path: Path,
        value: Any = MISSING,
        base: Any = MISSING,
        *,
        inside: Mapping[int, tuple[int, Delta]] | None = None,
        counted: dict[Path, float] | None = None,
    ) -> None:
        self.kind, self.path, self.value, self.base = kind, path, value, base
        self.inside = inside or {}
        self.counted: dict[Path, float] = counted or {}


class Delta:
    """Changes at disjoint paths; `ours` is the data after them.

    `replaces` is true when all data was replaced. Then `base` is the data before, and keys that other requests added
    are removed as well.
    """

    __slots__ = ("_original", "base", "changes", "ours", "replaces")

    def __init__(
        self,
        changes: Sequence[Change],
        ours: dict[str, Any],
        *,
        replaces: bool = False,
        base: dict[str, Any] | None = None,
    ) -> None:
        self.changes, self.ours, self.replaces = tuple(changes), ours, replaces
        self.base: dict[str, Any] = base or {}
        self._original: Delta = self  # Only this one, before any rebase, knows the containers changed within lists.

    @property
    def needs_unchanged_row(self) -> bool:
        """True when it applies to unchanged data only: a list was edited, or all data was replaced."""
        return self.replaces or any(change.kind == "edit" for change in self.changes)

    @property
    def assigned_paths(self) -> list[Path]:
        """The paths where a value was set or removed, whatever other requests did there."""
        return [change.path for change in self.changes if change.kind in ("set", "remove")]

    def apply(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return a changed copy of `data`, the delta's base."""
        result: dict[str, Any] = deep_copy(data)
        for change in self.changes:
            parent = result
            for key in change.path[:-1]:
                parent = parent[key]
            key = change.path[-1]
            if change.kind == "remove":
                del parent[key]
            elif change.kind == "append":
                parent[key] = [*parent.get(key, ()), *change.value]
            elif change.kind == "increment":
                parent[key] = parent.get(key, 0) + change.value
            else:
                parent[key] = change.value
        return result

    def rebase(self, theirs: dict[str, Any]) -> tuple[Delta, tuple[Path, ...]]:
        """Return the same changes on `theirs`, and the paths where one side's work was lost.

        A change below a container that they deleted is lost. Where they have another type, or both set a value, ours
        wins. Elements that we appended are appended, also to a list that they deleted.
        """
        original = self._original
        rebase = _Rebase(theirs, original.ours)
        if self.replaces:
            rebase.replace_all(original.base)
        else:
            for change in original.changes:
                rebase.repeat(change)
        delta = Delta(rebase.changes, {}, replaces=self.replaces, base=theirs)
        delta.ours, delta._original = delta.apply(theirs), original
        return delta, tuple(rebase.lost)


def create_change(path: Path, value: Any, first: Any, counted: dict[Path, float] | None = None) -> Change:
    """Return the change that puts a new `value` at `path`.

    `first` is what was first assigned there, and `counted` is that of the change. A list that began empty is only
    appended to, so that it merges with a list that another request creates.
    """
    if not isinstance(value, dict | list):
        return Change("set", path, value)
    return Change("append", path, value) if first == [] else Change("create", path, value, first, counted=counted)


class _Rebase:
    """One run of `Delta.rebase`."""

    def __init__(self, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
        self._theirs, self._ours = theirs, ours
        self.changes: list[Change] = []
        self.lost: list[Path] = []

    def replace_all(self, base: dict[str, Any]) -> None:
        """Replace all data."""
        for key in (*self._theirs, *(key for key in self._ours if key not in self._theirs)):
            there, here = self._theirs.get(key, MISSING), self._ours.get(key, MISSING)
            if alike(there, here):
                continue
            if not alike(there, base.get(key, MISSING)):
                self.lost.append((key,))
            self.changes.append(Change("remove" if here is MISSING else "set", (key,), here, there))

    def repeat(self, change: Change) -> None:
        """Repeat one change."""
        parent: Any = self._theirs
        for depth, key in enumerate(change.path[:-1], start=1):
            parent = parent.get(key, MISSING)
            if parent is MISSING:
                self._below_missing(change, depth)
                return
            if not isinstance(parent, dict):
                self._take_ours(change.path[:depth], parent)
                return
        there = parent.get(change.path[-1], MISSING)
        if change.kind in ("set", "remove"):
            self._assign(change, there)
        elif change.kind == "create":
            self._merge_created(change.path, change.base, change.value, there, change.counted)
        else:
            self._merge(change, there)

    def _below_missing(self, change: Change, depth: int) -> None:
        """Repeat a change below a container that they deleted: numbers that were counted survive, the rest is lost."""
        where = change.path[:depth]
        counted = {change.path: change.value} if change.kind == "increment" else {}
        counted |= {(*change.path, *within): number for within, number in change.counted.items()}
        for path, number in counted.items():
            creation = self._recreate(where)
            container = creation.value
            for key in path[depth:-1]:
                container = container.setdefault(key, {})
            container[path[-1]] = creation.counted[path[depth:]] = number
        if change.kind != "remove" and (not counted or _count_leaves(change.value) > len(counted)):
            self._lose(where)

    def _recreate(self, path: Path) -> Change:
        """Return the change that creates the deleted container at `path` again."""
        for change in self.changes:
            if change.path == path:
                return change
        self.changes.append(Change("create", path, {}, {}))
        return self.changes[-1]

    def _assign(self, change: Change, there: Any) -> None:
        """Repeat a `set` or `remove`, which wins against their value."""
        if not alike(there, change.value):
            if not alike(there, change.base):
                self._lose(change.path)
            self.changes.append(Change(change.kind, change.path, change.value, there))

    def _merge(self, change: Change, there: Any) -> None:
        """Repeat an `increment`, `append` or `edit` on their value, unless that has another type."""
        is_number = isinstance(there, int | float) and not isinstance(there, bool)
        if there is not MISSING and not (is_number if change.kind == "increment" else isinstance(there, list)):
            self._take_ours(change.path, there)
        elif change.kind == "edit":
            self._merge_lists(change, there)
        else:
            self.changes.append(Change(change.kind, change.path, change.value, there))

    def _merge_created(self, path: Path, first: Any, here: Any, there: Any, counted: dict[Path, float]) -> None:
        """Merge what both sides created at `path`. `first` and `counted` are those of our `create_change`."""
        if () in counted:
            self._merge(Change("increment", path, counted[()]), there)
        elif there is MISSING:
            self.changes.append(create_change(path, here, first, counted))
        elif isinstance(here, dict) and isinstance(there, dict):
            first_map = first if isinstance(first, dict) else {}
            for key, value in here.items():
                within = {rest[1:]: number for rest, number in counted.items() if rest[0] == key}
                self._merge_created(
                    (*path, key), first_map.get(key, type(value)()), value, there.get(key, MISSING), within
                )
        elif isinstance(here, list) and isinstance(there, list):
            if isinstance(first, list) and starts_with(there, first):
                self._merge_lists(Change("edit", path, here, first), there)
            elif here:
                self.changes.append(Change("append", path, here, there))
        else:
            self._assign(Change("set", path, here), there)

    def _merge_lists(self, edit: Change, there: Any) -> None:
        """Merge our edit and theirs. A list that they deleted counts as one from which they removed every element."""
        path, base, here = edit.path, edit.base, edit.value
        if starts_with(here, base):
            if len(here) > len(base):
                self.changes.append(Change("append", path, here[len(base) :], there))
            return

        value, complete = merge_lists(base, here, [] if there is MISSING else there, edit.inside)
        if not complete:
            self._lose(path)
        if there is MISSING:
            if value:
                self.changes.append(Change("append", path, value))
        elif not same(value, there):
            self.changes.append(Change("edit", path, value, there))

    def _take_ours(self, path: Path, there: Any) -> None:
        """Put our whole value at `path`, once, since it contains our other changes below it."""
        if any(change.path == path for change in self.changes):
            return
        self._lose(path)
        value: Any = self._ours
        for key in path:
            value = value[key]
        self.changes.append(Change("set", path, value, there))

    def _lose(self, path: Path) -> None:
        if path not in self.lost:
            self.lost.append(path)


def _count_leaves(value: Any) -> int:
    """Count the values within a container that are not dicts."""
    return sum(map(_count_leaves, value.values())) if isinstance(value, dict) else 1


def alike(one: Any, other: Any) -> bool:
    """True when both are missing, or equal with equal types."""
    return one is other or (one is not MISSING and other is not MISSING and same(one, other))
