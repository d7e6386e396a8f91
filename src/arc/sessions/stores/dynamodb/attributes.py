"""Converting session values to DynamoDB's JSON and back."""

from __future__ import annotations

from math import isfinite

from arc.sessions.delta import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.sessions.delta import Change

    Attribute = dict[str, Any]

_LARGEST_INT = 10**38


def encode(value: Any) -> Attribute:
    """Return `value` as a DynamoDB attribute."""
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
    """Return the value of an attribute, `MISSING` for an unsupported one: a set, binary data, or a list with either.

    Unsupported entries of a map are left out. DynamoDB has one type of number, and one without a fraction becomes an
    int. Raises `ValueError`, `TypeError` and others for a malformed attribute.
    """
    ((kind, value),) = attribute.items()
    if kind in ("S", "BOOL"):
        return value
    if kind == "N":
        return _number(value)
    if kind == "NULL":
        return None
    if kind == "M":
        return decode_map(value)
    if kind == "L":
        elements = [decode(element) for element in value]
        return MISSING if any(element is MISSING for element in elements) else elements
    return MISSING


def decode_map(attributes: dict[str, Attribute]) -> dict[str, Any]:
    """Return the values of a map's or a row's attributes, without unsupported ones."""
    values = {key: decode(attribute) for key, attribute in attributes.items()}
    return {key: value for key, value in values.items() if value is not MISSING}


def apply_change(change: Change, attributes: dict[str, Attribute]) -> None:
    """Apply `change` to a row's attributes. Unsupported attributes are replaced at its path only."""
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


def size(attributes: dict[str, Attribute]) -> int:
    """Return about how many bytes DynamoDB counts for a row: names and values, and three for each container."""
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
    return whole if abs(whole) < _LARGEST_INT else float(text)  # DynamoDB writes 1e100 with all its digits.
