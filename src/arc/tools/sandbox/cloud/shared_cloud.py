"""A local cloud that is shared by an app's sandbox and commands: one process starts it, and others use it."""

from __future__ import annotations

import contextlib
import math
import os
import time
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.sandbox.cloud.local_cloud import INSTALL, LOSS, LocalCloud, answers, is_installed
from arc.tools.sandbox.cloud.state import (
    COMMAND,
    EXCLUDES,
    FOLDER,
    CloudAddress,
    FileLock,
    StateTaken,
    forget_address,
    read_address,
    take_state,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from arc.tools.sandbox.cloud.state import CloudState

_USERS = "users.lock"  # held shared by commands that use a cloud, and exclusively by the process that stops it
_SECONDS_TO_START = 45  # longer than one cloud takes to save and the next one to start
_SECONDS_OF_SILENCE = 5
_POLL = 0.05  # seconds


class SharedCloud:
    """A local cloud that this process starts, and that commands find while it runs.

    `notify` and `loss` are those of `LocalCloud`; `notify` also receives a message if a command delays the end.
    """

    def __init__(
        self, state: CloudState, notify: Callable[[str], None], *, loss: str = LOSS, port: int | None = None
    ) -> None:
        """Start a cloud on `state`, which is closed with it, at `port` or any free port.

        Raises `ToolError` if it does not start.
        """
        with contextlib.ExitStack() as ends:
            ends.callback(state.close)
            users = None if state.home is None else ends.enter_context(FileLock(state.home / _USERS))
            self.cloud = LocalCloud(state, notify, loss=loss, port=port)
            ends.callback(self.cloud.close)
            if state.home is not None and users is not None:
                CloudAddress(self.cloud.port, os.getpid(), self.cloud.token).write(state.home)
                ends.callback(forget_address, state.home)
                ends.callback(_wait_for_users, users, notify)
            self._ends = ends.pop_all()

    def close(self) -> None:
        """Wait until no command uses the cloud, then save its data and stop it. An interrupt ends the wait."""
        self._ends.close()


@contextlib.contextmanager
def open_local_cloud(
    root: Path,
    *,
    notify: Callable[[str], None],
    installed: Callable[[], bool] = is_installed,
    patience: float = _SECONDS_OF_SILENCE,
) -> Iterator[str]:
    """Yield the URL of a local cloud for the app in `root`: the running one, or one that is started.

    `notify` receives a message if the cloud ends unexpectedly, and if another command delays its end. Raises
    `ToolError`, also when a running cloud does not answer for `patience` seconds.
    """
    if not installed():
        raise ToolError(f"--local requires a local cloud, which is not installed. Run: {INSTALL}")
    with contextlib.ExitStack() as ends:
        yield _find_or_start(root, notify, ends, patience)


def _find_or_start(root: Path, notify: Callable[[str], None], ends: contextlib.ExitStack, patience: float) -> str:
    home = root / FOLDER
    if not EXCLUDES and (url := _join(home, ends)):
        return url
    begun = answered = time.monotonic()
    while True:
        now = time.monotonic()
        try:
            state = take_state(root, COMMAND)
        except StateTaken as taken:
            # Use the cloud of the other process, or wait for one that is starting or ending.
            if url := _join(home, ends):
                return url
            address = read_address(home)
            answered = now if address is None else answered
            if now - begun > _SECONDS_TO_START or now - answered > patience:
                process = taken.process if address is None else address.process
                raise ToolError(
                    f"The app's local cloud, which process {process} has started, does not answer. "
                    "Stop that process and run the command again."
                ) from None
            time.sleep(_POLL)
        except OSError as error:
            raise ToolError(
                f"Cannot write to {error.filename or home}, where the local cloud stores its data: {error.strerror}."
            ) from None
        else:
            cloud = SharedCloud(state, notify, loss="Run the command again.")
            ends.callback(cloud.close)
            return cloud.cloud.url


def _join(home: Path, ends: contextlib.ExitStack) -> str | None:
    """Return the URL of the running cloud, which runs at least until `ends` is closed; None if none answers."""
    with contextlib.ExitStack() as unused:
        users = unused.enter_context(FileLock(home / _USERS))
        if not users.take(shared=True):
            return None
        address = read_address(home)
        if address is None or not answers(address.port, address.token):
            return None
        ends.push(unused.pop_all())
        return f"http://127.0.0.1:{address.port}"


def _wait_for_users(users: FileLock, notify: Callable[[str], None]) -> None:
    if not users.take(patience=0.2):
        notify("A command is still using the local cloud. Waiting for it; press Ctrl-C to stop the cloud now.")
        users.take(patience=math.inf)
