"""`increment` counts at any depth, and parallel requests lose no count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from arc.sessions.session import Session
from tests.sessions.test_delta import delta_of, loaded, merged

PATH = ("cart", "book")


def count(by: float = 1, path: tuple[str, ...] = PATH) -> Callable[[Session], object]:
    """A request that counts."""
    return lambda session: session.increment(path, by)


def test_it_makes_the_containers_that_are_missing_and_returns_the_sum() -> None:
    """Text is a path of one key."""
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
        ((), "a key, or a tuple of keys"),
        (("cart", 1), "a key, or a tuple of keys"),
        (["cart"], "a key, or a tuple of keys"),
        (("_secret", "x"), "_secret"),
    ],
)
def test_what_cannot_be_counted_is_named(path: Any, said: str) -> None:
    """Nothing is changed then, no container made."""
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
def test_both_counts_are_in_the_sum(data: dict[str, Any]) -> None:
    """Whatever either found."""
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
    """As an element does that is appended to a deleted list; two counts are both there."""

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
def test_what_was_assigned_is_no_sum(reset: Callable[[Session], object], outcome: int) -> None:
    """Counting from what this request assigned is assigning; so is assigning after a count."""

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
    """What it was first assigned as is no count."""

    def ours(session: Session) -> None:
        session["cart"] = {"book": 7}
        count()(session)

    assert merged({}, ours, count(10)) == ({"cart": {"book": 8}}, (PATH,))


def test_a_count_is_one_change_of_one_number() -> None:
    """Nothing beside it is written."""
    session = loaded({"cart": {"book": 5, "pen": 1}})
    count()(session)
    assert [(one.kind, one.path, one.value) for one in delta_of(session).changes] == [("increment", PATH, 1)]
