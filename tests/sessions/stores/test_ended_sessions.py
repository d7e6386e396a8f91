"""Ended sessions stay ended, and a sign-in always succeeds, in every order of events."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from arc.http import build_manager
from arc.testing import Clock
from tests.sessions.making import WEEK, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.lifecycle import Event
    from arc.sessions.session import Session
    from tests.engines import Engine


class Site:
    """An app on a session table, with a clock that tests set."""

    def __init__(self, engine: Engine, **options: Any) -> None:
        self.kept = Kept(engine, **options)
        self.clock = Clock()
        self.events: list[Event] = []
        self.manager = build_manager(
            self.kept.settings, store=self.kept.store, clock=self.clock, on_event=self.events.append
        )

    def visitor(self, *, user: str | None = None, **data: Any) -> str:
        """Return the cookie value of a new session."""
        session = self.manager.load([])
        session.update({"here": True, **data})
        if user is not None:
            session.sign_in(user)
        return self.finish(session)

    def load(self, value: str) -> Session:
        """The session of a cookie value."""
        return self.manager.load([value])

    def finish(self, session: Session) -> str:
        """Commit and return the cookie value, "" without a cookie and when it is cleared."""
        cookies = self.manager.commit(session)
        return value_of(cookies[0]) if cookies else ""

    @property
    def last(self) -> str:
        """The name of the last event."""
        return self.events[-1].name

    @property
    def living(self) -> list[dict[str, Any]]:
        """Return the rows of sessions, without tombstones."""
        return [row for row in self.kept.rows if "_secret" in row]


def sign_out(session: Session) -> None:
    """Sign out."""
    session.sign_out()


def sign_in(session: Session) -> None:
    """Sign in."""
    session.sign_in("ada")


@pytest.mark.parametrize(
    "late",
    [
        lambda session: session.update(late=True),
        lambda session: session["items"].append("late"),
        lambda session: session.increment("visits"),
        lambda session: session["items"].reverse(),
        lambda session: session.setdefault("cart", {}).update(late=True),
        lambda session: session.replace({"late": True}),
        lambda session: session.flash("info", "late"),
    ],
    ids=["set", "append", "increment", "edit", "create", "replace", "flash"],
)
def test_s22_a_slow_request_does_not_restore_a_session(engine: Engine, late: Callable[[Session], None]) -> None:
    """A request that commits after the sign-out writes no row, sends no cookie and emits an event."""
    site = Site(engine)
    value = site.visitor(items=["a", "b"], visits=1)
    slow, quick = site.load(value), site.load(value)
    quick.sign_out()
    assert "Max-Age=0" in site.manager.commit(quick)[0]
    late(slow)
    assert site.manager.commit(slow) == ()
    assert site.last == "write_after_destroy"
    assert site.kept.rows == []


def test_s22_a_slow_request_beside_a_sign_in_sends_no_cookie(ministack: Engine) -> None:
    """A request that commits after a parallel sign-in writes nothing and cannot overwrite the new cookie."""
    site = Site(ministack)
    value = site.visitor(cart=["book"])
    slow, quick = site.load(value), site.load(value)
    quick.sign_in("ada")
    new = site.finish(quick)
    slow["late"] = True
    assert site.manager.commit(slow) == ()
    assert site.last == "write_after_destroy"
    assert site.load(new).user_id == "ada"
    assert "late" not in site.load(new)


def test_s37_a_slow_renewal_does_not_restore_a_session(engine: Engine) -> None:
    """A read whose renewal comes after the sign-out writes no row and sends no cookie."""
    site = Site(engine)
    value = site.visitor()
    site.clock.forward(days=2)
    slow, quick = site.load(value), site.load(value)
    quick.sign_out()
    site.manager.commit(quick)
    assert site.manager.commit(slow) == ()
    assert site.kept.rows == []


def test_s37_a_session_that_expires_during_a_request_is_not_written(engine: Engine) -> None:
    """A request that begins in the session's last second and commits after it writes nothing."""
    site = Site(engine)
    value = site.visitor()
    site.clock.forward(WEEK - 1)
    session = site.load(value)
    session["late"] = True
    site.clock.forward(1)
    assert site.manager.commit(session) == ()
    assert site.last == "write_after_destroy"
    assert "late" not in site.kept.rows[0]


def test_s35_an_expired_row_is_absent(engine: Engine) -> None:
    """An expired row that DynamoDB has not deleted yet is not loaded, to the second."""
    site = Site(engine)
    value = site.visitor()
    site.clock.forward(WEEK - 1)
    assert not site.load(value).is_new
    site.clock.forward(1)
    assert site.load(value).is_new
    assert len(site.kept.rows) == 1


def test_s16_a_double_clicked_sign_in_succeeds(ministack: Engine) -> None:
    """Two sign-ins that loaded the same session both succeed with its data."""
    site = Site(ministack)
    value = site.visitor(cart=["book"])
    first, second = site.load(value), site.load(value)
    first.sign_in("ada")
    second.sign_in("ada")
    for new in (site.finish(first), site.finish(second)):
        session = site.load(new)
        assert (session.user_id, session["cart"]) == ("ada", ["book"])
    assert site.load(value).is_new


def test_s16_only_a_sign_out_follows_a_tombstone(ministack: Engine) -> None:
    """The old id is invalid after a sign-in, but a sign-out with it ends the new session."""
    site = Site(ministack)
    value = site.visitor(cart=["book"])
    late = site.load(value)
    session = site.load(value)
    session.sign_in("ada")
    new = site.finish(session)
    assert site.load(value).is_new
    late.sign_out()
    site.manager.commit(late)
    assert site.load(new).is_new
    assert site.living == []


def test_s16_another_principal_inherits_nothing(ministack: Engine) -> None:
    """Signing in as another principal drops the old data, including parallel changes."""
    site = Site(ministack)
    value = site.visitor(user="ada", diary="private")
    session, parallel = site.load(value), site.load(value)
    parallel["more"] = "private too"
    site.finish(parallel)
    session.sign_in("grace")
    again = site.load(site.finish(session))
    assert (again, again.user_id) == ({}, "grace")


def test_a_sign_in_keeps_parallel_changes(ministack: Engine) -> None:
    """A change between the load and the commit of a sign-in is stored under the new id."""
    site = Site(ministack)
    value = site.visitor(cart=["book"])
    session, parallel = site.load(value), site.load(value)
    parallel["cart"].append("pen")
    site.finish(parallel)
    session.sign_in("ada")
    assert site.load(site.finish(session))["cart"] == ["book", "pen"]


@pytest.mark.parametrize("run", [0, *(pytest.param(run, marks=pytest.mark.exhaustive) for run in (1, 2))])
def test_a_sign_out_parallel_to_a_sign_in_is_complete(ministack: Engine, run: int) -> None:
    """In ten races, the visitor is signed out or in, and nothing of the ended session is left."""
    site = Site(ministack)
    for _ in range(10):
        value = site.visitor(user="ada", diary="private")
        before = len(site.living)
        loaded = threading.Barrier(2)

        def request(work: Callable[[Session], None], value: str = value, loaded: threading.Barrier = loaded) -> str:
            session = site.load(value)
            loaded.wait(30)
            work(session)
            return site.finish(session)

        with ThreadPoolExecutor(2) as pool:
            out, signed_in = pool.submit(request, sign_out), pool.submit(request, sign_in)
        assert out.result() == ""
        session = site.load(signed_in.result())
        assert session.is_new or session.user_id == "ada"
        if not session.is_new:
            assert "diary" not in session
        assert site.load(value).is_new
        assert len(site.living) == before - session.is_new


def test_s34_requests_without_data_write_no_row(engine: Engine) -> None:
    """Without a cookie, with a forged or unknown one, for a read and a sign-out nothing is written."""
    site = Site(engine)
    unknown = site.visitor()
    ended = site.load(unknown)
    ended.sign_out()
    site.manager.commit(ended)
    site.kept.calls.made.clear()
    for values in ([], ["forged.signature"], ["x" * 5000], [unknown], [unknown + "x"], ["", "."]):
        session = site.manager.load(values)
        assert dict(session) == {}
        assert site.manager.commit(session) == ()
    nobody = site.manager.load([])
    nobody.sign_out()
    assert "Max-Age=0" in site.manager.commit(nobody)[0]
    assert set(site.kept.calls.names) == {"GetItem"}
    assert site.kept.rows == []


def test_s15_an_id_that_the_server_did_not_issue_is_not_adopted(engine: Engine) -> None:
    """Data under an unknown id with a valid signature is stored under a new id."""
    site = Site(engine)
    value = site.visitor()
    session = site.load(value)
    session.sign_out()
    site.manager.commit(session)
    session = site.load(value)
    session["cart"] = ["book"]
    new = site.finish(session)
    assert new.partition(".")[0] != value.partition(".")[0]
    assert site.load(value).is_new


def test_daily_requests_keep_a_session_for_a_month(ministack: Engine) -> None:
    """Each day's read renews the session, and it ends after a week without one."""
    site = Site(ministack)
    value = site.visitor(user="ada")
    for _ in range(30):
        site.clock.forward(days=1)
        session = site.load(value)
        assert session.user_id == "ada"
        assert site.finish(session) == value
    site.clock.forward(WEEK)
    assert site.load(value).is_new
