"""SECURITY 41: CSRF tokens prove that a form was sent from the application's own page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given as each
from hypothesis import settings as tested
from hypothesis import strategies as st

import arc
from arc.testing import Browser, alb, payload_v1, payload_v2, vpc_lattice
from tests.http.making import browser
from tests.sessions.making import Made

COOKIE = "__Host-_arc_csrf"


def app(req: arc.Request) -> dict[str, Any]:
    """Pages with a form: `/in` signs in, `/out` signs out, `/cart` writes data. Unsafe methods are verified."""
    if req.path == "/in":
        req.session.sign_in("ada")
    if req.path == "/out":
        req.session.sign_out()
    if req.path == "/cart":
        req.session["cart"] = ["book"]
    if req.method != "GET":
        arc.http.csrf.verify(req, purpose=req.query.get("purpose", ""))
        return {"text": "done"}
    return {"html": f"<form>{arc.http.csrf.field(req, purpose=req.query.get('purpose', ''))}</form>"}


def token(visitor: Browser, path: str = "/") -> str:
    """The token in the form at `path`."""
    found = re.search(r'name="_csrf" value="([\w=-]+)"', visitor.get(path).text)
    assert found
    return found[1]


def send(visitor: Browser, form_token: str, path: str = "/save", **headers: str) -> int:
    """The status of a form sent with a token."""
    return visitor.post(
        path, {"_csrf": form_token}, headers={name.replace("_", "-"): value for name, value in headers.items()}
    ).status


def test_s41_visitor_without_a_session_can_send_a_form() -> None:
    """The token is bound to a separate cookie, without a session or a row."""
    made = Made(server=True)
    visitor = browser(app, made)
    form_token = token(visitor)
    assert send(visitor, form_token) == 200
    assert visitor.jar.get(COOKIE)
    assert visitor.jar.get("_idx") is None
    assert made.store is not None
    assert len(made.store) == 0


def test_s02_every_csrf_cookie_has_a_new_nonce() -> None:
    """Each page for a visitor without a session seals the cookie with another nonce."""
    visitor = browser(app)
    nonces = set()
    for _ in range(50):
        token(visitor)
        nonces.add((visitor.jar.get(COOKIE) or "").split(".")[2])
    assert len(nonces) == 50
    assert {len(nonce) for nonce in nonces} == {16}


def test_s41_every_call_returns_a_new_token() -> None:
    """Two tokens of one moment and one visitor differ, so compressing a page reveals nothing about them."""
    visitor = browser(app)
    visitor.get("/in")
    assert len({token(visitor) for _ in range(50)}) == 50


def test_s41_session_needs_no_second_cookie() -> None:
    """The token is bound to the session."""
    visitor = browser(app)
    visitor.get("/in")
    visitor.jar.receive(f"{COOKIE}=; Max-Age=0; Path=/; Secure", "app.example", secure=True)
    assert send(visitor, token(visitor)) == 200
    assert visitor.jar.get(COOKIE) is None


def test_s41_tab_from_before_the_session_still_works() -> None:
    """Another tab may begin the session by putting something into the cart."""
    visitor = browser(app)
    form_token = token(visitor)
    visitor.get("/cart")
    assert visitor.jar.get("_idx")
    for _ in range(2):
        assert send(visitor, form_token) == 200
        visitor.get("/cart")


@pytest.mark.parametrize("server", [False, True])
@pytest.mark.parametrize("way", ["key", "dict", "response"])
def test_s41_form_from_before_the_session_stays_valid(server: bool, way: str) -> None:
    """It does not matter how the session begins, even by writing a plain dict."""

    def shop(req: arc.Request) -> dict[str, Any]:
        if req.path != "/cart":
            return app(req)
        if way == "dict":
            return {"cookie": arc.http.session.write({"cart": ["book"]})}
        if way == "response":
            return {"session": {"cart": ["book"]}}
        req.session["cart"] = ["book"]
        return {}

    visitor = browser(shop, Made(server=server))
    form_token = token(visitor)
    visitor.get("/cart")
    assert send(visitor, form_token) == 200


@pytest.mark.parametrize("shown_before", [False, True])
@pytest.mark.parametrize("build", [payload_v2, payload_v1, alb])
def test_s41_form_in_the_response_that_begins_a_session_works(build: Any, shown_before: bool) -> None:
    """It works with and without a form that was shown before."""
    for server in (False, True):
        made = Made(server=server)
        visitor = Browser(arc.http.handler(manager=made.manager)(app), clock=made.clock, event=build)
        if shown_before:
            token(visitor)
        form_token = token(visitor, "/cart")
        assert visitor.jar.get("_idx")
        assert send(visitor, form_token) == 200


def test_s41_a_form_in_the_response_that_ends_the_session_works() -> None:
    """The page after a sign-out has a form that works, with and without a message in a new session.

    So it does beside a cookie of a visitor without a session, which a slow response may have set in between.
    """

    def leaving(req: arc.Request) -> dict[str, Any]:
        if req.path == "/bye":
            req.session.sign_out()
            req.session.flash("info", "Goodbye")
        return app(req)

    for path in ("/out", "/bye"):
        for slow in (False, True):
            made = Made()
            visitor, other = browser(leaving, made), browser(leaving, made)
            token(other)
            visitor.get("/cart")
            if slow:
                visitor.jar.put(COOKIE, other.jar.get(COOKIE) or "", "app.example")
            assert send(visitor, token(visitor, path)) == 200


def test_s41_earlier_form_is_valid_only_for_the_new_session() -> None:
    """The cookie of a visitor without a session is invalid for other sessions and after the session's end."""
    made = Made()
    visitor, other = browser(app, made), browser(app, made)
    form_token = token(visitor)
    visitor.get("/cart")
    other.get("/cart")
    other.jar.put(COOKIE, visitor.jar.get(COOKIE) or "", "app.example")
    assert send(other, form_token) == 403
    assert send(visitor, form_token) == 200
    visitor.get("/out")
    assert send(visitor, form_token) == 403
    assert send(visitor, token(visitor)) == 200


@pytest.mark.parametrize("environment", ["production", "testing"])
def test_s41_session_ignores_a_cookie_of_a_sibling_host(environment: str) -> None:
    """A cookie and token that Mallory plants during an anonymous session do not match it."""
    made = Made(environment=environment)
    mallory, victim = browser(app, made), browser(app, made)
    form_token = token(mallory)
    (name,) = (name for name in (COOKIE, "_arc_csrf") if mallory.jar.get(name))
    for before in ("/cart", "/"):
        victim.get(before)
        victim.get("/cart")
        victim.jar.put(name, mallory.jar.get(name) or "", "app.example")
        for _ in range(2):
            assert send(victim, form_token) == 403
            victim.get("/cart")


@pytest.mark.parametrize("first", [True, False])
def test_s41_two_csrf_cookies_are_refused(first: bool) -> None:
    """A sibling host may have set either of them."""
    made = Made(environment="testing")
    mallory, victim = browser(app, made), browser(app, made)
    tossed, own = token(mallory), token(victim)
    theirs, ours = mallory.jar.get("_arc_csrf"), victim.jar.get("_arc_csrf")
    cookies = [f"_arc_csrf={theirs}", f"_arc_csrf={ours}"][:: 1 if first else -1]
    for form_token in (tossed, own):
        event = payload_v2("POST", headers={"host": "app.example", "x-csrf-token": form_token}, cookies=cookies)
        assert victim.handler(event, None)["statusCode"] == 403


@tested(deadline=None, max_examples=60)
@each(
    steps=st.lists(st.sampled_from(["/", "/cart", "/in", "/out", "toss"]), max_size=8),
    prepared=st.lists(st.sampled_from(["/", "/cart", "/in"]), min_size=1, max_size=3),
    server=st.booleans(),
)
def test_s41_cookies_of_a_sibling_host_make_no_token_valid(steps: list[str], prepared: list[str], server: bool) -> None:
    """This holds for anything that the visitor does before and after."""
    made = Made(server=server)
    mallory, victim = browser(app, made), browser(app, made)
    form_token = [token(mallory, path) for path in prepared]
    for step in [*steps, "toss"]:
        if step != "toss":
            victim.get(step)
            continue
        for name in ("_arc_csrf", COOKIE):
            for value in (mallory.jar.get(COOKIE), mallory.jar.get("_idx")):
                for attributes in ("; Domain=example; Secure; Path=/", "; Domain=app.example; Secure; Path=/save"):
                    victim.jar.receive(f"{name}={value}{attributes}", "app.example", secure=True)
        assert {send(victim, one) for one in form_token} == {403}


def test_s24_csrf_cookie_has_the_host_prefix_where_secure() -> None:
    """It is Secure, HttpOnly and SameSite without a Domain, and has no prefix in testing."""
    for made in (Made(), Made(environment="staging"), Made(domain="app.example", path="/shop")):
        (cookie,) = browser(app, made).get("/").set_cookies
        name, *attributes = re.split("[=;] ?", cookie)
        assert name == COOKIE
        assert {"HttpOnly", "Secure", "SameSite", "Path"} < set(attributes)
        assert "; Path=/; " in cookie
        assert "Domain" not in cookie
    (cookie,) = browser(app, Made(environment="testing")).get("/").set_cookies
    assert cookie.startswith("_arc_csrf=")
    assert "Secure" not in cookie


def test_s41_sign_in_invalidates_earlier_tokens() -> None:
    """Earlier forms are refused, with and without a session before the sign-in."""
    for first in ("/", "/cart"):
        visitor = browser(app)
        form_token = token(visitor, first)
        visitor.get("/in")
        assert send(visitor, form_token) == 403
        assert send(visitor, token(visitor)) == 200


def test_s41_another_visitors_token_is_refused() -> None:
    """A token is valid only for the visitor whom it was made for."""
    made = Made()
    for path in ("/", "/cart", "/in"):
        mallory, victim = browser(app, made), browser(app, made)
        form_token = token(mallory, path)
        token(victim, path)
        assert send(victim, form_token) == 403


def test_s41_old_token_is_refused() -> None:
    """Tokens are valid for twelve hours, to the second."""
    made = Made()
    visitor = browser(app, made)
    form_token = token(visitor, "/in")
    made.clock.forward(hours=12)
    assert send(visitor, form_token) == 200
    made.clock.forward(1)
    assert send(visitor, form_token) == 403


def test_s41_changed_token_is_refused() -> None:
    """A changed time, nonce or MAC is refused, and so is any malformed token."""
    visitor = browser(app)
    form_token = token(visitor, "/in")
    for position in range(0, len(form_token), 3):
        other = "A" if form_token[position] != "A" else "B"
        assert send(visitor, form_token[:position] + other + form_token[position + 1 :]) == 403
    for garbage in ("", "x", form_token[:-4], form_token + "AAAA", "é" * 30, "=" * 64):
        assert send(visitor, garbage) == 403


def test_s41_token_is_valid_only_for_its_purpose() -> None:
    """A token for one action is refused for another."""
    visitor = browser(app)
    form_token = token(visitor, "/in?purpose=pay")
    assert send(visitor, form_token, "/save?purpose=pay") == 200
    assert send(visitor, form_token, "/save?purpose=delete") == 403
    assert send(visitor, form_token) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_s41_another_site_is_refused_with_any_token(site: str) -> None:
    """Sec-Fetch-Site is checked first, and a sibling subdomain is another site."""
    visitor = browser(app)
    assert send(visitor, token(visitor, "/in"), sec_fetch_site=site) == 403


def test_s41_origin_is_checked_without_fetch_metadata() -> None:
    """Without Sec-Fetch-Site the Origin's host must be the request's, and null is refused."""

    def handler(event: dict[str, Any], context: object) -> Any:
        event["headers"].pop("sec-fetch-site", None)
        return decorated(event, context)

    visitor = browser(app)
    decorated = visitor.handler
    visitor.handler = handler
    form_token = token(visitor, "/in")
    assert send(visitor, form_token) == 200
    assert send(visitor, form_token, origin="https://app.example") == 200
    for foreign in ("https://evil.example", "https://app.example.evil.example", "null", ""):
        assert send(visitor, form_token, origin=foreign) == 403


@pytest.mark.parametrize(
    ("environment", "forwarded", "own"),
    [
        ("production", None, "https"),
        ("production", "https", "https"),
        ("production", "http", "https"),
        ("testing", "https", "https"),
        ("testing", "http", "http"),
    ],
)
def test_s41_scheme_of_origin_is_checked(environment: str, forwarded: str | None, own: str) -> None:
    """An attacker on the network can write a page that was not served over TLS."""
    made = Made(environment=environment)
    visitor = browser(app, made)
    form_token, cookies = token(visitor, "/in"), visitor.jar.send("app.example", "/", secure=True)
    for scheme in ("https", "http", "ftp", ""):
        headers = {"host": "app.example", "origin": f"{scheme}://app.example", "x-csrf-token": form_token}
        if forwarded:
            headers["x-forwarded-proto"] = forwarded
        status = visitor.handler(payload_v2("POST", headers=headers, cookies=cookies), None)["statusCode"]
        assert status == (200 if scheme == own else 403)


def test_s41_decorator_verifies_unsafe_methods() -> None:
    """`csrf=True` verifies before the handler runs, and GET passes."""
    ran: list[str] = []

    def work(req: arc.Request) -> dict[str, Any]:
        ran.append(req.method)
        return {"html": arc.http.csrf.field(req)}

    visitor = browser(work, csrf=True)
    form_token = token(visitor)
    assert send(visitor, "") == 403
    assert send(visitor, form_token) == 200
    assert visitor.post("/", json={}, headers={"x-csrf-token": form_token}).status == 200
    assert ran == ["GET", "POST", "POST"]


def test_s12_csrf_cookie_and_session_cookie_are_not_interchangeable() -> None:
    """Neither opens in place of the other."""
    made = Made()
    visitor = browser(app, made)
    visitor.get("/")
    csrf = visitor.jar.get(COOKIE)
    assert csrf
    assert made.manager.load([csrf]).is_new
    visitor.get("/cart")
    session = visitor.jar.get("_idx")
    assert session
    thief = browser(app, made)
    thief.jar.put(COOKIE, session, "app.example")
    form_token = token(visitor)
    assert send(thief, form_token) == 403


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"version": "3.0", "request": {"method": "POST"}},
        {"Records": [{"cf": {"request": {"method": "POST", "uri": "/"}}}]},
        {"version": "2.0", "rawPath": "/", "requestContext": {"http": None}},
        {"resource": "/", "httpMethod": None, "requestContext": {}},
        {"method": "POST", "path": "/"},
        payload_v2("", "/"),
        vpc_lattice("POST"),
        vpc_lattice("DELETE", version=1),
    ],
)
def test_s41_event_without_a_known_method_is_verified(event: dict[str, Any]) -> None:
    """`csrf=True` lets only known safe methods pass without a token."""
    ran: list[arc.Request] = []
    made = Made()
    reply = arc.http.handler(manager=made.manager, csrf=True)(ran.append)(event, None)
    assert (reply["statusCode"], ran) == (403, [])
    named = event.get("method") in ("POST", "DELETE")
    assert ("the event has no method" in made.events[-1].reason) is not named


@pytest.mark.parametrize("version", [1, 2])
def test_s41_forms_work_behind_vpc_lattice(version: int) -> None:
    """They work with both versions of its event."""

    def build(*args: Any, **options: Any) -> dict[str, Any]:
        return vpc_lattice(*args, version=version, **options)

    made = Made()
    visitor = Browser(arc.http.handler(manager=made.manager)(app), clock=made.clock, event=build)
    assert send(visitor, token(visitor)) == 200
    visitor.get("/in")
    assert send(visitor, token(visitor)) == 200
    assert send(visitor, "") == 403
