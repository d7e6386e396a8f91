"""Where the local cloud keeps its data between runs, and who may use it."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import IO

FOLDER = ".arc-sandbox"  # in the app's root; `.arc` may be the manifest
_SECONDS_FOR_SAVING = 12  # longer than a cloud may take to end


class CloudState:
    """The data of an app's local cloud, kept in `.arc-sandbox` in the app's folder `root`.

    Only one sandbox has it at a time. For a second one, and in a folder that cannot be written to, `is_kept`
    is false and `reason` says why: `folder` is then an empty one that goes with `close`.
    """

    def __init__(self, root: Path, *, fresh: bool = False) -> None:
        """Take the data, emptied when it is to be `fresh`. After a crash this waits until the old cloud has saved."""
        self.reason = ""
        self._locks: list[IO[str]] = []
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        home = root / FOLDER
        try:
            home.mkdir(mode=0o700, exist_ok=True)
            (home / ".gitignore").write_text("*\n", encoding="utf-8")
            if self._locked(home / "sandbox.lock", 0) and self._locked(home / "cloud.lock", _SECONDS_FOR_SAVING):
                self.folder = home / "data"
                if fresh and self.folder.exists():
                    shutil.rmtree(self.folder)
                self.folder.mkdir(exist_ok=True)
                for left_behind in self.folder.glob("*.pid"):
                    left_behind.unlink()
                return
            self.reason = "another sandbox of this app has its tables"
        except OSError as error:
            self.reason = f"{error.filename or home} cannot be used ({error.strerror})"
        self._temporary = tempfile.TemporaryDirectory(prefix="arc-sandbox-")
        self.folder = Path(self._temporary.name)

    @property
    def is_kept(self) -> bool:
        """True when the data is there again at the next run."""
        return self._temporary is None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What the cloud's process inherits: the data stays taken until that has ended too."""
        return tuple(lock.fileno() for lock in self._locks[1:])

    def close(self) -> None:
        """Let others have it."""
        for lock in self._locks:
            lock.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _locked(self, path: Path, patience: float) -> bool:
        """True once this process holds the lock of a file; False when another one does for `patience` seconds."""
        file = path.open("w", encoding="utf-8")
        self._locks.append(file)
        try:
            import fcntl
        except ImportError:  # Windows: the developer keeps to one sandbox of an app.
            return True
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    return False
                time.sleep(0.05)
            else:
                return True
