"""A change of stores keeps visitors signed in and loses no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from arc.http import build_manager
from arc.sessions.jwe import seal
from arc.sessions.keyring import Keyring
from arc.sessions.stores.dynamodb.store import DynamoStore
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.moving import MovingStore
from arc.sessions.stores.sealed import SealedStore
from arc.settings import Settings
from arc.testing import Clock
from tests.sessions.making import SECRET, WEEK, Counting, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.lifecycle import Event
    from arc.sessions.manager import SessionManager
    from arc.sessions.session import Session
    from arc.sessions.stores.store import Store
    from tests.engines import Engine


class Shop:
    """An app whose store can be changed while its visitors keep their cookies."""

    def __init__(self, server: Store, **settings: Any) -> None:
        self.settings = Settings(environment="production", secret=SECRET, **settings)
        self.keyring = Keyring(self.settings)
        self.random = Counting()
        self.server = server
        self.sealed = SealedStore(self.keyring, "_idx", random=self.random)
        self.clock = Clock()
        self.events: list[Event] = []
        self.manager = self.manager_of(self.sealed)

    def manager_of(self, store: Store) -> SessionManager:
        """A manager of `store`, under the shop's clock and settings."""
        return build_manager(
            self.settings, store=store, clock=self.clock, random=self.random, on_event=self.events.append
        )

    def use(self, name: str, *, moving: bool = True) -> None:
        """Store sessions in the `table` or in the cookie (`jwe`) from now on."""
        new, old = (self.server, self.sealed) if name == "table" else (self.sealed, self.server)
        store = MovingStore(new, old, self.keyring, idle=self.settings.idle) if moving else new
        self.manager = self.manager_of(store)

    def rotate(self, secret: str) -> None:
        """Replace the secret in every part of the app; the old one becomes a fallback."""
        self.settings = Settings(environment="production", secret=secret, fallbacks=(SECRET,))
        self.keyring = Keyring(self.settings)
        self.sealed = SealedStore(self.keyring, "_idx", random=self.random)
        assert isinstance(self.server, MemoryStore | DynamoStore)
        self.server._keyring = self.keyring
        self.use("table")

    def signed_in(self, **data: Any) -> str:
        """The cookie value of a visitor who has signed in."""
        session = self.manager.load([])
        session.update(data)
        session.sign_in("ada")
        return self.commit(session)

    def load(self, value: str) -> Session:
        """The session of a cookie value."""
        return self.manager.load([value])

    def commit(self, session: Session) -> str:
        """Commit and return the cookie's value, "" without a cookie."""
        cookies = self.manager.commit(session)
        return value_of(cookies[0]) if cookies else ""


@pytest.fixture(params=["memory", "dynamodb"])
def server(request: pytest.FixtureRequest) -> Store:
    """A store on the server."""
    if request.param == "memory":
        return MemoryStore(Keyring(Settings(environment="production", secret=SECRET)))
    engine: Engine = request.getfixturevalue("ministack")
    return Kept(engine).store


@pytest.fixture
def shop(server: Store) -> Shop:
    """An app with an absolute lifetime of four weeks."""
    return Shop(server, absolute=4 * WEEK)


@pytest.mark.parametrize(("first", "then"), [("jwe", "table"), ("table", "jwe")])
def test_s18_a_change_of_stores_keeps_the_session(shop: Shop, first: str, then: str) -> None:
    """Principal, data and creation time move in both directions, and the absolute lifetime still applies."""
    shop.use(first, moving=False)
    old = shop.signed_in(cart=["book"])
    began = shop.load(old).created_at
    shop.clock.forward(days=1)
    shop.use(then)
    session = shop.load(old)
    session["cart"].append("pen")
    new = shop.commit(session)
    assert new not in ("", old)
    shop.use(then, moving=False)
    again = shop.load(new)
    assert again == {"cart": ["book", "pen"]}
    assert (again.user_id, again.created_at) == ("ada", began)
    for _ in range(5):
        shop.clock.forward(days=5)
        new = shop.commit(shop.load(new)) or new
    assert shop.load(new).user_id == "ada"
    shop.clock.forward(days=2)
    assert shop.load(new).is_new


def test_a_read_moves_the_session(shop: Shop) -> None:
    """The first request after the change returns the new store's cookie."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    new = shop.commit(shop.load(old))
    shop.use("table", moving=False)
    assert shop.load(new) == {"cart": ["book"]}


def test_parallel_first_requests_share_one_session(shop: Shop) -> None:
    """Two requests with the old cookie write to one record, which has the changes of both."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    first, second = shop.load(old), shop.load(old)
    first["cart"].append("pen")
    second["cart"].append("ink")
    value = shop.commit(first)
    assert shop.commit(second) == value
    assert shop.load(value) == {"cart": ["book", "pen", "ink"]}
    assert shop.load(old) == {"cart": ["book", "pen", "ink"]}


def test_s21_a_sign_out_revokes_the_old_token(shop: Shop) -> None:
    """After a sign-out before or after the move, the old token is invalid until it would have expired."""
    shop.use("jwe", moving=False)
    never_moved, moved = shop.signed_in(cart=["a"]), shop.signed_in(cart=["b"])
    shop.use("table")
    value = shop.commit(shop.load(moved))
    for cookie in (never_moved, value):
        session = shop.load(cookie)
        session.sign_out()
        shop.manager.commit(session)
    for days in (0, 1, 5):
        shop.clock.forward(days=days)
        assert shop.load(never_moved).is_new
        assert shop.load(moved).is_new
        assert shop.load(value).is_new


def test_s16_a_sign_in_revokes_the_old_token(shop: Shop) -> None:
    """The old token of a session that moves during a sign-in is invalid, also days later."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    session = shop.load(old)
    session.sign_in("ada")
    new = shop.commit(session)
    assert shop.load(new).user_id == "ada"
    assert shop.load(new) == {"cart": ["book"]}
    for days in (0, 1, 5):
        shop.clock.forward(days=days)
        assert shop.load(old).is_new


@pytest.mark.parametrize("work", [lambda session: session.update(late=True), len], ids=["a change", "a read"])
def test_s22_a_slow_first_request_does_not_move_an_ended_session(shop: Shop, work: Callable[[Session], object]) -> None:
    """A session that was signed out before it moved is not created in the table by a slow request."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    slow, quick = shop.load(old), shop.load(old)
    quick.sign_out()
    shop.manager.commit(quick)
    work(slow)
    assert shop.manager.commit(slow) == ()
    assert shop.events[-1].name == "write_after_destroy"
    assert shop.load(old).is_new


def test_s21_a_sign_out_after_later_changes_revokes_the_old_token(shop: Shop) -> None:
    """The old token is revoked even if the session was changed and renewed after its move."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(visits=0)
    shop.use("table")
    for _ in range(3):
        shop.clock.forward(days=1)
        value = shop.commit(shop.load(old))
        session = shop.load(value)
        session.increment("visits")
        shop.commit(session)
    session = shop.load(value)
    assert session["visits"] == 3
    session.sign_out()
    shop.manager.commit(session)
    assert shop.load(old).is_new


def test_a_session_too_large_for_a_cookie_stays_in_the_table(shop: Shop) -> None:
    """A large session is changed in its table, and moves once it is small enough."""
    shop.use("table", moving=False)
    value = shop.signed_in(text="x" * 5000)
    shop.use("jwe")
    session = shop.load(value)
    session["more"] = 1
    assert shop.commit(session) == value
    assert shop.events[-1].name == "stayed"
    session = shop.load(value)
    assert session["more"] == 1
    session["text"] = "short"
    moved = shop.commit(session)
    assert moved.count(".") == 4
    assert shop.load(moved) == {"text": "short", "more": 1}
    assert shop.load(value).is_new


def test_s22_a_slow_request_does_not_seal_an_ended_session(shop: Shop) -> None:
    """A session that was signed out in its table does not become a sealed cookie."""
    shop.use("table", moving=False)
    value = shop.signed_in(cart=["book"])
    shop.use("jwe")
    slow, quick = shop.load(value), shop.load(value)
    quick.sign_out()
    shop.manager.commit(quick)
    slow["late"] = True
    assert shop.manager.commit(slow) == ()
    assert shop.events[-1].name == "write_after_destroy"


def test_without_the_variable_the_other_stores_cookies_are_invalid(shop: Shop) -> None:
    """A store accepts only its own cookies."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table", moving=False)
    assert shop.load(old).is_new


def test_a_sign_in_that_moves_a_session_applies_its_changes_once(shop: Shop) -> None:
    """Appends, counts and messages of the sign-in's request are stored once under the new id."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart={"items": ["book"]}, visits=1)
    shop.use("table")
    session = shop.load(old)
    session["cart"]["items"].append("pen")
    session.increment("visits")
    session.flash("info", "Welcome")
    session.sign_in("ada")
    again = shop.load(shop.commit(session))
    assert again == {"cart": {"items": ["book", "pen"]}, "visits": 2}
    assert again.flashes() == ["Welcome"]


def test_a_read_that_moves_a_session_keeps_a_parallel_write(shop: Shop) -> None:
    """A read that moves the session after another request did does not undo that request's changes."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    reading, writing = shop.load(old), shop.load(old)
    writing["cart"].append("pen")
    value = shop.commit(writing)
    assert shop.commit(reading) == value
    assert shop.load(value) == {"cart": ["book", "pen"]}


def test_s21_an_ended_session_stays_ended_when_the_secret_is_rotated(shop: Shop) -> None:
    """The tombstone for the old token is also found after a rotation of the secret."""
    shop.use("jwe", moving=False)
    old, other = shop.signed_in(cart=["a"]), shop.signed_in(cart=["b"])
    shop.use("table")
    session = shop.load(old)
    session.sign_out()
    shop.manager.commit(session)
    shop.rotate("another secret of the tests, long enough too")
    assert shop.load(old).is_new
    assert shop.load(other) == {"cart": ["b"]}


def test_a_move_between_tables_removes_the_old_row(server: Store) -> None:
    """The old row is removed, also when the visitor signs in during the move."""
    shop = Shop(server)
    before = MemoryStore(shop.keyring)
    shop.server = before
    shop.use("table", moving=False)
    read, signs_in = shop.signed_in(cart=["a"]), shop.signed_in(cart=["b"])
    shop.manager = shop.manager_of(MovingStore(server, before, shop.keyring, idle=WEEK))
    shop.commit(shop.load(read))
    session = shop.load(signs_in)
    session.sign_in("ada")
    shop.commit(session)
    assert len(before) == 0


def test_s21_a_sign_in_parallel_to_a_sign_out_keeps_only_its_changes(shop: Shop) -> None:
    """The visitor is signed in, without the data of the session that another request ended."""
    shop.use("table", moving=False)
    value = shop.signed_in(diary="private", items=["a"])
    shop.use("jwe")
    slow, quick = shop.load(value), shop.load(value)
    quick.sign_out()
    shop.manager.commit(quick)
    slow["welcome"] = True
    slow["items"].append("b")
    slow.sign_in("ada")
    value = shop.commit(slow)
    again = shop.load(value)
    assert (dict(again), again.user_id) == ({"welcome": True, "items": ["b"]}, "ada")
    moved = shop.commit(again)
    assert moved.count(".") == 4
    assert shop.load(value).is_new


class WithoutMerging(MemoryStore):
    """A store on the server that does not merge parallel writes."""

    merges = False


def test_sessions_move_into_a_store_that_does_not_merge() -> None:
    """Parallel first requests write to one record, and none of a read, a write and a sign-in fails."""
    keyring = Keyring(Settings(environment="production", secret=SECRET))
    shop = Shop(WithoutMerging(keyring))
    read, written, signs_in = (shop.signed_in(cart=["book"]) for _ in range(3))
    shop.use("table")
    first, second = shop.load(written), shop.load(written)
    first["cart"].append("pen")
    second["cart"].append("ink")
    value = shop.commit(first)
    assert shop.commit(second) == value
    assert shop.load(value) == {"cart": ["book", "ink"]}
    value = shop.commit(shop.load(read))
    assert shop.load(value) == {"cart": ["book"]}
    session = shop.load(signs_in)
    session["cart"].append("pen")
    session.sign_in("ada")
    again = shop.load(shop.commit(session))
    assert (again, again.user_id) == ({"cart": ["book", "pen"]}, "ada")


def test_s36_conflicts_of_parallel_first_requests_are_reported(ministack: Engine) -> None:
    """Every path that two requests and a third one changed at once is in an event."""
    kept = Kept(ministack)
    shop = Shop(kept.store)
    for signs_in in (False, True):
        old = shop.signed_in(colour="green", size=1)
        shop.use("table")
        first, second = shop.load(old), shop.load(old)
        first["colour"] = "red"
        shop.commit(first)

        def in_between(operation: str, old: str = old) -> None:
            if operation in ("UpdateItem", "TransactWriteItems"):
                kept.calls.before = lambda _operation: None
                third = shop.load(old)
                third["size"] = 3
                shop.commit(third)

        second.update(colour="blue", size=2)
        if signs_in:
            second.sign_in("ada")
        shop.events.clear()
        kept.calls.before = in_between
        assert shop.load(shop.commit(second)) == {"colour": "blue", "size": 2}
        named = [event.reason for event in shop.events if event.name == "conflict"]
        assert named == [f"two requests changed session[{key!r}] at once" for key in ("colour", "size")]
        shop.use("jwe", moving=False)


@pytest.mark.parametrize(("idle", "opens_for"), [(5 * 86_400, WEEK), (WEEK, WEEK), (3 * WEEK, 3 * WEEK)])
def test_s21_a_tombstone_stays_until_the_old_token_has_expired(ministack: Engine, idle: int, opens_for: int) -> None:
    """A token is valid for the idle lifetime, and in Node for a week: the tombstone stays for the longer of both."""
    kept = Kept(ministack)
    shop = Shop(kept.store, idle=idle)
    began = int(shop.clock())
    token = seal(b'{"cart":["book"],"iat":%d}' % began, shop.keyring.sealing, "A256GCM", b"n" * 12)
    shop.clock.forward(days=4)
    shop.use("table")
    session = shop.load(token)
    assert session == {"cart": ["book"]}
    session.sign_out()
    shop.manager.commit(session)
    (mark,) = kept.rows
    assert int(mark["_ttl"]["N"]) == began + opens_for


@pytest.mark.parametrize("lifetime", [3 * 86_400, 30 * 86_400, "browser"])
def test_s21_a_tombstone_outlasts_the_lifetime_of_its_sign_in(
    ministack: Engine, lifetime: int | Literal["browser"]
) -> None:
    """The token of a sign-in with a long lifetime is valid for longer than the default idle lifetime."""
    kept = Kept(ministack)
    shop = Shop(kept.store)
    began = int(shop.clock())
    session = shop.load("")
    session.sign_in("ada", lifetime=lifetime)
    token = shop.commit(session)
    shop.use("table")
    session = shop.load(token)
    session.sign_out()
    shop.manager.commit(session)
    (mark,) = kept.rows
    assert int(mark["_ttl"]["N"]) == began + (WEEK if lifetime == "browser" else lifetime)


@pytest.mark.parametrize("moving", [False, True], ids=["at rest", "moving into the cookie"])
@pytest.mark.parametrize("beside", ["alone", "beside a foreign cookie", "beside an anonymous session"])
def test_s11_a_token_from_the_future_is_never_replaced(shop: Shop, moving: bool, beside: str) -> None:
    """A session from a machine whose clock is ahead is never replaced, also during a change of stores."""
    shop.use("jwe", moving=False)
    shop.clock.forward(400)
    value = shop.signed_in()
    shop.clock.forward(-400)
    anonymous = shop.load("")
    anonymous["count"] = 0
    other = {"alone": [], "beside a foreign cookie": ["not ours"]}.get(beside, [shop.commit(anonymous)])
    shop.use("jwe", moving=moving)
    for values in ([value, *other], [*other, value]):
        session = shop.manager.load(values)
        session["count"] = 1
        assert shop.manager.commit(session, explicit=True) == ()
    shop.clock.forward(400)
    assert shop.load(value).user_id == "ada"


@pytest.mark.parametrize("signs_in", ["before the move", "staying in the table"])
def test_s21_a_late_sign_out_ends_a_successor_in_the_old_table(shop: Shop, signs_in: str) -> None:
    """A request with the id from before the sign-in ends the session that has replaced it, in either store."""
    shop.use("table", moving=False)
    visitor = shop.load("")
    visitor["text"] = "x" * 5000
    old = shop.commit(visitor)
    if signs_in == "staying in the table":
        shop.use("jwe")
    session = shop.load(old)
    session.sign_in("ada")
    new = shop.commit(session)
    shop.use("jwe")
    late = shop.load(old)
    late.sign_out()
    shop.commit(late)
    assert shop.load(new).is_new


@pytest.mark.parametrize("first", ["reads", "changes", "signs in"])
@pytest.mark.parametrize("then", ["change", "sign out"])
def test_s18_a_request_with_the_old_tables_cookie_finds_the_moved_session(shop: Shop, first: str, then: str) -> None:
    """A request that was sent with the old table's cookie loads the session after its move to another table."""
    shop.use("table", moving=False)
    old = shop.signed_in(cart=["book"])
    table = MemoryStore(shop.keyring)
    shop.manager = shop.manager_of(MovingStore(table, shop.server, shop.keyring, idle=shop.settings.idle))
    session = shop.load(old)
    if first == "changes":
        session["seen"] = True
    elif first == "signs in":
        session.sign_in("ada")
    new = shop.commit(session)
    assert new != old
    parallel = shop.load(old)
    if then == "change":
        parallel["parallel"] = True
        assert (shop.commit(parallel) == "") == (first == "signs in")
        assert shop.load(new).user_id == "ada"
        assert shop.load(new).get("parallel", False) == (first != "signs in")
    else:
        parallel.sign_out()
        assert shop.commit(parallel) == ""
        assert shop.load(new).is_new
        assert shop.load(old).is_new


@pytest.mark.parametrize("first", ["reads", "changes", "signs in"])
def test_s18_a_late_request_with_the_tables_cookie_begins_no_session(shop: Shop, first: str) -> None:
    """A request from before the move into the cookie that is loaded after it does not replace the session."""
    shop.use("table", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("jwe")
    session = shop.load(old)
    if first == "changes":
        session["seen"] = True
    elif first == "signs in":
        session.sign_in("ada")
    assert shop.load(shop.commit(session)).user_id == "ada"
    late = shop.load(old)
    assert late.is_new
    late["count"] = 1
    assert shop.manager.commit(late, explicit=True) == ()
    assert shop.events[-1].name == "dropped"
    out = shop.load(old)
    out.sign_out()
    assert len(shop.manager.commit(out)) == 1
    shop.clock.forward(60)
    after = shop.load(old)
    after["count"] = 1
    assert shop.load(shop.commit(after)) == {"count": 1}
