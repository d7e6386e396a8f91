"""A preferences file: testing's variables set and removed in its text, which reads back the same and keeps the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from arc.inventory.preferences import value_of
from arc.manifest import Map, parse_all
from arc.manifest.words import QUOTES, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from arc.manifest import Entry, Manifest, Scalar

_ENVIRONMENT = "testing"
_LINE_END = re.compile(r"\r\n|\n|\r")  # as a manifest's lines end
_BARE_WORD = re.compile(r"[^ \t#\r\n]*")
_BOM = "\N{BYTE ORDER MARK}"


def variables_of(text: str) -> dict[str, str] | None:
    """The variables of testing; None for a text with faults."""
    manifest, faults = parse_all(text)
    pragma = manifest.pragma("env")
    if faults or (pragma is not None and not all(isinstance(item, Map) for item in pragma.items)):
        return None
    return {entry.key.text: value_of(entry) for block in _blocks(manifest) for entry in block.entries}


def has_env(text: str) -> bool:
    """Return True for a text with an `@env`, which replaces that of the developer's home."""
    return parse_all(text)[0].pragma("env") is not None


def with_variable(text: str, name: str, value: str) -> str | None:
    """The text with a variable set in its place, or below testing's last; None when it cannot be written."""
    before = variables_of(text)
    if before is None:
        return None
    return _if_good(text, _Source(text).with_variable(name, written(value)), {**before, name: value})


def without_variable(text: str, name: str) -> str | None:
    """The text without a variable; None when it cannot be taken out."""
    before = variables_of(text)
    if before is None:
        return None
    wanted = {key: value for key, value in before.items() if key != name}
    source = _Source(text)
    return _if_good(text, source.edited(source.removals(source.entries_of(name))), wanted)


def _if_good(text: str, changed: str, wanted: dict[str, str]) -> str | None:
    """The changed text, if it gives the wanted variables and leaves every other part as it was."""
    return changed if variables_of(changed) == wanted and _others(changed) == _others(text) else None


class _Source:
    """The text of a file without faults, and where in it things stand."""

    def __init__(self, text: str) -> None:
        self._mark = _BOM if text.startswith(_BOM) else ""
        self._text = text.removeprefix(_BOM)
        ends = list(_LINE_END.finditer(self._text))
        self._starts = [0, *(end.end() for end in ends)]
        self._end = ends[0][0] if ends else "\n"
        manifest, _ = parse_all(self._text)
        self._blocks = _blocks(manifest)
        self._pragma = manifest.pragma("env")

    def entries_of(self, name: str) -> list[Entry]:
        """Where a variable is set. There may be several blocks of testing, of which the last counts."""
        return [entry for block in self._blocks for entry in block.entries if entry.key.text == name]

    def with_variable(self, name: str, word: str) -> str:
        """The text with a variable set to `word`."""
        entries = self.entries_of(name)
        if entries:
            (start, _), (_, end) = self._span(entries[-1].values[0]), self._span(entries[-1].values[-1])
            return self.edited([*self.removals(entries[:-1]), (start, end, word)])
        line = f"  {name} {word}{self._end}"
        if self._blocks:
            return self._inserted(self._end_of(self._blocks[-1].entries[-1].values[-1]), line)
        block = f"{_ENVIRONMENT}{self._end}{line}"
        if self._pragma is not None:
            return self._inserted(self._next_line(self._starts[self._pragma.line - 1]), block)
        gap = self._end if self._text else ""
        return self._inserted(len(self._text), f"{gap}@env{self._end}{block}")

    def removals(self, entries: Iterable[Entry]) -> list[tuple[int, int, str]]:
        """The edits that take whole lines out, also testing's own where nothing is left below: it would be a value."""
        gone = list(entries)
        edits = [(self._starts[entry.key.line - 1], self._end_of(entry.values[-1]), "") for entry in gone]
        empty = [block.name for block in self._blocks if all(entry in gone for entry in block.entries)]
        return edits + [(self._starts[name.line - 1], self._end_of(name), "") for name in empty]

    def edited(self, edits: Iterable[tuple[int, int, str]]) -> str:
        """The text with each part from start to end replaced."""
        text = self._text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return self._mark + text

    def _inserted(self, at: int, lines: str) -> str:
        before = self._end if at and self._text[at - 1] not in "\r\n" else ""
        return self.edited([(at, at, before + lines)])

    def _end_of(self, scalar: Scalar) -> int:
        """Where the line begins that follows a word, which may go on over several lines."""
        return self._next_line(self._span(scalar)[1])

    def _next_line(self, at: int) -> int:
        return next((start for start in self._starts if start > at), len(self._text))

    def _span(self, scalar: Scalar) -> tuple[int, int]:
        """Where a word begins and ends, with its quotes."""
        start = self._starts[scalar.line - 1] + scalar.column - 1
        quote = self._text[start]
        if quote not in QUOTES:
            word = _BARE_WORD.match(self._text, start)
            return start, word.end() if word else start
        end = start + 1
        while self._text[end] != quote:
            end += 2 if self._text[end] == "\\" else 1
        return start, end + 1


def _blocks(manifest: Manifest) -> list[Map]:
    pragma = manifest.pragma("env")
    items = pragma.items if pragma is not None else ()
    return [item for item in items if isinstance(item, Map) and item.name.text == _ENVIRONMENT]


def _others(text: str) -> object:
    """Everything but testing's variables."""
    plain = parse_all(text)[0].to_plain()
    env = [item for item in plain.pop("env", []) if not (isinstance(item, dict) and _ENVIRONMENT in item)]
    return plain, env
