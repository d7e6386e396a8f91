"""The store is changed under a signed-in visitor, who notices nothing."""

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
        """Keep sessions in the `table` or in the cookie (`jwe`) from now on."""
        new, old = (self.server, self.sealed) if name == "table" else (self.sealed, self.server)
        store = MovingStore(new, old, self.keyring, idle=self.settings.idle) if moving else new
        self.manager = self.manager_of(store)

    def rotate(self, secret: str) -> None:
        """Seal and sign with another secret, the present one still opening, in every part of the app."""
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
        """The cookie value after the commit, empty without a cookie."""
        cookies = self.manager.commit(session)
        return value_of(cookies[0]) if cookies else ""


@pytest.fixture(params=["memory", "dynamodb"])
def server(request: pytest.FixtureRequest, ministack: Engine) -> Store:
    """A store on the server."""
    if request.param == "memory":
        return MemoryStore(Keyring(Settings(environment="production", secret=SECRET)))
    return Kept(ministack).store


@pytest.fixture
def shop(server: Store) -> Shop:
    """An app with an absolute lifetime of four weeks."""
    return Shop(server, absolute=4 * WEEK)


@pytest.mark.parametrize(("first", "then"), [("jwe", "table"), ("table", "jwe")])
def test_s18_a_change_of_store_signs_nobody_out(shop: Shop, first: str, then: str) -> None:
    """In both directions principal, data and creation time go along, and the absolute lifetime still ends."""
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


def test_a_visitor_who_only_reads_moves_too(shop: Shop) -> None:
    """The first visit after the change gives the cookie of the new store."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    new = shop.commit(shop.load(old))
    shop.use("table", moving=False)
    assert shop.load(new) == {"cart": ["book"]}


def test_parallel_first_requests_meet_in_one_session(shop: Shop) -> None:
    """Two requests with the old cookie end in one record with the work of both."""
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


def test_s21_a_sign_out_ends_the_old_token_too(shop: Shop) -> None:
    """Signed out before or after the move, the old token opens nothing, however long it would have lived."""
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


def test_s16_after_a_new_sign_in_the_old_token_opens_nothing(shop: Shop) -> None:
    """A session that moves while its visitor signs in again leaves no way back to it, days later neither."""
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
def test_s22_a_first_request_that_ends_after_the_sign_out_moves_nothing(
    shop: Shop, work: Callable[[Session], object]
) -> None:
    """A session that was signed out before it moved is not brought into the table by a slow request."""
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


def test_s21_a_moved_session_that_was_changed_still_ends_its_old_token(shop: Shop) -> None:
    """However often it was changed and renewed since it moved, its sign-out leaves the old token worthless."""
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


def test_what_does_not_fit_into_a_cookie_stays_in_the_table(shop: Shop) -> None:
    """A large session is changed where it is, and moves when it has become small."""
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


def test_s22_a_request_that_ends_after_the_sign_out_takes_nothing_over(shop: Shop) -> None:
    """A session that was signed out in its table does not come back as a cookie."""
    shop.use("table", moving=False)
    value = shop.signed_in(cart=["book"])
    shop.use("jwe")
    slow, quick = shop.load(value), shop.load(value)
    quick.sign_out()
    shop.manager.commit(quick)
    slow["late"] = True
    assert shop.manager.commit(slow) == ()
    assert shop.events[-1].name == "write_after_destroy"


def test_without_the_variable_the_other_stores_cookies_mean_nothing(shop: Shop) -> None:
    """A store opens what it made, nothing else."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table", moving=False)
    assert shop.load(old).is_new


def test_a_sign_in_that_moves_a_session_counts_its_changes_once(shop: Shop) -> None:
    """What the request of the sign-in appended, counted and messaged is there once under the new id."""
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


def test_a_read_beside_the_first_write_takes_nothing_back(shop: Shop) -> None:
    """A request that only reads, and moves the session after another one did, leaves that one's work alone."""
    shop.use("jwe", moving=False)
    old = shop.signed_in(cart=["book"])
    shop.use("table")
    reading, writing = shop.load(old), shop.load(old)
    writing["cart"].append("pen")
    value = shop.commit(writing)
    assert shop.commit(reading) == value
    assert shop.load(value) == {"cart": ["book", "pen"]}


def test_s21_an_ended_session_stays_ended_when_the_secret_is_rotated(shop: Shop) -> None:
    """The mark that a sign-out leaves for the old token is found under the fallback secret, too."""
    shop.use("jwe", moving=False)
    old, other = shop.signed_in(cart=["a"]), shop.signed_in(cart=["b"])
    shop.use("table")
    session = shop.load(old)
    session.sign_out()
    shop.manager.commit(session)
    shop.rotate("another secret of the tests, long enough too")
    assert shop.load(old).is_new
    assert shop.load(other) == {"cart": ["b"]}


def test_a_session_that_moves_from_a_table_leaves_no_row_there(server: Store) -> None:
    """Between two stores on the server the old record goes, also when the visitor signs in meanwhile."""
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


def test_s21_a_sign_in_beside_a_sign_out_keeps_its_own_changes_alone(shop: Shop) -> None:
    """A visitor who signs in while another request ends the session in its table is signed in, without its data."""
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
    """A store on the server whose last writer wins, as another package's may."""

    merges = False


def test_sessions_move_into_a_store_that_does_not_merge() -> None:
    """Parallel first requests end in one record, and of a read, a write and a sign-in none fails."""
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


def test_s36_what_two_first_requests_lose_is_named(ministack: Engine) -> None:
    """Every path that two requests and one in between changed at once is named when their session moves."""
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
def test_s21_the_mark_of_an_ended_session_stays_until_its_old_token_has_expired(
    ministack: Engine, idle: int, opens_for: int
) -> None:
    """A token opens for the idle lifetime, in Node for a week: as long as either it is kept from coming back."""
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
def test_s21_the_mark_of_an_ended_session_outlasts_the_lifetime_of_its_sign_in(
    ministack: Engine, lifetime: int | Literal["browser"]
) -> None:
    """A token of a visitor who asked to be remembered opens for longer than the idle lifetime of all sessions."""
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
    """Where another machine's clock is ahead, its session is kept whatever else came, and while stores change too."""
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
def test_s21_a_late_sign_out_follows_to_a_successor_in_the_old_table(shop: Shop, signs_in: str) -> None:
    """A request with the id from before the sign-in ends the session that has replaced it, wherever that lives."""
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
    """From one table to another: what was sent with the old cookie and is loaded after the move signs nobody out."""
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
def test_s18_a_request_with_the_tables_cookie_replaces_no_moved_session(shop: Shop, first: str) -> None:
    """From a table into the cookie: what was sent before the move and is loaded after it begins no session."""
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
