"""The line that the sandbox prints for a request. It shows no query and no part of a path that may be a secret."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Words and short numbers between hyphens, as in a title. A token, an id, a UUID or a code in groups of capital letters
# is not made of these; a card's number has more digits than a date.
_WORD = r"(?:[A-Za-z][a-z]{0,14}|[A-Z]{2,3}|\d{1,4})"
_WORDS = re.compile(rf"(?!(?:\D*\d){{9}}){_WORD}(?:[-_.~]+{_WORD})*", re.ASCII)
_LONGEST_PART = 16  # characters of a part that may be a secret: 128 bits take 22
_KEPT = 6  # characters of such a part
_LONGEST_PATH = 60  # characters
# What browsers request on their own.
_UNASKED = re.compile(r"/(?:favicon\.ico|apple-touch-icon[\w-]*\.png|\.well-known/appspecific/[\w.-]+)", re.ASCII)
_COLORS = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}


def is_unasked(path: str) -> bool:
    """Return True for a path that browsers request on their own, such as `/favicon.ico`."""
    return _UNASKED.fullmatch(path) is not None


def shown_path(path: str, parts: Sequence[str] = ()) -> str:
    """Return an encoded path for the terminal, in printable ASCII.

    `parts` are the parts of the route's path. Those without a parameter are in the manifest, and shown in full.
    """
    sent = path[1:].split("/") if path.startswith("/") else [path]
    public = [part == literal for part, literal in zip(sent, parts, strict=False)]
    public += [False] * (len(sent) - len(public))
    shown = "/".join(part if known else _clip(part) for part, known in zip(sent, public, strict=True))
    text = ascii(f"/{shown}" if path.startswith("/") else shown)[1:-1].replace("\\u2026", "…")
    return text if len(text) <= _LONGEST_PATH else f"{text[: _LONGEST_PATH - 1]}…"


def request_line(method: str, path: str, status: int, seconds: float, session: str, *, at: float, colored: bool) -> str:
    """Return the line: time, method, `path` (from `shown_path`), status, milliseconds, and what became of the session.

    `at` is the time in seconds since 1970, shown in the machine's time zone.
    """
    clock, took = time.strftime("%H:%M:%S", time.localtime(at)), f"{round(seconds * 1000):>4} ms"
    columns = [clock, f"{method:<6}", f"{path:<24}", str(status), took, session]
    if colored:
        from typer import style

        columns[0], columns[4] = style(clock, dim=True), style(took, dim=True)
        columns[3] = style(str(status), fg=_COLORS.get(status // 100), bold=status >= 400 or None)  # noqa: PLR2004
    return "  ".join(columns).rstrip()


def _clip(part: str) -> str:
    return part if len(part) <= _LONGEST_PART or _WORDS.fullmatch(part) else f"{part[:_KEPT]}…"
