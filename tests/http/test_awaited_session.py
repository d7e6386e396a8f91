"""`await arc.http.session.read(req)` and `await arc.http.session.write(session)`, as users of Node write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arc
from arc.testing import Browser
from tests.http.test_session_by_hand import run
from tests.sessions.making import Made
from tests.tools.sandbox.apps import write_app
from tests.tools.sandbox.running import running

DECORATED = """
import arc

@arc.http.handler
async def handler(req):
    session = await arc.http.session.read(req)
    session["count"] = session.get("count", 0) + 1
    cookie = await arc.http.session.write(session)
    return {"cookie": cookie, "text": str(session["count"])}
"""
BARE = """
import asyncio
import arc

async def answer(event):
    session = await arc.http.session.read(event)
    session["count"] = session.get("count", 0) + 1
    cookie = await arc.http.session.write(session)
    return arc.http.res(event, {"cookie": cookie, "text": str(session["count"])})

def handler(event, context):
    return asyncio.run(answer(event))
"""
RETURNS = """
import arc

def handler(event, context):
    return arc.http.session.read(event)
"""


def test_session_can_be_awaited_in_the_sandbox(tmp_path: Path) -> None:
    """This holds in an async handler, and in a bare one that runs a coroutine."""
    with running(write_app(tmp_path, {"get /": DECORATED, "get /bare": BARE, "get /returns": RETURNS})) as sandbox:
        (cookie,) = sandbox.get("/").all("set-cookie")
        assert sandbox.get("/bare", cookie=cookie.partition(";")[0]).text == "2"
        answer = sandbox.get("/returns", cookie=cookie.partition(";")[0])
        assert (answer.status, json.loads(answer.text)) == (200, {"count": 1})


def test_awaited_values_are_the_same_objects() -> None:
    """A session stays a dict and a cookie a string, with and without `await`."""
    out = run(
        """
        import arc, asyncio, json, pickle
        from arc.testing import payload_v2

        async def both(event):
            session = arc.http.session.read(event)
            assert await session is session is await arc.http.session.read(event)
            session["a"] = 1
            cookie = arc.http.session.write(session)
            assert await cookie is cookie
            assert isinstance(cookie, str)
            assert json.loads(json.dumps(cookie)) == cookie == pickle.loads(pickle.dumps(cookie))
            return json.dumps(session)

        print(asyncio.run(both(payload_v2())))
        """,
        ARC_ENV="testing",
    )
    assert out == '{"a": 1}'


def test_returned_session_is_a_response_and_needs_no_event_loop() -> None:
    """It is sent as JSON, from plain and async handlers, like any dict without a response's keys."""

    def plain(req: arc.Request) -> Any:
        req.session["a"] = 1
        return req.session

    async def later(req: arc.Request) -> Any:
        return plain(req)

    handlers: list[Callable[..., Any]] = [plain, later]
    for handler in handlers:
        browser = Browser(arc.http.handler(manager=Made().manager)(handler))
        assert browser.get("/").json == {"a": 1}
    code = """
        import arc, sys
        from arc.testing import payload_v2
        answer = arc.http.handler(lambda req: req.session)(payload_v2(), None)
        print(answer["statusCode"], "asyncio" in sys.modules)
        """
    assert run(code, ARC_ENV="testing") == "200 False"
