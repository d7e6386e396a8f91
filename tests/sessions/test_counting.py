"""`increment` counts at any depth, and parallel counts add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from arc.sessions.session import Session
from tests.sessions.test_delta import delta_of, loaded, merged

PATH = ("cart", "book")


def count(by: float = 1, path: tuple[str, ...] = PATH) -> Callable[[Session], object]:
    """Return a change that counts."""
    return lambda session: session.increment(path, by)


def test_missing_containers_are_created_and_the_sum_is_returned() -> None:
    """A string is a path of one key."""
    session = loaded({})
    assert [session.increment(("a", "b", "c")), session.increment(("a", "b", "c"), 2)] == [1, 3]
    assert [session.increment(("visits",)), session.increment("visits", 2)] == [1, 3]
    assert dict(session) == {"a": {"b": {"c": 3}}, "visits": 3}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("cart", "items", "x"), r"session\['cart'\]\['items'\] is a list"),
        (("cart", "note", "x"), r"session\['cart'\]\['note'\] is a str"),
        (("cart", "note"), r"session\['cart'\]\['note'\] is 'gift', which is not a number"),
        ((), "a string or a tuple of strings"),
        (("cart", 1), "a string or a tuple of strings"),
        (["cart"], "a string or a tuple of strings"),
        (("_secret", "x"), "_secret"),
    ],
)
def test_a_value_that_cannot_be_counted_raises(path: Any, said: str) -> None:
    """The error has the path, and the session is unchanged."""
    session = loaded({"cart": {"items": [], "note": "gift"}})
    with pytest.raises((TypeError, ValueError), match=said):
        session.increment(path)
    assert dict(session) == {"cart": {"items": [], "note": "gift"}}


BOTH_COUNT: dict[str, dict[str, Any]] = {
    "a number": {"cart": {"book": 5}},
    "no number": {"cart": {}},
    "no container": {},
    "neighbours": {"cart": {"pen": 1}, "x": 1},
}


@pytest.mark.parametrize("data", BOTH_COUNT.values(), ids=BOTH_COUNT)
def test_parallel_counts_add_up(data: dict[str, Any]) -> None:
    """The sum has both counts, with any value before."""
    before = data.get("cart", {}).get("book", 0)
    outcome, lost = merged(data, count(), count(2))
    assert (outcome["cart"]["book"], lost) == (before + 3, ())
    assert {key: value for key, value in outcome.items() if key != "cart"} == {
        key: value for key, value in data.items() if key != "cart"
    }
    deep = ("cart", "shelf", "book")
    outcome, lost = merged(data, count(1, deep), count(2, deep))
    assert (outcome["cart"]["shelf"], lost) == ({"book": 3}, ())


def test_a_count_survives_the_deletion_of_its_container() -> None:
    """Like an element that is appended to a deleted list, it is stored in a new container; two counts add up."""

    def ours(session: Session) -> None:
        count()(session)
        count(2, ("cart", "pen"))(session)
        count(1, ("cart", "shelf", "pen"))(session)

    outcome = merged({"cart": {"book": 5, "old": 1}}, ours, lambda session: session.pop("cart"))
    assert outcome == ({"cart": {"book": 1, "pen": 2, "shelf": {"pen": 1}}}, ())


RESETS: dict[str, tuple[Callable[[Session], object], int]] = {
    "assigned before": (lambda session: session["cart"].update(book=0), 1),
    "deleted before": (lambda session: session["cart"].pop("book"), 1),
    "the cart replaced before": (lambda session: session.update(cart={}), 1),
    "the cart replaced by one with a number": (lambda session: session.update(cart={"book": 7}), 8),
}


@pytest.mark.parametrize(("reset", "outcome"), RESETS.values(), ids=RESETS)
def test_counting_from_an_assigned_number_assigns(reset: Callable[[Session], object], outcome: int) -> None:
    """Counting after an assignment in the same request assigns, and so does an assignment after counting."""

    def ours(session: Session) -> None:
        reset(session)
        count()(session)

    made, lost = merged({"cart": {"book": 5}}, ours, count(10))
    assert made == {"cart": {"book": outcome}}
    assert lost

    def assigned_after(session: Session) -> None:
        count()(session)
        session["cart"]["book"] = 100

    assert merged({"cart": {"book": 5}}, assigned_after, count(10)) == ({"cart": {"book": 100}}, (PATH,))


def test_a_new_container_with_a_number_in_it_is_assigned() -> None:
    """A number that was part of the assigned container is not a count."""

    def ours(session: Session) -> None:
        session["cart"] = {"book": 7}
        count()(session)

    assert merged({}, ours, count(10)) == ({"cart": {"book": 8}}, (PATH,))


def test_a_count_is_one_change_of_one_number() -> None:
    """Only the number is written."""
    session = loaded({"cart": {"book": 5, "pen": 1}})
    count()(session)
    assert [(one.kind, one.path, one.value) for one in delta_of(session).changes] == [("increment", PATH, 1)]
