"""Lines to values: pragmas, scalars, arrays, vectors and maps."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from arc.manifest.lexer import Lexer, Line
from arc.manifest.values import Array, Entry, Item, Manifest, Map, Pragma, Scalar, Vector, fault_at

if TYPE_CHECKING:
    from arc.errors import ManifestError

_BELOW_NAME, _BELOW_KEY = 2, 4  # spaces


def parse(text: str, file: str = "app.arc") -> Manifest:
    """Parse a manifest, which messages call `file`. Raises the first `ManifestError`."""
    manifest, faults = parse_all(text, file)
    if faults:
        raise faults[0]
    return manifest


def parse_all(text: str, file: str = "app.arc") -> tuple[Manifest, tuple[ManifestError, ...]]:
    """Return what could be read of `text`, and every fault in it, in the order of its lines."""
    lexer = Lexer(text.removeprefix("\N{BYTE ORDER MARK}"), file)
    parser = _Parser(lexer)
    faults = sorted([*lexer.faults, *parser.faults], key=lambda fault: (fault.line, fault.column))
    return Manifest(file, lexer.source, tuple(parser.pragmas)), tuple(faults)


class _Parser:
    """Walks the lines once; each method takes the lines that belong to its value."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer
        self.faults: list[ManifestError] = []
        self.pragmas: list[Pragma] = []
        stray = list(takewhile(lambda line: line.pragma is None, lexer.lines))
        if stray:
            word = stray[0].words[0].text.lower() if stray[0].words else ""
            hint = f"Write @{word}." if word in ("app", "http", "aws", "tables") else ""
            hint = hint or "Begin the file with a pragma, such as @app."
            self._fault(stray[0], "This line is before the first pragma.", hint)
        self._rest = lexer.lines[len(stray) :][::-1]
        while self._rest:
            self._read_pragma()

    def _read_pragma(self) -> None:
        line = self._rest.pop()
        name = line.pragma or ""
        if line.whole and line.indent:
            self._fault(line, f"@{name} is indented.", "Move it to the start of its line.")
        before = next((pragma for pragma in self.pragmas if pragma.name == name), None)
        if line.whole and before is not None:
            hint = f"Move these lines below the first @{name}."
            self._fault(line, f"@{name} is already declared on line {before.line}.", hint)
        items: list[Item] = []
        whole = line.whole
        margin = self._rest[-1].indent if self._rest else 0
        while self._rest and self._rest[-1].pragma is None:
            faults = len(self.faults)
            margin = min(margin, self._rest[-1].indent)
            block = self._take_block(margin)
            item = self._read_item(block)
            if item is not None:
                items.append(item)
            whole = whole and len(self.faults) == faults and all(each.whole for each in block)
        if name and before is None:
            self.pragmas.append(Pragma(name, line.number, line.column, tuple(items), whole))

    def _take_block(self, margin: int) -> list[Line]:
        """Return the next line and those indented below it, with indents that count from `margin`.

        Items that are all indented below their pragma are read as if they were not.
        """
        block = [self._rest.pop()]
        while self._rest and self._rest[-1].pragma is None and self._rest[-1].indent > margin:
            block.append(self._rest.pop())
        for line in block:
            line.indent -= margin
        return block

    def _read_item(self, block: list[Line]) -> Item | None:
        first, below = block[0], block[1:]
        if below and len(first.words) > 1:
            indent = self._lexer.source[below[0].number - 1][: below[0].column - 1]
            what = "spaces" if " " in indent else "tab"
            hint = f"Remove the {what} at the start of the line, or write one name alone on the line above."
            self._fault(below[0], "This line is indented below a line with several values.", hint)
            return None
        if not self._indents_are_good(first, below) or not first.whole:
            return None
        if not below:
            return first.words[0] if len(first.words) == 1 else Array(tuple(first.words))
        return self._read_below(first.words[0], below) if all(line.whole for line in below) else None

    def _indents_are_good(self, first: Line, below: list[Line]) -> bool:
        """Add a fault for each wrong indent below a name."""
        faults = len(self.faults)
        above = first
        for line in below:
            is_below_key = (above.indent, line.indent) == (_BELOW_NAME, _BELOW_KEY)
            if line.indent not in (_BELOW_NAME, _BELOW_KEY):
                spaces = "one space" if line.indent == 1 else f"{line.indent} spaces"
                hint = "Use two spaces below a name, and four below one of its keys."
                self._fault(line, f"This line is indented by {spaces}.", hint)
            elif line.indent == _BELOW_KEY and above is first:
                self._fault(line, "This line is indented too far.", "Use two spaces below a name.")
            elif is_below_key and line.whole and above.whole and len(above.words) > 1:
                hint = "Write all values on the key's line, or one on each line below it."
                self._fault(line, f"'{above.words[0].text}' has values on its line and below it.", hint)
            above = line
        return len(self.faults) == faults

    def _read_below(self, name: Scalar, below: list[Line]) -> Item | None:
        deeper = [line for line in below if line.indent == _BELOW_KEY]
        if not deeper and all(len(line.words) == 1 for line in below):
            return Vector(name, tuple(line.words[0] for line in below))
        entries: list[Entry] = []
        faults = len(self.faults)
        lines = list(reversed(below))
        while lines:
            line = lines.pop()
            nested: list[Line] = []
            while lines and lines[-1].indent == _BELOW_KEY:
                nested.append(lines.pop())
            self._add_entry(entries, name, line, nested)
        return Map(name, tuple(entries)) if len(self.faults) == faults else None

    def _add_entry(self, entries: list[Entry], name: Scalar, line: Line, nested: list[Line]) -> None:
        key = line.words[0]
        values = line.words[1:]
        if not values and not nested:
            self._fault(line, f"The key '{key.text}' has no value.", f"Write '{key.text} value', or remove the line.")
        elif any(entry.key.text == key.text for entry in entries):
            self._fault(line, f"The key '{key.text}' is repeated below '{name.text}'.", "Remove one of the two lines.")
        for each in nested:
            if len(each.words) > 1:
                hint = "Write one value on each line, or put it in quotes."
                self._fault(each, f"A value of '{key.text}' has several words.", hint)
        if nested:
            values = [each.words[0] for each in nested]
        entries.append(Entry(key, tuple(values), several=len(values) > 1))

    def _fault(self, line: Line, message: str, hint: str) -> None:
        fault = fault_at(self._lexer.file, self._lexer.source, line.number, line.column, message, hint)
        self.faults.append(fault)
