"""Text to lines of words. Comments and blank lines are gone, indents are counted, faults are collected."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.manifest.values import Scalar, fault_at

if TYPE_CHECKING:
    from arc.errors import ManifestError


_LINE_END = re.compile(r"\r\n|\n|\r")
_TAB_WIDTH = 2  # a tab counts two spaces
_PRAGMA_NAME = re.compile(r"[A-Za-z0-9_-]+")


def split_lines(text: str) -> tuple[str, ...]:
    """The lines of `text`, which end with LF, CRLF or CR."""
    return tuple(_LINE_END.split(text))


@dataclass
class Line:
    """A line that holds something. `pragma` is the name after `@`; otherwise `words` are its scalars."""

    number: int
    indent: int
    """Spaces before the first word, a tab counting two."""
    column: int
    """Where the first word begins."""
    words: list[Scalar] = field(default_factory=list)
    pragma: str | None = None
    whole: bool = True
    """False when a fault was found in it."""


class Lexer:
    """Reads `text` once. `lines` are the lines that hold something, `faults` what could not be read."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.source = split_lines(text)
        self.lines: list[Line] = []
        self.faults: list[ManifestError] = []
        self._ends = [match.start() for match in _LINE_END.finditer(text)] + [len(text)]
        self._starts = [0] + [match.end() for match in _LINE_END.finditer(text)]
        self._text = text
        self._number = 1
        self._at = 0
        while self._number <= len(self.source):
            self._read_line()

    def _read_line(self) -> None:
        self._at = self._starts[self._number - 1]
        indent = 0
        while self._peek() in (" ", "\t"):
            indent += 1 if self._peek() == " " else _TAB_WIDTH
            self._at += 1
        if self._peek() not in ("", "#"):
            line = Line(self._number, indent, self._column())
            self.lines.append(line)
            if self._peek() == "@":
                self._read_pragma(line)
            else:
                self._read_words(line)
        self._number += 1

    def _read_pragma(self, line: Line) -> None:
        match = _PRAGMA_NAME.match(self._text, self._at + 1)
        name = match[0] if match else ""
        line.pragma = name
        start = self._column()
        self._at += 1 + len(name)
        following = self._peek()
        if not name or following not in ("", " ", "\t", "#"):
            self._fault(
                line,
                self._column() if name else start,
                "This is no name of a pragma." if name else "A pragma's name is missing.",
                "Write letters, digits, '-' and '_' after the '@', or put a value that begins with '@' in quotes.",
            )
            return
        self._skip_space()
        if self._peek() not in ("", "#"):
            self._fault(
                line,
                self._column(),
                f"Text follows @{name} on its line.",
                f"Write it on a line of its own, below @{name}.",
            )

    def _read_words(self, line: Line) -> None:
        while self._peek() not in ("", "#"):
            word = self._read_quoted(line) if self._peek() in QUOTES else self._read_bare(line)
            if word is None:
                return
            line.words.append(word)
            self._skip_space()

    def _read_bare(self, line: Line) -> Scalar | None:
        column, start = self._column(), self._at
        while self._peek() not in ("", " ", "\t", "#"):
            character = self._peek()
            if not may_stand_bare(character):
                shown = character if character.isprintable() else f"U+{ord(character):04X}"
                self._fault(
                    line,
                    self._column(),
                    f"The character {shown!r} cannot stand here.",
                    "Put the whole value in quotes, or remove the character.",
                )
                return None
            self._at += 1
        text = self._text[start : self._at]
        return Scalar(meaning(text), text, line.number, column)

    def _read_quoted(self, line: Line) -> Scalar | None:
        quote, number, column = self._peek(), self._number, self._column()
        parts: list[str] = []
        at = self._at + 1
        while at < len(self._text) and self._text[at] != quote:
            if self._text[at] == "\\" and self._text[at + 1 : at + 2] in (quote, "\\"):
                at += 1
            parts.append(self._text[at])
            at += 1
        if at >= len(self._text):
            self._fault(
                line,
                column,
                f"The quote {quote} is never closed.",
                f"Write another {quote} where the value ends; inside it, write \\{quote} for the character itself.",
            )
            return None
        self._at = at + 1
        while self._at > self._ends[self._number - 1]:
            self._number += 1
        if self._peek() not in ("", " ", "\t", "#"):
            opened = "" if number == self._number else f" (it was opened on line {number})"
            self._fault(
                line,
                self._column(),
                f"Text follows a closing quote{opened}.",
                f"Write a space after the quote, or \\{quote} for a quote inside the value.",
            )
            return None
        text = "".join(parts)
        return Scalar(text, text, number, column)

    def _peek(self) -> str:
        """The next character of the line; empty at its end."""
        return self._text[self._at] if self._at < self._ends[self._number - 1] else ""

    def _rest(self) -> str:
        return self._text[self._at : self._ends[self._number - 1]]

    def _column(self) -> int:
        return self._at - self._starts[self._number - 1] + 1

    def _skip_space(self) -> None:
        while self._peek() in (" ", "\t"):
            self._at += 1

    def _fault(self, line: Line, column: int, message: str, hint: str) -> None:
        line.whole = False
        self.faults.append(fault_at(self.file, self.source, self._number, column, message, hint))


_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 40  # characters; more digits than a manifest counts with, so that text stays text
_PUNCTUATION = frozenset("()/~-_.,:$*?&!%=+|^`'\"")
_BARE = re.compile(r"[A-Za-z0-9_~()/\-.,:$*?&!%=+|^]+")

# Bare words that Architect reads as numbers, some of which are text here.
_NUMBER_THERE = re.compile(
    r"-?(?:Infinity|[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|0[xX][0-9A-Fa-f]+|0[bB][01]+|0[oO][0-7]+"
)

# Words that hold quotes and need none, here and in Architect.
_BARE_WITH_QUOTES = re.compile(r"[A-Za-z_~()/.,:$*?&!%=+|^][A-Za-z0-9_~()/\-.,:$*?&!%=+|^'\"`]*")

QUOTES = frozenset("\"'`")


def meaning(word: str) -> str | int | float | bool:
    """What a bare word stands for: a boolean, a number, or itself.

    A number is written as JSON writes one, so `00123` and `+1` are text and keep every character.
    """
    if word in ("true", "false"):
        return word == "true"
    number = _NUMBER.fullmatch(word)
    if number is None or len(word) > _LONGEST_NUMBER:
        return word
    if number[1] is None and number[2] is None:
        return int(word)
    value = float(word)
    return value if math.isfinite(value) else word


def may_stand_bare(character: str) -> bool:
    """True for a character that a bare word may hold: letters, digits and most ASCII punctuation."""
    return character in _PUNCTUATION or character.isalnum()


def written(value: str | float) -> str:
    """Return `value` (text, a number or a boolean) as a word that parses back to it, in quotes where it needs them.

    Raises `ValueError` for infinities and NaN, which a manifest cannot hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _is_bare_text(value) else quoted(value)
    word = repr(value)
    if type(meaning(word)) is not type(value):
        raise ValueError(f"A manifest cannot hold the number {word[:60]}. Write it as text.")
    return word


def written_for_both(text: str) -> str | None:
    """Return `text` as words that Architect's parser reads alike, None where none are.

    That parser keeps backslashes as they are, and takes one before the closing quote for an escape that never ends.
    Several words of a variable's value are one value, joined by a space.
    """
    if _is_bare_text(text) or quoted(text)[1:-1] == text:
        return written(text)
    if _BARE_WITH_QUOTES.fullmatch(text):
        return text
    words = [written_for_both(word) for word in text.split(" ")] if " " in text else []
    good = [word for word in words if word is not None]
    return " ".join(good) if words and len(good) == len(words) else None


def _is_bare_text(text: str) -> bool:
    """Return True for text that means itself without quotes, here and in Architect."""
    return _BARE.fullmatch(text) is not None and meaning(text) == text and _NUMBER_THERE.fullmatch(text) is None


def quoted(text: str) -> str:
    r"""Return `text` in quotes: of the three kinds, the first that it lacks.

    Backslashes stay as they are, except before a quote or a backslash, where they are doubled.
    """
    quote = next((each for each in "\"'`" if each not in text), '"')
    inside = re.sub(rf"\\(?=[\\{quote}]|\Z)", r"\\\\", text).replace(quote, f"\\{quote}")
    return f"{quote}{inside}{quote}"
