"""Every way to end a session: `clear`, `destroy`, `sign_out` and an empty dict, in every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import arc
from arc.testing import Browser
from tests.sessions.making import Made, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.session import Session
    from tests.engines import Engine

ENDINGS: dict[str, Callable[[Session], None]] = {
    "clear": lambda session: session.clear(),
    "destroy": lambda session: session.destroy(),
    "sign_out": lambda session: session.sign_out(),
    "replace": lambda session: session.replace({}),
}
ending = pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)


@pytest.fixture(params=["sealed", "memory", "dynamodb"])
def made(request: pytest.FixtureRequest) -> Made:
    """A manager on each store."""
    if request.param == "dynamodb":
        engine: Engine = request.getfixturevalue("ministack")
        return Made(store=Kept(engine).store)
    return Made(server=request.param == "memory")


def signed_in(made: Made) -> str:
    """The cookie value of a visitor who is signed in, with data and a message."""
    session = made.manager.load([])
    session["cart"] = ["book"]
    session.flash("info", "Welcome")
    session.sign_in("ada")
    return value_of(made.manager.commit(session)[0])


@ending
def test_s21_an_ended_session_leaves_nothing_behind(made: Made, end: Callable[[Session], None]) -> None:
    """Data, messages, principal, sign-in time and cookie are gone, and a revocable store forgets the id."""
    value = signed_in(made)
    session = made.manager.load([value])
    end(session)
    assert (dict(session), session.flashes(), session.user_id, session.signed_in_at) == ({}, [], None, None)
    cookies = made.manager.commit(session)
    assert [value_of(cookie) for cookie in cookies] == [""]
    assert all("Max-Age=0" in cookie for cookie in cookies)
    assert made.names[-1] == "destroyed"
    if made.manager.store.revocable:
        assert made.manager.load([value]).is_new


@ending
@pytest.mark.parametrize("later", ["data", "message"])
def test_s21_what_follows_an_end_begins_a_session_of_nobody(
    made: Made, end: Callable[[Session], None], later: str
) -> None:
    """Data or a message after the end belongs to a new session: another id, another beginning, no principal."""
    value = signed_in(made)
    before = made.manager.load([value])
    made.clock.forward(60)
    session = made.manager.load([value])
    end(session)
    if later == "data":
        session["theme"] = "dark"
    else:
        session.flash("info", "Goodbye")
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (again.user_id, again.signed_in_at, again.is_new) == (None, None, False)
    assert again.id not in ("", before.id)
    assert again.created_at == before.created_at + 60
    assert dict(again) == ({"theme": "dark"} if later == "data" else {})
    assert again.flashes() == ([] if later == "data" else ["Goodbye"])
    if made.manager.store.revocable:
        assert made.manager.load([value]).is_new


def test_s21_a_new_sign_in_after_clear_has_nothing_of_the_old_session(made: Made) -> None:
    """`clear` and then `sign_in`, as Flask's and Django's users sign in, keeps no data and no creation time."""
    value = signed_in(made)
    made.clock.forward(60)
    session = made.manager.load([value])
    session.clear()
    session.sign_in("grace")
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (dict(again), again.flashes(), again.user_id) == ({}, [], "grace")
    assert again.created_at == again.signed_in_at == int(made.clock())


def test_deleting_every_key_keeps_the_visitor_signed_in(made: Made) -> None:
    """A session can be emptied without ending it."""
    session = made.manager.load([signed_in(made)])
    for key in list(session):
        del session[key]
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (dict(again), again.user_id) == ({}, "ada")


def test_s21_a_response_with_an_empty_session_signs_out(made: Made) -> None:
    """`{"session": {}}` and `req.session = {}` end the session of a browser that is signed in."""

    @arc.http.handler(manager=made.manager)
    def handler(req: arc.Request) -> object:
        if req.path == "/in":
            req.session.sign_in("ada")
        elif req.path == "/response":
            return {"session": {}}
        elif req.path == "/assignment":
            req.session = {}
        return {"text": req.session.user_id or "no one"}

    browser = Browser(handler, clock=made.clock)
    for path in ("/response", "/assignment"):
        browser.get("/in")
        assert browser.get("/").text == "ada"
        browser.get(path)
        assert browser.jar.send("app.example", "/", secure=True) == []
        assert browser.get("/").text == "no one"
