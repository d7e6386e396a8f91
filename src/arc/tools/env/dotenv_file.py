"""A `.env` file: variables set and removed in its text, which reads back the same and keeps everything else."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_BOM = "\N{BYTE ORDER MARK}"


def variables_of(text: str) -> dict[str, str]:
    """Name and value of each variable; the last line of a name counts."""
    return {name: value for _, name, value in _lines(text) if name is not None}


def with_variable(text: str, name: str, value: str) -> str | None:
    """The text with a variable set in its place, or at the end; None when no way of writing reads back the same."""
    wanted = {**variables_of(text), name: value}
    for form in _forms(value):
        changed = _replaced(text, name, f"{name}={form}")
        if variables_of(changed) == wanted:
            return changed
    return None


def without_variable(text: str, name: str) -> str | None:
    """The text without a variable; None when it cannot be taken out without changing another."""
    wanted = variables_of(text)
    del wanted[name]
    changed = "".join(source for source, own, _ in _lines(text) if own != name)
    return changed if variables_of(changed) == wanted else None


def _forms(value: str) -> Iterator[str]:
    """Ways to write a value, those that other readers of such files understand first."""
    if _PLAIN.fullmatch(value):
        yield value
    if "\\" not in value:
        yield from (f"{quote}{value}{quote}" for quote in "'\"" if quote not in value)
    escaped = value.replace("\\", "\\\\")
    yield "'" + escaped.replace("'", "\\'") + "'"
    yield '"' + escaped.replace('"', '\\"').replace("\n", "\\n") + '"'
    yield value


def _replaced(text: str, name: str, line: str) -> str:
    """The text with `line` for the last one of that name, and without the others; at the end when there is none."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = _lines(text)
    last = max((place for place, (_, own, _) in enumerate(lines) if own == name), default=None)
    if last is None:
        before = text if not text or text.endswith(("\n", "\r")) else text + end
        return f"{before}{line}{end}"
    parts = []
    for place, (source, own, _) in enumerate(lines):
        if own != name:
            parts.append(source)
        elif place == last:
            parts.append(f"{source[: len(source) - len(source.lstrip())]}{line}{end}")
    return "".join(parts)


def _lines(text: str) -> list[tuple[str, str | None, str]]:
    """Each piece of the text, with the name and the value of the variable that it sets."""
    mark = _BOM if text.startswith(_BOM) else ""
    pieces = [
        (one.original.string, one.key if one.value is not None and not one.error else None, one.value or "")
        for one in parse_stream(io.StringIO(text.removeprefix(_BOM), newline=""))
    ]
    return [(mark, None, ""), *pieces] if mark else pieces
