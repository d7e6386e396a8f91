"""What one request changed in a session, as paths; and that change made again on what others wrote meanwhile.

What was assigned replaces, what was changed in place merges. A delta is made by `Snapshot.delta`, and is
pure data: `applied` gives the new data, `rebased` the same intent on other data with the paths where
something was lost.
"""

from __future__ import annotations

from arc.sessions.list_merge import begins_with, merged
from arc.sessions.values import deep_copy, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Path = tuple[str, ...]


class _Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""Stands for a value that is not there."""


WITHIN = ""
"""The key that stands for a container which has none, since it is an element of a list."""


class Change:
    """One change at a `path` of keys; `base` is the value it was made on, `MISSING` where there was none.

    `kind` is `set` (put `value` there), `remove`, `create` (put the container `value` where none was found;
    `base` is what it was first assigned as), `append` (add the elements of `value` to the list), `edit` (the
    list became `value` by more than appending) or `increment` (add the number `value`). For an edited list
    `inside` maps the place in `value` of each container that was changed in place to its place in `base` and the delta
    of `{WITHIN: container}`. For a created container `counted` maps the path within it of each number that was counted
    from 0 to that number.
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

    def __repr__(self) -> str:
        return f"Change({self.kind!r}, {'.'.join(self.path)!r})"


class Delta:
    """Changes of disjoint paths, and `ours`, the data as the request left it.

    `replaces` is true when the data as a whole was assigned: what others added goes as well; `base` is then
    the data it was assigned over.
    """

    __slots__ = ("_intent", "base", "changes", "ours", "replaces")

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
        self._intent: Delta = self  # as the request made it, which knows the containers that it changed in lists

    @property
    def one_writer(self) -> bool:
        """True when it must meet the data it was made on: a list was edited, or everything was replaced."""
        return self.replaces or any(change.kind == "edit" for change in self.changes)

    @property
    def assigned(self) -> list[Path]:
        """The paths at which a value was set or removed, whatever others did there."""
        return [change.path for change in self.changes if change.kind in ("set", "remove")]

    def applied(self, data: dict[str, Any]) -> dict[str, Any]:
        """A copy of `data`, the delta's base, with the changes made."""
        result: dict[str, Any] = deep_copy(data)
        for change in self.changes:
            parent = result
            for key in change.path[:-1]:
                parent = parent[key]
            key = change.path[-1]
            if change.kind == "remove":
                parent.pop(key, None)
            elif change.kind == "append":
                parent[key] = [*parent.get(key, ()), *change.value]
            elif change.kind == "increment":
                parent[key] = parent.get(key, 0) + change.value
            else:
                parent[key] = change.value
        return result

    def rebased(self, theirs: dict[str, Any]) -> tuple[Delta, tuple[Path, ...]]:
        """The same intent on `theirs`, and the paths at which one side's work is lost.

        Deleted there and changed below here: the deletion wins. Another type there: our value wins. Both set
        one value: ours wins. Elements added here are added there, also to a list that was deleted there.
        """
        intent = self._intent
        rebase = _Rebase(theirs, intent.ours)
        if self.replaces:
            rebase.whole(intent.base)
        else:
            for change in intent.changes:
                rebase.change(change)
        made = Delta(rebase.changes, {}, replaces=self.replaces, base=theirs)
        made.ours, made._intent = made.applied(theirs), intent
        return made, tuple(rebase.lost)


def created(path: Path, value: Any, began: Any, counted: dict[Path, float] | None = None) -> Change:
    """The change that puts `value` where there was none; a container was first assigned as `began`, and `counted` in.

    A list that began empty is no more than what was appended to it: whoever made it first, both survive.
    """
    if not isinstance(value, dict | list):
        return Change("set", path, value)
    return Change("append", path, value) if began == [] else Change("create", path, value, began, counted=counted)


class _Rebase:
    """One run of `Delta.rebased`."""

    def __init__(self, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
        self._theirs, self._ours = theirs, ours
        self.changes: list[Change] = []
        self.lost: list[Path] = []

    def whole(self, base: dict[str, Any]) -> None:
        """Replace everything."""
        for key in (*self._theirs, *(key for key in self._ours if key not in self._theirs)):
            there, here = self._theirs.get(key, MISSING), self._ours.get(key, MISSING)
            if alike(there, here):
                continue
            if not alike(there, base.get(key, MISSING)):
                self.lost.append((key,))
            self.changes.append(Change("remove" if here is MISSING else "set", (key,), here, there))

    def change(self, change: Change) -> None:
        """Make one change again."""
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
        getattr(self, f"_{change.kind}")(change, there)

    def _below_missing(self, change: Change, depth: int) -> None:
        """Make a change below a container that was deleted there: what was counted is there again, the rest is lost."""
        where = change.path[:depth]
        counted = {change.path: change.value} if change.kind == "increment" else {}
        counted |= {(*change.path, *within): number for within, number in change.counted.items()}
        for path, number in counted.items():
            made = self._made_again(where)
            container = made.value
            for key in path[depth:-1]:
                container = container.setdefault(key, {})
            container[path[-1]] = made.counted[path[depth:]] = number
        if change.kind != "remove" and (not counted or _leaves(change.value) > len(counted)):
            self._lose(where)

    def _made_again(self, path: Path) -> Change:
        """The change that makes the container at `path` again, in which there is something to count."""
        for change in self.changes:
            if change.path == path:
                return change
        self.changes.append(Change("create", path, {}, {}))
        return self.changes[-1]

    def _set(self, change: Change, there: Any) -> None:
        if alike(there, change.value):
            return
        if not alike(there, change.base):
            self._lose(change.path)
        self.changes.append(Change("set", change.path, change.value, there))

    def _remove(self, change: Change, there: Any) -> None:
        if there is MISSING:
            return
        if not alike(there, change.base):
            self._lose(change.path)
        self.changes.append(Change("remove", change.path, base=there))

    def _increment(self, change: Change, there: Any) -> None:
        if there is MISSING or (isinstance(there, int | float) and not isinstance(there, bool)):
            self.changes.append(Change("increment", change.path, change.value, there))
        else:
            self._take_ours(change.path, there)

    def _append(self, change: Change, there: Any) -> None:
        if there is MISSING or isinstance(there, list):
            self.changes.append(Change("append", change.path, change.value, there))
        else:
            self._take_ours(change.path, there)

    def _edit(self, change: Change, there: Any) -> None:
        if there is MISSING or isinstance(there, list):
            self._merge_lists(change, there)
        else:
            self._take_ours(change.path, there)

    def _create(self, change: Change, there: Any) -> None:
        self._meet(change.path, change.base, change.value, there, change.counted)

    def _meet(self, path: Path, first: Any, here: Any, there: Any, counted: dict[Path, float]) -> None:
        """Bring together what both sides created at `path`; `first` is what ours began as, and `counted` in."""
        if () in counted:
            self._increment(Change("increment", path, counted[()]), there)
        elif there is MISSING:
            self.changes.append(created(path, here, first, counted))
        elif isinstance(here, dict) and isinstance(there, dict):
            began = first if isinstance(first, dict) else {}
            for key, value in here.items():
                empty = type(value)() if isinstance(value, dict | list) else value
                within = {rest[1:]: number for rest, number in counted.items() if rest[0] == key}
                self._meet((*path, key), began.get(key, empty), value, there.get(key, MISSING), within)
        elif isinstance(here, list) and isinstance(there, list):
            if isinstance(first, list) and begins_with(there, first):
                self._merge_lists(Change("edit", path, here, first), there)
            elif here:
                self.changes.append(Change("append", path, here, there))
        elif not alike(here, there):
            self._lose(path)
            self.changes.append(Change("set", path, here, there))

    def _merge_lists(self, edit: Change, there: Any) -> None:
        """Bring our edit and theirs together; a list that was deleted there has lost every element."""
        path, base, here = edit.path, edit.base, edit.value
        if begins_with(here, base):
            if len(here) > len(base):
                self.changes.append(Change("append", path, here[len(base) :], there))
            return

        def meet(place: int, element: Any) -> tuple[Any, bool]:
            made, lost = edit.inside[place][1].rebased({WITHIN: element})
            return made.ours[WITHIN], not lost

        changed = {place: was for place, (was, _) in edit.inside.items()}
        value, complete = merged(base, here, [] if there is MISSING else there, changed, meet)
        if not complete:
            self._lose(path)
        if there is MISSING:
            if value:
                self.changes.append(Change("append", path, value))
        elif not same(value, there):
            self.changes.append(Change("edit", path, value, there))

    def _take_ours(self, path: Path, there: Any) -> None:
        """Put our whole value at `path`, once: other changes of ours below it are in it already."""
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


def _leaves(value: Any) -> int:
    """How many values a container holds that are no dicts."""
    return sum(map(_leaves, value.values())) if isinstance(value, dict) else 1


def alike(one: Any, other: Any) -> bool:
    """True when both are missing, or are the same value type for type."""
    return one is other or (one is not MISSING and other is not MISSING and same(one, other))
