"""What a snapshot of a session finds changed."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arc.sessions.record import Facts
from arc.sessions.snapshot import Snapshot
from arc.sessions.values import drop_reserved, same
from tests.sessions.making import Made, value_of
from tests.sessions.speeds import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

FACTS = Facts("an-id", 1)
ADA = FACTS.but(user_id="ada", signed_in_at=1)


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
    snapshot = Snapshot(before, FACTS, None)
    assert snapshot.differs(before, FACTS) is False
    assert snapshot.differs(after, FACTS) is changed
    assert snapshot.differs(before, ADA) is True


@pytest.mark.parametrize("bounded", [False, True])
def test_the_same_data_in_another_order_and_as_tuples_is_not_written(bounded: bool) -> None:
    """Neither another order of keys nor a tuple is a change, with and without limits for numbers."""
    made = Made(environment="testing" if bounded else "production")
    session = made.manager.load([made.cookie(pair=[1, 2], count=1)])
    session["pair"] = session.pop("pair")
    assert made.manager.commit(session) == ()
    session = made.manager.load([made.cookie(pair=[1, 2], count=1)])
    session["pair"] = (1, 2)
    assert made.manager.commit(session) == ()
    session["pair"] = (1, 3)
    (cookie,) = made.manager.commit(session)
    assert made.manager.load([value_of(cookie)]) == {"count": 1, "pair": [1, 3]}


def test_the_exact_text_shows_what_changed_in_place() -> None:
    """Only the order of the top keys is looked at: a sealed session is written for another order within."""
    for value in (1, 2):
        live: dict[str, Any] = {"a": {"b": 1, "c": 3}}
        snapshot = Snapshot(dict(live), FACTS, '{"a":{"b":1,"c":3}}')
        snapshot.exact = True
        assert not snapshot.differs(live, FACTS)
        del live["a"]["b"]
        live["a"]["b"] = value
        assert snapshot.differs(live, FACTS)


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


def test_a_change_is_one_of_the_data_or_the_facts() -> None:
    """Either is enough, and data that is stored as before has not changed."""
    snapshot = Snapshot({"a": [1]}, FACTS, None)
    assert snapshot.change({"a": [1]}, FACTS) is None
    assert snapshot.change({"a": (1,)}, FACTS) is None
    assert snapshot.change({"a": [2]}, FACTS) == ({"a": [2]}, '{"a":[2]}')
    assert snapshot.change({"a": (2,)}, FACTS) == ({"a": [2]}, None)
    assert snapshot.change({"a": [1]}, ADA) == ({"a": [1]}, '{"a":[1]}')
    assert snapshot.change({"a": (1,)}, ADA) == ({"a": [1]}, None)


def test_a_dropped_value_that_is_repaired_in_place_is_stored() -> None:
    """The commit before it dropped something of which there is no text."""
    made = Made()
    session = made.manager.load([made.cookie(count=1)])
    session["tags"] = [{"a"}]
    assert made.manager.commit(session, failed=True) == ()
    session["tags"][0] = "a"
    (cookie,) = made.manager.commit(session)
    assert made.manager.load([value_of(cookie)]) == {"count": 1, "tags": ["a"]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 12) | st.sampled_from([0.0, 1.0, 2.5, "", "x", '",', "\\"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
DATA = st.dictionaries(st.sampled_from(["a", "b", "c", ',"', "iat,"]), JSON, max_size=4)


@settings(max_examples=5 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_data_is_compared_with_a_text_that_has_reserved_keys_in_any_place(draw: st.DataObject) -> None:
    """What another writer put between and after the data changes nothing."""
    before = draw.draw(DATA)
    after = draw.draw(st.just(before) | DATA | st.permutations(list(before.items())).map(dict))
    reserved = draw.draw(st.dictionaries(st.sampled_from(["iat", "_arc_id", "_arc_other"]), JSON))
    pairs = [*before.items(), *reserved.items()]
    pairs = draw.draw(st.just(pairs) | st.permutations(pairs))
    repeated = [
        (key, draw.draw(JSON)) for key in draw.draw(st.lists(st.sampled_from([key for key, _ in pairs] or ["iat"])))
    ]
    text = (
        "{"
        + ",".join(
            f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in [*repeated, *pairs]
        )
        + "}"
    )
    top = drop_reserved(json.loads(text))
    assert Snapshot(top, FACTS, text).differs(after, FACTS) is not same(top, after)
