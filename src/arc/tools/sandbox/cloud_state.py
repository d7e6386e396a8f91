"""Where the local cloud keeps its data between runs, and which process has it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from arc.errors import ToolError
from arc.inventory.links import check_within
from arc.tools.sandbox import cloud_address
from arc.tools.sandbox.file_lock import FileLock

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
        cloud_address.forget(home)  # somebody may have been killed
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
