"""A real browser, and the examples in real sandboxes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.tools.sandbox.running import Sandbox, running

EXAMPLES = Path(__file__).parents[2] / "examples"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="package")
def chrome(chromium: str) -> Iterator[Browser]:
    """A headless browser for these tests only, because its event loop occupies this thread while it runs."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET + ["--no-sandbox"] * root)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chrome: Browser) -> Iterator[BrowserContext]:
    """A visitor's browser with an empty cookie jar; its pages are tabs."""
    context = chrome.new_context()
    yield context
    context.close()


@pytest.fixture(scope="module")
def counter() -> Iterator[Sandbox]:
    """The counter in a sandbox."""
    with running(EXAMPLES / "counter") as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=["jwe", "session"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The shop in a sandbox, with its sessions in the sealed cookie and in a table."""
    with kept_in(request.param, tmp_path_factory) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def sealed_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The shop in a sandbox, with its sessions in the sealed cookie."""
    with kept_in("jwe", tmp_path_factory) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def shop_on_a_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The shop in a sandbox, with its sessions in a table."""
    with kept_in("session", tmp_path_factory) as sandbox:
        yield sandbox


@contextmanager
def kept_in(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The shop's own code, with one variable in its .env."""
    folder = tmp_path_factory.mktemp("shop") / "shop"
    shutil.copytree(EXAMPLES / "shop", folder, ignore=shutil.ignore_patterns("__pycache__", ".arc*"))
    (folder / ".env").write_text(f"SESSION_TABLE_NAME={store}\n")
    if store != "jwe":
        declare_table(folder / "app.arc")
    with running(folder) as sandbox:
        yield sandbox


def declare_table(manifest: Path) -> None:
    """Do what the shop's manifest says about a table: delete the "# " at the start of its last lines."""
    before, pragma, rest = manifest.read_text().partition("# @tables")
    manifest.write_text(before + (pragma + rest).replace("# ", ""))
