"""The counter in a real browser."""

from __future__ import annotations

from playwright.sync_api import BrowserContext

from tests.tools.sandbox.running import Sandbox


def test_counter_across_a_reload_and_a_new_tab(visitor: BrowserContext, counter: Sandbox) -> None:
    """It shows 1, 2 after a reload and 3 in a new tab, and the cookie is HttpOnly and Lax."""
    tab = visitor.new_page()
    tab.goto(counter.url)
    assert tab.inner_text("pre") == "{}"
    tab.click("button")
    assert tab.inner_text("pre") == '{"count": 1}'
    tab.reload()
    assert tab.inner_text("pre") == '{"count": 1}'
    tab.click("button")
    assert tab.inner_text("pre") == '{"count": 2}'
    other = visitor.new_page()
    other.goto(counter.url)
    other.click("button")
    assert other.inner_text("pre") == '{"count": 3}'
    (cookie,) = visitor.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == ("_idx", True, "Lax", "/")
    assert tab.evaluate("document.cookie") == ""
