"""The local cloud's process: ministack behind the guard, which saves its data and ends when its owner has gone.

It is run as a file, by the interpreter that has ministack: nothing of `arc` is imported here.
"""

from __future__ import annotations

import importlib
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

_SECONDS_TO_SAVE = 10


def main() -> None:
    """Run ministack as `python -m ministack` does; what it is to do lies in the environment."""
    threading.Thread(target=_end_with_the_owner, daemon=True).start()
    ministack: Any = importlib.import_module("ministack.app")
    del os.environ["LOG_LEVEL"]  # What is left in the environment reaches functions, and this may be a word of theirs.
    guarded = runpy.run_path(str(Path(__file__).with_name("cloud_guard.py")))["guarded"]
    ministack.app = guarded(ministack.app)
    sys.argv[1:] = []
    ministack.main()


def _end_with_the_owner() -> None:
    """Wait for the end of standard input, which the owner holds open until this is to end or whatever ends it."""
    while os.read(0, 1):
        pass
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # Nobody reads any more, and a broken pipe must not stop the saving.
        os.dup2(nothing, stream)
    if os.name != "posix":
        os.kill(os.getpid(), signal.SIGTERM)
    end = time.monotonic() + _SECONDS_TO_SAVE
    os.killpg(0, signal.SIGTERM)  # Functions too: nothing is saved while one is waited for.
    if functions := sys.modules.get("ministack.core.lambda_runtime"):
        functions.reset()  # Those that do not heed the signal.
    time.sleep(max(0.0, end - time.monotonic()))
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
