"""The local cloud's process: ministack, which saves its data and ends when the sandbox has gone.

It is run as a file, by the interpreter that has ministack: nothing of `arc` is imported here.
"""

from __future__ import annotations

import os
import runpy
import signal
import threading
import time

_SECONDS_TO_SAVE = 10


def main() -> None:
    """Run ministack as `python -m ministack` does; what it is to do lies in the environment."""
    threading.Thread(target=_end_with_the_sandbox, daemon=True).start()
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


def _end_with_the_sandbox() -> None:
    """Wait for the end of standard input, which the sandbox holds open, whatever ends the sandbox."""
    while os.read(0, 1):
        pass
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # Nobody reads any more, and a broken pipe must not stop the saving.
        os.dup2(nothing, stream)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_SECONDS_TO_SAVE)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
