"""The values a session may hold: JSON, and where a store has limits on numbers, numbers within those of DynamoDB."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from typing import Any

RESERVED = frozenset(("_idx", "_secret", "_ttl", "iat", "exp"))
RESERVED_PREFIX = "_arc_"
_ADDED: dict[object, tuple[type, ...]] = {"_idx": (str,), "_secret": (str,), "_ttl": (int, float), "iat": (int, float)}
MAX_DEPTH = 30
_CONTAINERS = (dict, list)
_INFINITY = float("inf")
_NOTHING: frozenset[object] = frozenset()
_MOST_DIGITS = 38  # that DynamoDB keeps
_MAX_INT = 10**_MOST_DIGITS
_MOST_BITS = 13_287  # of an int, which are 4,000 digits: Python makes text of few more, and a cookie has no room
_MIN_FLOAT, _MAX_FLOAT = 1e-130, 9.99e125


def is_reserved(key: object) -> bool:
    """True for the names that sessions keep for themselves: `_idx`, `_secret`, `_ttl`, `iat`, `exp`, `_arc_…`."""
    return isinstance(key, str) and (key in RESERVED or key[:5] == RESERVED_PREFIX)


def unreserved(stored: dict[str, Any]) -> dict[str, Any]:
    """The application's own part of what is stored."""
    return {key: value for key, value in stored.items() if key[:5] != RESERVED_PREFIX and key not in RESERVED}


def own_keys(data: dict[str, Any]) -> dict[str, Any]:
    """`data` without what other libraries of Architect add to a session that they read, and expect to be written back.

    Those are a text under `_idx` or `_secret` and a number under `_ttl` or `iat`; anything else stays.
    """
    return {key: value for key, value in data.items() if type(value) not in _ADDED.get(key, ())}


def refuse_reserved(key: object) -> None:
    """Raise `ValueError` when `key` is one of the reserved names."""
    if isinstance(key, str) and (key in RESERVED or key[:5] == RESERVED_PREFIX):  # `is_reserved`, at each assignment
        raise ValueError(f"{key!r} is a name that sessions keep for themselves. Store the value under another key.")


def normalise(data: Mapping[str, Any], loaded: object = None, *, bounded: bool = True) -> dict[str, Any]:
    """A deep copy of a session's data as JSON holds it: tuples become lists, subclasses their plain value.

    `loaded` is the data as it came from a store. Of what another writer put there nothing is refused, wherever
    the application has moved it. `bounded` refuses numbers that DynamoDB cannot keep. Raises `TypeError` naming the
    path of a value that cannot be stored, `ValueError` for a reserved key.
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
    """`text` as a plain `str`. Raises `TypeError` naming it by `name` when it is no valid text."""
    return _text(text, name, _NOTHING)


def storable(data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """A copy of stored JSON without what `normalise` refuses, and the paths of what is left out."""
    left_out: list[tuple[str, ...]] = []
    return _storable(data, (), left_out), left_out


def deep_copy(value: Any) -> Any:
    """A copy of stored JSON, whatever the size of its numbers, that shares no container with it."""
    if isinstance(value, dict):
        return {key: deep_copy(one) if isinstance(one, _CONTAINERS) else one for key, one in value.items()}
    return [deep_copy(one) if isinstance(one, _CONTAINERS) else one for one in value]


def finite(text: str) -> float:
    """The number that JSON's `text` stands for. Raises `ValueError` for NaN and infinities, `1e999` included."""
    number = float(text)
    if not abs(number) < _INFINITY:
        raise ValueError(text)
    return number


def whole_number(text: str) -> int:
    """The integer of JSON's `text`. Raises `ValueError` for more digits than can be kept."""
    if len(text) - (text[0] == "-") > _MOST_DIGITS:
        raise ValueError(text)
    return int(text)


def within_range(text: str) -> float:
    """The number of JSON's `text`, which is no integer. Raises `ValueError` for one that cannot be kept."""
    number = float(text)
    if _is_out_of_range(number):
        raise ValueError(text)
    return number


def _is_out_of_range(number: float) -> bool:
    """True for NaN, infinities, and what is too large or too small for DynamoDB."""
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
    """One run of `normalise`; of the `known` keys and scalars, each with its type, nothing is refused."""

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
        raise TypeError(f"{path} is a {type(value).__name__}, which a session cannot hold. {_instead(value)}")

    def _whole(self, number: int, path: str) -> int:
        digits = 38 if self._bounded else 4_000
        too_large = abs(number) >= _MAX_INT if self._bounded else number.bit_length() > _MOST_BITS
        if too_large and (int, number) not in self._known:
            raise TypeError(f"{path} has more than the {digits:,} digits that can be kept. Store it as a string.")
        return number

    def _float(self, number: float, path: str) -> float:
        if not abs(number) < _INFINITY:
            raise TypeError(f"{path} is {number!r}; a number must be finite.")
        if self._bounded and _is_out_of_range(number) and (float, number) not in self._known:
            raise TypeError(f"{path} is {number!r}; a number must be finite and between 1e-130 and 9.99e125 in size.")
        return number


def _instead(value: object) -> str:
    if type(value).__name__ == "Decimal":
        return "DynamoDB's numbers are: store int(value), float(value), or str(value) to keep every digit."
    return "Use None, bool, int, float, str, list or dict (a date as text, say)."


def _text(text: str, path: str, known: AbstractSet[object]) -> str:
    plain = str.__str__(text)  # An enum's own `str()` is the name of the member.
    if not plain.isascii() and (str, plain) not in known:
        try:
            plain.encode()
        except UnicodeEncodeError:
            raise TypeError(f"{path} holds half of a surrogate pair, which is not valid text.") from None
    return plain


def _scalars(value: object) -> set[object]:
    """Every key and every value that is no container in stored JSON, each with its type."""
    if isinstance(value, dict):
        return {(str, key) for key in value}.union(*map(_scalars, value.values()))
    if isinstance(value, list):
        return set().union(*map(_scalars, value))
    return {(type(value), value)}


def _storable(container: Any, path: tuple[str, ...], left_out: list[tuple[str, ...]]) -> Any:
    is_map = isinstance(container, dict)
    kept = {}
    for key, value in container.items() if is_map else enumerate(container):
        here = (*path, str(key))
        if key == "" or not _fits(key):
            left_out.append(here)
        elif isinstance(value, _CONTAINERS):
            kept[key] = _storable(value, here, left_out)
        elif _fits(value):
            kept[key] = value
        else:
            left_out.append(here)
    return kept if is_map else list(kept.values())


def _fits(scalar: object) -> bool:
    try:
        _Copying(_NOTHING, bounded=True).value(scalar, "", 1)
    except TypeError:
        return False
    return True


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
