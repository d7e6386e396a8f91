"""Merging two edits of one list.

An element stays if both sides kept it, is removed if either side removed it, and is added if either side added it.
Elements are identified by value. A container that one side changed in place counts as the element that it was.
"""

from __future__ import annotations

import json
from bisect import bisect_left

from arc.sessions.values import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from typing import Any

    from arc.sessions.delta import Delta

WITHIN = ""
"""Stands for the key of a container that has none, because it is an element of a list."""

_text_of = json.JSONEncoder(sort_keys=True).encode
_MOST_PAIRS = 4_000  # of equal elements of two lists, each of which is compared once
_HALF = 0.5  # of a container's contents: with more in common, two containers count as the same one
_START = -1  # the place before the first
_END = -2


def starts_with(elements: list[Any], start: list[Any]) -> bool:
    """True when the first elements are those of `start`."""
    return len(elements) >= len(start) and same(elements[: len(start)], start)


def merge_lists(
    base: list[Any], ours: list[Any], theirs: list[Any], inside: Mapping[int, tuple[int, Delta]]
) -> tuple[list[Any], bool]:
    """Return the list with both sides' edits of `base`, and False when one side's work was lost.

    An element added by both is added twice. Each side's order is kept, ours where both moved elements. Where neither
    side changed the length or moved an element, elements are edited at their places, and our value wins where both
    changed a scalar.

    `inside` is that of the `Change`: our containers that were changed in place.
    """
    merge = _Merge(base, ours, theirs, inside)
    return merge.by_place() if merge.edits_places else merge.by_sequence()


class _Merge:
    """One run of `merge_lists`."""

    def __init__(
        self, base: list[Any], ours: list[Any], theirs: list[Any], inside: Mapping[int, tuple[int, Delta]]
    ) -> None:
        self._base, self._ours, self._theirs, self._inside = base, ours, theirs, inside
        self._base_names, self._our_names, self._their_names = _names(base), _names(ours), _names(theirs)
        for place, (old_place, _) in inside.items():
            self._our_names[place] = self._base_names[old_place]

    @property
    def edits_places(self) -> bool:
        """True when neither side changed the length or moved an element, and no container conflicts with a change."""
        base, ours, theirs = self._base_names, self._our_names, self._their_names
        if not len(base) == len(ours) == len(theirs):
            return False
        for names in (ours, theirs):
            displaced = {old for old, new in zip(base, names, strict=True) if old != new}
            if any(old != new and new in displaced for old, new in zip(base, names, strict=True)):
                return False
        places = zip(base, ours, theirs, strict=True)
        conflicts = ((here, there) for old, here, there in places if old not in (here, there))
        return not any(here != there and (isinstance(here, str) or isinstance(there, str)) for here, there in conflicts)

    def by_place(self) -> tuple[list[Any], bool]:
        """Merge the elements at each place."""
        values, complete = [], True
        names = zip(self._base_names, self._our_names, self._their_names, strict=True)
        for place, (old, here, there) in enumerate(names):
            value, whole = self._ours[place], True
            if there in (old, here):  # They changed nothing here, or made the same change.
                pass
            elif here != old:
                whole = False
            elif place in self._inside and _may_be_same(self._base[place], self._theirs[place]):
                value, whole = self._merge_element(place, self._theirs[place])
            else:
                value, whole = self._theirs[place], place not in self._inside
            values.append(value)
            complete = complete and whole
        return values, complete

    def by_sequence(self) -> tuple[list[Any], bool]:
        """Merge the removals, additions and moves."""
        base, changed_places = self._base, {old_place for old_place, _ in self._inside.values()}
        ours, theirs = _Side(self._base_names, self._our_names), _Side(self._base_names, self._their_names)
        removed = {place for place in range(len(base)) if place not in ours.places}
        contested = {place for place in removed | changed_places if isinstance(base[place], dict | list)}
        theirs.find_edited(contested, base, self._theirs)
        our_additions, their_additions = ours.additions(self._ours), theirs.additions(self._theirs)
        values: list[Any] = [*their_additions.get(_START, ()), *our_additions.get(_START, ())]
        complete = ours.places.keys() >= theirs.edited and theirs.places.keys() >= changed_places
        moved = [order for order in (ours.order, theirs.order) if order != sorted(order)]
        for place in _order(moved[0], len(base)) if moved else range(len(base)):
            if place in ours.places and place in theirs.places:
                here, whole = ours.places[place], True
                value = self._ours[here] if here in self._inside else base[place]
                if here in self._inside and place in theirs.edited:
                    value, whole = self._merge_element(here, self._theirs[theirs.places[place]])
                values.append(value)
                complete = complete and whole
            values += their_additions.get(place, ())
            values += our_additions.get(place, ())
        return [*values, *their_additions.get(_END, ()), *our_additions.get(_END, ())], complete

    def _merge_element(self, place: int, there: Any) -> tuple[Any, bool]:
        """Merge our change of a container with their element. The second value is False when one side's was lost."""
        delta, lost = self._inside[place][1].rebase({WITHIN: there})
        return delta.ours[WITHIN], not lost


class _Side:
    """One side's edit of a list.

    `places` maps the place in the base of each element that this side kept to its place now. `edited` has those places
    in the base whose element has another value now.
    """

    def __init__(self, base: list[Hashable], names: list[Hashable]) -> None:
        self._in_order = _in_order(base, names)
        self.places = {**self._in_order, **_elsewhere(base, names, self._in_order)}
        self.edited: set[int] = set()

    @property
    def order(self) -> list[int]:
        """The places in the base, in the order of this side."""
        return sorted(self.places, key=self.places.__getitem__)

    def additions(self, elements: list[Any]) -> dict[int, list[Any]]:
        """Return the added elements by the place in the base after which they come, `_END` for the last ones."""
        old_places = {place: old_place for old_place, place in self.places.items()}
        additions: dict[int, list[Any]] = {}
        after = _START
        for place, element in enumerate(elements):
            if place in old_places:
                after = old_places[place]
            else:
                additions.setdefault(after, []).append(element)
        if elements and len(elements) - 1 not in old_places:
            additions[_END] = additions.pop(after)
        return additions

    def find_edited(self, contested: set[int], base: list[Any], elements: list[Any]) -> None:
        """Find the elements that this side edited, among the `contested` ones that the other side changed or removed.

        An element counts as edited when one that has more than half of its contents lies between the same neighbors.
        """
        stayed = list(self._in_order)
        taken = set(self.places.values())
        left = _MOST_PAIRS
        for old_place in sorted(contested - self.places.keys()):
            at = bisect_left(stayed, old_place)
            start = self._in_order[stayed[at - 1]] + 1 if at else 0
            end = self._in_order[stayed[at]] if at < len(stayed) else len(elements)
            for place in [one for one in range(start, min(end, start + left)) if one not in taken]:
                left -= 1
                if _similarity(base[old_place], elements[place]) > _HALF:
                    self.places[old_place] = place
                    self.edited.add(old_place)
                    taken.add(place)
                    break


def _may_be_same(old: Any, new: Any) -> bool:
    """True when `new` may be the container `old` after a change, and not another value in its place."""
    return type(new) is type(old) and (isinstance(old, list) or _similarity(old, new) >= _HALF)


def _similarity(old: Any, new: Any) -> float:
    """Return how much of the container `old` is in `new`, from 0 to 1."""
    if not old or type(new) is not type(old):
        return 0.0
    if isinstance(old, list):
        return sum(same([one], [other]) for one, other in zip(old, new, strict=False)) / len(old)
    return sum(key in new and same([value], [new[key]]) for key, value in old.items()) / len(old)


def _order(moved: Sequence[int], length: int) -> Iterable[int]:
    """Return every place in the base: those in `moved` in that order, and each other one after its predecessor."""
    moved_places = set(moved)
    followers: dict[int, list[int]] = {}
    leader = _START
    for place in range(length):
        if place in moved_places:
            leader = place
        else:
            followers.setdefault(leader, []).append(place)
    order = [*followers.get(_START, ())]
    for place in moved:
        order += [place, *followers.get(place, ())]
    return order


def _names(elements: list[Any]) -> list[Hashable]:
    """Return a hashable value for each element that identifies it by value and type: a text for containers only."""
    return [_text_of(element) if isinstance(element, dict | list) else (type(element), element) for element in elements]


def _elsewhere(base: list[Hashable], other: list[Hashable], in_order: Mapping[int, int]) -> dict[int, int]:
    """Map the places in `base` of elements that moved to their places in `other`, except those in `in_order`."""
    taken = set(in_order.values())
    left: dict[Hashable, list[int]] = {}
    for place in reversed(range(len(other))):
        if place not in taken:
            left.setdefault(other[place], []).append(place)
    moved = {}
    for place, name in enumerate(base):
        if place not in in_order and left.get(name):
            moved[place] = left[name].pop()
    return moved


def _in_order(base: list[Hashable], other: list[Hashable]) -> dict[int, int]:
    """Map the places in `base` of a common subsequence to those in `other`.

    It is a longest one (Hunt and Szymanski), unless elements repeat so often that comparing them would take too long.
    Then equal elements are matched in their order.
    """
    shorter = min(len(base), len(other))
    start = end = 0
    while start < shorter and base[start] == other[start]:
        start += 1
    while end < shorter - start and base[-1 - end] == other[-1 - end]:
        end += 1
    candidates = _candidates(base, other, range(start, len(base) - end), range(start, len(other) - end))
    lasts: list[int] = []  # for each length, the smallest place in `other` where a subsequence ends
    chains: list[tuple[int, int, Any]] = []  # that subsequence, linked from its end
    for place, matches in candidates:
        for match in matches:
            length = bisect_left(lasts, match)
            chain = (place, match, chains[length - 1] if length else None)
            lasts[length : length + 1], chains[length : length + 1] = [match], [chain]
    middle: list[tuple[int, int]] = []
    link = chains[-1] if chains else None
    while link is not None:
        middle.append(link[:2])
        link = link[2]
    places = dict(zip(range(start), range(start), strict=True))
    places.update(reversed(middle))
    places.update(zip(range(len(base) - end, len(base)), range(len(other) - end, len(other)), strict=True))
    return places


def _candidates(
    base: list[Hashable], other: list[Hashable], places: range, others: range
) -> list[tuple[int, Sequence[int]]]:
    """Return, for each of the `places` in `base`, those of equal elements in `other`, the last first."""
    found: dict[Hashable, list[int]] = {}
    for place in reversed(others):
        found.setdefault(other[place], []).append(place)
    candidates: list[tuple[int, Sequence[int]]] = [(place, found.get(base[place], ())) for place in places]
    if sum(len(matches) for _, matches in candidates) <= _MOST_PAIRS:
        return candidates
    return [(place, [found[base[place]].pop()] if found.get(base[place]) else ()) for place in places]
