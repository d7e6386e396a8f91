"""The page for a failed invocation."""

from __future__ import annotations

import pytest

from arc.tools.sandbox.front.pages import failure_page, wants_html
from arc.tools.sandbox.functions.failures import InvocationFailure


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/json, TEXT/HTML;q=0.5", True),
        ("*/*", False),
        ("application/json", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_browsers_get_a_page(accept: str, html: bool) -> None:
    """A client that does not name HTML gets JSON."""
    assert wants_html(accept) is html


def test_everything_on_a_page_is_escaped() -> None:
    """Titles, details, tracebacks and routes may contain a visitor's input."""
    evil = "<img src=x onerror=alert(1)>\"'&"
    page = failure_page(evil, InvocationFailure(evil, evil, evil)).decode()
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;") == 5


def test_page_accepts_any_text() -> None:
    """This includes half a surrogate pair."""
    assert b"title>500" in failure_page("get /", InvocationFailure("\ud800"))
