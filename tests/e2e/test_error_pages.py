"""The sandbox's pages about mistakes, in a real browser on a narrow and a wide screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page

from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.running import Sandbox, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal

A = "import arc\n\n@arc.http.handler{}\ndef handler(req):\n    {}\n"
FORM = '<form method=\\"post\\" action=\\"/buy\\"><button>Buy</button></form>'
HANDLERS = {
    "get /": A.format("", f'return {{"html": "{FORM}"}}'),
    "post /buy": A.format("(csrf=True)", 'return {"html": "bought"}'),
    "get /when": A.format("", 'req.session["an-appointment-with-a-long-name"] = object()'),
    "get /raise": A.format("", f'raise ValueError("{"long" * 60}")'),
    "get /store": A.format("", 'raise arc.StoreError("The table is gone.")'),
    "get /field": A.format("", 'return {"text": req.query["name"]}'),
    "get /bare": says("x").replace("event, context", "req"),
    "get /new": says("deleted"),
    f"get /a/{'path-that-is-long/' * 5}end": says("x"),
}
PATHS = ["/crat", f"/{'x' * 200}", "/when", "/raise", "/store", "/field", "/bare", "/new"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An app with mistakes."""
    app = write_app(tmp_path_factory.mktemp("mistakes") / "app", HANDLERS)
    (app / "src/http/get-new/handler.py").unlink()
    with running(app) as sandbox:
        yield sandbox


@pytest.fixture(params=[("light", 390), ("dark", 1280)], ids=str)
def page(chrome: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab on a screen in light or dark colors."""
    scheme: Literal["light", "dark"]
    scheme, width = request.param
    context = chrome.new_context(viewport={"width": width, "height": 640}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def background(page: Page) -> int:
    """Return the brightness of the page's background, from 0 to 765."""
    rgb: int = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((a, b) => a + +b, 0)"
    )
    return rgb


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:10])
def test_page_fits_the_screen_and_loads_nothing(page: Page, sandbox: Sandbox, path: str) -> None:
    """It never scrolls sideways, and its colors are those that the visitor prefers."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{sandbox.url}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert requested == [f"{sandbox.url}{path}"]
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert (background(page) < 300) == is_dark


def test_message_and_line_are_visible_without_scrolling(page: Page, sandbox: Sandbox) -> None:
    """The line is the one that assigned the value, although the session is stored after the handler."""
    page.goto(f"{sandbox.url}/when")
    line = page.locator("pre.line")
    assert "req.session[" in line.inner_text()
    for part in (page.locator(".detail"), line):
        box = part.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 640
        assert box["x"] + box["width"] <= page.viewport_size["width"]  # type: ignore[index]


def test_form_without_a_token_is_explained(page: Page, sandbox: Sandbox) -> None:
    """The page comes with status 403."""
    page.goto(sandbox.url)
    with page.expect_navigation() as navigation:
        page.click("button")
    assert navigation.value.status == 403
    assert "{arc.http.csrf.field(req)}" in page.inner_text("pre")


def test_link_to_a_similar_route_opens_it(page: Page, sandbox: Sandbox) -> None:
    """Following it leaves the page about the unknown path."""
    page.goto(f"{sandbox.url}/stores")
    page.click("a[href='/store']")
    assert page.inner_text(".label") == "503 · get /store"


def test_banner_of_a_broken_manifest_is_visible(page: Page, tmp_path: Path) -> None:
    """The app's page stays, whatever encodings the browser accepts."""
    app = write_app(tmp_path, {"get /": A.format("", 'return {"html": "<h1>Home</h1>"}')})
    with running(app) as sandbox:
        with (app / "app.arc").open("a") as manifest:
            manifest.write("fetch /x\n")
        sandbox.get("/")
        sandbox.wait_for("The routes remain unchanged until this is fixed")
        page.goto(sandbox.url)
        assert page.inner_text("h1") == "Home"
        banner = page.locator("[role=alert]")
        assert "Unknown HTTP method 'fetch'" in banner.inner_text()
        box = banner.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 640
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
