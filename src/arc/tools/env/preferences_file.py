"""Sets and removes testing's variables in the text of a preferences file, and keeps everything else.

Architect's parser reads back the same, though for it a blank or comment line ends an environment's variables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from arc.inventory.files import is_variable
from arc.inventory.preferences import value_of
from arc.manifest import Map, Scalar, parse_all
from arc.manifest.lexer import QUOTES, written, written_for_both

if TYPE_CHECKING:
    from collections.abc import Iterable

    from arc.manifest import Entry, Manifest

_ENVIRONMENT = "testing"
_LINE_END = re.compile(r"\r\n|\n|\r")  # as a manifest's lines end
_BARE_WORD = re.compile(r"[^ \t#\r\n]*")
_BOM = "\N{BYTE ORDER MARK}"


def variables_of(text: str) -> dict[str, str] | None:
    """Return the variables of testing; None for a text with faults."""
    manifest, faults = parse_all(text)
    pragma = manifest.pragma("env")
    if faults or (pragma is not None and not all(isinstance(item, Map) for item in pragma.items)):
        return None
    return {entry.key.text: value_of(entry) for block in _blocks(manifest) for entry in block.entries}


def has_env(text: str) -> bool:
    """Return True for a text with an `@env`, which replaces the one in the home folder."""
    return parse_all(text)[0].pragma("env") is not None


def can_hold(value: str) -> bool:
    """Return True for a value that can be written so that Architect reads it back."""
    return written_for_both(value) is not None


def with_variable(text: str, name: str, value: str) -> str | None:
    """Return the text with a variable set, None when it cannot be written.

    A variable stays in its place, and a new one is testing's last. Where Architect would not read it there, it is
    testing's first.
    """
    before, words = variables_of(text), written_for_both(value)
    if before is None or words is None or not is_variable(name):
        return None
    return _if_equal(text, _Source(text).with_variable(name, words), {**before, name: value})


def without_variable(text: str, name: str) -> str | None:
    """Return the text without a variable; None when it cannot be removed."""
    before = variables_of(text)
    if before is None:
        return None
    desired = {key: value for key, value in before.items() if key != name}
    source = _Source(text)
    return _if_equal(text, source.edited(source.removals(source.entries_of(name))), desired)


def _if_equal(text: str, changed: str, desired: dict[str, str]) -> str | None:
    """Return the changed text if it has the desired variables and every other part is as before, else None."""
    return changed if variables_of(changed) == desired and _others(changed) == _others(text) else None


class _Source:
    """The text of a file without faults, and the positions of its parts."""

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
        """Return the entries that set a variable. Testing may have several blocks, of which the last counts."""
        return [entry for block in self._blocks for entry in block.entries if entry.key.text == name]

    def with_variable(self, name: str, words: str) -> str:
        """Return the text with a variable set to `words`."""
        entries = self.entries_of(name)
        written_name = written(name)  # Architect reads a name such as true only in quotes.
        if entries and entries[-1] in self._blocks[-1].entries and not self._is_hidden(entries[-1].key.line):
            return self.edited([*self.removals(entries[:-1]), self._replacement(entries[-1], words)])
        if self._blocks:
            block = self._blocks[-1]
            line = f"{self._margin(block.entries[0].key)}{written_name} {words}{self._end}"
            if entries:
                return self._moved(entries, words)
            bottom = self._end_of(block.entries[-1].values[-1])
            is_hidden = self._is_hidden(self._line_at(bottom))
            return self._inserted(self._end_of(block.name) if is_hidden else bottom, line)
        margin = ""
        if self._pragma is not None and self._pragma.items:
            first = self._pragma.items[0]
            margin = self._margin(first if isinstance(first, Scalar) else first.start)
        block_text = f"{margin}{_ENVIRONMENT}{self._end}{margin}  {written_name} {words}{self._end}"
        if self._pragma is not None:
            return self._inserted(self._next_line(self._starts[self._pragma.line - 1]), block_text)
        gap = self._end if self._text else ""
        return self._inserted(len(self._text), f"{gap}@env{self._end}{block_text}")

    def _replacement(self, entry: Entry, words: str) -> tuple[int, int, str]:
        """Return the edit that sets an entry to `words`; values below its key become one on its line."""
        end = self._span(entry.values[-1])[1]
        if entry.values[0].line > entry.key.line:
            return self._span(entry.key)[1], end, f" {words}"
        return self._span(entry.values[0])[0], end, words

    def _moved(self, entries: list[Entry], words: str) -> str:
        """Return the text with the last of `entries` set to `words` and made testing's first, the others removed."""
        last = entries[-1]
        start, end, replacement = self._replacement(last, words)
        before = self._text[self._starts[last.key.line - 1] : start]
        line = before + replacement + self._text[end : self._end_of(last.values[-1])]
        line = line if line.endswith(("\r", "\n")) else line + self._end
        top = self._end_of(self._blocks[-1].name)
        return self.edited([*self.removals(entries, keep=self._blocks[-1]), (top, top, line)])

    def _is_hidden(self, line: int) -> bool:
        """Return True when a blank or comment line is between testing's name and this line of its block."""
        block = self._blocks[-1]
        expected = block.name.line + 1
        for entry in block.entries:
            if entry.key.line >= line:
                break
            if entry.key.line > expected:
                return True
            expected = self._line_at(self._end_of(entry.values[-1]))
        return line > expected

    def _line_at(self, at: int) -> int:
        """Return the number of the line that begins at or after a place in the text."""
        return next(
            (number for number, start in enumerate(self._starts, start=1) if start >= at), len(self._starts) + 1
        )

    def _margin(self, first: Scalar) -> str:
        """Return the space before the first word of a line."""
        return self._text[self._starts[first.line - 1] :][: first.column - 1]

    def removals(self, entries: Iterable[Entry], *, keep: Map | None = None) -> list[tuple[int, int, str]]:
        """Return the edits that remove whole lines.

        A block without entries is removed too, because its name would be read as a value; the block `keep` stays.
        """
        gone = list(entries)
        edits = [(self._starts[entry.key.line - 1], self._end_of(entry.values[-1]), "") for entry in gone]
        empty = [
            block.name for block in self._blocks if block is not keep and all(entry in gone for entry in block.entries)
        ]
        return edits + [(self._starts[name.line - 1], self._end_of(name), "") for name in empty]

    def edited(self, edits: Iterable[tuple[int, int, str]]) -> str:
        """Return the text with each part from start to end replaced."""
        text = self._text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return self._mark + text

    def _inserted(self, at: int, lines: str) -> str:
        before = self._end if at and self._text[at - 1] not in "\r\n" else ""
        return self.edited([(at, at, before + lines)])

    def _end_of(self, scalar: Scalar) -> int:
        """Return the start of the line after a word, which may span several lines."""
        return self._next_line(self._span(scalar)[1])

    def _next_line(self, at: int) -> int:
        return next((start for start in self._starts if start > at), len(self._text))

    def _span(self, scalar: Scalar) -> tuple[int, int]:
        """Return the start and end of a word with its quotes."""
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
    """Return everything except testing's variables."""
    plain = parse_all(text)[0].to_plain()
    env = [item for item in plain.pop("env", []) if not (isinstance(item, dict) and _ENVIRONMENT in item)]
    return plain, env
