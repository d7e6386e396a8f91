"""What a snapshot of a session finds changed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from arc.sessions.snapshot import Snapshot
from tests.sessions.making import Made, value_of
from tests.sessions.speeds import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

FACTS = (None, None, ())


@pytest.fixture(params=["json", "orjson"], autouse=True)
def speed(request: pytest.FixtureRequest) -> Iterator[bool]:
    """JSON by the standard library alone, and with orjson."""
    with loaded(speed=request.param == "orjson"):
        yield request.param == "orjson"


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"a": 1, "b": [1]}, {"b": [1], "a": 1}, False),
        ({"a": [1, 2]}, {"a": (1, 2)}, False),
        ({"a": None}, {"a": math.nan}, True),
        ({"a": None}, {"a": {1}}, True),
        ({"a": 1}, {"a": True}, True),
        ({"a": [1]}, {"a": [1.0]}, True),
        ({"a": 1}, {"b": 1}, True),
        ({"a": 1}, {}, True),
    ],
)
def test_data_differs_by_value_and_type(before: dict[str, Any], after: dict[str, Any], changed: bool) -> None:
    """Neither the order of keys nor a tuple in place of an equal list is a change."""
    snapshot = Snapshot(before, FACTS, text=None, merges=False, bounded=True)
    assert snapshot.differs(before, FACTS) is False
    assert snapshot.differs(after, FACTS) is changed
    assert snapshot.differs(before, ("ada", 1, ())) is True


def test_the_same_data_in_another_order_and_as_tuples_is_not_written() -> None:
    """The normalized copy shows that nothing changed."""
    made = Made()
    session = made.manager.load([made.cookie(pair=[1, 2], count=1)])
    session["count"] = session.pop("count")
    session["pair"] = tuple(session.pop("pair"))
    assert made.manager.commit(session) == ()
    session["pair"] = (1, 3)
    (cookie,) = made.manager.commit(session)
    assert made.manager.load([value_of(cookie)]) == {"count": 1, "pair": [1, 3]}


def test_data_that_cannot_be_kept_is_dropped_by_each_failed_response_that_changed_it() -> None:
    """A second commit of a 5xx compares with what the first one dropped, of which there is no text."""
    made = Made()
    session = made.manager.load([made.cookie(count=1)])
    for tags, dropped in (({"a"}, 1), ({"a"}, 1), ({"b"}, 2)):
        session["tags"] = tags
        assert made.manager.commit(session, failed=True) == ()
        assert made.names.count("dropped") == dropped
    session["tags"] = ("b",)
    (cookie,) = made.manager.commit(session)
    assert made.manager.load([value_of(cookie)]) == {"count": 1, "tags": ["b"]}


def test_a_normalized_copy_differs_by_its_data_or_its_facts() -> None:
    """Either is enough."""
    snapshot = Snapshot({"a": [1]}, FACTS, text=None, merges=False, bounded=True)
    assert snapshot.differs_from_copy({"a": [1]}, FACTS) is False
    assert snapshot.differs_from_copy({"a": [2]}, FACTS) is True
    assert snapshot.differs_from_copy({"a": [1]}, ("ada", 1, ())) is True


def test_a_dropped_value_that_is_repaired_in_place_is_stored() -> None:
    """The commit before it dropped something of which there is no text."""
    made = Made()
    session = made.manager.load([made.cookie(count=1)])
    session["tags"] = [{"a"}]
    assert made.manager.commit(session, failed=True) == ()
    session["tags"][0] = "a"
    (cookie,) = made.manager.commit(session)
    assert made.manager.load([value_of(cookie)]) == {"count": 1, "tags": ["a"]}
