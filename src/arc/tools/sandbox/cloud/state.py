"""Where the local cloud keeps its data between runs, and which process has it."""

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

from arc.errors import ToolError
from arc.inventory.files import check_within

FOLDER = ".arc-sandbox"  # in the app's root; `.arc` may be the manifest
SANDBOX, COMMAND = "sandbox", "command"
_SECONDS_FOR_SAVING = 12  # longer than a cloud may take to end


class StateTaken(ToolError):
    """Another process has the data: a sandbox, or a command, as `by` says, with the number `process`."""

    def __init__(self, by: str, process: str) -> None:
        self.by, self.process = by, process
        if by == COMMAND:
            super().__init__(
                f"A command with --local has the app's local cloud (process {process}): the tables are made when it "
                "has ended."
            )
        else:
            super().__init__("another sandbox of this app has its tables")


class CloudState:
    """What a local cloud works on: its data in `folder`, and `scratch`, a folder for what goes with it.

    `home` is the app's own folder around both, None when the data goes too. `descriptors` are what the cloud's
    process inherits: the data stays taken until that has ended.
    """

    def __init__(
        self, folder: Path, scratch: Path, home: Path | None, descriptors: tuple[int, ...], ends: contextlib.ExitStack
    ) -> None:
        self.folder, self.scratch, self.home, self.descriptors = folder, scratch, home, descriptors
        self._ends = ends

    def close(self) -> None:
        """Let others have it."""
        self._ends.close()


def take_state(root: Path, by: str, *, fresh: bool = False) -> CloudState:
    """The data of the app in the folder `root`, kept in its `.arc-sandbox`, emptied when it is to be `fresh`.

    `by` is SANDBOX or COMMAND. After a crash this waits until the old cloud has saved. Raises `StateTaken`, `ToolError`
    for a folder that leads out of the app, and `OSError` for one that cannot be written to.
    """
    home = root / FOLDER
    check_within(root, home)
    home.mkdir(mode=0o700, exist_ok=True)
    (home / ".gitignore").write_text("*\n", encoding="utf-8")
    with contextlib.ExitStack() as ends:
        owner, cloud = (FileLock(home / f"{name}.lock") for name in ("sandbox", "cloud"))
        ends.callback(owner.close)
        ends.callback(cloud.close)
        if not owner.take():
            holder, _, process = owner.note.partition(" ")
            raise StateTaken(holder or SANDBOX, process)
        owner.write(f"{by} {os.getpid()}")
        forget_address(home)  # somebody may have been killed
        if not cloud.take(patience=_SECONDS_FOR_SAVING):
            raise StateTaken(SANDBOX, "")
        folder, scratch = home / "data", home / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        if fresh and folder.exists():
            shutil.rmtree(folder)
        for one in (folder, scratch):
            one.mkdir(exist_ok=True)
        ends.callback(shutil.rmtree, scratch, ignore_errors=True)
        return CloudState(folder, scratch, home, (cloud.descriptor,), ends.pop_all())


def passing_state() -> CloudState:
    """An empty folder, which goes when it is closed."""
    with contextlib.ExitStack() as ends:
        temporary = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="arc-sandbox-")))
        folder, scratch = temporary / "data", temporary / "scratch"
        for one in (folder, scratch):
            one.mkdir()
        return CloudState(folder, scratch, None, (), ends.pop_all())


_ADDRESS = "cloud.json"


@dataclass(frozen=True)
class CloudAddress:
    """A local cloud at `port` of 127.0.0.1 that says `token`, started by the process with the number `process`."""

    port: int
    process: int
    token: str = field(repr=False)

    def write(self, home: Path) -> None:
        """Leave it in the folder `home`, for the eyes of this user alone. Raises `OSError`."""
        written = home / f"{_ADDRESS}.new"
        written.unlink(missing_ok=True)
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        written.replace(home / _ADDRESS)


def read_address(home: Path) -> CloudAddress | None:
    """The address in the folder `home`, None without one."""
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((home / _ADDRESS).read_text(encoding="utf-8"))
        match told:
            case {"port": int(port), "process": int(process), "token": str(token)}:
                return CloudAddress(port, process, token)
    return None


def forget_address(home: Path) -> None:
    """Take the address out of the folder `home`."""
    (home / _ADDRESS).unlink(missing_ok=True)


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
