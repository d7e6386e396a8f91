"""One event loop for the process, in a thread of its own."""

from __future__ import annotations

import asyncio  # this file is imported for async handlers alone
import os
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

_lock = threading.Lock()
_running: tuple[int, asyncio.AbstractEventLoop] | None = None


def run(awaitable: Awaitable[Any]) -> Any:
    """The result of `awaitable`, run on the process's loop: what one invocation opened serves the next.

    May be called from any thread, and from several at once; a fork gets a loop of its own.
    """

    async def outcome() -> Any:
        return await awaitable

    return asyncio.run_coroutine_threadsafe(outcome(), _loop()).result()


def _loop() -> asyncio.AbstractEventLoop:
    global _running  # noqa: PLW0603  # one loop per process is the point
    with _lock:
        if _running is None or _running[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="arc-loop", daemon=True).start()
            _running = (os.getpid(), loop)
        return _running[1]
