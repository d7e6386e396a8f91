"""The local cloud's data between runs, the lock that one process at a time holds on it, and the cloud's address.

They are files in the app's folder `.arc-sandbox`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from arc.errors import ToolError
from arc.inventory.files import check_within

FOLDER = ".arc-sandbox"  # in the app's root, where `.arc` may be the manifest
SANDBOX, COMMAND = "sandbox", "command"
EXCLUDES = importlib.util.find_spec("fcntl") is not None
"""False on Windows, where locks have no effect and the developer has to run one process at a time."""
_ADDRESS = "cloud.json"
_SECONDS_TO_SAVE = 12  # longer than a cloud takes to end
_POLL = 0.05  # seconds


class StateTaken(ToolError):
    """Another process has the data. `by` is SANDBOX or COMMAND, and `process` its number."""

    def __init__(self, by: str, process: str) -> None:
        self.by, self.process = by, process
        if by == COMMAND:
            super().__init__(
                f"A command with --local is using the app's local cloud (process {process}). "
                "The tables are created when it ends."
            )
        else:
            super().__init__("Another sandbox is using this app's tables.")


@dataclass(frozen=True)
class CloudState:
    """The folders of a local cloud: `folder` for its data, `scratch` for files that are deleted at the end."""

    folder: Path
    scratch: Path
    home: Path | None
    """The app's `.arc-sandbox`; None if the data is temporary."""
    descriptors: tuple[int, ...]
    """File descriptors that the cloud's process inherits, so that the data stays locked until it ends."""
    ends: contextlib.ExitStack = field(repr=False)

    def close(self) -> None:
        """Release the data."""
        self.ends.close()


def take_state(root: Path, by: str, *, fresh: bool = False) -> CloudState:
    """Lock and return the data of the app in the folder `root`, deleted first if `fresh` is true.

    `by` is SANDBOX or COMMAND. After a crash, wait until the old cloud has saved. Raises `StateTaken`, `ToolError` if
    `.arc-sandbox` leads out of the app, and `OSError` if it is not writable.
    """
    home = root / FOLDER
    check_within(root, home)
    home.mkdir(mode=0o700, exist_ok=True)
    (home / ".gitignore").write_text("*\n", encoding="utf-8")
    with contextlib.ExitStack() as ends:
        owner, cloud = (ends.enter_context(FileLock(home / f"{name}.lock")) for name in ("sandbox", "cloud"))
        if not owner.take():
            holder, _, process = owner.note.partition(" ")
            raise StateTaken(holder or SANDBOX, process)
        owner.write(f"{by} {os.getpid()}")
        forget_address(home)  # A killed process may have left one.
        if not cloud.take(patience=_SECONDS_TO_SAVE):
            raise StateTaken(SANDBOX, "")
        shutil.rmtree(home / "scratch", ignore_errors=True)
        if fresh and (home / "data").exists():
            shutil.rmtree(home / "data")
        ends.callback(shutil.rmtree, home / "scratch", ignore_errors=True)
        return CloudState(*_make_folders(home), home, (cloud.descriptor,), ends.pop_all())


def temporary_state() -> CloudState:
    """Return empty folders that are deleted when the state is closed."""
    with contextlib.ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="arc-sandbox-")))
        return CloudState(*_make_folders(folder), None, (), ends.pop_all())


def _make_folders(parent: Path) -> tuple[Path, Path]:
    folder, scratch = parent / "data", parent / "scratch"
    folder.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True)
    return folder, scratch


@dataclass(frozen=True)
class CloudAddress:
    """The address of a running local cloud: `port` on 127.0.0.1, the process that started it, and its token."""

    port: int
    process: int
    token: str = field(repr=False)

    def write(self, home: Path) -> None:
        """Write the address into the folder `home`, readable only by this user. Raises `OSError`."""
        written = home / f"{_ADDRESS}.new"
        written.unlink(missing_ok=True)
        written.touch(0o600, exist_ok=False)
        written.write_text(json.dumps(asdict(self)), encoding="utf-8")
        written.replace(home / _ADDRESS)


def read_address(home: Path) -> CloudAddress | None:
    """Return the address in the folder `home`, or None without a valid one."""
    with contextlib.suppress(OSError, ValueError):
        match json.loads((home / _ADDRESS).read_text(encoding="utf-8")):
            case {"port": int(port), "process": int(process), "token": str(token)}:
                return CloudAddress(port, process, token)
    return None


def forget_address(home: Path) -> None:
    """Delete the address from the folder `home`."""
    (home / _ADDRESS).unlink(missing_ok=True)


class FileLock:
    """A lock on a file, which may contain a note. The system releases it when its holder ends.

    The package `filelock` has no shared locks, and none that a child process inherits.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file, without locking it. Raises `OSError`."""
        self._file = path.open("a+", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def descriptor(self) -> int:
        """The file descriptor; a process that inherits it holds the lock too."""
        return self._file.fileno()

    @property
    def note(self) -> str:
        """The note of the last holder."""
        self._file.seek(0)
        return self._file.read()

    def write(self, note: str) -> None:
        """Replace the note; the lock must be held."""
        self._file.truncate(0)
        self._file.write(note)
        self._file.flush()

    def take(self, *, shared: bool = False, patience: float = 0.0) -> bool:
        """Try for `patience` seconds to lock the file, shared or exclusively; return True if that succeeds."""
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
                time.sleep(_POLL)
            else:
                return True
