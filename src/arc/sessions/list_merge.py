"""Two edits of one list brought together: what both kept stays, what either removed is gone, what either added stays.

Elements are known by value, and containers that one side changed in place by the element that they were.
"""

from __future__ import annotations

import json
from bisect import bisect_left

from arc.sessions.values import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
    from typing import Any

    Meet = Callable[[int, Any], tuple[Any, bool]]

_text_of = json.JSONEncoder(sort_keys=True).encode
_MOST_PAIRS = 4_000  # of equal elements of two lists, each of which is looked at once
_HALF = 0.5  # of what a container had: with more it is taken for the same one
_START = -1  # the place before the first
_END = -2


def begins_with(elements: list[Any], start: list[Any]) -> bool:
    """True when `elements` are those of `start`, perhaps with more after them."""
    return len(elements) >= len(start) and same(elements[: len(start)], start)


def _never(place: int, there: Any) -> tuple[Any, bool]:
    raise AssertionError(f"Nothing was changed in place, and yet {place} meets {type(there).__name__}.")


def merged(
    base: list[Any], ours: list[Any], theirs: list[Any], changed: Mapping[int, int] | None = None, meet: Meet = _never
) -> tuple[list[Any], bool]:
    """Both sides' edits of `base`; False when one side's work was lost.

    What both kept stays, once; what either removed is gone; what either added is there as often as it was added; and
    each side's order is kept, ours where both moved elements. Where neither side changed the length or moved an
    element, elements are edited at their places, and of a scalar that both changed our value, the later one, stays.

    `changed` maps places of ours to the places in the base of containers that we changed in place; `meet(place,
    theirs)` brings such a change together with theirs, as (value, whether nothing was lost).
    """
    changed = changed or {}
    b, o, t = _names(base), _names(ours), _names(theirs)
    for place, was in changed.items():
        o[place] = b[was]
    if _edits_places(b, o, t):
        return _place_by_place(base, ours, theirs, (b, o, t), changed, meet)
    return _Merge(base, ours, theirs, (b, o, t), changed, meet).result()


def _edits_places(base: list[Hashable], ours: list[Hashable], theirs: list[Hashable]) -> bool:
    """True when neither changed the length or moved an element, nor put a container where the other put something."""
    if not len(base) == len(ours) == len(theirs):
        return False
    for other in (ours, theirs):
        displaced = {was for was, now in zip(base, other, strict=True) if was != now}
        if any(was != now and now in displaced for was, now in zip(base, other, strict=True)):
            return False
    contested = ((here, there) for was, here, there in zip(base, ours, theirs, strict=True) if was not in (here, there))
    return not any(here != there and (isinstance(here, str) or isinstance(there, str)) for here, there in contested)


def _place_by_place(
    base: list[Any],
    ours: list[Any],
    theirs: list[Any],
    names: tuple[list[Hashable], list[Hashable], list[Hashable]],
    changed: Container[int],
    meet: Meet,
) -> tuple[list[Any], bool]:
    result, complete = [], True
    for place, (was, here, there) in enumerate(zip(*names, strict=True)):
        if there in (was, here):  # untouched there, or given the same value
            value, whole = ours[place], True
        elif here != was:
            value, whole = ours[place], False
        elif place in changed:
            value, whole = _met(place, base[place], theirs[place], meet)
        else:
            value, whole = theirs[place], True
        result.append(value)
        complete = complete and whole
    return result, complete


def _met(place: int, was: Any, there: Any, meet: Meet) -> tuple[Any, bool]:
    """Our change of a container beside what lies in its place there: itself, or another value, which came for it."""
    if type(there) is type(was) and (isinstance(was, list) or _likeness(was, there) >= _HALF):
        return meet(place, there)
    return there, False


class _Merge:
    """A merge of lists of which one has another length, or another order."""

    def __init__(
        self,
        base: list[Any],
        ours: list[Any],
        theirs: list[Any],
        names: tuple[list[Hashable], list[Hashable], list[Hashable]],
        changed: Mapping[int, int],
        meet: Meet,
    ) -> None:
        self._base, self._ours, self._theirs = base, ours, theirs
        self._changed, self._meet = changed, meet
        b, o, t = names
        self._our_side, self._their_side = _Side(b, o), _Side(b, t)
        gone = {place for place in range(len(base)) if place not in self._our_side.places}
        contested = {place for place in gone.union(changed.values()) if isinstance(base[place], dict | list)}
        self._their_side.find_edited(contested, base, theirs)

    def result(self) -> tuple[list[Any], bool]:
        """What both made of the list."""
        ours, theirs = self._our_side, self._their_side
        our_additions, their_additions = ours.additions(self._ours), theirs.additions(self._theirs)
        values: list[Any] = [*their_additions.get(_START, ()), *our_additions.get(_START, ())]
        complete = ours.places.keys() >= theirs.edited and theirs.places.keys() >= set(self._changed.values())
        moved = [order for order in (ours.order, theirs.order) if order != sorted(order)]
        for was in _order(moved[0], len(self._base)) if moved else range(len(self._base)):
            if was in ours.places and was in theirs.places:
                value, whole = self._kept(was)
                values.append(value)
                complete = complete and whole
            values += their_additions.get(was, ())
            values += our_additions.get(was, ())
        return [*values, *their_additions.get(_END, ()), *our_additions.get(_END, ())], complete

    def _kept(self, was: int) -> tuple[Any, bool]:
        """An element that both kept, with what either changed in it."""
        place = self._our_side.places[was]
        if place not in self._changed:
            return self._base[was], True
        if was not in self._their_side.edited:
            return self._ours[place], True
        return self._meet(place, self._theirs[self._their_side.places[was]])


class _Side:
    """What one side did to a list.

    `places` maps each place of the base that it kept to the place where the element lies now; `edited` are those of
    them whose element has another value now.
    """

    def __init__(self, base: list[Hashable], names: list[Hashable]) -> None:
        in_order = _in_order(base, names)
        self._in_order = in_order
        self.places = {**in_order, **_elsewhere(base, names, in_order)}
        self.edited: set[int] = set()

    @property
    def order(self) -> list[int]:
        """The places of the base in their order here."""
        return sorted(self.places, key=self.places.__getitem__)

    def additions(self, elements: list[Any]) -> dict[int, list[Any]]:
        """What was added, by the place of the base after which it comes here; at the end what nothing follows."""
        at = {place: was for was, place in self.places.items()}
        found: dict[int, list[Any]] = {}
        after = _START
        for place, element in enumerate(elements):
            if place in at:
                after = at[place]
            else:
                found.setdefault(after, []).append(element)
        if elements and len(elements) - 1 not in at:
            found[_END] = found.pop(after)
        return found

    def find_edited(self, contested: set[int], base: list[Any], elements: list[Any]) -> None:
        """Find those containers of the base that the other side changed or removed, where this one changed them too.

        It is one that has come between the same two elements that stayed, and that has most of what the old one had.
        """
        stayed = list(self._in_order)
        taken = set(self.places.values())
        left = _MOST_PAIRS
        for was in sorted(contested - self.places.keys()):
            at = bisect_left(stayed, was)
            start = self._in_order[stayed[at - 1]] + 1 if at else 0
            end = self._in_order[stayed[at]] if at < len(stayed) else len(elements)
            for place in [one for one in range(start, min(end, start + left)) if one not in taken]:
                left -= 1
                if _likeness(base[was], elements[place]) > _HALF:
                    self.places[was] = place
                    self.edited.add(was)
                    taken.add(place)
                    break


def _likeness(was: Any, now: Any) -> float:
    """How much of a container another one still has, from 0 to 1."""
    if not was or type(now) is not type(was):
        return 0.0
    if isinstance(was, list):
        return sum(same([one], [other]) for one, other in zip(was, now, strict=False)) / len(was)
    return sum(key in now and same([value], [now[key]]) for key, value in was.items()) / len(was)


def _order(moved: Sequence[int], length: int) -> Iterable[int]:
    """Every place of the base: those in `moved` in that order, each other one after the one before it."""
    kept = set(moved)
    followers: dict[int, list[int]] = {}
    leader = _START
    for place in range(length):
        if place in kept:
            leader = place
        else:
            followers.setdefault(leader, []).append(place)
    order = [*followers.get(_START, ())]
    for place in moved:
        order += [place, *followers.get(place, ())]
    return order


def _names(elements: list[Any]) -> list[Hashable]:
    """Something hashable for each element, equal for equal elements alone: text for containers alone."""
    return [_text_of(element) if isinstance(element, dict | list) else (type(element), element) for element in elements]


def _elsewhere(base: list[Hashable], other: list[Hashable], in_order: Mapping[int, int]) -> dict[int, int]:
    """The places of elements that moved: in `base` → in `other`, for those that are not among the ones `in_order`."""
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
    """The places of a common subsequence: in `base` → in `other`, in order.

    It is a longest one (Hunt and Szymanski), unless elements repeat so often that comparing each with each would
    take too long: then equal elements are matched in the order in which they come.
    """
    shorter = min(len(base), len(other))
    start = end = 0
    while start < shorter and base[start] == other[start]:
        start += 1
    while end < shorter - start and base[-1 - end] == other[-1 - end]:
        end += 1
    candidates = _candidates(base, other, range(start, len(base) - end), range(start, len(other) - end))
    lasts: list[int] = []  # for each length the smallest place in `other` at which a subsequence ends
    chains: list[tuple[int, int, Any]] = []  # and that subsequence, linked from its end
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
    """For each of the `places` in `base` those of equal elements in `other`, the last first."""
    found: dict[Hashable, list[int]] = {}
    for place in reversed(others):
        found.setdefault(other[place], []).append(place)
    candidates: list[tuple[int, Sequence[int]]] = [(place, found.get(base[place], ())) for place in places]
    if sum(len(matches) for _, matches in candidates) <= _MOST_PAIRS:
        return candidates
    return [(place, [found[base[place]].pop()] if found.get(base[place]) else ()) for place in places]
