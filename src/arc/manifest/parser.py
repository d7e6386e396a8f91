"""Lines to values: pragmas, scalars, arrays, vectors and maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.manifest.lexer import Lexer, Line
from arc.manifest.values import Array, Entry, Item, Manifest, Map, Pragma, Scalar, Vector, fault_at

if TYPE_CHECKING:
    from arc.errors import ManifestError

_BELOW_NAME, _BELOW_KEY = 2, 4  # spaces


def parse(text: str, file: str = "app.arc") -> Manifest:
    """The manifest in `text`; `file` is how messages call it. Raises the first `ManifestError`."""
    manifest, faults = parse_all(text, file)
    if faults:
        raise faults[0]
    return manifest


def parse_all(text: str, file: str = "app.arc") -> tuple[Manifest, tuple[ManifestError, ...]]:
    """What could be read of `text`, and every fault in it, in the order of its lines."""
    lexer = Lexer(text.removeprefix("\N{BYTE ORDER MARK}"), file)
    parser = _Parser(lexer)
    faults = sorted([*lexer.faults, *parser.faults], key=lambda fault: (fault.line, fault.column))
    return Manifest(file, lexer.source, tuple(parser.pragmas)), tuple(faults)


class _Parser:
    """Walks the lines once; each method takes the lines that belong to its value."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer
        self._rest = list(reversed(lexer.lines))
        self.faults: list[ManifestError] = []
        self.pragmas: list[Pragma] = []
        self._skip_to_pragma()
        while self._rest:
            self._read_pragma()

    def _skip_to_pragma(self) -> None:
        if self._rest and self._rest[-1].pragma is None:
            line = self._rest[-1]
            self._fault(line, "Text stands before the first pragma.", "Begin with a pragma, such as @app.")
        while self._rest and self._rest[-1].pragma is None:
            self._rest.pop()

    def _read_pragma(self) -> None:
        line = self._rest.pop()
        name = line.pragma or ""
        if line.whole and line.indent:
            self._fault(line, f"@{name} is indented.", "Begin a pragma at the start of its line.")
        before = next((pragma for pragma in self.pragmas if pragma.name == name), None)
        if line.whole and before is not None:
            self._fault(
                line,
                f"@{name} is there twice: it stands on line {before.line} already.",
                f"Move these lines below the first @{name}.",
            )
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
        """Return the next line and those indented below it, whose indents count from `margin` on from here.

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
        if not self._indents_are_good(first, below) or not first.whole:
            return None
        if not below:
            return first.words[0] if len(first.words) == 1 else Array(tuple(first.words))
        if len(first.words) > 1:
            self._fault(
                below[0],
                "An indented line follows a line of several values.",
                "Leave one name alone on the line above, or remove the spaces before this line.",
            )
            return None
        return self._read_below(first.words[0], below) if all(line.whole for line in below) else None

    def _indents_are_good(self, first: Line, below: list[Line]) -> bool:
        """Tell every wrong indent below a name."""
        good = True
        above = first
        for line in below:
            deepest = _BELOW_NAME if above is first else _BELOW_KEY
            if line.indent not in (_BELOW_NAME, _BELOW_KEY):
                self._fault(
                    line,
                    f"This line is indented by {_spaces(line.indent)}.",
                    "Indent by two spaces below a name, by four below a key of it.",
                )
                good = False
            elif line.indent > deepest:
                self._fault(line, "This line is indented too far.", "Indent by two spaces below a name.")
                good = False
            elif (
                line.whole
                and above.whole
                and line.indent == _BELOW_KEY
                and above.indent == _BELOW_NAME
                and len(above.words) > 1
            ):
                self._fault(
                    line,
                    f"'{above.words[0].text}' has values on its line and below it.",
                    "Write all values on the key's line, or all of them below it, one on each line.",
                )
                good = False
            above = line
        return good

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
            self._fault(
                line,
                f"The key '{key.text}' has no value.",
                f"Write '{key.text} value' as the other lines below '{name.text}' have it, or remove the line.",
            )
        elif any(entry.key.text == key.text for entry in entries):
            self._fault(line, f"The key '{key.text}' is there twice below '{name.text}'.", "Keep one of the two lines.")
        for each in nested:
            if len(each.words) > 1:
                self._fault(
                    each,
                    f"A value of '{key.text}' has several words.",
                    "Write one value on each line, or put it in quotes.",
                )
        if nested:
            values = [each.words[0] for each in nested]
        entries.append(Entry(key, tuple(values), several=len(values) > 1))

    def _fault(self, line: Line, message: str, hint: str) -> None:
        fault = fault_at(self._lexer.file, self._lexer.source, line.number, line.column, message, hint)
        self.faults.append(fault)


def _spaces(count: int) -> str:
    return "one space" if count == 1 else f"{count} spaces"
