"""Two edits of one list brought together: both sides' additions and removals, replayed on what both began with."""

from __future__ import annotations

import json
from bisect import bisect_left

from arc.sessions.values import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from typing import Any

_text_of = json.JSONEncoder(sort_keys=True).encode
_MOST_PAIRS = 4_000  # of equal elements of two lists, each of which is looked at once


def begins_with(elements: list[Any], start: list[Any]) -> bool:
    """True when `elements` are those of `start`, perhaps with more after them."""
    return len(elements) >= len(start) and same(elements[: len(start)], start)


def merged(base: list[Any], ours: list[Any], theirs: list[Any]) -> tuple[list[Any], bool]:
    """`theirs` with our additions and removals of `base` replayed; False when one side lost something.

    An edited element is one removed and one added. What both added at one place is all kept, theirs first.
    Where both changed one element ours is the later; one removed on one side and edited on the other is removed.
    Of elements that both changed side by side, the first are taken for edited and the rest for added.
    """
    if same(ours, theirs):
        return ours, True
    b, o, t = _names(base), _names(ours), _names(theirs)
    our_edit, their_edit = _Edit(b, o, ours), _Edit(b, t, theirs)
    result: list[Any] = []
    start = 0
    kept_by_both = [place for place in range(len(b)) if place in our_edit.kept and place in their_edit.kept]
    for end in (*kept_by_both, len(b)):
        result += _stretch(base, our_edit, their_edit, start, end)
        result += base[end : end + 1]
        start = end + 1
    return result, _nothing_missing(b, o, t, _names(result))


class _Edit:
    """What one side did to a list: the elements of the base it `kept`, and those it `added` before each place."""

    def __init__(self, base: list[Hashable], names: list[Hashable], elements: list[Any]) -> None:
        self.kept = _kept(base, names)
        self.added: list[list[Any]] = [[] for _ in range(len(base) + 1)]
        self._elements = elements
        at = gap = 0
        for place, found in [*self.kept.items(), (len(base), len(names))]:
            self.added[gap] = elements[at:found]
            at, gap = found + 1, place + 1

    def adds(self, start: int, end: int) -> bool:
        """True when something was added from before `start` to before `end`, both included."""
        return any(self.added[start : end + 1])

    def outcome(self, base: list[Any], start: int, end: int) -> list[Any]:
        """What this side made of base[start:end]."""
        result: list[Any] = []
        for place in range(start, end + 1):
            result += self.added[place]
            if place < end and place in self.kept:
                result.append(base[place])
        return result


def _stretch(base: list[Any], ours: _Edit, theirs: _Edit, start: int, end: int) -> list[Any]:
    """What becomes of base[start:end], between two elements that both sides kept."""
    places = range(start, end)
    both_removed = any(place not in ours.kept and place not in theirs.kept for place in places)
    we_added, they_added = ours.adds(start, end), theirs.adds(start, end)
    if not both_removed or not (we_added or they_added):
        result: list[Any] = []
        for place in range(start, end + 1):
            result += theirs.added[place] + ours.added[place]
            if place < end and place in ours.kept and place in theirs.kept:
                result.append(base[place])
        return result
    here, there = ours.outcome(base, start, end), theirs.outcome(base, start, end)
    if same(here, there):
        return here
    if not we_added or not they_added:
        return [base[place] for place in places if place in ours.kept and place in theirs.kept]
    length = end - start
    if min(len(here), len(there)) < length:
        return here
    edited = [
        there_now if same([was], [here_now]) else here_now
        for was, here_now, there_now in zip(base[start:end], here, there, strict=False)
    ]
    return [*edited, *there[length:], *here[length:]]


def _nothing_missing(
    base: list[Hashable], ours: list[Hashable], theirs: list[Hashable], result: list[Hashable]
) -> bool:
    """True when every element is there as often as both sides' changes ask for (a moved one may meet a removal)."""
    b, o, t, r = _counts(base), _counts(ours), _counts(theirs), _counts(result)
    return all(r.get(name, 0) == max(0, o.get(name, 0) + t.get(name, 0) - b.get(name, 0)) for name in (b | o | t))


def _counts(names: list[Hashable]) -> dict[Hashable, int]:
    counts: dict[Hashable, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _names(elements: list[Any]) -> list[Hashable]:
    """Something hashable for each element, equal for equal elements alone."""
    return [_text_of(element) if isinstance(element, dict | list) else (type(element), element) for element in elements]


def _kept(base: list[Hashable], other: list[Hashable]) -> dict[int, int]:
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
