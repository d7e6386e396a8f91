"""Values to the text of a manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from arc.manifest.lexer import written
from arc.manifest.values import Manifest

if TYPE_CHECKING:
    from arc.manifest.values import PlainScalar

_Value: TypeAlias = object
_PRAGMA_NAME = re.compile(r"[A-Za-z0-9_-]+")


def format(manifest: Manifest | Mapping[str, Sequence[_Value]]) -> str:  # noqa: A001  # the pair of `parse`
    """The text of a manifest, or of the dicts and lists that `to_plain` gives; it parses back to the same value.

    Comments are not kept.

    Raises `ValueError` for what a manifest cannot say, such as an empty list or a name without values,
    and `TypeError` for a value that is not text, a number, a boolean, or lists and dicts of those.
    """
    plain = manifest.to_plain() if isinstance(manifest, Manifest) else manifest
    sections = []
    for name, items in plain.items():
        if not _PRAGMA_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a pragma. Use letters, digits, '-' and '_'.")
        sections.append("".join(f"{line}\n" for line in (f"@{name}", *_lines(items, name))))
    return "\n".join(sections)


def _lines(items: Sequence[_Value], pragma: str) -> list[str]:
    lines: list[str] = []
    for item in items:
        if isinstance(item, Mapping):
            lines.extend(_named(item, pragma))
        elif isinstance(item, (list, tuple)):
            _at_least(item, 2, f"An array below @{pragma}")
            lines.append(_row(item, pragma))
        else:
            lines.append(_word(item, pragma))
    return lines


def _named(item: Mapping[str, _Value], pragma: str) -> list[str]:
    if len(item) != 1:
        raise ValueError(f"An item below @{pragma} has {len(item)} names. Give each name an item of its own.")
    ((name, below),) = item.items()
    lines = [written(name)]
    if isinstance(below, Mapping):
        _at_least(below, 1, f"'{name}' below @{pragma}")
        for key, value in below.items():
            lines.extend(_entry(key, value, f"{pragma}: {name}"))
    elif isinstance(below, (list, tuple)):
        _at_least(below, 1, f"'{name}' below @{pragma}")
        lines.extend(f"  {_word(value, pragma)}" for value in below)
    else:
        raise TypeError(f"'{name}' below @{pragma} is {type(below).__name__}. Give a list or a dict.")
    return lines


def _entry(key: str, value: _Value, where: str) -> list[str]:
    if not isinstance(value, (list, tuple)):
        return [f"  {written(key)} {_word(value, where)}"]
    _at_least(value, 2, f"'{key}' in @{where}")
    return [f"  {written(key)} {_row(value, where)}"]


def _row(values: Sequence[_Value], where: str) -> str:
    return " ".join(_word(value, where) for value in values)


def _word(value: _Value, where: str) -> str:
    if not isinstance(value, (str, int, float)):
        raise TypeError(f"A value in @{where} is {type(value).__name__}. Give text, a number or a boolean.")
    scalar: PlainScalar = value
    return written(scalar)


def _at_least(values: Sequence[_Value] | Mapping[str, _Value], least: int, what: str) -> None:
    if len(values) < least:
        raise ValueError(f"{what} has {len(values)} values. A manifest can write it with at least {least}.")
