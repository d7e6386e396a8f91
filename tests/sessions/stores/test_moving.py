"""Sessions that move between a table and the cookie during other requests and sign-outs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arc.sessions.keyring import Keyring
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.store import IdTaken
from arc.settings import Settings
from tests.sessions.making import SECRET, WEEK
from tests.sessions.stores.tables import Kept
from tests.sessions.test_changing_stores import Shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.delta import Delta
    from arc.sessions.record import Record
    from arc.sessions.session import Session
    from arc.sessions.stores.store import Written
    from tests.engines import Engine

WORKS: dict[str, Callable[[Session], object]] = {
    "a change": lambda session: session.update(late=True),
    "a new id": lambda session: session.regenerate(),
}
works = pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)


class Moving:
    """A shop with a table whose calls can be interrupted."""

    def __init__(self, engine: Engine) -> None:
        self.kept = Kept(engine)
        self.shop = Shop(self.kept.store)

    def before(self, *operations: str, nth: int = 1, work: Callable[[], object]) -> None:
        """Do `work` once, before the `nth` call of one of `operations`."""
        left = nth

        def interrupt(operation: str) -> None:
            nonlocal left
            left -= operation in operations
            if left == 0:
                self.kept.calls.before = lambda _operation: None
                work()

        self.kept.calls.before = interrupt

    def sign_out(self, value: str) -> None:
        """Sign out in a request with the cookie `value`."""
        session = self.shop.load(value)
        session.sign_out()
        self.shop.manager.commit(session)


@works
def test_s22_a_sign_out_between_the_steps_of_a_move_is_final(
    ministack: Engine, work: Callable[[Session], object]
) -> None:
    """A session that another request has moved and then ended is not written, and no cookie is sent."""
    moving = Moving(ministack)
    shop = moving.shop
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    slow = shop.load(old)
    shop.commit(shop.load(old))
    work(slow)
    moving.before("UpdateItem", "TransactWriteItems", work=lambda: moving.sign_out(old))
    assert shop.manager.commit(slow) == ()
    assert shop.events[-1].name == "write_after_destroy"
    assert shop.load(old).is_new


@works
def test_s22_a_sign_out_while_a_large_session_stays_is_final(
    ministack: Engine, work: Callable[[Session], object]
) -> None:
    """A session that is too large for a cookie and ends during the commit is not written."""
    moving = Moving(ministack)
    shop = moving.shop
    shop.use("table", moving=False)
    value = shop.signed_in(text="x" * 5000)
    shop.use("jwe")
    slow = shop.load(value)
    work(slow)
    # The first update is the renewal that claims the session for the move.
    moving.before("UpdateItem", "TransactWriteItems", nth=2, work=lambda: moving.sign_out(value))
    assert shop.manager.commit(slow) == ()
    assert shop.events[-1].name == "write_after_destroy"
    assert shop.load(value).is_new


def test_s16_a_sign_in_parallel_to_a_sign_out_of_a_large_session_succeeds(ministack: Engine) -> None:
    """The visitor is signed in, with only this request's changes."""
    moving = Moving(ministack)
    shop = moving.shop
    shop.use("table", moving=False)
    value = shop.signed_in(text="x" * 5000)
    shop.use("jwe")
    session = shop.load(value)
    session["late"] = True
    session.sign_in("ada")
    moving.before("UpdateItem", "TransactWriteItems", nth=2, work=lambda: moving.sign_out(value))
    again = shop.load(shop.commit(session))
    assert (dict(again), again.user_id) == ({"late": True}, "ada")


def test_s16_signing_in_to_a_large_session_changes_its_id(ministack: Engine) -> None:
    """A session that is too large for a cookie gets its new id in the table, also at a second click."""
    shop = Moving(ministack).shop
    shop.use("table", moving=False)
    value = shop.signed_in(text="x" * 5000)
    shop.use("jwe")
    first, second = shop.load(value), shop.load(value)
    second.sign_in("ada")
    first.sign_in("ada")
    for session in (first, second):
        again = shop.load(shop.commit(session))
        assert (again["text"], again.user_id) == ("x" * 5000, "ada")
    assert shop.load(value).is_new


@pytest.mark.parametrize(("first", "then"), [("jwe", "table"), ("table", "jwe")])
def test_a_read_that_moves_a_session_ends_the_old_one(ministack: Engine, first: str, then: str) -> None:
    """The first request after the change returns the new store's cookie, and leaves only a tombstone in the table."""
    moving = Moving(ministack)
    shop = moving.shop
    shop.use(first, moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use(then)
    new = shop.commit(shop.load(old))
    assert ["_secret" in row for row in moving.kept.rows] == [then == "table"]
    shop.use(then, moving=False)
    assert shop.load(new) == {"cart": ["book"]}


def test_a_visitor_whose_session_another_request_moved_gets_its_cookie(ministack: Engine) -> None:
    """The next read replaces the old cookie, although the session has moved already."""
    shop = Moving(ministack).shop
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    new = shop.commit(shop.load(old))
    assert shop.commit(shop.load(old)) == new


def test_a_session_that_has_moved_is_renewed_as_any_other(ministack: Engine) -> None:
    """While sessions move, a visitor who returns every few days stays signed in."""
    shop = Moving(ministack).shop
    shop.use("table")
    value = shop.signed_in(cart=["book"])
    for _ in range(4):
        shop.clock.forward(days=5)
        assert shop.commit(shop.load(value)) == value
    assert shop.load(value).user_id == "ada"


def test_s04_an_id_signed_by_a_fallback_is_signed_anew_at_the_next_read(ministack: Engine) -> None:
    """The new cookie is signed with the current secret, so that the fallback can be retired."""
    moving = Moving(ministack)
    shop = moving.shop
    shop.use("table", moving=False)
    old = shop.signed_in(cart=["book"])
    secret = "another secret of the tests, long enough too"
    shop.rotate(secret)
    new = shop.commit(shop.load(old))
    assert new.partition(".")[0] == old.partition(".")[0]
    assert shop.commit(shop.load(new)) == ""
    moving.kept.store._keyring = Keyring(Settings(environment="production", secret=secret))
    shop.use("table", moving=False)
    assert shop.load(new) == {"cart": ["book"]}
    assert shop.load(old).is_new


def test_s16_a_replaced_sessions_tombstone_stays_until_its_old_token_has_expired(ministack: Engine) -> None:
    """Tombstones of a sign-in days after the move outlive the old token, and not just 15 minutes."""
    moving = Moving(ministack)
    shop = moving.shop
    began = int(shop.clock())
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    shop.clock.forward(days=1)
    value = shop.commit(shop.load(old))
    session = shop.load(value)
    session.sign_in("ada")
    shop.commit(session)
    (mark,) = [row for row in moving.kept.rows if "_secret" not in row]
    assert int(mark["_ttl"]["N"]) == began + WEEK
    assert shop.load(old).is_new


class Watched(MemoryStore):
    """A store on the server that keeps with what a session was replaced; `after_renewal` runs after each renewal.

    Where `is_taken`, another request has just used the id that a session is to get.
    """

    def __init__(self) -> None:
        super().__init__(Keyring(Settings(environment="production", secret=SECRET)))
        self.replaced: list[tuple[Record, Delta | None]] = []
        self.is_taken = False
        self.after_renewal: Callable[[Record, int], object] = lambda _record, _now: None

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Renew it."""
        written = super().renew(loaded, record, now)
        self.after_renewal(loaded, now)
        return written

    def replace(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        """Replace it."""
        self.replaced.append((record, delta))
        if self.is_taken:
            raise IdTaken
        return super().replace(loaded, record, delta, now, signing_in=signing_in)


@works
@pytest.mark.parametrize("is_taken", [False, True], ids=["signed out", "moved"])
def test_s22_a_session_that_another_request_ends_while_it_leaves_its_table_is_not_sent(
    work: Callable[[Session], object], *, is_taken: bool
) -> None:
    """After it was claimed for the cookie, a sign-out or another move of the same session comes first."""
    table = Watched()
    shop = Shop(table)
    shop.use("table", moving=False)
    value = shop.signed_in(cart=["book"])
    shop.use("jwe")
    session = shop.load(value)
    work(session)
    table.is_taken = is_taken
    if not is_taken:
        table.after_renewal = table.destroy
    assert shop.manager.commit(session) == ()
    assert shop.events[-1].name == "write_after_destroy"


def test_a_session_leaves_nothing_of_its_data_in_the_table() -> None:
    """What takes its place for a moment is empty, whether or not the store merges."""
    table = Watched()
    shop = Shop(table)
    shop.use("table", moving=False)
    session = shop.load(shop.signed_in(cart=["book"]))
    session.flash("info", "hello")
    value = shop.commit(session)
    table.replaced.clear()
    shop.use("jwe")
    moved = shop.load(shop.commit(shop.load(value)))
    assert (dict(moved), moved.flashes()) == ({"cart": ["book"]}, ["hello"])
    ((record, delta),) = table.replaced
    assert (record.data, record.flashes) == ({}, ())
    assert delta is not None
    assert (delta.replaces, delta.ours) == (True, {})
    assert len(table) == 0


def test_s36_what_a_session_that_stays_loses_is_named() -> None:
    """Of two requests that change one value of a session too large for a cookie the later one is told."""
    shop = Shop(Watched())
    shop.use("table", moving=False)
    value = shop.signed_in(text="x" * 5000, colour="green")
    shop.use("jwe")
    first, second = shop.load(value), shop.load(value)
    first["colour"], second["colour"] = "red", "blue"
    shop.commit(first)
    shop.events.clear()
    assert shop.commit(second) == value
    assert {event.name for event in shop.events} == {"conflict", "stayed"}
    assert shop.load(value)["colour"] == "blue"
