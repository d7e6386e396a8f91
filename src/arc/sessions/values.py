"""The values that a session can contain: JSON, with numbers within DynamoDB's limits where a store needs that."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from typing import Any

RESERVED = frozenset(("_idx", "_secret", "_ttl", "iat", "exp"))
RESERVED_PREFIX = "_arc_"
# The keys that Architect's other libraries add to the data of a session when they read it, with their types.
ADDED: dict[object, tuple[type, ...]] = {"_idx": (str,), "_secret": (str,), "_ttl": (int, float), "iat": (int, float)}
MAX_DEPTH = 30
_CONTAINERS = (dict, list)
_INFINITY = float("inf")
_NOTHING: frozenset[object] = frozenset()
_MOST_DIGITS = 38  # DynamoDB's limit
_MAX_INT = 10**_MOST_DIGITS
_MOST_BITS = 13_287  # of an int: 4,000 digits, near the limits of a cookie and of Python's conversion to text
_MIN_FLOAT, _MAX_FLOAT = 1e-130, 9.99e125


def is_reserved(key: object) -> bool:
    """True for the reserved names `_idx`, `_secret`, `_ttl`, `iat`, `exp` and `_arc_…`."""
    return isinstance(key, str) and (key in RESERVED or key[:5] == RESERVED_PREFIX)


def drop_reserved(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the app's part of stored data."""
    return {key: value for key, value in stored.items() if key[:5] != RESERVED_PREFIX and key not in RESERVED}


def drop_foreign_keys(data: dict[str, Any]) -> dict[str, Any]:
    """Return `data` without the keys that Architect's other libraries add to a session when they read it.

    These are a text under `_idx` or `_secret`, and a number under `_ttl` or `iat`. Other values stay.
    """
    return {key: value for key, value in data.items() if type(value) not in ADDED.get(key, ())}


def refuse_reserved(key: object) -> None:
    """Raise `ValueError` when `key` is one of the reserved names."""
    if isinstance(key, str) and (key in RESERVED or key[:5] == RESERVED_PREFIX):  # `is_reserved`, inlined for speed
        raise ValueError(f"{key!r} is a reserved name. Store the value under another key.")


def normalize(data: Mapping[str, Any], loaded: object = None, *, bounded: bool = True) -> dict[str, Any]:
    """Return a deep copy of a session's data as JSON: tuples become lists, and subclasses become their plain types.

    `loaded` is the data that the store returned. Values that another writer stored there are accepted, wherever the app
    has moved them. `bounded` refuses numbers that DynamoDB cannot store. Raises `TypeError` with the path of a value
    that cannot be stored, and `ValueError` for a reserved key.
    """
    for key in data:
        refuse_reserved(key)
    try:
        return _Copying(_NOTHING, bounded=bounded).mapping(data, "session", 1)
    except TypeError:
        if not loaded:
            raise
    return _Copying(_scalars(loaded), bounded=bounded).mapping(data, "session", 1)


def plain_text(text: str, name: str) -> str:
    """Return `text` as a plain `str`. Raises `TypeError`, which mentions `name`, for invalid text."""
    return _text(text, name, _NOTHING)


def drop_unstorable(data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Return a copy of stored JSON without the values that `normalize` refuses, and the paths of these values."""
    left_out: list[tuple[str, ...]] = []
    return _drop_unstorable(data, (), left_out), left_out


def deep_copy(value: Any) -> Any:
    """Return a copy of stored JSON that shares no container with it. Numbers may have any size."""
    if isinstance(value, dict):
        return {key: deep_copy(one) if isinstance(one, _CONTAINERS) else one for key, one in value.items()}
    return [deep_copy(one) if isinstance(one, _CONTAINERS) else one for one in value]


def finite(text: str) -> float:
    """Parse a JSON number. Raises `ValueError` for NaN and infinities, including `1e999`."""
    number = float(text)
    if not abs(number) < _INFINITY:
        raise ValueError(text)
    return number


def whole_number(text: str) -> int:
    """Parse a JSON integer. Raises `ValueError` for more digits than DynamoDB stores."""
    if len(text) - (text[0] == "-") > _MOST_DIGITS:
        raise ValueError(text)
    return int(text)


def within_range(text: str) -> float:
    """Parse a JSON number that is not an integer. Raises `ValueError` for one that DynamoDB cannot store."""
    number = float(text)
    if _is_out_of_range(number):
        raise ValueError(text)
    return number


def _is_out_of_range(number: float) -> bool:
    """True for NaN, infinities, and numbers that are too large or too small for DynamoDB."""
    return number != 0 and not _MIN_FLOAT <= abs(number) <= _MAX_FLOAT


def refuse_deep(value: dict[str, Any]) -> None:
    """Raise `TypeError` when a container of stored JSON is nested more than 30 deep."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            one
            for container in level
            for one in (container.values() if isinstance(container, dict) else container)
            if isinstance(one, _CONTAINERS)
        ]
        if not level:
            return
    raise TypeError(f"The data is nested more than {MAX_DEPTH} deep.")


class _Copying:
    """One run of `normalize`, which refuses none of the `known` keys and scalars (pairs of type and value)."""

    __slots__ = ("_bounded", "_known")

    def __init__(self, known: AbstractSet[object], *, bounded: bool) -> None:
        self._known, self._bounded = known, bounded

    def mapping(self, data: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
        copy = {}
        for key, value in data.items():
            if not isinstance(key, str) or (not key and (str, key) not in self._known):
                raise TypeError(f"{path} has the key {key!r} ({type(key).__name__}); keys are non-empty strings.")
            copy[_text(key, path, self._known)] = self.value(value, f"{path}[{key!r}]", depth)
        return copy

    def value(self, value: Any, path: str, depth: int) -> Any:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return _text(value, path, self._known)
        if isinstance(value, int):
            return self._whole(int.__int__(value), path)
        if isinstance(value, float):
            return self._float(float.__float__(value), path)
        if isinstance(value, dict | list | tuple):
            if depth >= MAX_DEPTH:
                raise TypeError(f"{path} is nested more than {MAX_DEPTH} deep, or contains itself.")
            if isinstance(value, dict):
                return self.mapping(value, path, depth + 1)
            return [self.value(element, f"{path}[{index}]", depth + 1) for index, element in enumerate(value)]
        raise TypeError(f"{path} is a {type(value).__name__}, which a session cannot store. {_remedy(value)}")

    def _whole(self, number: int, path: str) -> int:
        digits = 38 if self._bounded else 4_000
        too_large = abs(number) >= _MAX_INT if self._bounded else number.bit_length() > _MOST_BITS
        if too_large and (int, number) not in self._known:
            raise TypeError(f"{path} has more than {digits:,} digits. Store it as a string.")
        return number

    def _float(self, number: float, path: str) -> float:
        if not abs(number) < _INFINITY:
            raise TypeError(f"{path} is {number!r}; a number must be finite.")
        if self._bounded and _is_out_of_range(number) and (float, number) not in self._known:
            raise TypeError(f"{path} is {number!r}; a number must be finite and between 1e-130 and 9.99e125 in size.")
        return number


def _remedy(value: object) -> str:
    if type(value).__name__ == "Decimal":  # boto3's type for numbers
        return "Store int(value), float(value), or str(value) to keep every digit."
    return "Use None, bool, int, float, str, list or dict, for example a date as a string."


def _text(text: str, path: str, known: AbstractSet[object]) -> str:
    plain = str.__str__(text)  # The `str()` of an enum's member is its name.
    if not plain.isascii() and (str, plain) not in known:
        try:
            plain.encode()
        except UnicodeEncodeError:
            raise TypeError(f"{path} contains half of a surrogate pair, which is not valid text.") from None
    return plain


def _scalars(value: object) -> set[object]:
    """Return every key and every scalar in stored JSON, each with its type."""
    if isinstance(value, dict):
        return {(str, key) for key in value}.union(*map(_scalars, value.values()))
    if isinstance(value, list):
        return set().union(*map(_scalars, value))
    return {(type(value), value)}


def _drop_unstorable(container: Any, path: tuple[str, ...], left_out: list[tuple[str, ...]]) -> Any:
    is_map = isinstance(container, dict)
    storable = {}
    for key, value in container.items() if is_map else enumerate(container):
        here = (*path, str(key))
        if key == "" or not _is_storable(key) or not (isinstance(value, _CONTAINERS) or _is_storable(value)):
            left_out.append(here)
        else:
            storable[key] = _drop_unstorable(value, here, left_out) if isinstance(value, _CONTAINERS) else value
    return storable if is_map else list(storable.values())


def _is_storable(scalar: object) -> bool:
    try:
        _Copying(_NOTHING, bounded=True).value(scalar, "", 1)
    except TypeError:
        return False
    return True


def same(one: Any, other: Any) -> bool:
    """True when two values are equal with equal types at every depth. 1, 1.0 and True differ."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same_element(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same_element, one, other))
    return bool(one == other)


def _same_element(one: Any, other: Any) -> bool:
    return same(one, other) if isinstance(one, _CONTAINERS) else type(one) is type(other) and one == other
