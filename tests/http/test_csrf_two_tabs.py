"""In two tabs with the sign-in form the second one works too, and no other old form does."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest
from hypothesis import given as each
from hypothesis import settings as tested
from hypothesis import strategies as st

import arc
from arc.testing import Browser, alb, payload_v1, payload_v2
from tests.http.making import browser
from tests.sessions.making import Made


def app(req: arc.Request) -> Any:
    """A form at every path. Unsafe methods are verified; then `/sign-in` signs in, `/new` regenerates, `/out` ends."""
    if req.path == "/cart" and req.method == "GET":
        req.session["cart"] = ["book"]
    if req.method == "GET":
        return {"text": arc.http.csrf.token(req, purpose=req.query.get("purpose", ""))}
    arc.http.csrf.verify(req, purpose=req.query.get("purpose", ""))
    if req.path == "/sign-in":
        req.session.sign_in(req.form["user"])
    if req.path == "/new":
        req.session.regenerate()
    if req.path == "/out":
        req.session.sign_out()
    return {"text": req.session.user_id or "no one"}


def send(visitor: Browser, token: str, path: str = "/sign-in", user: str = "ada", **headers: str) -> int:
    """The status of a form sent with a token."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return visitor.post(path, {"_csrf": token, "user": user}, headers=sent).status


@pytest.mark.parametrize("server", [False, True])
@pytest.mark.parametrize("before", ["/", "/cart"])
@pytest.mark.parametrize("build", [payload_v2, payload_v1, alb])
def test_s41_second_tab_can_sign_in(server: bool, before: str, build: Any) -> None:
    """Each tab with an earlier sign-in form can sign in, at once or later, and its POST can be reloaded."""
    made = Made(server=server)
    visitor = Browser(arc.http.handler(manager=made.manager)(app), clock=made.clock, event=build)
    visitor.get(before)
    first, second, third = (visitor.get("/sign-in").text for _ in range(3))
    assert send(visitor, first) == 200
    assert send(visitor, second) == 200
    assert send(visitor, second) == 200
    made.clock.forward(600)
    visitor.get("/")
    assert send(visitor, third) == 200
    assert send(visitor, visitor.get("/sign-in").text) == 200


@pytest.mark.parametrize("server", [False, True])
@pytest.mark.parametrize("before", ["/", "/cart"])
def test_s16_double_clicked_sign_in_ends_signed_in(server: bool, before: str) -> None:
    """The second request has the cookies and the token of the first, and can only sign in."""
    made = Made(server=server)
    visitor, again = (Browser(arc.http.handler(manager=made.manager)(app), clock=made.clock) for _ in range(2))
    visitor.get(before)
    token = visitor.get("/sign-in").text
    again.jar = copy(visitor.jar)
    assert send(visitor, token) == 200
    made.clock.forward(59)
    assert send(again, token) == 200
    assert send(again, again.get("/").text, "/any") == 200
    assert again.post("/any", {"_csrf": again.get("/").text}).text == "ada"
    assert send(again, token, "/any") == 403


def test_s41_earlier_form_is_valid_for_a_minute_after_sign_in() -> None:
    """A request may come with the id from before the sign-in for that long."""
    made = Made(server=True)
    visitor, late = (Browser(arc.http.handler(manager=made.manager)(app), clock=made.clock) for _ in range(2))
    visitor.get("/cart")
    token = visitor.get("/sign-in").text
    late.jar = copy(visitor.jar)
    assert send(visitor, token) == 200
    made.clock.forward(60)
    assert send(late, token) == 403


def test_s41_earlier_form_is_valid_only_for_the_sign_in() -> None:
    """It is refused for another path, for another purpose and after the sign-out."""
    for before in ("/", "/cart"):
        visitor = browser(app)
        visitor.get(before)
        first, second, pay = visitor.get("/").text, visitor.get("/").text, visitor.get("/?purpose=pay").text
        assert send(visitor, first) == 200
        assert send(visitor, second, "/save") == 403
        assert send(visitor, second, "/sign-in?purpose=pay") == 403
        assert send(visitor, pay) == 403
        assert send(visitor, second) == 200
        assert send(visitor, visitor.get("/out").text, "/out") == 200
        assert send(visitor, second) == 403


def test_s41_earlier_form_requires_a_same_origin_page() -> None:
    """The browser must state the same origin, and a client that states nothing is refused."""
    for headers, status in (
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none", "origin": "null"}, 403),
        ({"sec_fetch_site": "none", "origin": "https://app.example"}, 200),
        ({"sec_fetch_site": "cross-site"}, 403),
    ):
        visitor = browser(app)
        first, second = visitor.get("/sign-in").text, visitor.get("/sign-in").text
        assert send(visitor, first) == 200
        assert send(visitor, second, **headers) == status


def test_s41_only_a_sign_in_is_repeated() -> None:
    """After a regeneration or a form that changes nothing, earlier forms are refused."""
    visitor = browser(app)
    send(visitor, visitor.get("/sign-in").text)
    old, again = visitor.get("/new").text, visitor.get("/new").text
    assert send(visitor, old, "/new") == 200
    assert send(visitor, again, "/new") == 403


def test_s41_form_in_the_response_of_a_sign_in_works() -> None:
    """It also works beside a cookie from before the sign-in."""

    def page(req: arc.Request) -> Any:
        if req.method == "POST":
            arc.http.csrf.verify(req)
            req.session.sign_in("ada")
        return {"text": arc.http.csrf.token(req)}

    visitor = browser(page)
    shown = visitor.post("/", {"_csrf": visitor.get("/").text}).text
    assert visitor.post("/", {"_csrf": shown}).status == 200
    assert visitor.post("/elsewhere", {"_csrf": visitor.post("/", {"_csrf": visitor.get("/").text}).text}).status == 200


@tested(deadline=None, max_examples=60)
@each(
    steps=st.lists(st.sampled_from(["/", "/cart", "sign in", "toss"]), max_size=8),
    prepared=st.lists(st.sampled_from(["/", "/cart", "sign in"]), min_size=1, max_size=3),
    server=st.booleans(),
)
def test_s41_attackers_token_is_refused_for_a_victims_sign_in(
    steps: list[str], prepared: list[str], server: bool
) -> None:
    """Mallory's tokens are refused for every action of the victim, with and without planted cookies."""
    made = Made(server=server)
    mallory, victim = browser(app, made), browser(app, made)
    tokens = []
    for visitor, path in [(mallory, path) for path in prepared] + [(victim, path) for path in [*steps, "sign in"]]:
        if path == "sign in":
            assert send(visitor, visitor.get("/sign-in").text, user="mallory" if visitor is mallory else "ada") == 200
        elif path == "toss":
            for name in ("_arc_csrf", "__Host-_arc_csrf"):
                value = mallory.jar.get("__Host-_arc_csrf")
                visitor.jar.receive(f"{name}={value}; Domain=example; Secure; Path=/", "app.example", secure=True)
        else:
            visitor.get(path)
        tokens += [visitor.get("/sign-in").text] if visitor is mallory else []
    assert {send(victim, one) for one in tokens} == {403}
