"""Lost responses of DynamoDB: a retry ends, undoes and counts nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arc.errors import StoreError
from arc.http import build_manager
from arc.sessions.keyring import Keyring
from arc.sessions.stores.dynamodb.transport import ATTEMPTS
from arc.sessions.stores.moving import MovingStore
from arc.sessions.stores.sealed import SealedStore
from tests.sessions.making import WEEK, Counting, Made
from tests.sessions.stores.test_ended_sessions import Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.session import Session
    from tests.engines import Engine


# -- a sign-out beside a sign-in


def test_s21_a_sign_out_with_a_lost_response_ends_the_successor(ministack: Engine) -> None:
    """A sign-out of a replaced session ends the new one, whichever response is lost."""
    for method in ("delete_item", "get_item"):
        site = Site(ministack)
        value = site.visitor(cart=["book"])
        slow, quick = site.load(value), site.load(value)
        quick.sign_in("ada")
        new = site.finish(quick)
        slow.sign_out()
        site.kept.client.lose(method)
        assert site.finish(slow) == ""
        assert site.load(new).is_new
        assert site.living == []


def test_s21_a_second_sign_out_after_an_outage_ends_the_successor(ministack: Engine) -> None:
    """When all responses of a sign-out were lost, the next one with the old cookie ends the new session."""
    site = Site(ministack)
    value = site.visitor(cart=["book"])
    slow, quick = site.load(value), site.load(value)
    quick.sign_in("ada")
    new = site.finish(quick)
    slow.sign_out()
    site.kept.client.lose("delete_item", times=ATTEMPTS)
    with pytest.raises(StoreError):
        site.finish(slow)
    again = site.load(value)
    again.sign_out()
    assert "Max-Age=0" in site.manager.commit(again)[0]
    assert site.load(new).is_new
    assert site.living == []


def test_s21_a_sign_out_of_a_session_that_moved_ends_the_successor(ministack: Engine) -> None:
    """This also works while sessions move into the table, where an ended session leaves a tombstone."""
    sealed = Made()
    site = Site(ministack)
    old = SealedStore(Keyring(site.kept.settings), "_idx", random=Counting())
    manager = build_manager(
        site.kept.settings,
        store=MovingStore(site.kept.store, old, Keyring(site.kept.settings), idle=WEEK),
        clock=site.clock,
    )
    site.manager = manager
    value = sealed.cookie(cart=["book"])
    site.finish(site.load(value))
    slow, quick = site.load(value), site.load(value)
    quick.sign_in("ada")
    new = site.finish(quick)
    assert site.load(new).user_id == "ada"
    slow.sign_out()
    site.kept.client.lose("put_item")
    assert site.finish(slow) == ""
    assert site.load(new).is_new
    assert site.load(value).is_new
    assert site.living == []


def test_s21_a_sign_out_ends_both_sessions_of_a_double_clicked_sign_in(ministack: Engine) -> None:
    """Two sign-ins replaced one session, and a sign-out with the old id ends both."""
    site = Site(ministack)
    value = site.visitor(cart=["book"])
    slow, first, second = site.load(value), site.load(value), site.load(value)
    first.sign_in("ada")
    second.sign_in("ada")
    values = [site.finish(first), site.finish(second)]
    slow.sign_out()
    site.finish(slow)
    assert [site.load(value).is_new for value in values] == [True, True]
    assert site.living == []


def test_s21_a_sign_in_during_a_sign_out_is_ended_with_its_session(ministack: Engine) -> None:
    """A sign-in adds a second successor after a sign-out has read the first, and the sign-out ends both."""
    site = Site(ministack)
    value = site.visitor(cart=["book"])
    leaving, first, second = site.load(value), site.load(value), site.load(value)
    first.sign_in("ada")
    site.finish(first)
    second.sign_in("ada")
    leaving.sign_out()
    calls: list[str] = []

    def before(operation: str) -> None:
        calls.append(operation)
        if calls == ["DeleteItem", "DeleteItem"]:
            site.finish(second)

    site.kept.calls.before = before
    assert site.finish(leaving) == ""
    assert site.living == []


def test_s21_a_sign_in_after_the_sign_out_of_its_successor_has_only_its_own_changes(ministack: Engine) -> None:
    """A slow sign-in does not restore the data of a session that was replaced and then signed out."""
    site = Site(ministack)
    value = site.visitor(user="ada", diary="private")
    slow, quick = site.load(value), site.load(value)
    quick.regenerate()
    out = site.load(site.finish(quick))
    out.sign_out()
    site.finish(out)
    slow["late"] = True
    slow.sign_in("ada")
    again = site.load(site.finish(slow))
    assert (dict(again), again.user_id) == ({"late": True}, "ada")


def test_s21_a_sign_out_between_the_attempts_of_a_sign_in_is_final(ministack: Engine) -> None:
    """The retry of a sign-in whose response was lost does not restore a session that was signed out since."""
    site = Site(ministack)
    value = site.visitor(cart=["book"])
    slow, session = site.load(value), site.load(value)

    def sign_out() -> None:
        site.kept.client.plan = lambda _method: None
        slow.sign_out()
        site.finish(slow)

    session.sign_in("ada")
    site.kept.client.lose("transact_write_items")
    site.kept.client.meanwhile = sign_out
    new = site.finish(session)
    assert new == "" or site.load(new).is_new
    assert site.living == []


def test_s21_a_tombstone_stays_as_long_as_a_request_may_run(ministack: Engine) -> None:
    """A replaced session's row has the successor's id for 15 minutes, the longest invocation."""
    site = Site(ministack)
    session = site.load(site.visitor())
    session.sign_in("ada")
    site.finish(session)
    (mark,) = [row for row in site.kept.rows if "_secret" not in row]
    assert int(mark["_ttl"]["N"]) == int(site.clock()) + 15 * 60


def test_s21_a_sign_out_follows_any_number_of_new_ids(ministack: Engine) -> None:
    """A sign-out ends a session that got twenty new ids while the request ran."""
    site = Site(ministack)
    value = site.visitor()
    slow = site.load(value)
    for _ in range(20):
        session = site.load(value)
        session.regenerate()
        value = site.finish(session)
    slow.sign_out()
    site.finish(slow)
    assert site.living == []


# -- a commit that is retried


CHANGES: dict[str, Callable[[Session], object]] = {
    "set": lambda session: session.update(colour="red"),
    "set in a dict": lambda session: session["prefs"].update(colour="red"),
    "remove": lambda session: session.__delitem__("colour"),
    "append": lambda session: session["items"].append("red"),
    "edit": lambda session: session["items"].reverse(),
    "increment": lambda session: session.increment("visits"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_s37_a_retry_does_not_undo_a_later_commit(engine: Engine, change: Callable[[Session], object]) -> None:
    """The first commit's response was lost, and another request's later change stays."""
    site = Site(engine)
    value = site.visitor(colour="green", prefs={"colour": "green"}, items=["a", "b"], visits=0)
    session = site.load(value)
    change(session)
    later = {"colour": "blue", "prefs": {"colour": "blue"}, "items": ["blue"], "visits": 100}

    def another_request() -> None:
        site.kept.client.plan = lambda _method: None
        other = site.load(value)
        other.update(later)
        site.finish(other)

    site.kept.client.lose("update_item")
    site.kept.client.meanwhile = another_request
    assert site.finish(session) == value
    assert site.load(value) == {**later, "here": True}


@pytest.mark.parametrize("change", ["set", "remove"])
@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
def test_s36_an_overwritten_value_is_reported_even_if_the_response_was_lost(
    engine: Engine, lost: bool, change: str
) -> None:
    """The later one of two requests that set or remove one value reports the conflict."""
    site = Site(engine)
    value = site.visitor(colour="green", size=1)
    first, second = site.load(value), site.load(value)
    first["colour"] = "red"
    site.finish(first)
    if change == "set":
        second["colour"] = "blue"
    else:
        del second["colour"]
    if lost:
        site.kept.client.lose("update_item")
    site.finish(second)
    assert [event.reason for event in site.events if event.name == "conflict"] == [
        "two requests changed session['colour'] at once"
    ]
    assert site.load(value).get("colour") == ("blue" if change == "set" else None)


def test_a_lost_response_alone_is_no_conflict(engine: Engine) -> None:
    """The retry of a single writer reports no loss."""
    site = Site(engine)
    value = site.visitor(colour="green", size=1)
    session = site.load(value)
    session["colour"] = "blue"
    del session["size"]
    site.kept.client.lose("update_item", times=ATTEMPTS - 1)
    site.finish(session)
    assert "conflict" not in [event.name for event in site.events]
    assert site.load(value) == {"colour": "blue", "here": True}


def test_s37_a_retried_renewal_keeps_a_later_end(engine: Engine) -> None:
    """A renewal whose response was lost does not undo another request's later end."""
    site = Site(engine)
    value = site.visitor()
    site.clock.forward(days=2)
    session = site.load(value)

    def another_request() -> None:
        site.kept.client.plan = lambda _method: None
        site.clock.forward(600)
        other = site.load(value)
        other["late"] = True
        site.finish(other)

    site.kept.client.lose("update_item")
    site.kept.client.meanwhile = another_request
    assert site.finish(session) == value
    assert int(site.kept.rows[0]["_ttl"]["N"]) == int(site.clock()) + WEEK
