"""Fields that may come more than once."""

from __future__ import annotations

import json

from arc.http.headers import Query


def test_a_field_is_its_last_value_and_getall_gives_all() -> None:
    """The dict holds the last values; `getall` keeps the order."""
    query = Query([("a", "1"), ("b", "2"), ("a", "3")])
    assert query == {"a": "3", "b": "2"}
    assert query.getall("a") == ["1", "3"]
    assert query.getall("b") == ["2"]


def test_an_absent_field_has_no_values() -> None:
    """`getall` of a field that did not come is an empty list."""
    assert Query().getall("a") == []
    assert Query() == {}


def test_the_list_of_values_is_a_copy() -> None:
    """Changing what `getall` gave changes nothing for the next caller."""
    query = Query([("a", "1")])
    query.getall("a").append("2")
    assert query.getall("a") == ["1"]


def test_it_is_a_dict_for_json() -> None:
    """A query can be returned, stored and serialised like the dict it is."""
    assert json.dumps(Query([("a", "1"), ("a", "2")])) == '{"a": "2"}'
