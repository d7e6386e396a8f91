"""What a refused form says to its visitor and to the operator."""

from __future__ import annotations

from typing import Any

import pytest

import arc
from arc.testing import Browser
from tests.http.making import browser
from tests.sessions.making import Made

PAGE = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def app(req: arc.Request) -> Any:
    """A form at every path: `/in` signs in, `/pay` has a purpose of its own, and a POST is verified."""
    purpose = "pay" if req.path == "/pay" else ""
    if req.method == "POST":
        arc.http.csrf.verify(req, purpose=purpose)
        return {"text": "done"}
    if req.path == "/in":
        req.session.sign_in("ada")
    return {"text": arc.http.csrf.token(req, purpose=purpose)}


def refused(visitor: Browser, made: Made, path: str = "/", form: dict[str, str] | None = None, **headers: str) -> str:
    """The sentence that a form was answered with, after the reason that the operator was told."""
    page = visitor.post(path, form or {}, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert page.status == 403
    assert made.events[-1].name == "csrf_refused"
    return f"{made.events[-1].reason} -> {page.json['message']}"


def test_s41_each_of_four_causes_has_its_own_sentence() -> None:
    """Another site, no token, no cookie, another form or sign-in: the visitor and the operator read which one."""
    made = Made()
    visitor = browser(app, made)
    given = visitor.get("/").text
    site = refused(visitor, made, form={"_csrf": given}, sec_fetch_site="cross-site")
    assert "from another site, so it was not carried out. Open the form on this site" in site

    token = refused(visitor, made, form={"csrf": given})
    assert "the form field _csrf or in the header x-csrf-token" in token
    assert "no '_csrf' in a body of type 'application/x-www-form-urlencoded'" in token

    nobody = browser(app, made)
    cookie = refused(nobody, made, form={"_csrf": given})
    assert "sent no cookie" in cookie
    assert "neither of the cookies '_idx' and '__Host-_arc_csrf' came (SameSite=Lax)" in cookie

    visitor.get("/in")
    form = refused(visitor, made, form={"_csrf": given})
    assert "opened before you signed in or out. Go back, reload the form and send it again." in form
    assert "belongs to another session or purpose than that of a signed-in visitor" in form
    assert len({one.partition(" -> ")[2] for one in (site, token, cookie, form)}) == 4


def test_s41_the_operator_reads_why_a_form_is_not_good() -> None:
    """An old token with its age, a malformed one with its length, one of another purpose; no token is ever shown."""
    made = Made()
    visitor = browser(app, made)
    given = visitor.get("/").text
    assert "characters and is malformed; one of ours has 64" in refused(visitor, made, form={"_csrf": given + "x"})
    assert "another session or purpose" in refused(visitor, made, "/pay", form={"_csrf": given})
    made.clock.forward(hours=11)
    visitor.get("/")
    made.clock.forward(hours=1, seconds=1)
    assert "the token is 43,201 seconds old; at most 43,200 are" in refused(visitor, made, form={"_csrf": given})
    assert not any(given[:20] in event.reason for event in made.events)


@pytest.mark.parametrize(("age", "is_good"), [(-301, False), (-300, True), (43_200, True), (43_201, False)])
def test_s41_a_token_is_good_for_twelve_hours_and_for_clocks_that_differ_by_minutes(age: int, *, is_good: bool) -> None:
    """To the second; a token from a machine whose clock is more than five minutes ahead is none of ours."""
    made = Made()
    visitor = browser(app, made)
    given = visitor.get("/").text
    made.clock.forward(age - 1)
    visitor.get("/")  # the cookie's time is renewed
    made.clock.forward(1)
    assert visitor.post("/", {"_csrf": given}).status == (200 if is_good else 403)
    assert is_good or f"the token is {age:,} seconds old; at most 43,200 are" in made.events[-1].reason


def test_s41_the_operator_reads_whose_form_it_was() -> None:
    """The event has the session that the handler had read, where there was one."""

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
def test_s41_the_advice_helps(path: str) -> None:
    """Who goes back, reloads the form and sends it again gets through."""
    made = Made()
    visitor = browser(app, made)
    old = visitor.get("/").text
    visitor.get("/in")
    assert "reload the form" in refused(visitor, made, form={"_csrf": old})
    assert visitor.post("/", {"_csrf": visitor.get(path).text}).text == "done"


def test_s41_a_browser_gets_a_page_and_a_script_json() -> None:
    """The sentence is HTML where the Accept header asks for it, for each kind of refusal."""

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
def test_s41_a_token_in_a_json_object_counts(content_type: str) -> None:
    """As `_csrf` of a JSON body; anything else there is no token, and a body that is no JSON is malformed."""
    made = Made()
    visitor = browser(app, made)
    given = visitor.get("/").text
    headers = {"content-type": content_type}
    assert visitor.post("/", json={"_csrf": given}, headers=headers).text == "done"
    for body in ([given], given, {"_csrf": [given]}, {"_csrf": None}, {"token": given}, 7):
        assert visitor.post("/", json=body, headers=headers).status == 403
        assert f"no '_csrf' in a body of type '{content_type}'" in made.events[-1].reason
    assert visitor.post("/", json={"_csrf": given}, headers={"content-type": "text/plain"}).status == 403
    assert visitor.post("/", {"a": "{"}, headers=headers).status == 400
