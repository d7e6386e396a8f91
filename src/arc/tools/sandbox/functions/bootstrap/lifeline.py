"""The pipe to the sandbox: when the sandbox dies, however it dies, this process and its children die too."""

from __future__ import annotations

import os
import signal


def hold() -> None:
    """Tie this process group's life to the pipe that came as standard input; the handler gets an empty one."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if not _killed_by_kernel(pipe):
        import _thread

        _thread.start_new_thread(_wait_for_end, (pipe,))


def _killed_by_kernel(pipe: int) -> bool:
    """Ask Linux to SIGKILL our group when the pipe ends: that works even while C code holds the interpreter."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)  # type: ignore[attr-defined, unused-ignore]
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        return False
    import select

    if select.select([pipe], [], [], 0)[0]:  # It ended before we asked.
        os.killpg(0, signal.SIGKILL)
    return True


def _wait_for_end(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.killpg(0, signal.SIGKILL)
