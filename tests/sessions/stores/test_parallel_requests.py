"""Fifty parallel requests on one session, with real DynamoDB APIs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from arc.http import build_manager
from arc.sessions.session import Session
from tests.sessions.making import value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from arc.sessions.lifecycle import Event
    from tests.engines import Engine

REQUESTS = 50


def runs(test: Callable[..., None]) -> Callable[..., None]:
    """Run `test` twice, because races differ."""
    again = pytest.param(1, marks=pytest.mark.exhaustive)
    marked: Callable[..., None] = pytest.mark.sampled(1)(pytest.mark.parametrize("run", [0, again])(test))
    return marked


class Visitor:
    """A visitor with a session of `data`, whose browser sends many requests at once."""

    def __init__(self, engine: Engine, **data: Any) -> None:
        self.kept = Kept(engine)
        self.events: list[Event] = []
        self.manager = build_manager(self.kept.settings, store=self.kept.store, on_event=self.events.append)
        session = self.manager.load([])
        session.update({"here": True, **data})
        self.value = value_of(self.manager.commit(session)[0])

    def request(self, work: Callable[[Session], object], loaded: threading.Barrier) -> tuple[str, ...]:
        """Make one request: load, wait until all others have loaded, do the work, commit."""
        session = self.manager.load([self.value])
        loaded.wait(60)
        work(session)
        return self.manager.commit(session)

    def all_at_once(self, works: list[Callable[[Session], object]]) -> None:
        """Make a request for each of `works`; none commits before all have loaded."""
        loaded = threading.Barrier(len(works))
        with ThreadPoolExecutor(len(works)) as pool:
            for answer in [pool.submit(self.request, work, loaded) for work in works]:
                assert len(answer.result()) == 1

    @property
    def data(self) -> dict[str, Any]:
        """The session's data, without the initial keys."""
        session = dict(self.manager.load([self.value]))
        assert session.pop("here")
        return session

    @property
    def conflicts(self) -> list[str]:
        """The paths in the conflict events."""
        return [event.reason for event in self.events if event.name == "conflict"]


def numbered(work: Callable[[Session, int], object]) -> list[Callable[[Session], object]]:
    """Return `work` for each request with its number."""

    def one(number: int) -> Callable[[Session], object]:
        return lambda session: work(session, number)

    return [one(number) for number in range(REQUESTS)]


@runs
def test_s36_different_keys_are_all_stored(engine: Engine, run: int) -> None:
    """Fifty requests that each set another key lose none."""
    visitor = Visitor(engine)
    visitor.all_at_once(numbered(lambda session, number: session.__setitem__(f"key{number}", number)))
    assert visitor.data == {f"key{number}": number for number in range(REQUESTS)}
    assert visitor.conflicts == []


@runs
def test_s36_different_keys_of_one_nested_dict_are_all_stored(engine: Engine, run: int) -> None:
    """Fifty requests that each set a key in one dict of the session lose none."""
    visitor = Visitor(engine, cart={"lines": {}})
    visitor.all_at_once(numbered(lambda session, number: session["cart"]["lines"].__setitem__(f"k{number}", number)))
    assert visitor.data == {"cart": {"lines": {f"k{number}": number for number in range(REQUESTS)}}}
    assert visitor.conflicts == []


@runs
def test_s36_appended_elements_are_all_stored(engine: Engine, run: int) -> None:
    """Fifty requests that each append to one list in place lose none."""
    visitor = Visitor(engine, items=["first"])
    visitor.all_at_once(numbered(lambda session, number: session["items"].append(number)))
    items = visitor.data["items"]
    assert items[0] == "first"
    assert sorted(items[1:]) == list(range(REQUESTS))
    assert visitor.conflicts == []


@runs
def test_s36_increments_add_up(engine: Engine, run: int) -> None:
    """Fifty increments of one number, half of them by two, add up."""
    visitor = Visitor(engine, visits=7)
    visitor.all_at_once(numbered(lambda session, number: session.increment("visits", 1 + number % 2)))
    assert visitor.data == {"visits": 7 + REQUESTS + REQUESTS // 2}
    assert visitor.conflicts == []


@runs
@pytest.mark.parametrize(
    "before", [{"cart": {"book": 3, "pen": 1}}, {"cart": {}}, {}], ids=["a cart", "an empty one", "none"]
)
def test_s36_nested_counts_add_up(engine: Engine, run: int, before: dict[str, Any]) -> None:
    """Fifty requests that each add one of three products to the cart lose none, with or without a cart before."""
    visitor = Visitor(engine, **before)
    visitor.all_at_once(numbered(lambda session, number: session.increment(("cart", "shelf", str(number % 3)))))
    shelf = {str(product): len(range(product, REQUESTS, 3)) for product in range(3)}
    assert visitor.data == {**before, "cart": {**before.get("cart", {}), "shelf": shelf}}
    assert visitor.conflicts == []


@runs
def test_s36_keys_of_a_container_that_all_create_are_all_stored(engine: Engine, run: int) -> None:
    """Fifty requests that each create the same container with another key lose none."""
    visitor = Visitor(engine)
    visitor.all_at_once(numbered(lambda session, number: session.setdefault("cart", {}).update({f"k{number}": number})))
    assert visitor.data == {"cart": {f"k{number}": number for number in range(REQUESTS)}}
    assert visitor.conflicts == []


@runs
def test_s36_elements_of_a_list_that_all_create_are_all_stored(engine: Engine, run: int) -> None:
    """Fifty requests that each create the same list within a new dict and append to it lose none."""
    visitor = Visitor(engine)
    visitor.all_at_once(
        numbered(lambda session, number: session.setdefault("cart", {}).setdefault("items", []).append(number))
    )
    assert sorted(visitor.data["cart"]["items"]) == list(range(REQUESTS))
    assert visitor.conflicts == []


@runs
def test_s36_edits_parallel_to_appends_report_every_loss(engine: Engine, run: int) -> None:
    """While 25 requests edit one element and 25 append, all appends are stored and every lost edit is reported."""

    def work(session: Session, number: int) -> None:
        if number % 2:
            session["items"].append(number)
        else:
            session["items"][0]["note"] = number

    visitor = Visitor(engine, items=[{"note": "none"}])
    visitor.all_at_once(numbered(work))
    first, *appended = visitor.data["items"]
    assert sorted(appended) == list(range(1, REQUESTS, 2))
    assert first["note"] in range(0, REQUESTS, 2)
    assert visitor.conflicts == ["two requests changed session['items'] at once"] * (REQUESTS // 2 - 1)


@runs
def test_s36_the_last_of_parallel_assignments_wins_and_others_are_reported(engine: Engine, run: int) -> None:
    """Fifty requests that set one key leave one value and 49 conflict events."""
    visitor = Visitor(engine, colour="none")
    visitor.all_at_once(numbered(lambda session, number: session.__setitem__("colour", number)))
    assert visitor.data["colour"] in range(REQUESTS)
    assert visitor.conflicts == ["two requests changed session['colour'] at once"] * (REQUESTS - 1)


MERGEABLE: dict[str, Callable[[Session, int], object]] = {
    "set": lambda session, number: session.__setitem__(f"key{number}", number),
    "set in a dict": lambda session, number: session["cart"].__setitem__(f"key{number}", number),
    "append": lambda session, number: session["items"].append(number),
    "increment": lambda session, number: session.increment("visits", number),
    "increment in a dict": lambda session, number: session.increment(("cart", "visits"), number),
    "message": lambda session, number: session.flash("info", str(number)),
}


@pytest.mark.parametrize("work", MERGEABLE.values(), ids=MERGEABLE)
def test_s36_changes_that_merge_need_one_write_each(engine: Engine, work: Callable[[Session, int], object]) -> None:
    """A change that merges with any other is written at the first attempt."""
    visitor = Visitor(engine, cart={}, items=[], visits=0)
    session, parallel = (visitor.manager.load([visitor.value]) for _ in range(2))
    work(parallel, 1)
    visitor.manager.commit(parallel)
    visitor.kept.calls.made.clear()
    work(session, 2)
    visitor.manager.commit(session)
    assert visitor.kept.calls.names == ["UpdateItem"]
    assert visitor.conflicts == []
