"""SECURITY 41: proof that a form was sent from the application's own page."""

from __future__ import annotations

import re
from typing import Any

import pytest

import arc
from arc.testing import Browser
from tests.http.making import browser
from tests.sessions.making import Made


def app(req: arc.Request) -> dict[str, Any]:
    """Pages with a form: `/` shows it, `/in` signs in, `/cart` writes data, anything else verifies."""
    if req.path == "/in":
        req.session.sign_in("ada")
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


def send(visitor: Browser, given: str, path: str = "/save", **headers: str) -> int:
    """The status of a form sent with a token."""
    return visitor.post(
        path, {"_csrf": given}, headers={name.replace("_", "-"): value for name, value in headers.items()}
    ).status


def test_s41_a_visitor_without_a_session_can_send_a_form() -> None:
    """The token is bound to a separate cookie: no session, no row."""
    made = Made(server=True)
    visitor = browser(app, made)
    given = token(visitor)
    assert send(visitor, given) == 200
    assert visitor.jar.get("_arc_csrf")
    assert visitor.jar.get("_idx") is None
    assert made.store is not None
    assert len(made.store) == 0


def test_s02_every_csrf_cookie_is_sealed_with_a_nonce_of_its_own() -> None:
    """Each page shown to a visitor without a session seals the cookie again: no two nonces are alike."""
    visitor = browser(app)
    nonces = set()
    for _ in range(50):
        token(visitor)
        nonces.add((visitor.jar.get("_arc_csrf") or "").split(".")[2])
    assert len(nonces) == 50
    assert {len(nonce) for nonce in nonces} == {16}


def test_s41_a_token_is_new_on_every_call() -> None:
    """Two tokens of one moment and one visitor differ, so that compressing a page tells nothing about them."""
    visitor = browser(app)
    visitor.get("/in")
    assert len({token(visitor) for _ in range(50)}) == 50


def test_s41_a_session_needs_no_second_cookie() -> None:
    """With a session the token is bound to it."""
    visitor = browser(app)
    visitor.get("/in")
    visitor.jar.receive("_arc_csrf=; Max-Age=0; Path=/", "app.example", secure=True)
    assert send(visitor, token(visitor)) == 200
    assert visitor.jar.get("_arc_csrf") is None


def test_s41_a_tab_opened_before_the_session_began_still_works() -> None:
    """A form rendered for nobody is good after another tab put something into the cart."""
    visitor = browser(app)
    given = token(visitor)
    visitor.get("/cart")
    assert visitor.jar.get("_idx")
    assert send(visitor, given) == 200


def test_s41_the_token_changes_at_sign_in() -> None:
    """What was rendered before the sign-in is void after it, with and without a session before."""
    for first in ("/", "/cart"):
        visitor = browser(app)
        given = token(visitor, first)
        visitor.get("/in")
        assert send(visitor, given) == 403
        assert send(visitor, token(visitor)) == 200


def test_s41_another_visitors_token_fails() -> None:
    """A token is good for the one it was made for."""
    made = Made()
    for path in ("/", "/cart", "/in"):
        mallory, victim = browser(app, made), browser(app, made)
        given = token(mallory, path)
        token(victim, path)
        assert send(victim, given) == 403


def test_s41_an_old_token_fails() -> None:
    """Twelve hours are good, a second more is not."""
    made = Made()
    visitor = browser(app, made)
    given = token(visitor, "/in")
    made.clock.forward(hours=12)
    assert send(visitor, given) == 200
    made.clock.forward(1)
    assert send(visitor, given) == 403


def test_s41_every_character_counts() -> None:
    """A changed time, nonce or MAC fails, and so does everything that is no token."""
    visitor = browser(app)
    given = token(visitor, "/in")
    for position in range(0, len(given), 3):
        other = "A" if given[position] != "A" else "B"
        assert send(visitor, given[:position] + other + given[position + 1 :]) == 403
    for garbage in ("", "x", given[:-4], given + "AAAA", "é" * 30, "=" * 64):
        assert send(visitor, garbage) == 403


def test_s41_a_token_is_for_its_purpose() -> None:
    """A token for one action is refused for another."""
    visitor = browser(app)
    given = token(visitor, "/in?purpose=pay")
    assert send(visitor, given, "/save?purpose=pay") == 200
    assert send(visitor, given, "/save?purpose=delete") == 403
    assert send(visitor, given) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_s41_another_site_is_refused_whatever_its_token(site: str) -> None:
    """Sec-Fetch-Site is looked at first; a sibling subdomain is foreign."""
    visitor = browser(app)
    assert send(visitor, token(visitor, "/in"), sec_fetch_site=site) == 403


def test_s41_origin_speaks_where_fetch_metadata_is_absent() -> None:
    """Without Sec-Fetch-Site the Origin's host must be the request's; null is foreign."""

    def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
        event["headers"].pop("sec-fetch-site", None)
        return decorated(event, context)

    visitor = browser(app)
    decorated = visitor.handler
    visitor.handler = handler
    given = token(visitor, "/in")
    assert send(visitor, given) == 200
    assert send(visitor, given, origin="https://app.example") == 200
    for foreign in ("https://evil.example", "https://app.example.evil.example", "null", ""):
        assert send(visitor, given, origin=foreign) == 403


def test_s41_safe_methods_need_none_and_the_decorator_can_verify() -> None:
    """`csrf=True` verifies before the handler runs; GET passes."""
    ran: list[str] = []

    def work(req: arc.Request) -> dict[str, Any]:
        ran.append(req.method)
        return {"html": arc.http.csrf.field(req)}

    visitor = browser(work, csrf=True)
    given = token(visitor)
    assert send(visitor, "") == 403
    assert send(visitor, given) == 200
    assert visitor.post("/", json={}, headers={"x-csrf-token": given}).status == 200
    assert ran == ["GET", "POST", "POST"]


def test_s12_csrf_cookie_and_session_are_not_each_other() -> None:
    """A token made for one purpose opens nothing at another."""
    made = Made()
    visitor = browser(app, made)
    visitor.get("/")
    csrf = visitor.jar.get("_arc_csrf")
    assert csrf
    assert made.manager.load([csrf]).is_new
    visitor.get("/cart")
    session = visitor.jar.get("_idx")
    assert session
    thief = browser(app, made)
    thief.jar.put("_arc_csrf", session, "app.example")
    given = token(visitor)
    assert send(thief, given) == 403
