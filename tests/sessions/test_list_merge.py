"""Two edits of one list brought together."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.list_merge import _kept, _names, merged

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
        ("ab", "ba", "abc", "bca", True),
        ("", "x", "y", "yx", True),
        ("a", "A", "Z", "A", False),
        ("a", "", "Z", "", False),
        ("a", "Z", "", "", False),
        ("abcd", "abXd", "ad", "ad", False),
        ("a", "A", "Zbc", "Abc", False),
        ("a", "Axy", "Z", "Axy", False),
        ("ab", "xy", "pqr", "xyr", False),
        ("abc", "xy", "pqr", "xy", False),
        ("ab", "b", "Z", "", False),
        ("ab", "Z", "b", "", False),
        ("abk", "bkx", "ky", "kyx", True),
        ("abk", "kx", "bky", "kyx", True),
    ],
)
def test_both_edits_are_in_the_result(base: str, ours: str, theirs: str, result: str, complete: bool) -> None:
    """Additions, removals and edits of both are replayed; what meets on one element has one winner, which is told."""
    assert merged(list(base), list(ours), list(theirs)) == (list(result), complete)


@given(LISTS, LISTS)
def test_one_side_alone_decides(base: list[int], other: list[int]) -> None:
    """Where one side changed nothing the other side's list comes out, and nothing is lost."""
    assert merged(base, base, other) == (other, True)
    assert merged(base, other, base) == (other, True)
    assert merged(base, other, other) == (other, True)


@given(LISTS, LISTS, LISTS)
def test_a_merge_is_complete_when_it_has_every_element(base: list[int], ours: list[int], theirs: list[int]) -> None:
    """A merge says it is complete exactly when each element is there as often as both changes ask for."""
    result, complete = merged(base, ours, theirs)
    b, o, t, r = Counter(base), Counter(ours), Counter(theirs), Counter(result)
    whole = all(r[one] == max(0, o[one] + t[one] - b[one]) for one in range(4))
    assert complete == (whole or ours == theirs)


def longest_common(one: list[int], other: list[int]) -> int:
    """The length of a longest common subsequence, by the recurrence that defines it."""
    before = [0] * (len(other) + 1)
    for element in one:
        now = [0]
        for place, match in enumerate(other):
            now.append(before[place] + 1 if element == match else max(before[place + 1], now[-1]))
        before = now
    return before[-1]


@given(st.lists(st.integers(0, 5), max_size=12), st.lists(st.integers(0, 5), max_size=12))
def test_as_many_elements_as_possible_count_as_kept(base: list[int], other: list[int]) -> None:
    """What an edit kept is a longest common subsequence, so that no element looks edited that was left alone."""
    kept = _kept(_names(base), _names(other))
    assert list(kept) == sorted(kept)
    assert list(kept.values()) == sorted(set(kept.values()))
    assert all(base[place] == other[found] for place, found in kept.items())
    assert len(kept) == longest_common(base, other)


LONG: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    "all different": (list(range(1000)), [-1, *range(1, 1000)], [*range(999), -2]),
    "all alike": ([0] * 1000, [0] * 990, [0] * 1010),
    "two kinds": ([0, 1] * 500, [1, 0] * 505, [0, 1, 1] * 330),
    "reversed": (list(range(1000)), list(range(1000))[::-1], list(range(500, 1000)) + list(range(500))),
    "nothing kept": (list(range(1000)), list(range(1000, 2000)), list(range(2000, 3000))),
    "dicts": ([{"id": n} for n in range(1000)], [{"id": n} for n in range(5, 1000)], [{"id": n} for n in range(1005)]),
}


def steps(work: Callable[[], object]) -> int:
    """How many lines and calls of the package's own code `work` runs: a cost that no other load changes."""
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
def test_a_long_list_costs_no_more_than_in_proportion(lists: tuple[list[Any], list[Any], list[Any]]) -> None:
    """Merging a thousand elements, whatever they are, takes fewer than a hundred steps for each, not six thousand."""
    assert steps(lambda: merged(*lists)) < 100_000


@pytest.mark.parametrize("lists", LONG.values(), ids=LONG)
def test_a_long_list_is_merged_as_a_short_one_is(lists: tuple[list[Any], list[Any], list[Any]]) -> None:
    """Where the merge says that it is complete, every element is there as often as both changes ask for."""
    base, ours, theirs = ([str(one) for one in one_list] for one_list in lists)
    result, complete = merged(*lists)
    b, o, t, r = Counter(base), Counter(ours), Counter(theirs), Counter(map(str, result))
    whole = all(r[one] == max(0, o[one] + t[one] - b[one]) for one in b | o | t)
    assert complete <= whole
    if lists in (LONG["all different"], LONG["dicts"]):
        assert complete


@given(st.data(), st.integers(100, 200))
def test_elements_that_repeat_are_matched_at_any_length(draw: st.DataObject, length: int) -> None:
    """One side alone decides, however often one element comes; long lists are matched more coarsely, and stay right."""
    base = [draw.draw(st.integers(0, 1)) for _ in range(length)]
    other = [one for one in base if draw.draw(st.integers(0, 5))] + [0, 1, 1]
    assert merged(base, other, list(base)) == (other, True)
    assert merged(base, list(base), other) == (other, True)
