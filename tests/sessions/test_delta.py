"""The changes of a session, repeated on data that others have changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.changes import find_changes
from arc.sessions.delta import Delta
from arc.sessions.record import Record
from arc.sessions.session import Session
from arc.sessions.values import deep_copy, normalize, same
from tests.sessions.making import Made

KEYS = st.sampled_from("abcd")
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 2.5]) | st.sampled_from(["", "x", "é"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
DATA = st.dictionaries(KEYS, JSON, max_size=4)


def loaded(data: dict[str, Any]) -> Session:
    """Return a session of a store that merges, loaded with `data`."""
    return Session(Record("A" * 24, deep_copy(data), created=1), 1, Made(server=True).manager)


def delta_of(session: Session) -> Delta:
    """Return the changes in `session` since it was loaded."""
    snapshot, counts, replaced = session._snapshot, session._counts, session._progress.replaced
    return find_changes(snapshot, session, normalize(session), ([], []), counts, replaced=replaced)


@st.composite
def edits(draw: st.DrawFn) -> tuple[dict[str, Any], Session]:
    """Generate data and a session that was loaded with it and changed in many ways."""
    data = draw(DATA)
    session = loaded(data)
    for _ in range(draw(st.integers(0, 5))):
        change(draw, draw(st.sampled_from([session, *containers(session)])), session)
    return data, session


def containers(value: Any) -> list[Any]:
    """Return every container within `value`."""
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
def test_applying_a_delta_returns_the_new_data(edit: tuple[dict[str, Any], Session]) -> None:
    """Applied to the loaded data, a delta returns the session's data with the same types."""
    data, session = edit
    delta = delta_of(session)
    assert same(delta.apply(data), normalize(session))
    assert same(delta.ours, normalize(session))


@given(edits())
def test_rebasing_on_unchanged_data_loses_nothing(edit: tuple[dict[str, Any], Session]) -> None:
    """A delta rebased on the same data returns the same value, and nothing is lost."""
    data, session = edit
    made, lost = delta_of(session).rebase(deep_copy(data))
    assert same(made.ours, normalize(session))
    assert lost == ()


@given(DATA, DATA)
def test_an_unchanged_session_changes_nothing_of_others(data: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Its delta has no changes, whatever others wrote."""
    made, lost = delta_of(loaded(data)).rebase(theirs)
    assert (made.changes, lost) == ((), ())
    assert same(made.ours, theirs)


@given(edits(), DATA)
def test_a_rebased_delta_applies_to_any_data(edit: tuple[dict[str, Any], Session], theirs: dict[str, Any]) -> None:
    """Rebased on any data, applying a delta returns its `ours`."""
    made, lost = delta_of(edit[1]).rebase(theirs)
    assert same(made.apply(theirs), made.ours)
    again, lost_again = made.rebase(theirs)
    assert same(again.ours, made.ours)
    assert lost_again == lost


@given(edits(), DATA, DATA)
def test_rebasing_twice_is_rebasing_once(
    edit: tuple[dict[str, Any], Session], first: dict[str, Any], theirs: dict[str, Any]
) -> None:
    """The result depends only on the request's changes and the final data."""
    delta = delta_of(edit[1])
    at_once, after_another = delta.rebase(theirs), delta.rebase(first)[0].rebase(theirs)
    assert same(at_once[0].ours, after_another[0].ours)
    assert at_once[1] == after_another[1]


@given(edits())
def test_sets_and_removals_are_idempotent(edit: tuple[dict[str, Any], Session]) -> None:
    """A delta of sets and removals that is rebased on its own result changes and loses nothing."""
    delta = delta_of(edit[1])
    if not delta.replaces and len(delta.assigned_paths) == len(delta.changes):
        made, lost = delta.rebase(delta.ours)
        assert (made.changes, lost) == ((), ())


@given(st.data(), DATA, DATA)
def test_deltas_of_disjoint_paths_commute(draw: st.DataObject, left: dict[str, Any], right: dict[str, Any]) -> None:
    """Two requests that changed different keys have the same result in either order and lose nothing."""
    data = {"left": left, "right": right}
    first, second = loaded(data), loaded(data)
    change(draw.draw, first["left"], first)
    change(draw.draw, second["right"], second)
    one, other = delta_of(first), delta_of(second)
    forth, lost_forth = other.rebase(one.apply(data))
    back, lost_back = one.rebase(other.apply(data))
    assert same(forth.ours, back.ours)
    assert same(forth.ours, {"left": first["left"], "right": second["right"]})
    assert lost_forth == lost_back == ()


@given(st.lists(JSON, max_size=3), st.lists(st.lists(JSON, max_size=3), max_size=5))
def test_concurrent_appends_keep_every_element(start: list[Any], appended: list[list[Any]]) -> None:
    """All elements that parallel requests append to one list in place are stored."""
    stored: dict[str, Any] = {"items": start}
    sessions = [loaded(stored) for _ in appended]
    for session, elements in zip(sessions, appended, strict=True):
        session["items"].extend(elements)
        made, lost = delta_of(session).rebase(stored)
        stored = made.ours
        assert lost == ()
    assert same(stored["items"], [*start, *(element for elements in appended for element in elements)])


@given(DATA, st.lists(st.integers(-5, 5), max_size=5))
def test_concurrent_increments_add_up(data: dict[str, Any], steps: list[int]) -> None:
    """Increments of parallel requests are added in any order."""
    stored: dict[str, Any] = {"visits": 10}
    sessions = [loaded(stored) for _ in steps]
    for session, step in zip(sessions, steps, strict=True):
        session.increment("visits", step)
        stored = delta_of(session).rebase(stored)[0].ours
    assert stored == {"visits": 10 + sum(steps)}


# -- changes in place and assignments


def merged(data: dict[str, Any], ours: Any, theirs: Any) -> tuple[dict[str, Any], tuple[tuple[str, ...], ...]]:
    """Return `data` after one request did `theirs` and another one, loaded before, did `ours`."""
    first, second = loaded(data), loaded(data)
    theirs(first)
    ours(second)
    made, lost = delta_of(second).rebase(delta_of(first).apply(data))
    return made.ours, lost


def test_an_assigned_container_replaces() -> None:
    """It replaces what another request changed in the container, which is reported as lost."""

    def assign(session: Session) -> None:
        session["cart"] = {**session["cart"], "b": 2}

    def change_below(session: Session) -> None:
        session["cart"]["c"] = 3

    assert merged({"cart": {"a": 1}}, assign, change_below) == ({"cart": {"a": 1, "b": 2}}, (("cart",),))


def test_a_container_changed_in_place_merges() -> None:
    """A container that is still the same object merges at any depth."""

    def ours(session: Session) -> None:
        session["cart"]["lines"]["a"] = 2
        del session["cart"]["old"]

    def theirs(session: Session) -> None:
        session["cart"]["lines"]["b"] = 3

    data = {"cart": {"lines": {"a": 1}, "old": True}}
    assert merged(data, ours, theirs) == ({"cart": {"lines": {"a": 2, "b": 3}}}, ())


def test_two_created_containers_merge() -> None:
    """When two requests create a container, it has the keys of both."""

    def ours(session: Session) -> None:
        session.setdefault("cart", {}).setdefault("items", []).append("a")

    def theirs(session: Session) -> None:
        session.setdefault("cart", {}).setdefault("items", []).append("a")
        session["cart"]["note"] = "gift"

    assert merged({}, ours, theirs) == ({"cart": {"items": ["a", "a"], "note": "gift"}}, ())


def test_a_default_assigned_by_two_requests_is_stored_once() -> None:
    """An equal list assigned by both is not appended twice, but later appends are."""

    def ours(session: Session) -> None:
        session["sizes"] = ["S", "M"]

    def theirs(session: Session) -> None:
        session["sizes"] = ["S", "M"]
        session["sizes"].append("L")

    assert merged({}, ours, ours) == ({"sizes": ["S", "M"]}, ())
    assert merged({}, ours, theirs) == ({"sizes": ["S", "M", "L"]}, ())
    assert merged({}, theirs, theirs) == ({"sizes": ["S", "M", "L", "L"]}, ())


def test_a_deletion_wins_over_a_change_below() -> None:
    """A change below a container that another request deleted is lost and reported."""

    def ours(session: Session) -> None:
        session["cart"]["a"] = 2

    def theirs(session: Session) -> None:
        del session["cart"]

    assert merged({"cart": {"a": 1}}, ours, theirs) == ({}, (("cart",),))
    assert merged({"cart": {"a": 1}}, theirs, ours) == ({}, (("cart",),))


def test_our_container_replaces_a_value_of_another_type() -> None:
    """Where another request replaced a container by another type, our container is stored."""

    def ours(session: Session) -> None:
        session["a"] = 2
        session["cart"]["a"] = 2
        session["cart"]["b"] = 3

    def theirs(session: Session) -> None:
        session["cart"] = "none"

    data = {"a": 1, "cart": {"a": 1}}
    assert merged(data, ours, theirs) == ({"a": 2, "cart": {"a": 2, "b": 3}}, (("cart",),))


def test_a_conflict_within_two_created_containers_is_reported() -> None:
    """When two requests create a container with different values under one key, ours wins."""

    def put(value: object) -> Callable[[Session], object]:
        return lambda session: session.setdefault("cart", {}).update(size=value)

    assert merged({}, put(1), put(2)) == ({"cart": {"size": 1}}, (("cart", "size"),))
    assert merged({}, put(1), put(1)) == ({"cart": {"size": 1}}, ())


def test_an_increment_replaces_a_value_that_is_not_a_number() -> None:
    """Where another request replaced the number by True or text, our sum wins, and the loss is reported."""
    for value in (True, "many", None, [1]):

        def theirs(session: Session, value: object = value) -> None:
            session["visits"] = value

        assert merged({"visits": 5}, lambda session: session.increment("visits"), theirs) == (
            {"visits": 6},
            (("visits",),),
        )


@given(edits(), DATA)
def test_the_paths_of_a_delta_never_overlap(edit: tuple[dict[str, Any], Session], theirs: dict[str, Any]) -> None:
    """No two changes have the same path or one within the other, which a database would refuse."""
    delta = delta_of(edit[1])
    for one in (delta, delta.rebase(theirs)[0]):
        paths = sorted(change.path for change in one.changes)
        assert not any(below[: len(above)] == above for above, below in itertools.pairwise(paths))


def test_an_edit_that_another_request_also_made_writes_nothing() -> None:
    """When another request has edited the list in the same way, nothing is left to write."""
    first, second = loaded({"items": ["a", "b"]}), loaded({"items": ["a", "b"]})
    for session in (first, second):
        session["items"].reverse()
    made, lost = delta_of(second).rebase(delta_of(first).ours)
    assert (made.changes, lost) == ((), ())


def test_an_append_survives_the_deletion_of_its_list() -> None:
    """Elements appended to a list that another request emptied or deleted are stored."""

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
def test_incrementing_an_assigned_number_assigns(reset: Callable[[Session], object]) -> None:
    """Incrementing a number that this request assigned or removed does not add to another request's."""

    def ours(session: Session) -> None:
        reset(session)
        session.increment("visits")

    def theirs(session: Session) -> None:
        session.increment("visits", 10)

    assert merged({"visits": 5}, ours, theirs) == ({"visits": 1}, (("visits",),))


def test_replacing_all_data_removes_keys_of_others() -> None:
    """Keys that another request added are removed, and each loss is reported."""

    def ours(session: Session) -> None:
        session.replace({"b": 1})

    def theirs(session: Session) -> None:
        session["secret"] = "of somebody else"

    assert merged({"a": 1}, ours, theirs) == ({"b": 1}, (("secret",),))
