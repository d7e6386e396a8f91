"""A preferences file: testing's variables set and removed in its text, which reads back the same and keeps the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from arc.manifest import Map, parse_all
from arc.manifest.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arc.manifest import Manifest

_ENVIRONMENT = "testing"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # as a manifest's lines end


def variables_of(text: str) -> dict[str, str] | None:
    """The variables of testing; None for a text with faults."""
    manifest, faults = parse_all(text)
    if faults:
        return None
    found = _testing(manifest)
    return {} if found is None else {entry.key.text: entry.values[0].text for entry in found.entries}


def with_variable(text: str, name: str, value: str) -> str | None:
    """The text with a variable set in its place, or as testing's first; None when it cannot be written."""
    line = f"  {name} {quoted(value)}"
    before = variables_of(text)
    if before is None:
        return None
    wanted = {**before, name: value}
    return _first_good(text, _edits(text, name, line), wanted)


def without_variable(text: str, name: str) -> str | None:
    """The text without a variable; None when it cannot be taken out."""
    before = variables_of(text)
    if before is None:
        return None
    wanted = {key: value for key, value in before.items() if key != name}
    return _first_good(text, _edits(text, name, None), wanted)


def _first_good(text: str, edits: Iterator[str], wanted: dict[str, str]) -> str | None:
    """The first edit that gives the wanted variables and leaves every other part as it was."""
    others = _others(text)
    return next((edit for edit in edits if variables_of(edit) == wanted and _others(edit) == others), None)


def _edits(text: str, name: str, line: str | None) -> Iterator[str]:
    """Candidates, the smallest change first: how many lines a value has, only parsing can tell."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = _LINE.findall(text)
    new = [] if line is None else [line + end]
    testing = _testing(parse_all(text)[0])
    pragma = parse_all(text)[0].pragma("env")
    entry = next((one for one in testing.entries if one.key.text == name), None) if testing is not None else None
    if testing is not None and entry is not None:
        first = entry.key.line - 1
        if line is None and len(testing.entries) == 1:  # a name alone would be a value of @env
            first = testing.name.line - 1
        for last in range(first + 1, len(lines) + 1):
            yield "".join([*lines[:first], *new, *lines[last:]])
    elif testing is not None:
        place = testing.name.line
        yield "".join([*lines[:place], *new, *lines[place:]])
    else:
        block = [f"{_ENVIRONMENT}{end}", *new]
        if pragma is not None:
            yield "".join([*lines[: pragma.line], *block, *lines[pragma.line :]])
        else:
            gap = [] if not text else [end] if text.endswith(("\n", "\r")) else [end, end]
            yield "".join([*lines, *gap, f"@env{end}", *block])


def _testing(manifest: Manifest) -> Map | None:
    pragma = manifest.pragma("env")
    items = pragma.items if pragma is not None else ()
    return next((one for one in items if isinstance(one, Map) and one.name.text == _ENVIRONMENT), None)


def _others(text: str) -> object:
    """Everything but testing's variables."""
    plain = parse_all(text)[0].to_plain()
    env = [item for item in plain.pop("env", []) if not (isinstance(item, dict) and _ENVIRONMENT in item)]
    return plain, env
