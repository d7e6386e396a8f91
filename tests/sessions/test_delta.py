"""What changed in a session, made again on what others wrote."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.changes import changes_of
from arc.sessions.delta import Delta
from arc.sessions.record import Record
from arc.sessions.session import Session
from arc.sessions.values import deep_copy, normalise, same

KEYS = st.sampled_from("abcd")
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 2.5]) | st.sampled_from(["", "x", "é"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
DATA = st.dictionaries(KEYS, JSON, max_size=4)


def loaded(data: dict[str, Any]) -> Session:
    """A session of a store that merges, as loaded with `data`."""
    return Session(Record("A" * 24, deep_copy(data), created=1), now=1, mint=lambda: "B" * 24, merges=True)


def delta_of(session: Session) -> Delta:
    """What was changed in `session` since it was loaded."""
    snapshot, counts, replaced = session._snapshot, session._counts, session._replaced
    return changes_of(snapshot, session, normalise(session), ([], []), counts, replaced=replaced)


@st.composite
def edits(draw: st.DrawFn) -> tuple[dict[str, Any], Session]:
    """Some data, and a session loaded with it and changed in many ways."""
    data = draw(DATA)
    session = loaded(data)
    for _ in range(draw(st.integers(0, 5))):
        change(draw, draw(st.sampled_from([session, *containers(session)])), session)
    return data, session


def containers(value: Any) -> list[Any]:
    """Every container within `value`."""
    inner = value.values() if isinstance(value, dict) else value
    found = [one for one in inner if isinstance(one, dict | list)]
    return [*found, *(deeper for one in found for deeper in containers(one))]


def change(draw: Any, target: Any, session: Session) -> None:
    """Change `target` in place, in one way."""
    change_list(draw, target) if isinstance(target, list) else change_dict(draw, target, session)


def change_list(draw: Any, target: list[Any]) -> None:
    """Change a list in place, in one way."""
    way = draw(st.sampled_from(["append", "insert", "pop", "set", "reverse"]))
    if way == "append":
        target.append(draw(JSON))
    elif way == "insert":
        target.insert(0, draw(JSON))
    elif way == "reverse":
        target.reverse()
    elif target and way == "pop":
        target.pop(draw(st.integers(0, len(target) - 1)))
    elif target:
        target[0] = draw(JSON)


def change_dict(draw: Any, target: Any, session: Session) -> None:
    """Change a dict, or the session itself, in place, in one way."""
    ways = ["set", "remove", "setdefault", "clear"]
    way = draw(st.sampled_from([*ways, "increment", "replace"] if target is session else ways))
    key = draw(KEYS)
    if way == "set":
        target[key] = draw(JSON)
    elif way == "remove":
        target.pop(key, None)
    elif way == "clear":
        target.clear()
    elif way == "replace":
        target.replace({"a": draw(JSON)})
    elif way == "increment":
        with suppress(TypeError):  # something else is there
            session.increment(tuple(draw(st.lists(KEYS, min_size=1, max_size=3))), draw(st.integers(-2, 2)))
    elif way == "setdefault":
        kept = target.setdefault(key, draw(st.sampled_from([[], {}])))
        if isinstance(kept, dict | list):
            change(draw, kept, session)


@given(edits())
def test_the_delta_gives_the_new_value(edit: tuple[dict[str, Any], Session]) -> None:
    """Applied to what was loaded, a delta gives what the session holds, type for type."""
    data, session = edit
    delta = delta_of(session)
    assert same(delta.applied(data), normalise(session))
    assert same(delta.ours, normalise(session))


@given(edits())
def test_made_again_on_the_same_data_nothing_changes(edit: tuple[dict[str, Any], Session]) -> None:
    """When nobody else wrote, the rebased delta gives the same value and nothing is lost."""
    data, session = edit
    made, lost = delta_of(session).rebased(deep_copy(data))
    assert same(made.ours, normalise(session))
    assert lost == ()


@given(DATA, DATA)
def test_a_session_that_did_not_change_leaves_everything_to_others(
    data: dict[str, Any], theirs: dict[str, Any]
) -> None:
    """The delta of an unchanged session has no changes, whatever others wrote."""
    made, lost = delta_of(loaded(data)).rebased(theirs)
    assert (made.changes, lost) == ((), ())
    assert same(made.ours, theirs)


@given(edits(), DATA)
def test_a_rebased_delta_says_what_it_makes_of_theirs(
    edit: tuple[dict[str, Any], Session], theirs: dict[str, Any]
) -> None:
    """On any data whatever a delta can be made again, and applying it gives what it says."""
    made, lost = delta_of(edit[1]).rebased(theirs)
    assert same(made.applied(theirs), made.ours)
    again, lost_again = made.rebased(theirs)
    assert same(again.ours, made.ours)
    assert lost_again == lost


@given(edits(), DATA, DATA)
def test_a_delta_that_was_rebased_is_rebased_as_it_was_made(
    edit: tuple[dict[str, Any], Session], first: dict[str, Any], theirs: dict[str, Any]
) -> None:
    """However often others were first: what counts is what the request did, and what is there at the end."""
    delta = delta_of(edit[1])
    at_once, after_another = delta.rebased(theirs), delta.rebased(first)[0].rebased(theirs)
    assert same(at_once[0].ours, after_another[0].ours)
    assert at_once[1] == after_another[1]


@given(edits())
def test_assigning_and_removing_twice_is_doing_it_once(edit: tuple[dict[str, Any], Session]) -> None:
    """A delta of sets and removals merged with its own outcome changes nothing and loses nothing."""
    delta = delta_of(edit[1])
    if not delta.replaces and len(delta.assigned) == len(delta.changes):
        made, lost = delta.rebased(delta.ours)
        assert (made.changes, lost) == ((), ())


@given(st.data(), DATA, DATA)
def test_deltas_of_disjoint_paths_commute(draw: st.DataObject, left: dict[str, Any], right: dict[str, Any]) -> None:
    """Two requests that touched different keys end alike in either order, and neither loses anything."""
    data = {"left": left, "right": right}
    first, second = loaded(data), loaded(data)
    change(draw.draw, first["left"], first)
    change(draw.draw, second["right"], second)
    one, other = delta_of(first), delta_of(second)
    forth, lost_forth = other.rebased(one.applied(data))
    back, lost_back = one.rebased(other.applied(data))
    assert same(forth.ours, back.ours)
    assert same(forth.ours, {"left": first["left"], "right": second["right"]})
    assert lost_forth == lost_back == ()


@given(st.lists(JSON, max_size=3), st.lists(st.lists(JSON, max_size=3), max_size=5))
def test_concurrent_appends_keep_every_element(start: list[Any], appended: list[list[Any]]) -> None:
    """However many requests append to one list in place, every element is there at the end."""
    stored: dict[str, Any] = {"items": start}
    sessions = [loaded(stored) for _ in appended]
    for session, elements in zip(sessions, appended, strict=True):
        session["items"].extend(elements)
        made, lost = delta_of(session).rebased(stored)
        stored = made.ours
        assert lost == ()
    assert same(stored["items"], [*start, *(element for elements in appended for element in elements)])


@given(DATA, st.lists(st.integers(-5, 5), max_size=5))
def test_concurrent_increments_add_up(data: dict[str, Any], steps: list[int]) -> None:
    """Increments of parallel requests are sums, whoever commits first."""
    stored: dict[str, Any] = {"visits": 10}
    sessions = [loaded(stored) for _ in steps]
    for session, step in zip(sessions, steps, strict=True):
        session.increment("visits", step)
        stored = delta_of(session).rebased(stored)[0].ours
    assert stored == {"visits": 10 + sum(steps)}


# -- what is in place, and what is assigned


def merged(data: dict[str, Any], ours: Any, theirs: Any) -> tuple[dict[str, Any], tuple[tuple[str, ...], ...]]:
    """What becomes of `data` when one request does `ours` after another one did `theirs`."""
    first, second = loaded(data), loaded(data)
    theirs(first)
    ours(second)
    made, lost = delta_of(second).rebased(delta_of(first).applied(data))
    return made.ours, lost


def test_what_is_assigned_replaces() -> None:
    """An assigned container takes the place of what another request changed in it, which is told."""

    def assign(session: Session) -> None:
        session["cart"] = {**session["cart"], "b": 2}

    def change_below(session: Session) -> None:
        session["cart"]["c"] = 3

    assert merged({"cart": {"a": 1}}, assign, change_below) == ({"cart": {"a": 1, "b": 2}}, (("cart",),))


def test_what_is_changed_in_place_merges() -> None:
    """A container that is still the same object merges, at any depth."""

    def ours(session: Session) -> None:
        session["cart"]["lines"]["a"] = 2
        del session["cart"]["old"]

    def theirs(session: Session) -> None:
        session["cart"]["lines"]["b"] = 3

    data = {"cart": {"lines": {"a": 1}, "old": True}}
    assert merged(data, ours, theirs) == ({"cart": {"lines": {"a": 2, "b": 3}}}, ())


def test_the_first_keys_of_a_container_that_nobody_found_meet() -> None:
    """Two requests that both made a container keep what each of them put into it."""

    def ours(session: Session) -> None:
        session.setdefault("cart", {}).setdefault("items", []).append("a")

    def theirs(session: Session) -> None:
        session.setdefault("cart", {}).setdefault("items", []).append("a")
        session["cart"]["note"] = "gift"

    assert merged({}, ours, theirs) == ({"cart": {"items": ["a", "a"], "note": "gift"}}, ())


def test_a_default_that_two_requests_assigned_is_there_once() -> None:
    """The same list assigned as a whole by both is no addition, but what is appended to it afterwards is."""

    def ours(session: Session) -> None:
        session["sizes"] = ["S", "M"]

    def theirs(session: Session) -> None:
        session["sizes"] = ["S", "M"]
        session["sizes"].append("L")

    assert merged({}, ours, ours) == ({"sizes": ["S", "M"]}, ())
    assert merged({}, ours, theirs) == ({"sizes": ["S", "M", "L"]}, ())
    assert merged({}, theirs, theirs) == ({"sizes": ["S", "M", "L", "L"]}, ())


def test_a_deletion_wins_over_a_change_below() -> None:
    """What was changed below a container that another request deleted is gone, and told."""

    def ours(session: Session) -> None:
        session["cart"]["a"] = 2

    def theirs(session: Session) -> None:
        del session["cart"]

    assert merged({"cart": {"a": 1}}, ours, theirs) == ({}, (("cart",),))
    assert merged({"cart": {"a": 1}}, theirs, ours) == ({}, (("cart",),))


def test_another_type_gives_way_to_our_subtree() -> None:
    """Where another request put something else in the place of a container, our container stands."""

    def ours(session: Session) -> None:
        session["a"] = 2
        session["cart"]["a"] = 2
        session["cart"]["b"] = 3

    def theirs(session: Session) -> None:
        session["cart"] = "none"

    data = {"a": 1, "cart": {"a": 1}}
    assert merged(data, ours, theirs) == ({"a": 2, "cart": {"a": 2, "b": 3}}, (("cart",),))


def test_one_value_below_what_both_made_is_told() -> None:
    """Two requests that made one container and put different values under one key in it: ours stays, and is told."""

    def put(value: object) -> Callable[[Session], object]:
        return lambda session: session.setdefault("cart", {}).update(size=value)

    assert merged({}, put(1), put(2)) == ({"cart": {"size": 1}}, (("cart", "size"),))
    assert merged({}, put(1), put(1)) == ({"cart": {"size": 1}}, ())


def test_nothing_is_added_to_what_is_no_number() -> None:
    """Where another request put True or text in place of a number, our sum stands, and is told."""
    for value in (True, "many", None, [1]):

        def theirs(session: Session, value: object = value) -> None:
            session["visits"] = value

        assert merged({"visits": 5}, lambda session: session.increment("visits"), theirs) == (
            {"visits": 6},
            (("visits",),),
        )


@given(edits(), DATA)
def test_the_paths_of_a_delta_never_overlap(edit: tuple[dict[str, Any], Session], theirs: dict[str, Any]) -> None:
    """No two changes are at one path or below one another, which a database would refuse, on any data whatever."""
    delta = delta_of(edit[1])
    for one in (delta, delta.rebased(theirs)[0]):
        paths = sorted(change.path for change in one.changes)
        assert not any(below[: len(above)] == above for above, below in itertools.pairwise(paths))


def test_one_edit_that_two_requests_made_is_made_once() -> None:
    """When another request has edited a list as this one did, nothing is left to write."""
    first, second = loaded({"items": ["a", "b"]}), loaded({"items": ["a", "b"]})
    for session in (first, second):
        session["items"].reverse()
    made, lost = delta_of(second).rebased(delta_of(first).ours)
    assert (made.changes, lost) == ((), ())


def test_what_is_appended_survives_the_deletion_of_its_list() -> None:
    """Elements added to a list that another request emptied or deleted are added all the same."""

    def ours(session: Session) -> None:
        session["items"].append("b")

    def emptied(session: Session) -> None:
        session["items"].clear()

    def deleted(session: Session) -> None:
        del session["items"]

    assert merged({"items": ["a"]}, ours, emptied) == ({"items": ["b"]}, ())
    assert merged({"items": ["a"]}, ours, deleted) == ({"items": ["b"]}, ())


RESETS: dict[str, Callable[[Session], object]] = {
    "assigned": lambda session: session.__setitem__("visits", 0),
    "deleted": lambda session: session.__delitem__("visits"),
    "popped": lambda session: session.pop("visits"),
    "popped with a default": lambda session: session.pop("visits", None),
    "popped as the newest": lambda session: session.popitem(),
}


@pytest.mark.parametrize("reset", RESETS.values(), ids=RESETS)
def test_an_assigned_number_is_no_sum(reset: Callable[[Session], object]) -> None:
    """Incrementing what this request assigned or removed is assigning: the sum is not added to another's."""

    def ours(session: Session) -> None:
        reset(session)
        session.increment("visits")

    def theirs(session: Session) -> None:
        session.increment("visits", 10)

    assert merged({"visits": 5}, ours, theirs) == ({"visits": 1}, (("visits",),))


def test_replacing_everything_takes_what_others_added_along() -> None:
    """After a replacement nothing of what another request added is left, and each loss is told."""

    def ours(session: Session) -> None:
        session.replace({"b": 1})

    def theirs(session: Session) -> None:
        session["secret"] = "of somebody else"

    assert merged({"a": 1}, ours, theirs) == ({"b": 1}, (("secret",),))
