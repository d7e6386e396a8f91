"""The values a session may hold: JSON, within the numbers DynamoDB can keep, alike in every store."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

RESERVED = frozenset(("_idx", "_secret", "_ttl", "iat", "exp"))
RESERVED_PREFIX = "_arc_"
MAX_DEPTH = 30
_CONTAINERS = (dict, list)
_MAX_INT = 10**38  # DynamoDB keeps 38 digits.
_MIN_FLOAT, _MAX_FLOAT = 1e-130, 9.99e125


def is_reserved(key: object) -> bool:
    """True for the names that sessions keep for themselves: `_idx`, `_secret`, `_ttl`, `iat`, `exp`, `_arc_…`."""
    return isinstance(key, str) and (key in RESERVED or key.startswith(RESERVED_PREFIX))


def refuse_reserved(key: object) -> None:
    """Raise `ValueError` when `key` is one of the reserved names."""
    if is_reserved(key):
        raise ValueError(f"{key!r} is a name that sessions keep for themselves. Store the value under another key.")


def normalise(data: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy of a session's data as JSON holds it: tuples become lists, subclasses their plain type.

    Raises `TypeError` naming the path of a value that cannot be stored, `ValueError` for a reserved key.
    """
    for key in data:
        refuse_reserved(key)
    return _mapping(data, "session", 1)


def deep_copy(value: Any) -> Any:
    """A copy of stored JSON, whatever the size of its numbers, that shares no container with it."""
    if isinstance(value, dict):
        return {key: deep_copy(one) if isinstance(one, _CONTAINERS) else one for key, one in value.items()}
    return [deep_copy(one) if isinstance(one, _CONTAINERS) else one for one in value]


def check_depth(value: Any, depth: int = 1) -> None:
    """Raise `TypeError` when a container of stored JSON is nested more than 30 deep."""
    if depth > MAX_DEPTH:
        raise TypeError(f"The data is nested more than {MAX_DEPTH} deep.")
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, _CONTAINERS):
            check_depth(one, depth + 1)


def _mapping(data: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
    copy = {}
    for key, value in data.items():
        if not isinstance(key, str) or not key:
            raise TypeError(f"{path} has the key {key!r} ({type(key).__name__}); keys are non-empty strings.")
        _encodable(key, path)
        copy[str(key)] = _value(value, f"{path}[{key!r}]", depth)
    return copy


def _value(value: Any, path: str, depth: int) -> Any:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        _encodable(value, path)
        return str(value)
    if isinstance(value, int):
        if abs(value) >= _MAX_INT:
            raise TypeError(f"{path} has more than the 38 digits that can be kept. Store it as a string.")
        return int(value)
    if isinstance(value, float):
        if value != 0 and not _MIN_FLOAT <= abs(value) <= _MAX_FLOAT:
            raise TypeError(f"{path} is {value!r}; a number must be finite and between 1e-130 and 9.99e125 in size.")
        return float(value)
    if isinstance(value, dict | list | tuple):
        if depth >= MAX_DEPTH:
            raise TypeError(f"{path} is nested more than {MAX_DEPTH} deep, or contains itself.")
        if isinstance(value, dict):
            return _mapping(value, path, depth + 1)
        return [_value(element, f"{path}[{index}]", depth + 1) for index, element in enumerate(value)]
    raise TypeError(
        f"{path} is a {type(value).__name__}, which a session cannot hold. "
        "Use None, bool, int, float, str, list or dict (a date as text, say)."
    )


def _encodable(text: str, path: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise TypeError(f"{path} holds half of a surrogate pair, which is not valid text.") from None


def same(one: Any, other: Any) -> bool:
    """True when two values are equal with equal types at every depth (1, 1.0 and True differ)."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)


def _alike(one: Any, other: Any) -> bool:
    return same(one, other) if isinstance(one, _CONTAINERS) else type(one) is type(other) and one == other
