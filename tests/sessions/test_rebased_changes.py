"""The changes of a delta, one by one, as a request made them and made again on what another one left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from arc.sessions.delta import MISSING, Delta, alike
from arc.sessions.session import Session
from tests.sessions.test_delta import DATA, delta_of, edits, loaded, merged


def at(data: Any, path: tuple[str, ...]) -> Any:
    """What lies at `path`, `MISSING` where nothing does."""
    for key in path:
        data = data.get(key, MISSING)
    return data


@given(edits(), DATA)
def test_each_change_says_what_it_is_made_on(edit: tuple[dict[str, Any], Session], theirs: dict[str, Any]) -> None:
    """Its kind is a known one, and its base lies at its path; a container is created where there is nothing."""
    data, session = edit
    delta = delta_of(session)
    for made, on in ((delta, data), (delta.rebase(theirs)[0], theirs)):
        for one in made.changes:
            assert one.kind in {"set", "remove", "create", "append", "edit", "increment"}
            assert alike(one.base if one.kind != "create" else MISSING, at(on, one.path))
            assert one.kind != "create" or type(one.base) is type(one.value)


def shown(delta: Delta) -> list[tuple[object, ...]]:
    """Kind, path, value and base of each change."""
    return [(one.kind, one.path, one.value, one.base) for one in delta.changes]


def test_replacing_everything_writes_only_what_differs() -> None:
    """Each key is set or removed on what another request left there; what that request had changed is lost."""
    session = loaded({"a": 1, "b": 2, "c": 3, "d": 4})
    session.replace({"a": 1, "b": 5, "e": 6})
    made, lost = delta_of(session).rebase({"c": 9, "a": 1, "b": 2, "f": 7, "d": 4})
    assert shown(made) == [
        ("remove", ("c",), MISSING, 9),
        ("set", ("b",), 5, 2),
        ("remove", ("f",), MISSING, 7),
        ("remove", ("d",), MISSING, 4),
        ("set", ("e",), 6, MISSING),
    ]
    assert lost == (("c",), ("f",))


def test_a_list_that_began_empty_is_appended_to() -> None:
    """Another one, or a dict, is created as a whole."""
    session = loaded({"cart": {}})
    session.setdefault("seen", []).append("a")
    session["cart"].setdefault("items", []).append("b")
    session["sizes"] = ["S"]
    session["sizes"].append("M")
    session["place"] = {}
    assert shown(delta_of(session)) == [
        ("append", ("cart", "items"), ["b"], MISSING),
        ("append", ("seen",), ["a"], MISSING),
        ("create", ("sizes",), ["S", "M"], ["S"]),
        ("create", ("place",), {}, {}),
    ]


def test_a_list_of_another_beginning_is_appended_to() -> None:
    """Two requests that made different lists under one key keep the elements of both."""

    def ours(session: Session) -> None:
        session["sizes"] = ["S", "M"]

    def theirs(session: Session) -> None:
        session["sizes"] = ["L"]

    def nothing(session: Session) -> None:
        session["sizes"] = ["S"]
        session["sizes"].clear()

    assert merged({}, ours, theirs) == ({"sizes": ["L", "S", "M"]}, ())
    assert merged({}, nothing, theirs) == ({"sizes": ["L"]}, ())
    assert merged({}, nothing, ours) == ({"sizes": ["M"]}, ())


def test_lists_within_a_default_that_two_requests_assigned_are_there_once() -> None:
    """As at the top; a list that came in place of another value is an addition."""

    def ours(session: Session) -> None:
        session["cart"] = {"sizes": ["S"], "colors": 0, "note": None, "by": {"a": 1}}
        session["cart"]["sizes"].append("M")

    def theirs(session: Session) -> None:
        ours(session)
        session["cart"]["colors"] = ["red"]
        session["cart"]["more"] = ["x"]
        session["cart"]["note"] = {"text": "gift"}

    def others(session: Session) -> None:
        ours(session)
        session["cart"]["colors"] = ["blue"]
        session["cart"]["more"] = ["y"]
        session["cart"]["note"] = {"from": "ada"}

    expected = {
        "sizes": ["S", "M", "M"],
        "colors": ["red", "blue"],
        "note": {"text": "gift", "from": "ada"},
        "by": {"a": 1},
        "more": ["x", "y"],
    }
    outcome, lost = merged({}, others, theirs)
    assert (outcome, lost) == ({"cart": expected}, ())


def test_each_key_of_a_container_that_both_made_is_kept() -> None:
    """Whichever of two requests comes second."""

    def ours(session: Session) -> None:
        session["cart"] = {}
        session["cart"]["items"] = ["a"]

    def theirs(session: Session) -> None:
        session["cart"] = {}
        session["cart"]["note"] = "gift"

    for first, second in ((ours, theirs), (theirs, ours)):
        assert merged({}, first, second) == ({"cart": {"items": ["a"], "note": "gift"}}, ())


@pytest.mark.parametrize(("ours", "theirs"), [([1], "none"), ("none", [1]), ([1], {"a": 1}), ({"a": 1}, [1])])
def test_values_of_two_kinds_under_one_new_key_are_ours(ours: object, theirs: object) -> None:
    """They cannot be brought together, and the loss is told."""

    def put(value: object) -> Callable[[Session], object]:
        return lambda session: session.__setitem__("cart", value)

    assert merged({}, put(ours), put(theirs)) == ({"cart": ours}, (("cart",),))


@pytest.mark.parametrize("there", ["none", 7, {"a": 1}, None])
def test_a_list_in_whose_place_another_request_put_something_else_is_ours(there: object) -> None:
    """Appended to or edited, the whole list stands, once, and the loss is told."""

    def theirs(session: Session) -> None:
        session["items"] = there

    def append(session: Session) -> None:
        session["items"].append("c")

    def edit(session: Session) -> None:
        session["items"].reverse()

    assert merged({"items": ["a", "b"]}, append, theirs) == ({"items": ["a", "b", "c"]}, (("items",),))
    assert merged({"items": ["a", "b"]}, edit, theirs) == ({"items": ["b", "a"]}, (("items",),))


def test_a_removal_below_a_container_that_was_deleted_is_no_loss() -> None:
    """Both wanted it gone."""

    def ours(session: Session) -> None:
        del session["cart"]["a"]

    def theirs(session: Session) -> None:
        del session["cart"]

    assert merged({"cart": {"a": 1, "b": 2}}, ours, theirs) == ({}, ())


def test_what_was_counted_below_a_deleted_container_is_there_again() -> None:
    """Whatever else was put beside it is lost."""

    def count(session: Session) -> None:
        session.increment(("cart", "seen", "book"))

    def count_and_set(session: Session) -> None:
        count(session)
        session["cart"]["seen"]["last"] = "book"

    def theirs(session: Session) -> None:
        del session["cart"]

    expected = {"cart": {"seen": {"book": 1}}}
    assert merged({"cart": {}}, count, theirs) == (expected, ())
    assert merged({"cart": {}}, count_and_set, theirs) == (expected, (("cart",),))


def rebased(
    data: dict[str, Any], ours: Callable[[Session], object], theirs: dict[str, Any]
) -> list[tuple[object, ...]]:
    """The changes that `ours` makes of `data`, made again on `theirs`."""
    session = loaded(data)
    ours(session)
    return shown(delta_of(session).rebase(theirs)[0])


def change_each(session: Session) -> None:
    """One change of each kind that can be made on something that is there."""
    session.increment("number")
    session["list"].append("b")
    session["edited"].reverse()
    session["cart"]["size"] = 2
    session["value"] = 2
    del session["old"]


EACH = {"number": 1, "list": ["a"], "edited": ["a", "b"], "cart": {"size": 1}, "value": 1, "old": 1}


def test_each_kind_of_change_is_made_again_on_what_is_there() -> None:
    """The base of each is what the other request left, and what cannot be merged is set."""
    theirs = {"number": 5, "list": ["c"], "edited": ["a", "b", "c"], "cart": {"size": 5}, "value": 5, "old": 5}
    assert rebased(EACH, change_each, theirs) == [
        ("remove", ("old",), MISSING, 5),
        ("increment", ("number",), 1, 5),
        ("append", ("list",), ["b"], ["c"]),
        ("edit", ("edited",), ["b", "a", "c"], ["a", "b", "c"]),
        ("set", ("cart", "size"), 2, 5),
        ("set", ("value",), 2, 5),
    ]
    assert rebased(EACH, change_each, dict.fromkeys(EACH, "none")) == [
        ("remove", ("old",), MISSING, "none"),
        ("set", ("number",), 2, "none"),
        ("set", ("list",), ["a", "b"], "none"),
        ("set", ("edited",), ["b", "a"], "none"),
        ("set", ("cart",), {"size": 2}, "none"),
        ("set", ("value",), 2, "none"),
    ]


def test_what_was_made_on_both_sides_is_made_again_on_theirs() -> None:
    """A list is appended to theirs, a value is set in place of theirs, and a container for counts is created."""

    def ours(session: Session) -> None:
        session["sizes"] = ["S"]
        session["place"] = {}
        session["place"]["city"] = "Bern"
        session.increment(("seen", "book"))

    theirs = {"sizes": ["L"], "place": {"city": "Rome"}}
    assert rebased({"seen": {}}, ours, theirs) == [
        ("create", ("seen",), {"book": 1}, {}),
        ("append", ("sizes",), ["S"], ["L"]),
        ("set", ("place", "city"), "Bern", "Rome"),
    ]
