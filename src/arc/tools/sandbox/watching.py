"""Watches the app's folders, so that new code is started before somebody asks for it.

It only saves waiting: every request looks at the files itself.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from arc.tools.sandbox.application import Application
    from arc.tools.sandbox.terminal import Terminal

_SETTLED = 60  # milliseconds in which changes are taken together


async def watch(application: Application, terminal: Terminal) -> None:
    """Renew what has changed, until cancelled. Where folders cannot be watched, it says so and ends."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, importlib.import_module, "watchfiles")
    root = application.inventory.root
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_watch(application, [root], recursive=False))
            if (root / "src").is_dir():
                group.create_task(_watch(application, [root / "src"], recursive=True))
    except* OSError as errors:
        reason = errors.exceptions[0]
        terminal.say(f"The folders cannot be watched ({reason}): saved files are found at the next request.")


async def _watch(application: Application, folders: list[Path], *, recursive: bool) -> None:
    import watchfiles

    changes = watchfiles.awatch(
        *folders, debounce=_SETTLED, step=_SETTLED // 3, recursive=recursive, raise_interrupt=False
    )
    async for _ in changes:
        application.refresh()
        for function in application.functions:
            function.warm()
