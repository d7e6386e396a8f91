"""Locks that processes hold on files."""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

EXCLUDES = importlib.util.find_spec("fcntl") is not None
"""False on Windows, where a lock keeps nobody out: the developer keeps to one process at a time."""
_PAUSE = 0.05  # seconds


class FileLock:
    """A lock on the file at `path`, which may hold a note. It is free when whoever has it ends, however that is."""

    def __init__(self, path: Path) -> None:
        """Open the file, made when it is missing; nothing is locked yet. Raises `OSError`."""
        self._file = path.open("a+", encoding="utf-8")

    @property
    def descriptor(self) -> int:
        """Which a process that inherits it holds the lock with."""
        return self._file.fileno()

    @property
    def note(self) -> str:
        """What the last one who had the lock wrote down."""
        self._file.seek(0)
        return self._file.read()

    def write(self, note: str) -> None:
        """Replace the note; for who has the lock."""
        self._file.truncate(0)
        self._file.write(note)
        self._file.flush()

    def take(self, *, shared: bool = False, patience: float = 0.0) -> bool:
        """True once the lock is ours, `shared` or alone; False when it is not for `patience` seconds."""
        if not EXCLUDES:
            return True
        import fcntl

        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    return False
                time.sleep(_PAUSE)
            else:
                return True

    def close(self) -> None:
        """Let others have it."""
        self._file.close()
