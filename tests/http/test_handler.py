"""`@arc.http.handler`: the session in a request, and the response to a handler's result or exception."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

import pytest

import arc
from arc.errors import BadRequest, LateChange, SessionTooLarge, StoreError
from arc.sessions.record import Record
from arc.sessions.stores.memory import MemoryStore
from arc.testing import payload_v2
from tests.http.making import browser
from tests.sessions.making import Made


def count(req: arc.Request) -> dict[str, Any]:
    """The README's counter."""
    return {"html": f"<p>{req.session.increment('visits')} visits</p>"}


def test_counter_in_a_browser() -> None:
    """Three visits count 1, 2, 3, and another browser begins at 1."""
    made = Made()
    visitor = browser(count, made)
    assert [visitor.get().text for _ in range(3)] == ["<p>1 visits</p>", "<p>2 visits</p>", "<p>3 visits</p>"]
    assert browser(count, made).get().text == "<p>1 visits</p>"


def test_decorated_handlers_of_the_page_work() -> None:
    """The read and the write handler of the documentation count together."""
    made = Made()

    @arc.http.handler(manager=made.manager)
    def index(req: arc.Request) -> dict[str, Any]:
        session = arc.http.session.read(req)
        return {"type": "text/html; charset=utf8", "body": f"<pre>{session}</pre>"}

    @arc.http.handler(manager=made.manager)
    def write(req: arc.Request) -> dict[str, Any]:
        session = arc.http.session.read(req)
        session["count"] = session.get("count", 0) + 1
        cookie = arc.http.session.write(session)
        return {"cookie": cookie, "status": 302, "location": "/"}

    visitor = browser(lambda _req: None, made)
    visitor.handler = lambda event, context: (write if event["rawPath"] == "/count" else index)(event, context)
    assert visitor.get("/count").text == "<pre><Session {'count': 1}></pre>"
    page = visitor.get("/count", follow=False)
    assert page.status == 302
    assert len(page.set_cookies) == 1
    assert visitor.get("/").text == "<pre><Session {'count': 2}></pre>"


def test_final_commit_does_not_repeat_an_explicit_write() -> None:
    """The response has the cookie that `write` returned, even if the handler does not return it."""
    written: list[str] = []

    def forgetful(req: arc.Request) -> dict[str, Any]:
        req.session["a"] = 1
        written.append(arc.http.session.write(req.session))
        return {"html": "x"}

    assert browser(forgetful).get().set_cookies == written


def test_writing_a_plain_dict_starts_a_session() -> None:
    """The visitor gets this data even if the session that it was copied from was due for renewal."""
    made = Made(server=True)

    def copying(req: arc.Request) -> dict[str, Any]:
        session = {**arc.http.session.read(req)}
        session["count"] = session.get("count", 0) + 1
        return {"cookie": arc.http.session.write(session), "text": str(session["count"])}

    visitor = browser(copying, made)
    for expected in ("1", "2", "3"):
        page = visitor.get()
        assert page.text == expected
        assert len(page.set_cookies) == 1
        made.clock.forward(days=3)


def test_writing_an_empty_dict_ends_the_session() -> None:
    """`write({})` is a sign-out, which removes the row and the cookie."""
    made = Made(server=True)

    def leave(req: arc.Request) -> dict[str, Any]:
        if req.path == "/out":
            return {"cookie": arc.http.session.write({}), "text": "bye"}
        req.session["a"] = 1
        return {"text": "hello"}

    visitor = browser(leave, made)
    visitor.get()
    visitor.get("/out")
    assert len(visitor.jar) == 0
    assert made.store is not None
    assert len(made.store) == 0


def test_write_returns_the_clearing_cookie_after_destroy() -> None:
    """`write` always returns a Set-Cookie string."""

    def leave(req: arc.Request) -> dict[str, Any]:
        req.session.destroy()
        return {"cookie": arc.http.session.write(req.session), "html": "bye"}

    page = browser(leave).get()
    assert len(page.set_cookies) == 1
    assert page.set_cookies[0].startswith("_idx=; Max-Age=0")


def test_change_after_write_is_stored_with_the_response() -> None:
    """The response has one cookie with both changes."""

    def early(req: arc.Request) -> dict[str, Any]:
        before = list(req.session.get("list", ()))
        req.session["list"] = [1]
        cookie = arc.http.session.write(req.session)
        req.session["list"].append(2)
        return {"cookie": cookie, "json": before}

    visitor = browser(early)
    page = visitor.get()
    assert len(page.set_cookies) == 1
    assert [page.json, visitor.get().json] == [[], [1, 2]]


def test_change_after_the_response_raises() -> None:
    """It would not be stored, so the error names the remedy, whether or not the handler failed."""
    sessions: list[arc.Session] = []

    def keeping(req: arc.Request) -> dict[str, Any]:
        sessions.append(req.session)
        if req.path == "/broken":
            raise KeyError("broken")
        return {"html": "x"}

    visitor = browser(keeping)
    visitor.get()
    with pytest.raises(KeyError, match="broken"):
        visitor.get("/broken")
    for session in sessions:
        with pytest.raises(LateChange, match="a thread, a task or a generator"):
            session["late"] = 1


def test_async_handlers_share_an_event_loop() -> None:
    """A connection that one invocation opens still works in the next."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def slow(req: arc.Request) -> dict[str, Any]:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return {"html": str(req.session.increment("visits"))}

    visitor = browser(slow)
    assert [visitor.get().text, visitor.get().text] == ["1", "2"]
    assert loops[0] is loops[1]
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "arc-loop"]
    assert thread.daemon  # A function's process ends without waiting for it.


def test_context_is_passed_to_functions_that_take_it() -> None:
    """f(req), f(req, context) and f(*args) all work, and default arguments keep their values."""
    calls: list[object] = []
    event = payload_v2()
    manager = Made().manager

    def two(_req: arc.Request, context: object) -> None:
        calls.append(context)

    def star(*args: object) -> None:
        calls.append(args[1])

    def default(_req: arc.Request, size: int = 7) -> None:
        calls.append(size)

    def named(_req: arc.Request, context: object = None) -> None:
        calls.append(context)

    class Callable:
        def __call__(self, _req: arc.Request, context: object) -> None:
            calls.append(context)

        def method(self, _req: arc.Request) -> None:
            calls.append("alone")

    for function in (two, star, default, named, Callable(), Callable().method, partial(two), partial(two, context=3)):
        arc.http.handler(manager=manager)(function)(event, "context")
    assert calls == ["context", "context", 7, "context", "context", "alone", "context", 3]


def test_second_argument_is_the_context() -> None:
    """A required second argument of any name is the context; one with a default only if it is called `context`."""
    calls: list[object] = []
    manager = Made().manager

    def required(_req: arc.Request, other: object) -> None:
        calls.append(other)

    def third(_req: arc.Request, size: int = 7, context: object = None) -> None:
        calls.append((size, context))

    def rest(_req: arc.Request, *others: object) -> None:
        calls.append(others)

    def default_and_rest(_req: arc.Request, size: int = 7, *others: object) -> None:
        calls.append((size, others))

    for function in (required, partial(required), third, rest, default_and_rest):
        arc.http.handler(manager=manager)(function)(payload_v2(), "context")
    assert calls == ["context", "context", (7, None), ("context",), (7, ())]


def test_uncallable_wrapped_attribute_is_ignored() -> None:
    """A `__wrapped__` that is not a function does not describe arguments."""
    calls: list[object] = []

    def wrapper(*args: object) -> None:
        calls.append(args[1:])

    wrapper.__wrapped__ = "a note"  # type: ignore[attr-defined]
    arc.http.handler(manager=Made().manager)(wrapper)(payload_v2(), "context")
    assert calls == [("context",)]


def test_class_gets_the_arguments_of_its_constructor() -> None:
    """The arguments of calling an instance do not count."""

    class Answer(dict[str, Any]):
        def __init__(self, req: arc.Request, size: int = 7) -> None:
            super().__init__({"text": f"{req.method} {size}"})

        def __call__(self, one: object, two: object) -> None: ...

    reply = arc.http.handler(manager=Made().manager)(Answer)(payload_v2(), "context")
    assert reply["body"] == "GET 7"


def test_none_is_an_empty_200() -> None:
    """A handler that returns None sends an empty body with status 200."""
    page = browser(lambda _req: None).get()
    assert (page.status, page.body) == (200, b"")


def test_exception_propagates_and_stores_only_a_sign_out() -> None:
    """Lambda counts the error, and the session is unchanged unless it was ended."""
    made = Made(server=True)

    def broken(req: arc.Request) -> None:
        req.session["count"] = 1
        if req.path == "/out":
            req.session.sign_out()
        raise ZeroDivisionError

    visitor = browser(count, made)
    visitor.get()
    counting, visitor.handler = visitor.handler, arc.http.handler(manager=made.manager)(broken)
    for path in ("/", "/out"):
        with pytest.raises(ZeroDivisionError):
            visitor.get(path)
        visitor.handler, broken_handler = counting, visitor.handler
        assert visitor.get().text == ("<p>2 visits</p>" if path == "/" else "<p>1 visits</p>")
        visitor.handler = broken_handler


@pytest.mark.parametrize(
    ("error", "status"),
    [(BadRequest("no"), 400), (arc.ForgedRequest("no"), 403), (arc.FreshSignInRequired("no"), 401)],
)
def test_refusals_have_their_statuses(error: Exception, status: int) -> None:
    """BadRequest, ForgedRequest and FreshSignInRequired become 400, 403 and 401."""

    def refusing(req: arc.Request) -> None:
        raise error

    page = browser(refusing).get()
    assert (page.status, page.json) == (status, {"message": "no"})


def test_s38_store_failure_is_a_503_with_retry_after() -> None:
    """An outage is neither an empty session nor a crash."""
    made = Made(server=True)

    def down(_req: arc.Request) -> None:
        raise StoreError("throttled")

    page = browser(down, made).get()
    assert (page.status, page.headers["retry-after"]) == (503, "2")
    assert page.json == {"message": "Service Unavailable"}
    assert page.set_cookies == []


def test_s38_failed_sign_out_is_a_503() -> None:
    """The store fails again at the end, and the response has no cookie; an event has the reason."""

    class Throttled(MemoryStore):
        def destroy(self, loaded: Record, now: int) -> None:
            raise StoreError("still throttled")

    made = Made(store=Throttled(Made().manager.keyring))
    value = made.cookie(count=1)

    @arc.http.handler(manager=made.manager)
    def leave(req: arc.Request) -> None:
        req.session.sign_out()
        raise StoreError("throttled")

    reply = leave(payload_v2(cookies=[f"{made.settings.cookie_name}={value}"]))
    assert (reply["statusCode"], "cookies" in reply) == (503, False)
    assert (made.events[-1].name, made.events[-1].reason) == (
        "dropped",
        "after the handler failed, the commit failed too: still throttled",
    )


def test_malformed_json_is_a_400_and_absent_json_is_none() -> None:
    """`req.json` is None without a body, and malformed JSON is answered with status 400."""

    def echo(req: arc.Request) -> dict[str, Any]:
        return {"json": {"got": req.json}}

    visitor = browser(echo)
    assert visitor.post("/", json={"a": 1}).json == {"got": {"a": 1}}
    assert visitor.get("/").json == {"got": None}
    broken = payload_v2("POST", "/", body="{", headers={"content-type": "application/json"})
    assert visitor.handler(broken, None)["statusCode"] == 400


def test_5xx_response_stores_no_data() -> None:
    """A response with status 500 or above commits nothing."""
    made = Made()

    def unlucky(req: arc.Request) -> dict[str, Any]:
        req.session["count"] = 1
        return {"status": 500, "html": "sorry"}

    assert browser(unlucky, made).get().set_cookies == []
    assert made.names == ["dropped"]


def test_too_large_session_raises() -> None:
    """The error names the key, the size and the remedy, and nothing is sent."""

    def hoarder(req: arc.Request) -> dict[str, Any]:
        req.session["everything"] = "x" * 5000
        return {"html": "x"}

    with pytest.raises(SessionTooLarge, match=r"'everything' \(5,002 bytes\)"):
        browser(hoarder).get()


def test_invalid_response_commits_nothing() -> None:
    """The response is checked before the session is stored."""
    made = Made(server=True)

    def confused(req: arc.Request) -> dict[str, Any]:
        req.session["a"] = 1
        return {"status": "teapot"}

    with pytest.raises((TypeError, ValueError), match="status"):
        browser(confused, made).get()
    assert made.store is not None
    assert len(made.store) == 0


def test_session_key_replaces_the_data() -> None:
    """A plain dict under `session` keeps the id, and `{}` ends the session."""
    made = Made(server=True)
    ids: list[str] = []

    def put(req: arc.Request) -> dict[str, Any]:
        ids.append(req.session.id)
        return {"html": "ok", "session": {} if req.path == "/out" else {"page": req.path}}

    visitor = browser(put, made)
    visitor.get("/a")
    visitor.get("/b")
    visitor.get("/c")
    assert ids[1] == ids[2]
    assert len(visitor.jar) == 1
    visitor.get("/out")
    assert len(visitor.jar) == 0
    assert made.store is not None
    assert len(made.store) == 0


def test_session_key_alone_is_not_a_json_body() -> None:
    """`{"session": {…}}` sends an empty body with status 200, without the session's data."""
    page = browser(lambda _req: {"session": {"private": 1}}).get()
    assert (page.status, page.body) == (200, b"")
    assert len(page.set_cookies) == 1


def test_assigning_the_session_replaces_it() -> None:
    """`req.session = {…}` does the same as a `session` key."""

    def assign(req: arc.Request) -> dict[str, Any]:
        if req.path == "/set":
            req.session = {"a": 1}
        return {"json": dict(req.session)}

    visitor = browser(assign)
    assert visitor.get("/set").json == {"a": 1}
    assert visitor.get("/").json == {"a": 1}


def test_request_is_the_event_with_its_parts() -> None:
    """Every part of the request is an attribute, and the request is the event as a dict."""
    requests: list[arc.Request] = []
    visitor = browser(requests.append)
    visitor.post("/users/7?tag=a&tag=b", {"name": "Ada"})
    (req,) = requests
    assert req["version"] == "2.0"
    assert (req.method, req.path) == ("POST", "/users/7")
    assert (req.query["tag"], req.query.getall("tag")) == ("b", ["a", "b"])
    assert req.form["name"] == "Ada"
    assert req.headers["Sec-Fetch-Site"] == "same-origin"
    assert req.text == "name=Ada"
    assert req.cookies == {}


@pytest.mark.parametrize("given", ["get /", {"csrf": True}, True])
def test_uncallable_argument_is_refused(given: Any) -> None:
    """An option without its name and a route are refused when the module is loaded."""
    with pytest.raises(TypeError, match=r"@arc\.http\.handler\(csrf=True\)"):
        arc.http.handler(given)
