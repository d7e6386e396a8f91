"""The values of a manifest to its text."""

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
    """Return the text of a manifest, or of the dicts and lists that `to_plain` returns. Comments are not kept.

    The text parses back to the same values. Raises `ValueError` for what a manifest cannot express, such as an empty
    list or a name without values, and `TypeError` for anything but text, numbers, booleans, and lists and dicts of
    those.
    """
    plain = manifest.to_plain() if isinstance(manifest, Manifest) else manifest
    sections = []
    for name, items in plain.items():
        if not _PRAGMA_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a valid pragma name. Use letters, digits, '-' and '_'.")
        sections.append("".join(f"{line}\n" for line in (f"@{name}", *_lines(items, name))))
    return "\n".join(sections)


def _lines(items: Sequence[_Value], pragma: str) -> list[str]:
    lines: list[str] = []
    for item in items:
        lines.extend(_named(item, pragma) if isinstance(item, Mapping) else [_row(item, f"An array below @{pragma}")])
    return lines


def _named(item: Mapping[str, _Value], pragma: str) -> list[str]:
    if len(item) != 1:
        raise ValueError(f"An item below @{pragma} has {len(item)} names. Use one item for each name.")
    ((name, below),) = item.items()
    where = f"'{name}' below @{pragma}"
    if not isinstance(below, (Mapping, list, tuple)):
        raise TypeError(f"{where} is {type(below).__name__}. Use a list or a dict.")
    _check_length(below, 1, where)
    if isinstance(below, Mapping):
        rows = [f"{written(key)} {_row(value, f'{key!r} of {where}')}" for key, value in below.items()]
    else:
        rows = [_word(value, where) for value in below]
    return [written(name), *(f"  {row}" for row in rows)]


def _row(value: _Value, where: str) -> str:
    if not isinstance(value, (list, tuple)):
        return _word(value, where)
    _check_length(value, 2, where)
    return " ".join(_word(each, where) for each in value)


def _word(value: _Value, where: str) -> str:
    if not isinstance(value, (str, int, float)):
        raise TypeError(f"{where} contains {type(value).__name__}. Use text, a number or a boolean.")
    scalar: PlainScalar = value
    return written(scalar)


def _check_length(values: Sequence[_Value] | Mapping[str, _Value], least: int, where: str) -> None:
    if len(values) < least:
        raise ValueError(f"{where} has {len(values)} values, but needs at least {least}.")
