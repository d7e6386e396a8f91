"""The message of a refused form for its visitor, and the reason for the operator."""

from __future__ import annotations

from typing import Any

import pytest

import arc
from arc.testing import Browser
from tests.http.making import browser
from tests.sessions.making import Made

PAGE = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def app(req: arc.Request) -> Any:
    """A form at every path: `/in` signs in, `/pay` has its own purpose, and POST requests are verified."""
    purpose = "pay" if req.path == "/pay" else ""
    if req.method == "POST":
        arc.http.csrf.verify(req, purpose=purpose)
        return {"text": "done"}
    if req.path == "/in":
        req.session.sign_in("ada")
    return {"text": arc.http.csrf.token(req, purpose=purpose)}


def refused(visitor: Browser, made: Made, path: str = "/", form: dict[str, str] | None = None, **headers: str) -> str:
    """The operator's reason and the visitor's message for a refused form."""
    page = visitor.post(path, form or {}, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert page.status == 403
    assert made.events[-1].name == "csrf_refused"
    return f"{made.events[-1].reason} -> {page.json['message']}"


def test_s41_each_cause_has_its_own_message() -> None:
    """The causes are another site, no token, no cookie, and another form or sign-in."""
    made = Made()
    visitor = browser(app, made)
    form_token = visitor.get("/").text
    site = refused(visitor, made, form={"_csrf": form_token}, sec_fetch_site="cross-site")
    assert "from another site, so it was not carried out. Open the form on this site" in site

    token = refused(visitor, made, form={"csrf": form_token})
    assert "the form field _csrf or in the header x-csrf-token" in token
    assert "no '_csrf' in a body of type 'application/x-www-form-urlencoded'" in token

    without_cookie = browser(app, made)
    cookie = refused(without_cookie, made, form={"_csrf": form_token})
    assert "sent no cookie" in cookie
    assert "neither of the cookies '_idx' and '__Host-_arc_csrf' (SameSite=Lax)" in cookie

    visitor.get("/in")
    form = refused(visitor, made, form={"_csrf": form_token})
    assert "opened before you signed in or out. Go back, reload the form and send it again." in form
    assert "belongs to another session or purpose than that of a signed-in visitor" in form
    assert len({one.partition(" -> ")[2] for one in (site, token, cookie, form)}) == 4


def test_s41_event_has_the_reason() -> None:
    """It has the age of an old token, the length of a malformed one or the wrong purpose, and never a token."""
    made = Made()
    visitor = browser(app, made)
    form_token = visitor.get("/").text
    assert "characters and is malformed; a token has 64" in refused(visitor, made, form={"_csrf": form_token + "x"})
    assert "another session or purpose" in refused(visitor, made, "/pay", form={"_csrf": form_token})
    made.clock.forward(hours=11)
    visitor.get("/")
    made.clock.forward(hours=1, seconds=1)
    assert "the token is 43,201 seconds old; at most 43,200 are" in refused(visitor, made, form={"_csrf": form_token})
    assert not any(form_token[:20] in event.reason for event in made.events)


@pytest.mark.parametrize(("age", "is_good"), [(-301, False), (-300, True), (43_200, True), (43_201, False)])
def test_s41_token_is_valid_for_twelve_hours(age: int, *, is_good: bool) -> None:
    """The limit is exact, and a token from more than five minutes in the future is refused."""
    made = Made()
    visitor = browser(app, made)
    form_token = visitor.get("/").text
    made.clock.forward(age - 1)
    visitor.get("/")  # the cookie's time is renewed
    made.clock.forward(1)
    assert visitor.post("/", {"_csrf": form_token}).status == (200 if is_good else 403)
    assert is_good or f"the token is {age:,} seconds old; at most 43,200 are" in made.events[-1].reason


def test_s41_event_has_the_session() -> None:
    """It has the session that the handler used, if there is one."""

    def reading(req: arc.Request) -> Any:
        assert req.session.user_id in (None, "ada")
        return app(req)

    made = Made()
    visitor = browser(reading, made)
    refused(visitor, made)
    assert not made.events[-1].session
    visitor.get("/in")
    (signed_in,) = {event.session for event in made.events if event.name == "created"}
    refused(visitor, made)
    assert made.events[-1].session == signed_in


@pytest.mark.parametrize("path", ["/", "/in"])
def test_s41_reloaded_form_is_accepted(path: str) -> None:
    """A visitor who follows the message can send the form."""
    made = Made()
    visitor = browser(app, made)
    old = visitor.get("/").text
    visitor.get("/in")
    assert "reload the form" in refused(visitor, made, form={"_csrf": old})
    assert visitor.post("/", {"_csrf": visitor.get(path).text}).text == "done"


def test_s41_refusal_is_html_for_browsers_and_json_for_scripts() -> None:
    """The Accept header decides for each kind of refusal."""

    def refusing(req: arc.Request) -> None:
        if req.path == "/csrf":
            arc.http.csrf.verify(req)
        if req.path == "/fresh":
            req.session.require_fresh(60)
        raise arc.BadRequest("a < b")

    visitor = browser(refusing)
    for path, status, title in (
        ("/csrf", 403, "403 Forbidden"),
        ("/fresh", 401, "401 Unauthorized"),
        ("/", 400, "400 Bad Request"),
    ):
        page = visitor.post(path, headers=PAGE)
        script = visitor.post(path, headers={"accept": "*/*"})
        assert (page.status, script.status) == (status, status)
        assert page.headers["content-type"].startswith("text/html")
        assert f"<title>{title}</title>" in page.text
        assert script.headers["content-type"].startswith("application/json")
        sentence = script.json["message"]
        assert sentence.replace("<", "&lt;") in page.text


@pytest.mark.parametrize("content_type", ["application/json", "application/vnd.api+json; charset=utf-8"])
def test_s41_token_in_a_json_object_is_accepted(content_type: str) -> None:
    """Only `_csrf` of a JSON object is a token, and malformed JSON is a bad request."""
    made = Made()
    visitor = browser(app, made)
    form_token = visitor.get("/").text
    headers = {"content-type": content_type}
    assert visitor.post("/", json={"_csrf": form_token}, headers=headers).text == "done"
    for body in ([form_token], form_token, {"_csrf": [form_token]}, {"_csrf": None}, {"token": form_token}, 7):
        assert visitor.post("/", json=body, headers=headers).status == 403
        assert f"no '_csrf' in a body of type '{content_type}'" in made.events[-1].reason
    assert visitor.post("/", json={"_csrf": form_token}, headers={"content-type": "text/plain"}).status == 403
    assert visitor.post("/", {"a": "{"}, headers=headers).status == 400
