"""The manifest, `app.arc`: text to values with positions, and back.

lexer      text -> lines of words            parser       lines -> values
values     scalars, arrays, vectors, maps    formatting   values -> text
data       JSON and YAML -> the same values   paths   routes in the syntax of other frameworks
"""

from __future__ import annotations

from arc.manifest.formatting import format  # noqa: A004  # the pair of `parse`, and always read as manifest.format
from arc.manifest.parser import parse, parse_all
from arc.manifest.paths import likely_path
from arc.manifest.values import Array, Entry, Item, Manifest, Map, Plain, Pragma, Scalar, Vector, fault_at

__all__ = [
    "Array",
    "Entry",
    "Item",
    "Manifest",
    "Map",
    "Plain",
    "Pragma",
    "Scalar",
    "Vector",
    "fault_at",
    "format",
    "likely_path",
    "parse",
    "parse_all",
]
