"""What tests need from the machine: Node and a browser, looked up on PATH."""

from __future__ import annotations

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node."""
    return found("Node.js", ("node",), "sudo apt-get install nodejs npm")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium or Chrome."""
    return found("Chromium", BROWSERS, "sudo apt-get install chromium")


def found(what: str, names: tuple[str, ...], command: str) -> str:
    """The first of `names` on PATH. Without one: skipped with the command that adds it, failed under CI."""
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    missing = f"{what} is not on PATH (looked for {', '.join(names)}). On Debian: {command}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)
