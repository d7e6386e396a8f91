"""Several functions behind one route, like Architect's middleware, and other functions of Node's library."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import arc
from arc.testing import Browser, alb, payload_v1, payload_v2
from tests.sessions.making import Made

if TYPE_CHECKING:
    from collections.abc import Callable


def visitor(*functions: Callable[..., Any], **options: Any) -> Browser:
    """A browser in front of the functions as one handler."""
    made = Made()
    return Browser(arc.http.handler(*functions, manager=made.manager, **options), clock=made.clock)


def count(req: arc.Request) -> None:
    """Count, and continue with the next function."""
    req.session["count"] = req.session.get("count", 0) + 1


async def count_later(req: arc.Request) -> arc.Request:
    """Count in a coroutine, and return the request."""
    await asyncio.sleep(0)
    req.session["count"] = req.session.get("count", 0) + 1
    return req


def admit(req: arc.Request) -> dict[str, Any] | None:
    """Refuse a visitor who has come three times."""
    return {"status": 403, "text": "enough"} if req.session["count"] > 2 else None


def page(req: arc.Request, context: object) -> dict[str, Any]:
    """Show the count."""
    assert context is None
    return {"json": req.session["count"]}


@pytest.mark.parametrize("first", [count, count_later], ids=["plain", "async"])
def test_first_response_ends_the_chain(first: Callable[..., Any]) -> None:
    """The session is loaded and committed once, and each function gets the arguments it takes."""
    browser = visitor(first, admit, page)
    pages = [browser.get() for _ in range(3)]
    assert [(one.status, one.text) for one in pages] == [(200, "1"), (200, "2"), (403, "enough")]
    assert [len(one.set_cookies) for one in pages] == [1, 1, 1]


def test_response_is_empty_if_no_function_returns_one() -> None:
    """The same is true for a single function that returns None."""
    answer = visitor(count, lambda _: None).get()
    assert (answer.status, answer.text, len(answer.set_cookies)) == (200, "", 1)


def test_options_apply_to_all_functions() -> None:
    """A forged request reaches none of them."""
    called: list[str] = []
    browser = visitor(lambda req: called.append(req.path), page, csrf=True)
    assert browser.post("/", {"a": "1"}).status == 403
    assert called == []


@pytest.mark.parametrize("wrong", [(count, "csrf"), (None,), (count, page, {})])
def test_uncallable_argument_is_named(wrong: tuple[Any, ...]) -> None:
    """It is refused when the module is loaded."""
    with pytest.raises(TypeError, match="was called with"):
        arc.http.handler(*wrong)


@pytest.mark.parametrize("build", [payload_v2, payload_v1, alb])
@pytest.mark.parametrize("copied", [False, True], ids=["the request", "a copy"])
def test_request_is_refused_as_a_response(build: Callable[..., dict[str, Any]], copied: bool) -> None:
    """Its headers would show the visitor's credentials to scripts and caches."""
    handler = arc.http.handler(lambda req: dict(req) if copied else req, manager=Made().manager)
    with pytest.raises(TypeError, match="returned the whole request"):
        handler(build("GET", "/", headers={"authorization": "secret"}), None)


def test_csrf_create_finds_the_current_request() -> None:
    """`create()` works in a handler and in a coroutine."""

    async def form(req: arc.Request) -> dict[str, Any]:
        await asyncio.sleep(0)
        if req.method == "POST":
            arc.http.csrf.verify(req)
            return {"text": "done"}
        return {"text": arc.http.csrf.create()}

    browser = visitor(form)
    assert browser.post("/", {"_csrf": browser.get().text}).text == "done"
    assert browser.post("/").status == 403


def test_csrf_create_needs_a_request_in_a_bare_handler() -> None:
    """The error names the call with the event."""
    with pytest.raises(TypeError, match=r"arc\.http\.csrf\.create\(event\)"):
        arc.http.csrf.create()
