"""Any data in a row: Node's own library and this one read, rewrite and change each other's."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from arc.sessions.values import normalise, same
from tests.interop.any_data import apart, as_doubles, table_data

if TYPE_CHECKING:
    from tests.interop.both import Both

in_a_table = settings(
    max_examples=settings().max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SAFE = 2**53 - 1  # the largest number that Node writes


def within_nodes_numbers(value: Any) -> bool:
    """True when Node's client takes every number in `value`."""
    if isinstance(value, dict | list):
        return all(map(within_nodes_numbers, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int | float) or abs(value) <= SAFE


def become(kept: Any, wanted: Any) -> None:
    """Change the container `kept` in place, as deep as it goes, until it equals `wanted`."""
    if isinstance(kept, list):
        if wanted[: len(kept)] == kept:
            kept.extend(wanted[len(kept) :])
        else:
            kept[:] = wanted
        return
    for key in kept.keys() - wanted.keys():
        del kept[key]
    for key, value in wanted.items():
        if isinstance(value, dict | list) and type(kept.get(key)) is type(value):
            become(kept[key], value)
        elif key not in kept or not same([kept[key]], [value]):
            kept[key] = value


@in_a_table
@given(table_data)
def test_any_data_of_ours_passes_through_node(both: Both, content: dict[str, Any]) -> None:
    """Node reads what we stored, writes all of it again, and nothing has changed for us."""
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
def test_any_data_of_nodes_becomes_any_other_here(both: Both, content: dict[str, Any], wanted: dict[str, Any]) -> None:
    """We read what Node stored, change it in place to something else, and Node reads that."""
    assume(within_nodes_numbers(content))
    value = both.node_rewrites("", **{"kept": 1, **content})
    session = both.ours(value)
    assert as_doubles(dict(session)) == as_doubles({"kept": 1, **content})
    become(session, normalise(wanted))
    assert dict(session) == wanted
    both.manager.commit(session)
    assert as_doubles(apart(both.nodes(value))) == as_doubles(wanted)
    assert as_doubles(dict(both.ours(value))) == as_doubles(wanted)


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60) - 1, 10**37 + 1, 10**38 - 1, 1e21, 1.5e100])
@pytest.mark.sampled(4)
def test_numbers_beyond_a_double_keep_every_digit_in_node(both: Both, number: float) -> None:
    """In a row Node has them as BigInt, and writes them back as they were; our next commit takes them."""
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
