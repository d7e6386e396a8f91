"""Caching headers, the cost of an unused session, and isolation between invocations."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import arc
from arc.sessions.stores.memory import MemoryStore
from arc.testing import payload_v2
from tests.http.making import browser
from tests.sessions.making import Made

ACCESSES: dict[str, Any] = {
    "in": lambda req: "a" in req.session,
    "len": lambda req: len(req.session),
    "iteration": lambda req: list(req.session),
    "get": lambda req: req.session.get("a"),
    "==": lambda req: req.session == {},
    "repr": lambda req: repr(req.session),
    "flash": lambda req: req.session.flashes(),
    "csrf": arc.http.csrf.token,
    "user_id": lambda req: req.session.user_id,
    "read": arc.http.session.read,
}


class Unreachable(MemoryStore):
    """A store that must not be called."""

    def load(self, value: str, now: int) -> Any:
        """Fail the test."""
        raise AssertionError("the store was called")


@pytest.mark.parametrize("access", ACCESSES)
@pytest.mark.parametrize("kind", ["html", "css", "json"])
def test_s30_s31_every_access_makes_the_response_private(access: str, kind: str) -> None:
    """Any use of the session makes the response vary by cookie and private."""

    def handler(req: arc.Request) -> dict[str, Any]:
        ACCESSES[access](req)
        return {kind: "x"}

    page = browser(handler).get()
    assert page.headers["vary"] == "Accept-Encoding, Cookie"
    assert page.headers["cache-control"] == "private, no-store"


def test_s30_an_existing_vary_is_merged() -> None:
    """The handler's Vary fields stay, and a star stays a star."""
    for own, merged in (("Accept", "Accept, Cookie"), ("cookie", "cookie"), ("*", "*")):

        def handler(req: arc.Request, own: str = own) -> dict[str, Any]:
            req.session.get("a")
            return {"html": "x", "headers": {"Vary": own}, "compression": False}

        assert browser(handler).get().headers["vary"] == merged


def test_s31_session_cookie_overrides_cache_control() -> None:
    """An explicit Cache-Control stays on a read, and is replaced and reported beside a session cookie."""
    made = Made()

    def handler(req: arc.Request) -> dict[str, Any]:
        if req.path == "/write":
            req.session["a"] = 1
        return {"html": str(len(req.session)), "cache_control": "public, max-age=60"}

    visitor = browser(handler, made)
    assert visitor.get("/").headers["cache-control"] == "public, max-age=60"
    assert visitor.get("/write").headers["cache-control"] == "private, no-store"
    assert made.names == ["created", "cache_overridden"]


@pytest.mark.parametrize(
    ("result", "headers", "hinted"),
    [
        ({"cors": True}, {"origin": "https://other.example"}, True),
        ({"headers": {"Access-Control-Allow-Origin": "*"}}, {"origin": "https://other.example"}, True),
        ({"cors": "https://other.example"}, {"origin": "https://other.example"}, False),
        ({}, {"origin": "https://other.example"}, False),
        ({"cors": True}, {}, False),
        ({"cors": True}, {"origin": "https://app.example", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_cors_for_every_origin_with_a_session_is_reported(
    result: dict[str, Any], headers: dict[str, str], hinted: bool
) -> None:
    """Browsers hide such a response from a script that sent the cookie, so an event names the alternative."""
    made = Made()

    def handler(req: arc.Request) -> dict[str, Any]:
        return {"json": req.session.user_id, **result}

    browser(handler, made).get("/", headers=headers)
    [hint] = [event.reason for event in made.events if event.name == "cors"] or [""]
    assert ("'*'" in hint) is hinted
    assert hint.endswith("Return the origin of those scripts: 'cors': 'https://…'" if hinted else "")


def test_cors_for_every_origin_without_a_session_is_not_reported() -> None:
    """A response that is the same for all visitors may be open to every origin."""
    made = Made()
    browser(lambda _req: {"json": 1, "cors": True}, made).get("/", headers={"origin": "https://other.example"})
    assert made.events == []


def test_s32_unused_session_is_not_loaded() -> None:
    """A route that does not use the session costs nothing, sends no cookie and stays cacheable."""
    made = Made(server=True)
    made.manager.store = Unreachable(made.manager.keyring)
    visitor = browser(lambda _req: {"css": "p {}"}, made)
    visitor.jar.put("_idx", "A" * 24 + ".x", "app.example")
    page = visitor.get()
    assert page.set_cookies == []
    assert page.headers["vary"] == "Accept-Encoding"
    assert page.headers["cache-control"] == "max-age=86400"
    assert made.events == []


def test_s33_reading_sends_no_cookie() -> None:
    """A response to a visitor whose session is only read has no Set-Cookie."""

    def handler(req: arc.Request) -> dict[str, Any]:
        if req.path == "/write":
            req.session["a"] = 1
        return {"json": dict(req.session)}

    visitor = browser(handler)
    visitor.get("/write")
    page = visitor.get("/")
    assert (page.json, page.set_cookies) == ({"a": 1}, [])


def test_s45_threads_have_separate_sessions() -> None:
    """Sixteen visitors on eight threads each have their own count."""
    made = Made()

    def handler(req: arc.Request) -> dict[str, Any]:
        return {"text": f"{req.query['who']} {req.session.increment(req.query['who'])}"}

    def visit(who: int) -> list[str]:
        visitor = browser(handler, made)
        return [visitor.get(f"/?who={who}").text for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        for who, pages in enumerate(pool.map(visit, range(16))):
            assert pages == [f"{who} {visit}" for visit in range(1, 21)]


def test_s45_async_tasks_have_separate_sessions() -> None:
    """Interleaved async handlers each have their own session."""
    made = Made()

    async def handler(req: arc.Request) -> dict[str, Any]:
        session = req.session
        session["who"] = req.query["who"]
        await asyncio.sleep(0.001)
        return {"text": f"{req.session['who']} {arc.http.session.read(req)['who']}"}

    decorated = arc.http.handler(manager=made.manager)(handler)

    def visit(who: int) -> str:
        body: str = decorated(payload_v2(query=[("who", str(who))], headers={}), None)["body"]
        return body

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(visit, range(40))) == [f"{who} {who}" for who in range(40)]


def test_s43_lifecycle_events_are_reported() -> None:
    """Each event has a keyed hash of the session's id and never the id."""
    made = Made()

    def handler(req: arc.Request) -> dict[str, Any]:
        if req.path == "/write":
            req.session["a"] = 1
        elif req.path == "/in":
            req.session.sign_in("ada")
        elif req.path == "/out":
            req.session.sign_out()
        return {"json": dict(req.session)}

    visitor = browser(handler, made)
    visitor.get("/write")
    made.clock.forward(days=1)
    visitor.get("/")
    visitor.get("/in")
    visitor.get("/out")
    visitor.jar.put("_idx", "forged", "app.example")
    visitor.get("/")
    assert made.names == [
        *("created", "loaded", "renewed", "loaded", "regenerated", "loaded", "destroyed", "refused"),
    ]
    assert made.events[-1].reason == "malformed"
    assert all(len(event.session) == 16 for event in made.events[:-1])
    assert made.events[0].session == made.events[1].session != made.events[5].session
