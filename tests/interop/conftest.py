"""Node's own library, installed from the lock file when it is not there yet."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.interop.peer import HERE, Peer, peer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def library(node: str) -> str:
    """The path of Node, once the pinned library lies beside the tests; one process installs it, the others wait."""
    installed, lock = HERE / "node_modules/.package-lock.json", HERE / "package-lock.json"
    with (HERE / ".installing").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            npm = shutil.which("npm")
            assert npm, "npm is not on PATH. On Debian: sudo apt-get install npm"
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(command, cwd=HERE, check=True, capture_output=True, timeout=300)
    return node


@pytest.fixture(scope="module")
def node_peer(library: str) -> Iterator[Peer]:
    """The library in a process of its own."""
    with peer(library) as running:
        yield running
