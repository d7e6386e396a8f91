"""Docstrings are prose with `code` in single backticks, as in Markdown; autodoc expects reStructuredText."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# Visitors, handlers and the runtime make these; a program does not call the class.
NEVER_CALLED = {"arc.Event", "arc.Request", "arc.Response", "arc.Session", "arc.testing.Page"}
_CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_STATEMENT = re.compile(r"(?:class|def|for|if|with) .*:$")
_MARKUP = re.compile(r"[*|\\]|_(?!\w)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the conversion with autodoc."""
    app.connect("autodoc-process-docstring", convert)
    app.connect("autodoc-process-signature", leave_out_constructors)
    return {"parallel_read_safe": True}


def convert(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Replace the `lines` of a docstring by the same in reStructuredText."""
    paragraphs = re.split(r"\n{2,}", "\n".join(lines).strip())
    lines[:] = "\n\n".join(_code_block(part) if _is_code(part) else markup(part) for part in paragraphs).split("\n")
    lines.append("")


def leave_out_constructors(
    _app: Sphinx,
    _what: str,
    name: str,
    _object: object,
    _options: object,
    _arguments: str | None,
    _returned: str | None,
) -> tuple[str, str | None] | None:
    """Return no arguments for a class that is never called."""
    return ("", None) if name in NEVER_CALLED else None


def markup(text: str) -> str:
    """Return Markdown prose as reStructuredText: code becomes a literal, and nothing else has a meaning."""
    parts, end = [], 0
    for code in _CODE.finditer(text):
        parts += [_escaped(text[end : code.start()]), _literal(text, code)]
        end = code.end()
    return "".join((*parts, _escaped(text[end:])))


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda found: f"\\{found[0]}", text)


def _literal(text: str, code: re.Match[str]) -> str:
    """Return a literal; a letter right before or after it is kept apart, as reStructuredText demands."""
    before, after = text[code.start() - 1 : code.start()], text[code.end() : code.end() + 1]
    return f"{_apart(before)}``{' '.join(code[2].split())}``{_apart(after)}"


def _apart(neighbor: str) -> str:
    return "\\ " if neighbor.isalnum() else ""


def _is_code(paragraph: str) -> bool:
    """Whether this is a statement with an indented body."""
    first, _, rest = paragraph.partition("\n")
    return rest.startswith("    ") and _STATEMENT.match(first) is not None


def _code_block(paragraph: str) -> str:
    indented = "\n".join(f"    {line}" for line in paragraph.split("\n"))
    return f".. code-block:: python\n    :force:\n\n{indented}"
