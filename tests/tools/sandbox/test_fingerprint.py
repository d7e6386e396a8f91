"""Fingerprints: which changes they detect, and which files they ignore."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from arc.tools.sandbox.functions import changes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write(file: Path, text: str = "x") -> Path:
    """Write a file and its parent folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def same_size_other_time(folder: Path) -> None:
    """Save without a change of the size."""
    status = (folder / "handler.py").stat()
    os.utime(folder / "handler.py", ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


def same_time_other_size(folder: Path) -> None:
    """Save without a change of the time."""
    status = (folder / "handler.py").stat()
    write(folder / "handler.py", "longer")
    os.utime(folder / "handler.py", ns=(status.st_atime_ns, status.st_mtime_ns))


def same_time_same_size_other_file(folder: Path) -> None:
    """Save by renaming, without a change of time and size."""
    status = (folder / "handler.py").stat()
    other = write(folder / "other", "y")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(folder / "handler.py")


@pytest.mark.parametrize(
    "change",
    [
        same_size_other_time,
        same_time_other_size,
        same_time_same_size_other_file,
        lambda folder: write(folder / "deep" / "er" / "new.py"),
        lambda folder: (folder / "page.html").unlink(),
    ],
)
def test_fingerprint_detects_a_change(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """Each way of saving changes the fingerprint."""
    write(tmp_path / "handler.py")
    write(tmp_path / "page.html")
    before = changes.fingerprint_folders([tmp_path])
    change(tmp_path)
    assert changes.fingerprint_folders([tmp_path]) != before


@pytest.mark.parametrize(
    "name",
    [
        "__pycache__/handler.cpython-311.pyc",
        ".handler.py.swp",
        ".git/index",
        "handler.py~",
        "node_modules/x/index.js",
        "vendor/package/module.py",
        "installed/module.py",
        "thing-1.dist-info/METADATA",
    ],
)
def test_caches_hidden_files_and_installed_packages_are_ignored(tmp_path: Path, name: str) -> None:
    """The fingerprint does not change with them."""
    write(tmp_path / "handler.py")
    write(tmp_path / "thing-1.dist-info" / "RECORD", "installed/module.py,sha256=x,1\n")
    before = changes.fingerprint_folders([tmp_path])
    write(tmp_path / name)
    assert changes.fingerprint_folders([tmp_path]) == before


def test_missing_files_have_a_fingerprint(tmp_path: Path) -> None:
    """It changes when the file is created."""
    missing = tmp_path / "missing"
    before = changes.fingerprint_files([missing])
    assert changes.fingerprint_folders([missing]) == ()
    write(missing)
    assert changes.fingerprint_files([missing]) != before


def test_newest_returns_the_latest_modification_time(tmp_path: Path) -> None:
    """It is in seconds since 1970."""
    for name, at in (("a", 100.0), ("b", 300.5), ("c", 200.0)):
        os.utime(write(tmp_path / name), (at, at))
    assert changes.newest(changes.fingerprint_folders([tmp_path])) == 300.5
    assert changes.newest(()) == 0
