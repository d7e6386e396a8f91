"""Where the rows of an app's local cloud lie between runs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS_TO_SAVE = 15.0
_PAUSE = 0.05


def folder_for(root: Path, app: str, environ: Mapping[str, str]) -> Path:
    """The folder for the app in `root`: outside it, so that nobody commits it. Raises `ToolError` without a home."""
    states = Path(environ.get("XDG_STATE_HOME", ""))
    if not states.is_absolute():
        try:
            states = Path(environ["HOME"] if environ.get("HOME") else Path.home()) / ".local" / "state"
        except RuntimeError:
            raise ToolError("No folder for the rows of @tables is known: HOME is not set. Set it.") from None
    return states / "arc" / f"{app}-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}"


class StateFolder:
    """The folder, held by one local cloud at a time.

    When another sandbox of the app has it, `kept` is false, and `data` is a folder that goes with this object.
    Its lock is also the local cloud's, which inherits `lock`: one that still saves its rows is waited for.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        """Take the folder, and empty it if `fresh`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock: IO[str] | None = _locked(folder / "lock")
        self.kept = self.lock is not None
        self._temporary = None if self.kept else tempfile.TemporaryDirectory(prefix="arc-sandbox-")
        self.data = folder / "data" if self._temporary is None else Path(self._temporary.name)
        if fresh and self.data.exists():
            shutil.rmtree(self.data)
        self.data.mkdir(mode=0o700, exist_ok=True)

    def close(self) -> None:
        """Leave the folder to others."""
        if self.lock is not None:
            self.lock.close()
        if self._temporary is not None:
            self._temporary.cleanup()


def _locked(file: Path) -> IO[str] | None:
    """The lock, taken; None when another sandbox has it."""
    lock = file.open("a+")
    end = time.monotonic() + _SECONDS_TO_SAVE
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            return lock
        if _is_running(file.read_text()) or time.monotonic() > end:
            lock.close()
            return None
        time.sleep(_PAUSE)


def _is_running(process: str) -> bool:
    """False when the sandbox is gone that took the lock; then its local cloud is about to leave too."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True
