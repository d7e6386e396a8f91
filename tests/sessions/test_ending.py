"""Ending a session with `clear`, `destroy`, `sign_out` and an empty dict, in every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import arc
from arc.testing import Browser
from tests.sessions.conftest import STORES, manager_on
from tests.sessions.making import Made, value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.session import Session

ENDINGS: dict[str, Callable[[Session], None]] = {
    "clear": lambda session: session.clear(),
    "destroy": lambda session: session.destroy(),
    "sign_out": lambda session: session.sign_out(),
    "replace": lambda session: session.replace({}),
}
ending = pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)


def signed_in(made: Made) -> str:
    """Return the cookie value of a signed-in visitor with data and a message."""
    session = made.manager.load([])
    session["cart"] = ["book"]
    session.flash("info", "Welcome")
    session.sign_in("ada")
    return value_of(made.manager.commit(session)[0])


@ending
def test_s21_an_ended_session_is_removed(made: Made, end: Callable[[Session], None]) -> None:
    """Data, messages, principal, sign-in time and cookie are removed, and a revocable store forgets the id."""
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
def test_s21_data_after_an_end_begins_an_anonymous_session(
    made: Made, end: Callable[[Session], None], later: str
) -> None:
    """Data or a message after the end is stored with another id, another creation time and no principal."""
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
    """`clear` and then `sign_in`, as in Flask and Django, keeps no data and no creation time."""
    value = signed_in(made)
    made.clock.forward(60)
    session = made.manager.load([value])
    session.clear()
    session.sign_in("grace")
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (dict(again), again.flashes(), again.user_id) == ({}, [], "grace")
    assert again.created_at == again.signed_in_at == int(made.clock())


def test_deleting_every_key_keeps_the_visitor_signed_in(made: Made) -> None:
    """Deleting all keys does not end the session."""
    session = made.manager.load([signed_in(made)])
    for key in list(session):
        del session[key]
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (dict(again), again.user_id) == ({}, "ada")


def test_s21_a_response_with_an_empty_session_signs_out(made: Made) -> None:
    """`{"session": {}}` and `req.session = {}` end the session."""

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


# -- the end of its lifetime


CHANGES: dict[str, Callable[[Session], object]] = {
    "set": lambda session: session.update(late=True),
    "append": lambda session: session["cart"].append("pen"),
    "flash": lambda session: session.flash("info", "late"),
    "regenerate": lambda session: session.regenerate(),
    "nothing": len,
}
WAYS = ("sealed", "memory", "dynamodb", "sealed to memory", "memory to sealed", "sealed to dynamodb")


@pytest.fixture(params=WAYS)
def late(request: pytest.FixtureRequest) -> tuple[Made, str]:
    """A manager on each store and while sessions move, and a cookie in the last second of its session."""
    old, _, new = request.param.partition(" to ")
    made = manager_on(old, request, idle=1000)
    value = signed_in(made)
    if new:
        made.move_to(manager_on(new, request, idle=1000).manager.store)
    made.clock.forward(999)
    return made, value


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("explicit", [False, True], ids=["at the end", "by write"])
def test_s37_a_session_that_expires_before_its_commit_stays_expired(
    late: tuple[Made, str], change: Callable[[Session], object], explicit: bool
) -> None:
    """A request that is loaded in the session's last second and commits later stores nothing and sends no cookie."""
    made, value = late
    session = made.manager.load([value])
    assert session["cart"] == ["book"]
    change(session)
    made.clock.forward(1)
    assert made.manager.commit(session, explicit=explicit) == ()
    assert made.names[-1] == "write_after_destroy"
    assert made.manager.load([value]).is_new


def test_s37_a_sign_in_in_an_expired_session_has_only_its_own_changes(late: tuple[Made, str]) -> None:
    """A visitor who signs in while the session expires is signed in without the old data."""
    made, value = late
    session = made.manager.load([value])
    session["late"] = True
    session.sign_in("ada")
    made.clock.forward(1)
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (dict(again), again.flashes(), again.user_id) == ({"late": True}, [], "ada")
    assert made.manager.load([value]).is_new


def test_s18_a_sign_in_at_the_end_of_the_absolute_lifetime_begins_another_one(request: pytest.FixtureRequest) -> None:
    """In every store, the new session has a full absolute lifetime."""
    for name in STORES:
        made = manager_on(name, request, absolute=1000)
        value = signed_in(made)
        made.clock.forward(999)
        session = made.manager.load([value])
        session.sign_in("ada")
        made.clock.forward(1)
        value = value_of(made.manager.commit(session)[0])
        made.clock.forward(999)
        assert made.manager.load([value]).user_id == "ada"
        made.clock.forward(1)
        assert made.manager.load([value]).is_new


def test_an_expired_session_can_be_signed_out(late: tuple[Made, str]) -> None:
    """A sign-out that commits after the session has expired clears the cookie."""
    made, value = late
    session = made.manager.load([value])
    session.sign_out()
    made.clock.forward(1)
    assert "Max-Age=0" in made.manager.commit(session)[0]
    assert made.manager.load([value]).is_new
