"""A real browser, and the examples in real sandboxes."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from arc import inventory as inventories
from arc.tools.create import plan_environment
from arc.tools.deploy.pipeline import Deployment
from arc.tools.env.change import VariablesChange
from tests.engines import Engine, fresh_app
from tests.tools.pauses import quick_cloud, short
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


@dataclass(frozen=True)
class Shop:
    """The shop at an address, in a sandbox or deployed."""

    url: str
    """Without a trailing slash."""


@pytest.fixture(scope="package")
def open_shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Shop]]:
    """Return the shop in a place with a store. All tests share it, because their visitors have separate sessions."""
    with ExitStack() as shops:

        @functools.cache
        def find(place: str, store: str) -> Shop:
            return shops.enter_context(shop_in(place, store, request, tmp_path_factory))

        yield find


@pytest.fixture
def sealed_shop(open_shop: Callable[[str, str], Shop]) -> Shop:
    """The shop in a sandbox, with its sessions in the sealed cookie."""
    return open_shop("sandbox", "jwe")


@pytest.fixture(params=["sandbox-jwe", "sandbox-session", "deployed-jwe", "deployed-session"])
def shop(request: pytest.FixtureRequest, open_shop: Callable[[str, str], Shop]) -> Shop:
    """The shop with its sessions in the sealed cookie and in a table, in a sandbox and deployed."""
    place, _, store = request.param.partition("-")
    return open_shop(place, store)


@pytest.fixture(params=["sandbox", "deployed"])
def shop_on_a_table(request: pytest.FixtureRequest, open_shop: Callable[[str, str], Shop]) -> Shop:
    """The shop with its sessions in a table, in a sandbox and deployed."""
    return open_shop(request.param, "session")


@contextmanager
def shop_in(
    place: str, store: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """The shop's own code in a `place` with a `store`."""
    folder = tmp_path_factory.mktemp("shop") / "shop"
    shutil.copytree(EXAMPLES / "shop", folder, ignore=shutil.ignore_patterns("__pycache__", ".arc*"))
    if store != "jwe":
        declare_table(folder / "app.arc")
    if place == "sandbox":
        (folder / ".env").write_text(f"SESSION_TABLE_NAME={store}\n")
        with running(folder) as sandbox:
            yield Shop(sandbox.url)
    else:
        with deployed(folder, store, request.getfixturevalue("cloud")) as address:
            yield Shop(address)


def declare_table(manifest: Path) -> None:
    """Do what the shop's manifest says about a table: delete the "# " at the start of its last lines."""
    before, pragma, rest = manifest.read_text().partition("# @tables")
    manifest.write_text(before + (pragma + rest).replace("# ", ""))


@contextmanager
def deployed(folder: Path, store: str, engine: Engine) -> Iterator[str]:
    """The address of the app in `folder`, deployed to staging with its table and one variable.

    Its functions may take longer than usual to start, on a busy machine.
    """
    manifest = folder / "app.arc"
    text = manifest.read_text().replace("@app\nshop\n", f"@app\n{fresh_app()}\n")
    manifest.write_text(f"{text}\n@aws\ntimeout 30\n")
    cloud, inventory = quick_cloud(engine.url), inventories.read(folder, environ={})
    for step in plan_environment(cloud, inventory, "staging").steps:
        step.do()
    VariablesChange(cloud, inventory, "staging", {"SESSION_TABLE_NAME": store}, sleep=short).run()
    deployment = Deployment(cloud, inventory, "staging", sleep=short)
    deployment.apply(deployment.plan(), lambda _event: None)
    try:
        yield deployment.address()
    finally:
        Deployment(cloud, inventory, "staging", sleep=short).delete(tables=True)
