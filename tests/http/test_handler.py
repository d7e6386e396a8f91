"""`@arc.http.handler`: the session in a request, and what becomes of a handler's result and exceptions."""

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


def test_the_counter_counts_in_a_browser() -> None:
    """Three visits count 1, 2, 3; another browser begins at 1."""
    made = Made()
    visitor = browser(count, made)
    assert [visitor.get().text for _ in range(3)] == ["<p>1 visits</p>", "<p>2 visits</p>", "<p>3 visits</p>"]
    assert browser(count, made).get().text == "<p>1 visits</p>"


def test_the_pages_two_handlers_work_key_for_key() -> None:
    """The read and the write handler of the page, decorated, count together."""
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


def test_write_returns_what_the_response_carries_even_when_the_handler_forgets_it() -> None:
    """An explicit write is neither repeated nor dropped by the final commit."""
    written: list[str] = []

    def forgetful(req: arc.Request) -> dict[str, Any]:
        req.session["a"] = 1
        written.append(arc.http.session.write(req.session))
        return {"html": "x"}

    assert browser(forgetful).get().set_cookies == written


def test_writing_a_plain_dict_under_the_decorator_starts_a_session() -> None:
    """The plain dict is what the visitor has next, also when the session it was copied from was due for renewal."""
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


def test_writing_an_empty_dict_under_the_decorator_ends_the_visitors_session() -> None:
    """`write({})` is a sign-out: the row goes, and the cookie with it."""
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


def test_write_gives_the_clearing_cookie_after_a_destroy() -> None:
    """`write` always returns a string to set."""

    def leave(req: arc.Request) -> dict[str, Any]:
        req.session.destroy()
        return {"cookie": arc.http.session.write(req.session), "html": "bye"}

    page = browser(leave).get()
    assert len(page.set_cookies) == 1
    assert page.set_cookies[0].startswith("_idx=; Max-Age=0")


def test_a_change_after_write_is_stored_with_the_response() -> None:
    """The response carries one cookie, which stands for both."""

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


def test_a_change_after_the_response_raises() -> None:
    """Nothing would store it: the error says where to look, whether or not the handler failed."""
    kept: list[arc.Session] = []

    def keeping(req: arc.Request) -> dict[str, Any]:
        kept.append(req.session)
        if req.path == "/broken":
            raise KeyError("broken")
        return {"html": "x"}

    visitor = browser(keeping)
    visitor.get()
    with pytest.raises(KeyError, match="broken"):
        visitor.get("/broken")
    for session in kept:
        with pytest.raises(LateChange, match="a thread, a task or a generator"):
            session["late"] = 1


def test_async_handlers_share_one_loop() -> None:
    """What an async handler opened in one invocation still works in the next."""
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


def test_the_context_is_passed_to_those_who_take_it() -> None:
    """f(req), f(req, context) and f(*args) all work, and a default argument is left alone."""
    seen: list[object] = []
    event = payload_v2()
    manager = Made().manager

    def two(_req: arc.Request, context: object) -> None:
        seen.append(context)

    def star(*args: object) -> None:
        seen.append(args[1])

    def default(_req: arc.Request, size: int = 7) -> None:
        seen.append(size)

    def named(_req: arc.Request, context: object = None) -> None:
        seen.append(context)

    class Callable:
        def __call__(self, _req: arc.Request, context: object) -> None:
            seen.append(context)

        def method(self, _req: arc.Request) -> None:
            seen.append("alone")

    for function in (two, star, default, named, Callable(), Callable().method, partial(two), partial(two, context=3)):
        arc.http.handler(manager=manager)(function)(event, "context")
    assert seen == ["context", "context", 7, "context", "context", "alone", "context", 3]


def test_the_second_argument_is_the_context_by_place_or_by_name() -> None:
    """One that is required is, whatever its name; one with a default only by its name, and in the second place."""
    seen: list[object] = []
    manager = Made().manager

    def required(_req: arc.Request, other: object) -> None:
        seen.append(other)

    def third(_req: arc.Request, size: int = 7, context: object = None) -> None:
        seen.append((size, context))

    def rest(_req: arc.Request, *others: object) -> None:
        seen.append(others)

    def default_and_rest(_req: arc.Request, size: int = 7, *others: object) -> None:
        seen.append((size, others))

    for function in (required, partial(required), third, rest, default_and_rest):
        arc.http.handler(manager=manager)(function)(payload_v2(), "context")
    assert seen == ["context", "context", (7, None), ("context",), (7, ())]


def test_what_a_function_wraps_counts_when_it_can_be_called() -> None:
    """A `__wrapped__` that is no function says nothing about arguments."""
    seen: list[object] = []

    def wrapper(*args: object) -> None:
        seen.append(args[1:])

    wrapper.__wrapped__ = "a note"  # type: ignore[attr-defined]
    arc.http.handler(manager=Made().manager)(wrapper)(payload_v2(), "context")
    assert seen == [("context",)]


def test_a_class_takes_what_its_instances_are_made_of() -> None:
    """A class can be the function: its own arguments count, not those of calling an instance."""

    class Answer(dict[str, Any]):
        def __init__(self, req: arc.Request, size: int = 7) -> None:
            super().__init__({"text": f"{req.method} {size}"})

        def __call__(self, one: object, two: object) -> None: ...

    reply = arc.http.handler(manager=Made().manager)(Answer)(payload_v2(), "context")
    assert reply["body"] == "GET 7"


def test_none_is_an_empty_200() -> None:
    """A handler that returns nothing answers 200 with an empty body."""
    page = browser(lambda _req: None).get()
    assert (page.status, page.body) == (200, b"")


def test_an_exception_propagates_and_keeps_nothing_but_a_sign_out() -> None:
    """Lambda counts the error; the session stays as it was, unless it was ended."""
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
def test_refusals_are_answered(error: Exception, status: int) -> None:
    """BadRequest, ForgedRequest and FreshSignInRequired become 400, 403 and 401."""

    def refusing(req: arc.Request) -> None:
        raise error

    page = browser(refusing).get()
    assert (page.status, page.json) == (status, {"message": "no"})


def test_s38_a_store_that_fails_is_a_503_with_retry_after() -> None:
    """An outage is neither an empty session nor a crash."""
    made = Made(server=True)

    def down(_req: arc.Request) -> None:
        raise StoreError("throttled")

    page = browser(down, made).get()
    assert (page.status, page.headers["retry-after"]) == (503, "2")
    assert page.json == {"message": "Service Unavailable"}
    assert page.set_cookies == []


def test_s38_a_sign_out_that_a_failing_store_does_not_take_is_a_503_as_well() -> None:
    """The store fails once more at the end: one response, no cookie, and an event that says why."""

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
    """req.json is None without a body; a broken one is answered 400."""

    def echo(req: arc.Request) -> dict[str, Any]:
        return {"json": {"got": req.json}}

    visitor = browser(echo)
    assert visitor.post("/", json={"a": 1}).json == {"got": {"a": 1}}
    assert visitor.get("/").json == {"got": None}
    broken = payload_v2("POST", "/", body="{", headers={"content-type": "application/json"})
    assert visitor.handler(broken, None)["statusCode"] == 400


def test_a_5xx_response_keeps_no_data() -> None:
    """A status of 500 and above commits nothing."""
    made = Made()

    def unlucky(req: arc.Request) -> dict[str, Any]:
        req.session["count"] = 1
        return {"status": 500, "html": "sorry"}

    assert browser(unlucky, made).get().set_cookies == []
    assert made.names == ["dropped"]


def test_too_large_a_session_raises_and_nothing_is_sent() -> None:
    """The handler's author learns the key, the size and the remedy."""

    def hoarder(req: arc.Request) -> dict[str, Any]:
        req.session["everything"] = "x" * 5000
        return {"html": "x"}

    with pytest.raises(SessionTooLarge, match=r"'everything' \(5,002 bytes\)"):
        browser(hoarder).get()


def test_a_response_that_cannot_be_sent_commits_nothing() -> None:
    """The response is checked before the session is stored."""
    made = Made(server=True)

    def confused(req: arc.Request) -> dict[str, Any]:
        req.session["a"] = 1
        return {"status": "teapot"}

    with pytest.raises((TypeError, ValueError), match="status"):
        browser(confused, made).get()
    assert made.store is not None
    assert len(made.store) == 0


def test_a_session_key_in_the_response_replaces_the_data() -> None:
    """A plain dict under `session` keeps the id; `{}` ends the session."""
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


def test_a_session_key_alone_is_a_response_and_no_json_body() -> None:
    """`{"session": {…}}` answers 200 and empty, and nobody sees the session's data."""
    page = browser(lambda _req: {"session": {"private": 1}}).get()
    assert (page.status, page.body) == (200, b"")
    assert len(page.set_cookies) == 1


def test_assigning_the_session_replaces_it() -> None:
    """`req.session = {…}` is the same as a `session` key."""

    def assign(req: arc.Request) -> dict[str, Any]:
        if req.path == "/set":
            req.session = {"a": 1}
        return {"json": dict(req.session)}

    visitor = browser(assign)
    assert visitor.get("/set").json == {"a": 1}
    assert visitor.get("/").json == {"a": 1}


def test_the_request_is_the_event_with_its_parts() -> None:
    """Every part of the request is there under its name, and the event itself is the dict."""
    seen: list[arc.Request] = []
    visitor = browser(seen.append)
    visitor.post("/users/7?tag=a&tag=b", {"name": "Ada"})
    (req,) = seen
    assert req["version"] == "2.0"
    assert (req.method, req.path) == ("POST", "/users/7")
    assert (req.query["tag"], req.query.getall("tag")) == ("b", ["a", "b"])
    assert req.form["name"] == "Ada"
    assert req.headers["Sec-Fetch-Site"] == "same-origin"
    assert req.text == "name=Ada"
    assert req.cookies == {}


@pytest.mark.parametrize("given", ["get /", {"csrf": True}, True])
def test_what_is_no_function_is_refused_at_once(given: Any) -> None:
    """An option without its name, or a route, is a mistake that no request has to find."""
    with pytest.raises(TypeError, match=r"@arc\.http\.handler\(csrf=True\)"):
        arc.http.handler(given)
