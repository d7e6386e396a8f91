"""Fixtures for what tests need from the machine: Node, a browser, and two real DynamoDB APIs."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import engines
from tests.cloud_faults import faulty_cloud

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.cloud_faults import FaultyCloud
    from tests.engines import Engine

pytest_plugins = ("tests.sampling",)

# Examples of a property; one that needs more has a multiple of them. A busy machine is slow: there is no deadline.
settings.register_profile("sample", deadline=None, max_examples=20)
settings.register_profile("complete", deadline=None, max_examples=100)
settings.load_profile("sample")

INTEROP = Path(__file__).parent / "interop"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep modules and tests, which live until the end, out of garbage collections."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node."""
    return found("Node.js", ("node",), "sudo apt-get install nodejs npm")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium or Chrome."""
    return found("Chromium", BROWSERS, "sudo apt-get install chromium")


@pytest.fixture(scope="session")
def library(node: str) -> str:
    """The path of Node, after one process has installed the pinned packages in `tests/interop`."""
    installed, lock = INTEROP / "node_modules/.package-lock.json", INTEROP / "package-lock.json"
    with (INTEROP / ".installing").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            npm = found("npm", ("npm",), "sudo apt-get install npm")
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            run = subprocess.run(command, cwd=INTEROP, check=False, capture_output=True, text=True, timeout=300)
            if run.returncode != 0:
                pytest.fail(
                    f"cd tests/interop && npm ci failed; it needs the network once.\n{run.stderr}", pytrace=False
                )
    return node


@pytest.fixture(scope="session")
def ministack() -> Iterator[Engine]:
    """The local cloud that the sandbox uses: DynamoDB with transactions and TTL, SSM, SNS and SQS."""
    with engines.ministack() as engine:
        yield engine


@pytest.fixture(scope="session")
def cloud() -> Iterator[Engine]:
    """A shared local cloud for commands: functions, HTTP APIs, stacks, tags, parameters and tables."""
    with engines.cloud() as engine:
        yield engine


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Delete the functions that a test deployed."""
    cloud = item.funcargs.get("cloud") if isinstance(item, pytest.Function) else None
    if isinstance(cloud, engines.Engine):
        cloud.delete_functions()


@pytest.fixture
def faulty(cloud: Engine) -> Iterator[FaultyCloud]:
    """That cloud behind a proxy that makes selected calls fail."""
    with faulty_cloud(cloud) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def dynalite(library: str) -> Iterator[Engine]:
    """A second DynamoDB, strict on expressions, without transactions."""
    with engines.dynalite(library, INTEROP / "node_modules") as engine:
        yield engine


@pytest.fixture(params=["ministack", "dynalite"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of both engines."""
    engine: Engine = request.getfixturevalue(request.param)
    return engine


def found(what: str, names: tuple[str, ...], command: str) -> str:
    """The first of `names` on PATH. Skip with the command that installs it, or fail under CI, if there is none."""
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    missing = f"{what} is not on PATH (looked for {', '.join(names)}). On Debian: {command}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)
