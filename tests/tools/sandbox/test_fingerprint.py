"""Which changes are seen, and which files do not count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from arc.tools.sandbox.functions import changes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write(file: Path, text: str = "x") -> Path:
    """Write a file and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def same_size_other_time(folder: Path) -> None:
    """A save that keeps the size."""
    status = (folder / "handler.py").stat()
    os.utime(folder / "handler.py", ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


def same_time_other_size(folder: Path) -> None:
    """A save that keeps the time."""
    status = (folder / "handler.py").stat()
    write(folder / "handler.py", "longer")
    os.utime(folder / "handler.py", ns=(status.st_atime_ns, status.st_mtime_ns))


def same_time_same_size_other_file(folder: Path) -> None:
    """A save by renaming that keeps time and size."""
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
def test_a_change_is_seen(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """Each makes another fingerprint."""
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
def test_caches_hidden_files_and_installed_packages_do_not_count(tmp_path: Path, name: str) -> None:
    """The fingerprint stays when they come and change."""
    write(tmp_path / "handler.py")
    write(tmp_path / "thing-1.dist-info" / "RECORD", "installed/module.py,sha256=x,1\n")
    before = changes.fingerprint_folders([tmp_path])
    write(tmp_path / name)
    assert changes.fingerprint_folders([tmp_path]) == before


def test_what_is_not_there_has_a_fingerprint_too(tmp_path: Path) -> None:
    """A file that appears is a change."""
    missing = tmp_path / "missing"
    before = changes.fingerprint_files([missing])
    assert changes.fingerprint_folders([missing]) == ()
    write(missing)
    assert changes.fingerprint_files([missing]) != before


def test_the_newest_file_dates_a_fingerprint(tmp_path: Path) -> None:
    """In seconds since 1970."""
    for name, at in (("a", 100.0), ("b", 300.5), ("c", 200.0)):
        os.utime(write(tmp_path / name), (at, at))
    assert changes.newest(changes.fingerprint_folders([tmp_path])) == 300.5
    assert changes.newest(()) == 0
