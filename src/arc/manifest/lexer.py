"""The text of a manifest to lines of words, and how single words are read and written.

`Lexer` drops comments and blank lines, counts indents and collects faults. `meaning` reads a bare word, and `written`
writes a value as a word.
"""

from __future__ import annotations

import bisect
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.manifest.paths import likely_path
from arc.manifest.values import Scalar, fault_at

if TYPE_CHECKING:
    from arc.errors import ManifestError


QUOTES = frozenset("\"'`")
_LINE_END = re.compile(r"\r\n|\n|\r")
_TAB_WIDTH = 2  # spaces
_SPACE = re.compile(r"[ \t]*")
_PRAGMA_NAME = re.compile(r"[A-Za-z0-9_-]*")
_BARE_WORD = re.compile(r"[^ \t#\r\n]*")
_QUOTED = {quote: re.compile(rf"{quote}((?:\\[{quote}\\]|[^{quote}])*+){quote}") for quote in QUOTES}


def split_lines(text: str) -> tuple[str, ...]:
    """Return the lines of `text`, which end with LF, CRLF or CR."""
    return tuple(_LINE_END.split(text))


@dataclass
class Line:
    """A line that is not blank. `pragma` is the name after `@`; otherwise `words` are its scalars."""

    number: int
    indent: int
    """Spaces before the first word; a tab counts two."""
    column: int
    """The column of the first word."""
    words: list[Scalar] = field(default_factory=list)
    pragma: str | None = None
    whole: bool = True
    """False when the line has a fault."""


class Lexer:
    """Reads `text` once: `lines` are those that are not blank, `faults` what could not be read."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.source = split_lines(text)
        self.lines: list[Line] = []
        self.faults: list[ManifestError] = []
        self._text = text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._number = 1
        self._pragma = ""
        while self._number <= len(self._starts):
            self._at = self._starts[self._number - 1]
            self._read_line()
            self._number += 1

    def _read_line(self) -> None:
        space = self._take(_SPACE)
        if self._peek() in ("", "#"):
            return
        line = Line(self._number, len(space) + space.count("\t") * (_TAB_WIDTH - 1), self._column())
        self.lines.append(line)
        if self._peek() == "@":
            self._read_pragma(line)
        else:
            self._read_words(line)

    def _read_pragma(self, line: Line) -> None:
        self._at += 1
        line.pragma = self._pragma = name = self._take(_PRAGMA_NAME)
        if not name or self._peek() not in ("", " ", "\t", "#"):
            hint = "Use letters, digits, '-' and '_' after the '@', or put a value that begins with '@' in quotes."
            if name and self._peek() == ":":
                hint = f"Write @{name} without the colon, and its values on the lines below."
            column = self._column() if name else line.column
            self._fault(line, "This is not a valid pragma name.", hint, column=column)
            return
        self._take(_SPACE)
        if self._peek() not in ("", "#"):
            self._fault(line, f"@{name} must be alone on its line.", f"Move the rest to a line below @{name}.")

    def _read_words(self, line: Line) -> None:
        while self._peek() not in ("", "#"):
            word = self._read_quoted(line) if self._peek() in QUOTES else self._read_bare(line)
            if word is None:
                return
            line.words.append(word)
            self._take(_SPACE)

    def _read_bare(self, line: Line) -> Scalar | None:
        column, start = self._column(), self._at
        text = self._take(_BARE_WORD)
        for place, character in enumerate(text):
            if not (character in _PUNCTUATION or character.isalnum()):
                shown = character if character.isprintable() else f"U+{ord(character):04X}"
                message = f"The character {shown!r} is not allowed in a value without quotes."
                meant = likely_path(text) if self._pragma == "http" else None
                hint = f"Write {meant}." if meant else "Put the whole value in quotes, or remove the character."
                self._at = start + place
                self._fault(line, message, hint)
                return None
        return Scalar(meaning(text), text, line.number, column)

    def _read_quoted(self, line: Line) -> Scalar | None:
        quote, number, column = self._peek(), self._number, self._column()
        match = _QUOTED[quote].match(self._text, self._at)
        if match is None:
            hint = f"Add another {quote} where the value ends. Inside the value, write \\{quote} for the character."
            self._fault(line, f"The quote {quote} is never closed.", hint)
            return None
        self._at = match.end()
        self._number = bisect.bisect_right(self._starts, self._at - 1)
        if self._peek() not in ("", " ", "\t", "#"):
            opened = "" if number == self._number else f" (opened on line {number})"
            hint = f"Add a space after the quote, or write \\{quote} for a quote inside the value."
            self._fault(line, f"A closing quote{opened} is followed by text.", hint)
            return None
        text = re.sub(rf"\\([{quote}\\])", r"\1", match[1])
        return Scalar(text, text, number, column)

    def _peek(self) -> str:
        """Return the next character of the line; empty at its end."""
        return self._text[self._at : self._at + 1].strip("\r\n")

    def _take(self, pattern: re.Pattern[str]) -> str:
        """Move past what `pattern` matches, and return it."""
        match = pattern.match(self._text, self._at)
        text = match[0] if match else ""
        self._at += len(text)
        return text

    def _column(self) -> int:
        return self._at - self._starts[self._number - 1] + 1

    def _fault(self, line: Line, message: str, hint: str, *, column: int | None = None) -> None:
        line.whole = False
        self.faults.append(fault_at(self.file, self.source, self._number, column or self._column(), message, hint))


_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 40  # characters; a longer run of digits is text
_PUNCTUATION = frozenset("()/~-_.,:$*?&!%=+|^`'\"")
_BARE = re.compile(r"[A-Za-z0-9_~()/\-.,:$*?&!%=+|^]+")

# Bare words that Architect reads as numbers, some of which are text here.
_NUMBER_THERE = re.compile(
    r"-?(?:Infinity|[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|0[xX][0-9A-Fa-f]+|0[bB][01]+|0[oO][0-7]+"
)

# Words that contain quotes and need none around them, here and in Architect.
_BARE_WITH_QUOTES = re.compile(r"[A-Za-z_~()/.,:$*?&!%=+|^][A-Za-z0-9_~()/\-.,:$*?&!%=+|^'\"`]*")


def meaning(word: str) -> str | int | float | bool:
    """Return the value of a bare word: a boolean, a number, or the word itself.

    Numbers are those of JSON, so `00123` and `+1` are text and keep every character.
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


def written(value: str | float) -> str:
    """Return the word that parses back to `value`, in quotes where it needs them.

    Raises `ValueError` for infinities and NaN, which a manifest cannot contain.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _is_bare_text(value) else quoted(value)
    word = repr(value)
    if type(meaning(word)) is not type(value):
        raise ValueError(f"A manifest cannot contain the number {word[:60]}. Write it as text.")
    return word


def written_for_both(text: str) -> str | None:
    """Return `text` as words that Architect's parser reads the same way, None when there are none.

    That parser does not unescape backslashes, and never closes a quote after one. Several words of a variable's value
    are one value, joined by spaces.
    """
    if _is_bare_text(text) or quoted(text)[1:-1] == text:
        return written(text)
    if _BARE_WITH_QUOTES.fullmatch(text):
        return text
    words = [written_for_both(word) for word in text.split(" ")] if " " in text else []
    good = [word for word in words if word is not None]
    return " ".join(good) if words and len(good) == len(words) else None


def _is_bare_text(text: str) -> bool:
    """Return whether both parsers read `text` as itself without quotes."""
    return _BARE.fullmatch(text) is not None and meaning(text) == text and _NUMBER_THERE.fullmatch(text) is None


def quoted(text: str) -> str:
    r"""Return `text` in the first of the three kinds of quotes that it does not contain.

    Backslashes are doubled before a quote or a backslash only.
    """
    quote = next((each for each in "\"'`" if each not in text), '"')
    inside = re.sub(rf"\\(?=[\\{quote}]|\Z)", r"\\\\", text).replace(quote, f"\\{quote}")
    return f"{quote}{inside}{quote}"
