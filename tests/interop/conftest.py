"""Node's own library, installed from the lock file when it is not there yet."""

from __future__ import annotations

import fcntl
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import found
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
            npm = found("npm", ("npm",), "sudo apt-get install npm")
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            run = subprocess.run(command, cwd=HERE, check=False, capture_output=True, text=True, timeout=300)
            if run.returncode != 0:
                pytest.fail(
                    f"cd tests/interop && npm ci failed; it needs the network once.\n{run.stderr}", pytrace=False
                )
    return node


@pytest.fixture(scope="module")
def node_peer(library: str) -> Iterator[Peer]:
    """The library in a process of its own."""
    with peer(library) as running:
        yield running
