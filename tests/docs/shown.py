"""Compares the output on a page with the real output."""

from __future__ import annotations

import re


def matches(shown: str, real: str) -> bool:
    """Return True if `real` matches: `…` in a line is any text, and `…` as a line is any number of lines."""
    pattern = ""
    for line in shown.strip().splitlines():
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += re.escape(line.rstrip()).replace("…", r"[^\n]*") + r"[^\S\n]*\n"
    return re.fullmatch(pattern, real.replace("\r", "").strip() + "\n") is not None
