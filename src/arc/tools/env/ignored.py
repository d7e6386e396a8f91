"""`.gitignore`: whether git leaves a file of the app's folder alone, and a line that makes it."""

from __future__ import annotations

import fnmatch


def is_ignored(text: str, name: str) -> bool:
    """True when the last line of a `.gitignore` that names the file, or a pattern for it, ignores it."""
    ignored = False
    for line in text.removeprefix("\N{BYTE ORDER MARK}").split("\n"):
        pattern = line.rstrip()
        wanted = not pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("/").removeprefix("**/")
        if fnmatch.fnmatchcase(name, pattern):
            ignored = wanted
    return ignored


def with_line(text: str, name: str) -> str:
    """The text with a line for the file at its end, where it outdoes those before it."""
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith("\n") else end
    return f"{text}{gap}{name}{end}"
