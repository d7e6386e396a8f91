"""Fingerprints of files, which change when a file is saved. They hold names, times, sizes and inodes, no content."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from arc.tools.sandbox.functions.bootstrap.app_code import is_installed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


Fingerprint = tuple[tuple[str, int, int, int], ...]
"""Path, modification time in nanoseconds, size and inode of each file."""

_MAX_DEPTH = 12


def fingerprint_folders(folders: Iterable[Path]) -> Fingerprint:
    """Return the fingerprint of all files below `folders`, except hidden ones, caches and installed packages."""
    found: list[tuple[str, int, int, int]] = []
    for folder in folders:
        _scan(str(folder), found, _MAX_DEPTH)
    return tuple(found)


def fingerprint_files(files: Iterable[Path]) -> Fingerprint:
    """Return the fingerprint of `files`, including those that do not exist."""
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
    """Return the latest modification time, in seconds since 1970, or 0 without files."""
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


def _installed(folder: str, listed: list[os.DirEntry[str]]) -> set[str]:
    """Return the top-level folders of packages that pip installed directly into `folder`."""
    tops: set[str] = set()
    for entry in listed:
        if entry.name.endswith(".dist-info"):
            try:
                with open(os.path.join(folder, entry.name, "RECORD"), encoding="utf-8") as record:
                    tops.update(line.split("/", 1)[0] for line in record if "/" in line)
            except OSError:
                continue
    return tops
