"""Sets and removes variables in the text of a `.env` file, and keeps everything else.

Hand-made, because python-dotenv's `set_key` drops comments, and writes values that Node's dotenv reads differently.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

if TYPE_CHECKING:
    from collections.abc import Iterator


_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=\\-]+")
_BOM = "\N{BYTE ORDER MARK}"
_LINE_END = re.compile(r"\r\n|\n|\r")
_SPACE_ABOVE = re.compile(r"(?:\s*[\r\n])?")  # blank lines, which the parser adds to the line below them
_SETTING = re.compile(
    r"""
    (?P<head> \s* (?:export[^\S\r\n]+)? (?:'[^']+'|[^=\#\s]+) [^\S\r\n]* = (?:[^\S\r\n]+(?=[^\#\s]))? )
    (?:
        (?: '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" ) (?P<after_quote> [^\S\r\n]* \#[^\r\n]* )?
        | [^\r\n]*? (?P<after_word> \s+ \#[^\r\n]* )?
    )
    [^\S\r\n]* (?P<end> \r\n|\n|\r|\Z )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class _Piece:
    """A line with the blank lines above it, and the variable that it sets, if any; a value may span several lines."""

    text: str
    name: str | None = None
    value: str = ""


def variables_of(text: str) -> dict[str, str]:
    """Return the variables as python-dotenv reads them; the last line with a name counts."""
    return {piece.name: piece.value for piece in _pieces(text) if piece.name is not None}


def with_variable(text: str, name: str, value: str) -> str | None:
    """Return the text with a variable set in its place, or at the end; None when the value cannot be written.

    python-dotenv and Node's dotenv both read back the value, and every other variable as before.
    """
    desired = {**variables_of(text), name: value}
    in_node = {**variables_in_node(text), name: value}
    first_end = _LINE_END.search(text)
    end = first_end[0] if first_end else "\n"
    for form in _forms(value, end):
        changed = _edited(text, name, form, end)
        if variables_of(changed) == desired and variables_in_node(changed) == in_node:
            return changed
    return None


def without_variable(text: str, name: str) -> str | None:
    """Return the text without a variable; None when that would change another."""
    desired = variables_of(text)
    del desired[name]
    changed = "".join(_space_above(piece) if piece.name == name else piece.text for piece in _pieces(text))
    return changed if variables_of(changed) == desired else None


def _forms(value: str, end: str) -> Iterator[str]:
    """Yield ways to write a value, the plainest first. For some values, readers disagree about all but the first."""
    if _PLAIN.fullmatch(value):
        yield value
    if "\n" in value and end != "\n":  # An editor would make all line ends the same.
        yield '"' + value.replace("\n", "\\n") + '"'
    yield from (f"{quote}{value}{quote}" for quote in "'\"" if quote not in value)
    if "\n" not in value:
        yield value


def _edited(text: str, name: str, form: str, end: str) -> str:
    """Return the text with a variable in place of its last line, whose comment is kept, or at the end."""
    pieces = _pieces(text)
    places = [place for place, piece in enumerate(pieces) if piece.name == name]
    if not places:
        before = text if not text or text.endswith(("\n", "\r")) else text + end
        return f"{before}{name}={form}{end}"
    parts = [_space_above(piece) if piece.name == name else piece.text for piece in pieces]
    setting = _SETTING.fullmatch(pieces[places[-1]].text)
    if setting is not None:
        comment = setting["after_quote"] or setting["after_word"] or ""
        gap = " " if comment.startswith("#") else ""
        head = setting["head"].replace(f"'{name}'", name)  # Node does not accept quotes around a name.
        parts[places[-1]] = f"{head}{form}{gap}{comment}{setting['end']}"
    return "".join(parts)


def _space_above(piece: _Piece) -> str:
    space = _SPACE_ABOVE.match(piece.text)
    return space[0] if space else ""


def _pieces(text: str) -> list[_Piece]:
    mark = _BOM if text.startswith(_BOM) else ""
    pieces = [
        _Piece(one.original.string, one.key if one.value is not None else None, one.value or "")
        for one in parse_stream(io.StringIO(text.removeprefix(_BOM), newline=""))
    ]
    return [_Piece(mark), *pieces] if mark else pieces


_ENDS = "\n\r\u2028\u2029"
_WHITE = "\t\v\f \xa0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff" + _ENDS
_START, _END = rf"(?:\A|(?<=[{_ENDS}]))", rf"(?=[{_ENDS}]|\Z)"
_LINE = re.compile(
    rf"""{_START}[{_WHITE}]*(?:export[{_WHITE}]+)?([A-Za-z0-9_.-]+)(?:[{_WHITE}]*=[{_WHITE}]*?|:[{_WHITE}]+?)"""
    rf"""([{_WHITE}]*'(?:\\'|[^'])*'|[{_WHITE}]*"(?:\\"|[^"])*"|[{_WHITE}]*`(?:\\`|[^`])*`|[^\#\r\n]+)?"""
    rf"""[{_WHITE}]*(?:\#[^{_ENDS}]*)?{_END}"""
)
_QUOTED = re.compile(rf"""{_START}(['"`])(.*)\1{_END}""", re.DOTALL)
_STRIPPED = re.compile(rf"\A[{_WHITE}]+|[{_WHITE}]+\Z")


def variables_in_node(text: str) -> dict[str, str]:
    """Return the variables as Node's dotenv reads them."""
    variables: dict[str, str] = {}
    for line in _LINE.finditer(re.sub(r"\r\n?", "\n", text)):
        value = _STRIPPED.sub("", line[2] or "")
        is_double = value.startswith('"')
        value = _QUOTED.sub(lambda quoted: quoted[2], value)
        variables[line[1]] = value.replace("\\n", "\n").replace("\\r", "\r") if is_double else value
    return variables
