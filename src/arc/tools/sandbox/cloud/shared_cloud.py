"""One local cloud of an app for all: the process that starts it, and the commands that find it running."""

from __future__ import annotations

import contextlib
import math
import os
import time
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.sandbox.cloud.local_cloud import INSTALL, LocalCloud, answers, is_installed
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

_USERS = "users.lock"  # shared by the commands that use a cloud, and taken alone by who ends it
_SECONDS_TO_START = 45  # longer than a cloud may take to save what it has, and the next one to start
_SECONDS_OF_SILENCE = 5
_PAUSE = 0.05


class SharedCloud:
    """The local cloud that this process has started, and that commands find while it runs.

    `told` and `loss` are `LocalCloud`'s; `told` also hears of a command that is waited for at the end.
    """

    def __init__(
        self,
        state: CloudState,
        told: Callable[[str], None],
        *,
        loss: str = "the tables are gone until you start the sandbox again",
        port: int | None = None,
    ) -> None:
        """Start it on `state`, which is closed with it, at `port` or any that is free.

        Raises `ToolError` when it does not start.
        """
        with contextlib.ExitStack() as ends:
            ends.callback(state.close)
            users = None if state.home is None else FileLock(state.home / _USERS)
            if users is not None:
                ends.callback(users.close)
            self.cloud = LocalCloud(state, told, loss=loss, port=port)
            ends.callback(self.cloud.close)
            if state.home is not None and users is not None:
                CloudAddress(self.cloud.port, os.getpid(), self.cloud.token).write(state.home)
                ends.callback(forget_address, state.home)
                ends.callback(_let_finish, users, told)
            self._ends = ends.pop_all()

    def close(self) -> None:
        """End it, once no command uses it any more; it saves its data. An interrupt ends it at once."""
        self._ends.close()


@contextlib.contextmanager
def open_local_cloud(
    root: Path,
    *,
    told: Callable[[str], None],
    installed: Callable[[], bool] = is_installed,
    patience: float = _SECONDS_OF_SILENCE,
) -> Iterator[str]:
    """Inside the block, the url of the local cloud of the app in `root`: the running one, or one started for it.

    `told` is called with a sentence when the cloud ends by itself, and when another command is waited for. A running
    cloud that does not answer is given up after the seconds of `patience`. Raises `ToolError`.
    """
    if not installed():
        raise ToolError(f"--local needs a local cloud on this machine: {INSTALL}")
    with contextlib.ExitStack() as ends:
        yield _found(root, told, ends, patience)


def _found(root: Path, told: Callable[[str], None], ends: contextlib.ExitStack, patience: float) -> str:
    home = root / FOLDER
    if not EXCLUDES and (url := _joined(home, ends)):
        return url
    begun = answered = time.monotonic()
    while True:
        now = time.monotonic()
        try:
            state = take_state(root, COMMAND)
        except StateTaken as taken:
            # Somebody has it: the running cloud is used, one that starts or ends is waited for.
            if url := _joined(home, ends):
                return url
            address = read_address(home)
            answered = now if address is None else answered
            if now - begun > _SECONDS_TO_START or now - answered > patience:
                process = taken.process if address is None else address.process
                raise ToolError(
                    f"The app's local cloud belongs to the process {process}, and does not answer. "
                    "End that process, then run the command again."
                ) from None
            time.sleep(_PAUSE)
        except OSError as error:
            raise ToolError(
                f"{error.filename or home} cannot be used ({error.strerror}), and the local cloud keeps its data there."
            ) from None
        else:
            cloud = SharedCloud(state, told, loss="run the command again")
            ends.callback(cloud.close)
            return cloud.cloud.url


def _joined(home: Path, ends: contextlib.ExitStack) -> str | None:
    """The url of the running cloud, which goes on running until `ends` is closed; None when none answers."""
    with contextlib.ExitStack() as unused:
        users = FileLock(home / _USERS)
        unused.callback(users.close)
        if not users.take(shared=True):
            return None
        address = read_address(home)
        if address is None or not answers(address.port, address.token):
            return None
        ends.push(unused.pop_all())
        return f"http://127.0.0.1:{address.port}"


def _let_finish(users: FileLock, told: Callable[[str], None]) -> None:
    if not users.take(patience=0.2):
        told("A command still uses the local cloud, which ends after it. Ctrl-C ends it now.")
        users.take(patience=math.inf)
