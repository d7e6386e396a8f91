"""Merging containers within a list, such as the lines of a cart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arc.sessions.session import Session
from tests.sessions.test_delta import merged

CHOICES = st.sampled_from(["keep", "keep", "keep", "quantity", "gift", "remove", "replace"])


def line(number: int, **more: Any) -> dict[str, Any]:
    """Return a line of a cart."""
    return {"id": number, "name": f"product {number}", "quantity": 1, **more}


Line = dict[str, Any]
Edit = Callable[[list[Line]], object]


def both(cart: list[Line], ours: Edit, theirs: Edit) -> tuple[list[Line], bool]:
    """Return the cart after `ours` and `theirs`, and whether nothing was lost."""
    outcome, lost = merged(
        {"cart": cart}, lambda session: ours(session["cart"]), lambda session: theirs(session["cart"])
    )
    assert lost in ((), (("cart",),))
    return outcome.get("cart", []), not lost


def set_first(key: str, value: Any) -> Edit:
    """Return an edit that sets one value in the first line."""
    return lambda cart: cart[0].update({key: value})


def add(number: int) -> Edit:
    """Return an edit that adds a line."""
    return lambda cart: cart.append(line(number))


def each(*edits: Edit) -> Edit:
    """Return several edits as one."""

    def edit(cart: list[Line]) -> None:
        for one in edits:
            one(cart)

    return edit


CASES: dict[str, tuple[Edit, Edit, list[Line], bool]] = {
    "changed here, untouched there": (
        set_first("quantity", 2),
        add(3),
        [line(1, quantity=2), line(2), line(3)],
        True,
    ),
    "changed on both sides": (
        set_first("quantity", 2),
        set_first("gift", "yes"),
        [line(1, quantity=2, gift="yes"), line(2)],
        True,
    ),
    "the same key of both": (set_first("quantity", 2), set_first("quantity", 3), [line(1, quantity=2), line(2)], False),
    "changed on both sides, and one added there": (
        set_first("quantity", 2),
        each(set_first("gift", "yes"), add(3)),
        [line(1, quantity=2, gift="yes"), line(2), line(3)],
        True,
    ),
    "changed on both sides, and moved here": (
        each(set_first("quantity", 2), lambda cart: cart.reverse()),
        each(set_first("gift", "yes"), add(3)),
        [line(2), line(1, quantity=2, gift="yes"), line(3)],
        True,
    ),
    "changed here, removed there": (set_first("quantity", 2), lambda cart: cart.pop(0), [line(2)], False),
    "removed here, changed there": (lambda cart: cart.pop(0), set_first("quantity", 2), [line(2)], False),
    "changed here, replaced there": (
        set_first("quantity", 2),
        lambda cart: cart.__setitem__(0, line(3)),
        [line(3), line(2)],
        False,
    ),
    "assigned here, changed there": (
        lambda cart: cart.__setitem__(0, line(3)),
        each(set_first("gift", "yes"), add(4)),
        [line(3), line(2), line(4)],
        False,
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "outcome", "complete"), CASES.values(), ids=CASES)
def test_changes_of_one_line_merge(ours: Edit, theirs: Edit, outcome: list[Line], complete: bool) -> None:
    """The line has both changes, unless either side removed it, which loses and reports the other side's change."""
    assert both([line(1), line(2)], ours, theirs) == (outcome, complete)


def test_lists_within_a_list() -> None:
    """A row of a game has the elements that both sides added."""
    rows: list[Any] = [[0, 0, 0], [1, 1, 1]]
    outcome, lost = merged(
        {"rows": rows}, lambda session: session["rows"][0].append(7), lambda session: session["rows"][0].append(8)
    )
    assert (outcome, lost) == ({"rows": [[0, 0, 0, 8, 7], [1, 1, 1]]}, ())


def test_additions_survive_the_deletion_of_an_edited_list() -> None:
    """Old elements are removed, and our additions are stored."""

    def edit(session: Session) -> None:
        session["cart"].insert(0, "new")
        session["cart"].remove("b")

    outcome = merged({"cart": ["a", "b"]}, edit, lambda session: session.pop("cart"))
    assert outcome == ({"cart": ["new"]}, ())


@st.composite
def edited(draw: st.DrawFn, length: int, first: int) -> tuple[list[str], list[int]]:
    """Generate what one side does to each line, and the numbers of the lines that it appends."""
    choices = [draw(CHOICES) for _ in range(length)]
    return choices, list(range(first, first + draw(st.integers(0, 2))))


def apply(cart: list[Line], edit: tuple[list[str], list[int]], quantity: int) -> None:
    """Edit a cart in place. A replaced line has a new number."""
    choices, added = edit
    for number, choice in reversed(list(enumerate(choices))):
        if choice == "quantity":
            cart[number]["quantity"] = quantity
        elif choice == "gift":
            cart[number]["gift"] = quantity
        elif choice == "remove":
            del cart[number]
        elif choice == "replace":
            cart[number] = line(quantity * 10 + number)
    cart += [line(number) for number in added]


@settings(max_examples=5 * settings().max_examples)
@given(st.data(), st.integers(0, 5))
def test_s37_no_added_line_is_lost_or_mixed_with_another(data: st.DataObject, length: int) -> None:
    """Added lines are unchanged, and kept lines have both sides' changes, or a loss is reported."""
    ours, theirs = data.draw(edited(length, 1000)), data.draw(edited(length, 2000))
    start = [line(number) for number in range(length)]
    outcome, complete = both(start, lambda cart: apply(cart, ours, 20), lambda cart: apply(cart, theirs, 30))
    found = {one["id"]: one for one in outcome}
    assert len(found) == len(outcome)
    for added in (*ours[1], *theirs[1]):
        assert found.pop(added) == line(added)
    for number, (here, there) in enumerate(zip(ours[0], theirs[0], strict=True)):
        own = {own_number: found.pop(own_number, None) for own_number in (200 + number, 300 + number)}
        kept = found.pop(number, None)
        if "replace" in (here, there):
            replaced = [
                line(key) for key, choice in ((200 + number, here), (300 + number, there)) if choice == "replace"
            ]
            is_there = [one for one in own.values() if one is not None]
            assert is_there == replaced or (not complete and is_there == replaced[:1])
        changes = {
            key: value for key, value, choice in (("quantity", 30, there), ("quantity", 20, here)) if choice == key
        }
        changes |= {key: value for key, value, choice in (("gift", 30, there), ("gift", 20, here)) if choice == key}
        if {here, there} & {"remove", "replace"}:
            assert kept is None
        elif complete:
            assert kept == line(number, **changes)
        else:
            assert kept in (line(number, **changes), line(number, **({there: 30} if there != "keep" else {})))
    assert found == {}


def test_a_subtree_within_a_line_gives_way_to_ours() -> None:
    """Another type in the place of a dict within a line: ours stands as a whole, and the loss is told."""
    cart = [{**line(1), "options": {"gift": True, "color": "red"}}, line(2)]
    ours: Edit = lambda cart: cart[0]["options"].update(color="blue")  # noqa: E731  # an edit like any other
    theirs: Edit = lambda cart: cart[0].update(options="none")  # noqa: E731
    expected = [{**line(1), "options": {"gift": True, "color": "blue"}}, line(2)]
    assert both(cart, ours, theirs) == (expected, False)


ROWS = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]


@pytest.mark.parametrize(
    ("there", "ours", "complete"),
    [
        ([1, 2, 3, 9], [1, 2, 3, 9, 0], True),
        ([9, 2, 3, 4], [9, 2, 3, 4, 0], True),
        ([1, 2, 3], [1, 2, 3, 0], True),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0], True),
        ([1, 2, 9, 9], None, False),
        ([1, 9, 9, 9], None, False),
        ([1.0, 2.0, 3.0, 4.0], None, False),
        ({"a": 1}, None, False),
        (7, None, False),
    ],
)
def test_a_row_that_has_most_of_what_it_had_is_the_same_row(there: Any, ours: Any, complete: bool) -> None:
    """In a list of another length a row that both changed is known by more than half of its elements."""

    def edit(session: Session) -> None:
        session["rows"][0].append(0)

    def theirs(session: Session) -> None:
        session["rows"][0] = there
        session["rows"].append([13])

    outcome, lost = merged({"rows": ROWS}, edit, theirs)
    assert outcome["rows"] == [*([there] if ours is None else [ours]), *ROWS[1:], [13]]
    assert lost == (() if complete else (("rows",),))


def test_a_row_is_looked_for_between_its_neighbors() -> None:
    """Not among those before or after, however like it they are."""

    def edit(session: Session) -> None:
        session["rows"][1].append(0)

    def theirs(session: Session) -> None:
        del session["rows"][1]
        session["rows"].insert(0, [5, 6, 7, 9])
        session["rows"].append([5, 6, 7, 10])

    outcome, lost = merged({"rows": ROWS}, edit, theirs)
    assert outcome["rows"] == [[5, 6, 7, 9], ROWS[0], ROWS[2], [5, 6, 7, 10]]
    assert lost == (("rows",),)


def test_each_row_that_both_changed_is_found_once() -> None:
    """Two that are alike are not taken for one."""

    def edit(session: Session) -> None:
        session["rows"][0].append("a")
        session["rows"][1].append("b")

    def theirs(session: Session) -> None:
        session["rows"][0][3] = "x"
        session["rows"][1][3] = "y"
        session["rows"].append("new")

    outcome, lost = merged({"rows": [[1, 2, 3, 4], [1, 2, 3, 5]]}, edit, theirs)
    assert (outcome["rows"], lost) == ([[1, 2, 3, "x", "a"], [1, 2, 3, "y", "b"], "new"], ())


def test_an_empty_row_that_both_filled_is_not_known_again() -> None:
    """There is nothing to know it by, in a list of another length."""
    outcome, lost = merged(
        {"rows": [[], [1]]},
        lambda session: session["rows"][0].append("a"),
        lambda session: (session["rows"][0].append("b"), session["rows"].append([2])),
    )
    assert (outcome["rows"], lost) == ([["b"], [1], [2]], (("rows",),))


@pytest.mark.parametrize(("there", "whole"), [({"id": 1, "name": "x"}, True), ({"id": 2, "name": "x"}, False)])
def test_a_line_that_has_half_of_what_it_had_is_the_same_line_at_its_place(there: Line, whole: bool) -> None:
    """With less it is another one, which came for it."""
    cart = [{"id": 1, "name": "a"}]
    outcome, complete = both(cart, set_first("gift", "yes"), lambda cart: cart.__setitem__(0, there))
    assert (outcome, complete) == ([{**there, "gift": "yes"} if whole else there], whole)
