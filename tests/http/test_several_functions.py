"""Several functions in a row behind one route, as Architect's middleware; and what else Node's handlers call."""

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
    """Count, and leave the response to the next."""
    req.session["count"] = req.session.get("count", 0) + 1


async def count_later(req: arc.Request) -> arc.Request:
    """Count in a coroutine, and pass the request on."""
    await asyncio.sleep(0)
    req.session["count"] = req.session.get("count", 0) + 1
    return req


def admit(req: arc.Request) -> dict[str, Any] | None:
    """Send away whoever has come three times."""
    return {"status": 403, "text": "enough"} if req.session["count"] > 2 else None


def page(req: arc.Request, context: object) -> dict[str, Any]:
    """Show the count."""
    assert context is None
    return {"json": req.session["count"]}


@pytest.mark.parametrize("first", [count, count_later], ids=["plain", "async"])
def test_the_first_function_that_returns_a_response_ends_it(first: Callable[..., Any]) -> None:
    """The session is loaded and committed once for all of them, each of which is called as it wants to be."""
    browser = visitor(first, admit, page)
    pages = [browser.get() for _ in range(3)]
    assert [(one.status, one.text) for one in pages] == [(200, "1"), (200, "2"), (403, "enough")]
    assert [len(one.set_cookies) for one in pages] == [1, 1, 1]


def test_where_no_function_returns_a_response_it_is_empty() -> None:
    """As after a single function that returns None."""
    answer = visitor(count, lambda _: None).get()
    assert (answer.status, answer.text, len(answer.set_cookies)) == (200, "", 1)


def test_the_options_hold_for_all_of_them() -> None:
    """A forged request reaches none."""
    called: list[str] = []
    browser = visitor(lambda req: called.append(req.path), page, csrf=True)
    assert browser.post("/", {"a": "1"}).status == 403
    assert called == []


@pytest.mark.parametrize("wrong", [(count, "csrf"), (None,), (count, page, {})])
def test_what_is_no_function_is_refused_by_name(wrong: tuple[Any, ...]) -> None:
    """When the module is loaded, not at a request."""
    with pytest.raises(TypeError, match="was given"):
        arc.http.handler(*wrong)


@pytest.mark.parametrize("build", [payload_v2, payload_v1, alb])
@pytest.mark.parametrize("copied", [False, True], ids=["the request", "a copy"])
def test_the_request_is_no_response(build: Callable[..., dict[str, Any]], copied: bool) -> None:
    """Sent back, its headers would show the visitor's credentials to scripts and caches."""
    handler = arc.http.handler(lambda req: dict(req) if copied else req, manager=Made().manager)
    with pytest.raises(TypeError, match="returned the whole request"):
        handler(build("GET", "/", headers={"authorization": "secret"}), None)


def test_a_csrf_token_needs_no_request_within_a_handler() -> None:
    """`create()` is for the visitor whose request is being handled, in a coroutine as well."""

    async def form(req: arc.Request) -> dict[str, Any]:
        await asyncio.sleep(0)
        if req.method == "POST":
            arc.http.csrf.verify(req)
            return {"text": "done"}
        return {"text": arc.http.csrf.create()}

    browser = visitor(form)
    assert browser.post("/", {"_csrf": browser.get().text}).text == "done"
    assert browser.post("/").status == 403


def test_a_csrf_token_without_any_request_is_an_error_that_helps() -> None:
    """A bare handler has to say whose it is."""
    with pytest.raises(TypeError, match=r"arc\.http\.csrf\.create\(event\)"):
        arc.http.csrf.create()
