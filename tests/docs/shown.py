"""What a page shows, compared with what was really printed."""

from __future__ import annotations

import re


def matches(shown: str, real: str) -> bool:
    """True when `real` is as shown: `…` in a line stands for anything in it, `…` as a line for any lines, or none."""
    pattern = ""
    for line in shown.strip().splitlines():
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += re.escape(line.rstrip()).replace("…", r"[^\n]*") + r"[^\S\n]*\n"
    return re.fullmatch(pattern, real.replace("\r", "").strip() + "\n") is not None
