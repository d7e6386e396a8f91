"""What tells that a function's files have changed: their names, times, sizes and inodes, and never their content."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import TYPE_CHECKING

from arc.tools.sandbox.functions.bootstrap.app_code import is_installed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from arc.tools.sandbox.application import Application
    from arc.tools.sandbox.terminal import Terminal


Fingerprint = tuple[tuple[str, int, int, int], ...]

_DEEPEST = 12


def fingerprint_folders(folders: Iterable[Path]) -> Fingerprint:
    """The fingerprint of all files below `folders`, without hidden ones, caches and installed packages."""
    found: list[tuple[str, int, int, int]] = []
    for folder in folders:
        _scan(str(folder), found, _DEEPEST)
    return tuple(found)


def fingerprint_files(files: Iterable[Path]) -> Fingerprint:
    """The fingerprint of `files`; one that is not there counts as such."""
    found = []
    for file in files:
        try:
            stat = os.stat(file)
        except OSError:
            found.append((str(file), -1, -1, -1))
        else:
            found.append((str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)


def newest(files: Fingerprint) -> float:
    """When the file that was saved last was saved, in seconds since 1970; 0 without files."""
    return max((modified for _, modified, _, _ in files), default=0) / 1e9


def _scan(folder: str, found: list[tuple[str, int, int, int]], depth: int) -> None:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    installed = _installed(folder, listed)
    for entry in listed:
        name = entry.name
        if name.startswith(".") or name == "__pycache__" or name.endswith(("~", ".pyc", ".dist-info")):
            continue
        try:
            if entry.is_dir():
                if depth and name not in installed and not is_installed(name):
                    _scan(entry.path, found, depth - 1)
                continue
            stat = entry.stat()
        except OSError:
            continue
        found.append((entry.path, stat.st_mtime_ns, stat.st_size, stat.st_ino))


def _installed(folder: str, listed: list[os.DirEntry[str]]) -> frozenset[str]:
    """The top folders of packages that pip installed right into `folder`."""
    tops: set[str] = set()
    for entry in listed:
        if entry.name.endswith(".dist-info"):
            try:
                with open(os.path.join(folder, entry.name, "RECORD"), encoding="utf-8") as record:
                    tops.update(line.split("/", 1)[0] for line in record if "/" in line)
            except OSError:
                continue
    return frozenset(tops)


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
