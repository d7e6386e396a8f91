"""Any session data that Node reads without ambiguity."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from arc.sessions.values import is_reserved

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e120, 1e120).filter(lambda number: number == 0 or abs(number) > 1e-120)
    | st.text(characters, max_size=20)
)
names = st.text(characters, min_size=1, max_size=10).filter(lambda name: not is_reserved(name))
data = st.dictionaries(
    names,
    st.recursive(scalars, lambda of: st.lists(of, max_size=4) | st.dictionaries(names, of, max_size=4), max_leaves=12),
    min_size=1,
    max_size=5,
)
# Keys that are left out of data in a table. Node's DynamoDB client reads a row whose first key is the name of a type as
# a value, ministack's UpdateItem misreads a row with a key M, and JavaScript a key __proto__.
TAKEN = frozenset(("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS", "__proto__"))


def has_taken_names(value: Any) -> bool:
    """True if a key at any depth has a meaning for another program."""
    if isinstance(value, dict):
        return not TAKEN.isdisjoint(value) or any(map(has_taken_names, value.values()))
    return isinstance(value, list) and any(map(has_taken_names, value))


table_data = data.filter(lambda content: not has_taken_names(content))


def apart(read: dict[str, Any]) -> dict[str, Any]:
    """The data that Node reads, without the session's metadata."""
    return {key: value for key, value in read.items() if not is_reserved(key)}


def as_doubles(value: Any) -> Any:
    """`value` with JavaScript's numbers: 5.4e16 is written 54000000000000000 there."""
    if isinstance(value, dict):
        return {key: as_doubles(element) for key, element in value.items()}
    if isinstance(value, list):
        return [as_doubles(element) for element in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
