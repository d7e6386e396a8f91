"""Session values as DynamoDB's JSON and back."""

from __future__ import annotations

from math import isfinite

from arc.sessions.delta import MISSING
from arc.sessions.values import deep_copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.sessions.delta import Change

    Attribute = dict[str, Any]

_LARGEST_INT = 10**38


def encode(value: Any) -> Attribute:
    """`value`, JSON with numbers of any class, as a DynamoDB attribute."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, list):
        return {"L": [encode(element) for element in value]}
    if isinstance(value, dict):
        return {"M": {key: encode(element) for key, element in value.items()}}
    return {"N": str(value)}


def decode(attribute: Attribute) -> Any:
    """The value of an attribute, `MISSING` for a set, binary data, or a list that holds such.

    Entries of a map that cannot be shown are left out of it. DynamoDB has one kind of number: without a
    fraction it is an int. Raises `ValueError` and the like for what is no attribute.
    """
    ((kind, value),) = attribute.items()
    if kind in ("S", "BOOL"):
        return value
    if kind == "N":
        return _number(value)
    if kind == "NULL":
        return None
    if kind == "M":
        return decoded(value)
    if kind == "L":
        elements = [decode(element) for element in value]
        return MISSING if any(element is MISSING for element in elements) else elements
    return MISSING


def decoded(attributes: dict[str, Attribute]) -> dict[str, Any]:
    """The values of a map's or a row's attributes, without those that cannot be shown."""
    values = {key: decode(attribute) for key, attribute in attributes.items()}
    return {key: value for key, value in values.items() if value is not MISSING}


def make(change: Change, attributes: dict[str, Attribute]) -> None:
    """Make `change` on a row's attributes. What cannot be shown is replaced at its path and kept beside it."""
    parent = attributes
    for key in change.path[:-1]:
        parent = parent[key]["M"]
    key = change.path[-1]
    before = decode(parent[key]) if key in parent else MISSING
    if change.kind == "remove":
        parent.pop(key, None)
    elif change.kind == "append":
        elements = [] if before is MISSING else parent[key]["L"]
        parent[key] = {"L": [*elements, *(encode(element) for element in change.value)]}
    elif change.kind == "increment":
        parent[key] = encode((0 if before is MISSING else before) + change.value)
    else:
        parent[key] = encode(change.value)


def copied(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    """A deep copy of a row's attributes."""
    copy: dict[str, Attribute] = deep_copy(attributes)
    return copy


def size(attributes: dict[str, Attribute]) -> int:
    """About how many bytes a row takes, as DynamoDB counts: names and values, three for each container."""
    return sum(len(key.encode()) + _size(attribute) for key, attribute in attributes.items())


def _size(attribute: Attribute) -> int:
    ((kind, value),) = attribute.items()
    if kind == "S":
        return len(value.encode())
    if kind == "N":
        return len(value) // 2 + 2
    if kind == "M":
        return 3 + size(value) + len(value)
    if kind == "L":
        return 3 + sum(1 + _size(element) for element in value)
    return 1 if kind in ("BOOL", "NULL") else sum(map(len, value)) if kind != "B" else len(value)


def _number(text: str) -> int | float:
    try:
        whole = int(text)
    except ValueError:
        number = float(text)
        if not isfinite(number):
            raise ValueError(text) from None
        if "e" not in text.lower() or number != int(number):
            return number
        from decimal import Decimal

        whole = int(Decimal(text))
    return whole if abs(whole) < _LARGEST_INT else float(text)  # DynamoDB spells 1e100 out; no session holds such ints.
