"""A real browser and the examples in real sandboxes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.tools.sandbox.running import Sandbox, running

EXAMPLES = Path(__file__).parents[2] / "examples"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    """A headless browser, ended with its module: while it runs, its event loop is that of this thread."""
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


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    """The shop in a sandbox."""
    with running(EXAMPLES / "shop") as sandbox:
        yield sandbox
