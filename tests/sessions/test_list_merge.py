"""Merging two edits of one list."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arc.sessions.list_merge import _in_order, _names, merge_lists

LISTS = st.lists(st.integers(0, 3), max_size=6)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result", "complete"),
    [
        ("abc", "aBc", "abcd", "aBcd", True),
        ("ab", "Ab", "aB", "AB", True),
        ("ab", "xAb", "aB", "xAB", True),
        ("abc", "ac", "ab", "a", True),
        ("abc", "", "abcd", "d", True),
        ("a", "", "na", "n", True),
        ("ab", "ba", "abc", "bac", True),
        ("", "x", "y", "yx", True),
        ("", "x", "x", "xx", True),
        ("a", "A", "Z", "A", False),
        ("a", "A", "A", "A", True),
        ("a", "", "Z", "Z", True),
        ("a", "Z", "", "Z", True),
        ("abcd", "abXd", "ad", "aXd", True),
        ("a", "A", "Zbc", "ZbcA", True),
        ("ab", "xy", "pqr", "pqrxy", True),
        ("ab", "b", "Z", "Z", True),
        ("abk", "bkx", "ky", "kyx", True),
        ("abc", "cab", "abcd", "cabd", True),
        ("abcd", "bcda", "adbc", "bcda", True),
        ("abc", "ac", "acX", "acX", True),
        ("abc", "acX", "acX", "acXX", True),
    ],
)
def test_both_edits_are_in_the_result(base: str, ours: str, theirs: str, result: str, complete: bool) -> None:
    """Additions and removals of both sides apply, and our value wins where both changed one place."""
    assert merge_lists(list(base), list(ours), list(theirs), {}) == (list(result), complete)


@given(LISTS, LISTS)
def test_the_other_sides_list_wins_over_an_unchanged_one(base: list[int], other: list[int]) -> None:
    """Where one side changed nothing, the result is the other side's list, and nothing is lost."""
    assert merge_lists(base, base, other, {}) == (other, True)
    assert merge_lists(base, other, base, {}) == (other, True)


@st.composite
def edits(draw: st.DrawFn, base: list[int], first: int) -> list[int]:
    """Generate an edit of a list: some elements removed, perhaps moved, and elements from `first` on added anywhere."""
    kept = [one for one in base if draw(st.integers(0, 3))]
    other = draw(st.permutations(kept)) if draw(st.integers(0, 3)) == 0 else kept
    for element in range(first, first + draw(st.integers(0, 3))):
        other.insert(draw(st.integers(0, len(other))), element)
    return other


def edits_places(base: list[int], other: list[int]) -> bool:
    """True when `other` has the length of the base, and all its remaining elements are at their places."""
    return len(base) == len(other) and all(one not in base or base.index(one) == at for at, one in enumerate(other))


def restricted(elements: list[int], to: list[int]) -> list[int]:
    """Return the elements that are in `to`, in their order."""
    return [one for one in elements if one in to]


@settings(max_examples=10 * settings().max_examples)
@given(st.data(), st.integers(0, 7))
def test_s37_no_addition_is_lost(data: st.DataObject, length: int) -> None:
    """Every element that both kept or either added is there once, in an order that agrees with each side's."""
    base = list(range(length))
    ours, theirs = data.draw(edits(base, 100)), data.draw(edits(base, 200))
    result, complete = merge_lists(base, ours, theirs, {})
    if edits_places(base, ours) and edits_places(base, theirs):
        assert result == [one if one != was else other for was, one, other in zip(base, ours, theirs, strict=True)]
        assert complete == all(was in pair for was, *pair in zip(base, ours, theirs, strict=True))
        return
    kept = [one for one in base if one in ours and one in theirs]
    assert complete
    assert sorted(result) == sorted([*kept, *(one for one in (*ours, *theirs) if one not in base)])
    we_moved, they_moved = (restricted(one, base) != sorted(restricted(one, base)) for one in (ours, theirs))
    if we_moved or not they_moved:
        assert restricted(result, ours) == restricted(ours, result)
    if not we_moved:
        assert restricted(result, theirs) == restricted(theirs, result)


@settings(max_examples=5 * settings().max_examples)
@given(LISTS, LISTS, LISTS)
def test_s37_elements_that_repeat_are_counted(base: list[int], ours: list[int], theirs: list[int]) -> None:
    """Equal elements are there as often as they were kept and added, or the merge reports a loss."""
    result, complete = merge_lists(base, ours, theirs, {})
    b, o, t, r = Counter(base), Counter(ours), Counter(theirs), Counter(result)
    added = {one: max(0, o[one] - b[one]) + max(0, t[one] - b[one]) for one in range(4)}
    kept = {one: (min(b[one], o[one]), min(b[one], t[one])) for one in range(4)}
    whole = all(max(0, sum(kept[one]) - b[one]) <= r[one] - added[one] <= min(kept[one]) for one in range(4))
    assert whole or len(base) == len(ours) == len(theirs)
    assert (
        not complete
        or whole
        or all(one == other or was in (one, other) for was, one, other in zip(base, ours, theirs, strict=True))
    )


def longest_common(one: list[int], other: list[int]) -> int:
    """Return the length of a longest common subsequence, by its recurrence."""
    before = [0] * (len(other) + 1)
    for element in one:
        now = [0]
        for place, match in enumerate(other):
            now.append(before[place] + 1 if element == match else max(before[place + 1], now[-1]))
        before = now
    return before[-1]


@given(st.lists(st.integers(0, 5), max_size=12), st.lists(st.integers(0, 5), max_size=12))
def test_in_order_returns_a_longest_common_subsequence(base: list[int], other: list[int]) -> None:
    """Thus no element that was left alone counts as edited."""
    kept = _in_order(_names(base), _names(other))
    assert list(kept) == sorted(kept)
    assert list(kept.values()) == sorted(set(kept.values()))
    assert all(base[place] == other[found] for place, found in kept.items())
    assert len(kept) == longest_common(base, other)


LONG: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    "all different": (list(range(1000)), [-1, *range(1, 1000)], [*range(999), -2]),
    "all alike": ([0] * 1000, [0] * 990, [0] * 1010),
    "two kinds": ([0, 1] * 500, [1, 0] * 505, [0, 1, 1] * 330),
    "reversed": (list(range(1000)), list(range(1000))[::-1], list(range(500, 1000)) + list(range(500))),
    "nothing kept": (list(range(1000)), list(range(1000, 2001)), list(range(3000, 4000))),
    "dicts": ([{"id": n} for n in range(1000)], [{"id": n} for n in range(5, 1000)], [{"id": n} for n in range(1005)]),
}


def steps(work: Callable[[], object]) -> int:
    """Count the lines and calls of the package's code that `work` runs, which do not depend on the machine's load."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event != "return"
        return trace if "arc/sessions" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("lists", LONG.values(), ids=LONG)
def test_the_cost_is_proportional_to_the_length(lists: tuple[list[Any], list[Any], list[Any]]) -> None:
    """Merging a thousand elements takes fewer than a hundred steps for each."""
    assert steps(lambda: merge_lists(*lists, {})) < 100_000


@pytest.mark.parametrize("lists", LONG.values(), ids=LONG)
def test_a_long_list_is_merged_like_a_short_one(lists: tuple[list[Any], list[Any], list[Any]]) -> None:
    """Only the order of repeated elements is coarser, and their number is the same."""
    base, ours, theirs = ([str(one) for one in one_list] for one_list in lists)
    result, complete = merge_lists(*lists, {})
    assert complete
    b, o, t, r = Counter(base), Counter(ours), Counter(theirs), Counter(map(str, result))
    for one in b | o | t:
        added = max(0, o[one] - b[one]) + max(0, t[one] - b[one])
        kept = min(b[one], o[one]), min(b[one], t[one])
        assert max(0, sum(kept) - b[one]) <= r[one] - added <= min(kept)


@given(st.data(), st.integers(100, 200))
def test_elements_that_repeat_are_matched_at_any_length(draw: st.DataObject, length: int) -> None:
    """With repeated elements in long lists, one side's edit of an unchanged list still wins completely."""
    base = [draw.draw(st.integers(0, 1)) for _ in range(length)]
    other = [one for one in base if draw.draw(st.integers(0, 5))] + [0, 1, 1]
    assert merge_lists(base, other, list(base), {}) == (other, True)
    assert merge_lists(base, list(base), other, {}) == (other, True)


def test_elements_that_repeat_often_are_matched_in_the_order_in_which_they_come() -> None:
    """More pairs of equal elements than are looked at, and still every one of them is kept."""
    base = [0, 1] * 60
    assert _in_order(_names(base), _names([2, *base, 2])) == {place: place + 1 for place in range(120)}
