"""Fields that may be repeated."""

from __future__ import annotations

import json

from arc.http.headers import Query


def test_field_is_its_last_value() -> None:
    """The dict has the last values, and `getall` returns all in order."""
    query = Query([("a", "1"), ("b", "2"), ("a", "3")])
    assert query == {"a": "3", "b": "2"}
    assert query.getall("a") == ["1", "3"]
    assert query.getall("b") == ["2"]


def test_absent_field_has_no_values() -> None:
    """`getall` of an absent field returns an empty list."""
    assert Query().getall("a") == []
    assert Query() == {}


def test_list_of_values_is_a_copy() -> None:
    """Changing the result of `getall` does not change the query."""
    query = Query([("a", "1")])
    query.getall("a").append("2")
    assert query.getall("a") == ["1"]


def test_query_is_serializable() -> None:
    """A query can be returned, stored and serialized like a dict."""
    assert json.dumps(Query([("a", "1"), ("a", "2")])) == '{"a": "2"}'
