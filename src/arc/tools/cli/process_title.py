"""The title of this process, which everybody on the machine can read with `ps`."""

from __future__ import annotations

import ctypes
from pathlib import Path

_ARG_START, _ARG_END = 47, 48  # fields 48 and 49 of proc(5), counted from 0


def hide_word(word: str, *, process: Path = Path("/proc/self")) -> None:
    """Write `*` over `word` where the system shows this process's arguments (Linux; elsewhere nothing is done)."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[_ARG_START - 2]), int(fields[_ARG_END - 2])
        arguments = (process / "cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return
    if not 0 < start < end or end - start != len(arguments):
        return
    wanted = word.encode(errors="surrogateescape")
    place = 0
    for argument in arguments.split(b"\0"):
        if wanted and argument == wanted:
            ctypes.memset(start + place, ord("*"), len(wanted))
        place += len(argument) + 1
