"""The pages for people and who gets them."""

from __future__ import annotations

import pytest

from arc.tools.sandbox.front.failures import InvocationFailure, failure_page, wants_html


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
def test_a_browser_gets_a_page(accept: str, html: bool) -> None:
    """Whoever names HTML; a client that takes anything gets JSON."""
    assert wants_html(accept) is html


def test_everything_on_a_page_is_escaped() -> None:
    """Titles, details, tracebacks and routes may hold what a visitor sent."""
    evil = "<img src=x onerror=alert(1)>\"'&"
    page = failure_page(evil, InvocationFailure(evil, evil, evil)).decode()
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;") == 5


def test_a_page_takes_any_text() -> None:
    """Half a surrogate pair too."""
    assert b"title>500" in failure_page("get /", InvocationFailure("\ud800"))
