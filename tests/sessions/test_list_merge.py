"""Two edits of one list brought together."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.list_merge import merged

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
def test_a_complete_merge_has_every_element(base: list[int], ours: list[int], theirs: list[int]) -> None:
    """A merge that says it is complete holds each element as often as both changes ask for."""
    result, complete = merged(base, ours, theirs)
    if complete and ours != theirs:
        b, o, t, r = Counter(base), Counter(ours), Counter(theirs), Counter(result)
        assert all(r[one] == max(0, o[one] + t[one] - b[one]) for one in range(4))


def test_a_list_too_long_to_compare_has_one_winner() -> None:
    """Very long lists are not compared element by element: the later one wins, which is told."""
    long = list(range(2000))
    assert merged(long, [0, *long], [*long, 1]) == ([0, *long], False)
