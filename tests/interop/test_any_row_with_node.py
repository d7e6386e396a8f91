"""Any data in a row: Node's library and this one read, rewrite and change each other's."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from arc.sessions.values import normalize, same
from tests.interop.any_data import apart, as_doubles, table_data

if TYPE_CHECKING:
    from tests.interop.both import Both

in_a_table = settings(
    max_examples=settings().max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SAFE = 2**53 - 1  # the largest number that Node writes


def within_nodes_numbers(value: Any) -> bool:
    """True if Node's client accepts every number in `value`."""
    if isinstance(value, dict | list):
        return all(map(within_nodes_numbers, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int | float) or abs(value) <= SAFE


def change_in_place(live: Any, desired: Any) -> None:
    """Change the container `kept` in place, as deep as it goes, until it equals `wanted`."""
    if isinstance(live, list):
        if desired[: len(live)] == live:
            live.extend(desired[len(live) :])
        else:
            live[:] = desired
        return
    for key in live.keys() - desired.keys():
        del live[key]
    for key, value in desired.items():
        if isinstance(value, dict | list) and type(live.get(key)) is type(value):
            change_in_place(live[key], value)
        elif key not in live or not same([live[key]], [value]):
            live[key] = value


@in_a_table
@given(table_data)
def test_any_data_survives_a_rewrite_by_node(both: Both, content: dict[str, Any]) -> None:
    """Node reads what this library stored and writes all of it again, without a change."""
    session = both.manager.load([])
    session.update(content)
    value = both.commit(session)
    stored = both.ours(value)
    assert as_doubles(apart(both.nodes(value))) == as_doubles(content)
    assert both.node_rewrites(value) == value
    assert same(dict(both.ours(value)), dict(stored))
    assert as_doubles(dict(stored)) == as_doubles(content)


@in_a_table
@given(table_data, table_data)
def test_any_data_of_node_can_be_changed_in_place(both: Both, content: dict[str, Any], desired: dict[str, Any]) -> None:
    """Node reads the changed data."""
    assume(within_nodes_numbers(content))
    value = both.node_rewrites("", **{"kept": 1, **content})
    session = both.ours(value)
    assert as_doubles(dict(session)) == as_doubles({"kept": 1, **content})
    change_in_place(session, normalize(desired))
    assert dict(session) == desired
    both.manager.commit(session)
    assert as_doubles(apart(both.nodes(value))) == as_doubles(desired)
    assert as_doubles(dict(both.ours(value))) == as_doubles(desired)


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60) - 1, 10**37 + 1, 10**38 - 1, 1e21, 1.5e100])
@pytest.mark.sampled(4)
def test_numbers_beyond_a_double_keep_every_digit_in_node(both: Both, number: float) -> None:
    """Node reads them in a row as BigInt and writes them back unchanged, and the next commit here accepts them."""
    session = both.manager.load([])
    session["number"] = number
    value = both.commit(session)
    assert both.nodes(value)["number"] == int(Decimal(repr(number)))
    both.node_rewrites(value, theirs=1)
    again = both.ours(value)
    assert again == {"number": number, "theirs": 1}
    again["ours"] = 2
    both.commit(again)
    assert apart(both.nodes(value)) == {"number": int(Decimal(repr(number))), "theirs": 1, "ours": 2}
