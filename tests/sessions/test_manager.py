"""A session from load to commit, in a sealed store and in one on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from arc.errors import LateChange, SessionTooLarge, StoreError
from arc.sessions.delta import Delta
from arc.sessions.keyring import Keyring
from arc.sessions.record import Record
from arc.sessions.session import Session
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.store import IdTaken, Written
from arc.sessions.visit import Visit
from arc.settings import Settings
from tests.sessions.making import SECRET, WEEK, Made, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

both = pytest.mark.parametrize("server", [False, True], ids=["sealed", "memory"])


class Failing(MemoryStore):
    """A store whose system fails, except for loading and creating."""

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written | None:
        """Fail."""
        raise StoreError("throttled")

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Fail."""
        raise StoreError("throttled")


# -- saving


@both
def test_data_is_loaded_by_the_next_request(server: bool) -> None:
    """The next request loads the session with its data, id and creation time."""
    made = Made(server=server)
    session = made.manager.load([])
    session["cart"] = {"items": ["book"]}
    value = value_of(made.manager.commit(session)[0])
    made.clock.forward(60)
    again = made.manager.load([value])
    assert again == {"cart": {"items": ["book"]}}
    assert (again.id, again.created_at) == (session.id, session.created_at)
    assert made.names == ["created", "loaded"]


@both
def test_a_change_in_place_at_any_depth_is_stored(server: bool) -> None:
    """Appending to a list inside a dict is a change, and so is 1 becoming True."""
    made = Made(server=server)
    session = made.manager.load([made.cookie(cart={"items": ["book"]}, flag=1)])
    session["cart"]["items"].append("pen")
    session["flag"] = True
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert again["cart"] == {"items": ["book", "pen"]}
    assert again["flag"] is True


@both
def test_s33_a_read_writes_nothing(server: bool) -> None:
    """Reading sends no cookie, and neither does assigning an equal value."""
    made = Made(server=server)
    session = made.manager.load([made.cookie(count=1, pair=[1, 2])])
    session["count"] = 1
    session["pair"] = (1, 2)
    assert made.manager.commit(session) == ()


@both
def test_s34_a_visitor_without_data_gets_neither_cookie_nor_row(server: bool) -> None:
    """Without data, with a forged cookie or an unknown id, and after a sign-out nothing is stored."""
    made = Made(server=server)
    for values in ([], ["forged"], ["A" * 24 + "." + "B" * 43]):
        session = made.manager.load(values)
        session.regenerate()
        assert made.manager.commit(session) == ()
    session = made.manager.load([])
    session.sign_out()
    assert "Max-Age=0" in made.manager.commit(session)[0]
    assert made.store is None or len(made.store) == 0
    assert "created" not in made.names


@both
def test_a_second_commit_returns_the_same_cookies(server: bool) -> None:
    """Committing twice without a change writes once."""
    made = Made(server=server)
    session = made.manager.load([])
    session["count"] = 1
    assert made.manager.commit(session) == made.manager.commit(session)
    assert made.names == ["created"]


class Unreachable(MemoryStore):
    """A store whose first load fails."""

    fails = True

    def load(self, value: str, now: int) -> Record:
        """Fail once."""
        if self.fails:
            self.fails = False
            raise StoreError("throttled")
        return super().load(value, now)


class Elsewhere(Visit):
    """A visit that may have sent a cookie of another path."""

    def places(self) -> Iterator[tuple[str | None, str]]:
        """One path."""
        yield None, "/shop"


@both
def test_a_change_after_a_commit_is_stored_by_the_next(server: bool) -> None:
    """Changes in place are stored as well, and the latest cookie replaces the earlier one."""
    made = Made(server=server)
    session = made.manager.load([])
    session["cart"] = ["book"]
    first = made.manager.commit(session)
    session["cart"].append("pen")
    (cookie,) = made.manager.commit(session)
    assert made.manager.load([value_of(cookie)]) == {"cart": ["book", "pen"]}
    session.flash("info", "saved")
    session.increment("visits")
    (cookie,) = made.manager.commit(session)
    assert made.manager.commit(session) == (cookie,)
    again = made.manager.load([value_of(cookie)])
    assert (again, again.flashes(), again.id) == ({"cart": ["book", "pen"], "visits": 1}, ["saved"], session.id)
    assert made.names[:1] == ["created"]
    assert (value_of(first[0]) == value_of(cookie)) is server


@both
def test_a_reverted_change_returns_the_cookie_of_the_earlier_commit(server: bool) -> None:
    """Nothing is stored, and the response still needs the first commit's cookie."""
    made = Made(server=server)
    session = made.manager.load([])
    session["count"] = 1
    cookies = made.manager.commit(session)
    session["count"] = 2
    session["count"] = 1
    assert session.cookies == cookies
    assert made.manager.commit(session) == cookies


@both
def test_a_sign_in_is_not_repeated_by_the_next_commit(server: bool) -> None:
    """The session keeps its new id, and the first commit's strings that clear other cookies are returned."""
    made = Made(server=server)
    value = made.cookie(cart=["book"])
    session = made.manager.load([value], Elsewhere())
    session.sign_in("ada")
    first = made.manager.commit(session)
    signed_in_as = session.id
    session["last"] = "/"
    cookies = made.manager.commit(session)
    assert len(first) > 1
    assert cookies[1:] == first[1:]
    again = made.manager.load([value_of(cookies[0])])
    assert (again.id, again.user_id, again) == (signed_in_as, "ada", {"cart": ["book"], "last": "/"})
    assert made.names.count("regenerated") == 1


@both
def test_data_set_after_a_committed_end_begins_another_session(server: bool) -> None:
    """The new session has nothing of the one that ended."""
    made = Made(server=server)
    value = made.cookie(cart=["book"])
    session = made.manager.load([value])
    ended = session.id
    session.destroy()
    (clearing,) = made.manager.commit(session)
    assert value_of(clearing) == ""
    assert session.is_new
    session["hello"] = 1
    (cookie,) = made.manager.commit(session)
    again = made.manager.load([value_of(cookie)])
    assert (again, again.user_id) == ({"hello": 1}, None)
    assert again.id != ended
    session.destroy()
    (clearing,) = made.manager.commit(session)
    assert value_of(clearing) == ""
    assert made.manager.load([value_of(cookie)]).is_new is server


def test_a_second_commit_keeps_changes_of_another_request() -> None:
    """The second commit applies its changes to the data that is stored by then."""
    made = Made(server=True)
    session = made.manager.load([])
    session["cart"] = ["book"]
    session.increment("visits")
    value = value_of(made.manager.commit(session)[0])
    other = made.manager.load([value])
    other["cart"].append("pen")
    other.increment("visits")
    other.flash("info", "added")
    made.manager.commit(other)
    session["cart"].append("ink")
    session.increment("visits")
    made.manager.commit(session)
    again = made.manager.load([value])
    assert (sorted(again["cart"]), again["visits"], again.flashes()) == (["book", "ink", "pen"], 3, ["added"])


def ended_after_a_commit() -> tuple[Made, Session, str]:
    """Return a session that was committed before another request signed out, with its manager and cookie's value."""
    made = Made(server=True)
    session = made.manager.load([])
    session["count"] = 1
    value = value_of(made.manager.commit(session)[0])
    other = made.manager.load([value])
    other.sign_out()
    made.manager.commit(other)
    return made, session, value


def test_a_session_that_another_request_ended_between_two_commits_stays_ended() -> None:
    """The change is dropped with an event and without a cookie, but a sign-in begins another session."""
    made, session, value = ended_after_a_commit()
    session["count"] = 2
    assert made.manager.commit(session) == ()
    assert made.names[-1] == "write_after_destroy"
    assert made.manager.load([value]).is_new
    session.sign_in("ada")
    session["last"] = "/"
    (cookie,) = made.manager.commit(session)
    again = made.manager.load([value_of(cookie)])
    assert (again.user_id, again) == ("ada", {"last": "/"})


def test_a_sign_out_in_a_second_commit_ends_the_replacement() -> None:
    """If another request gave the session a new id, the sign-out also ends the new one."""
    made = Made(server=True)
    session = made.manager.load([])
    session["count"] = 1
    value = value_of(made.manager.commit(session)[0])
    other = made.manager.load([value])
    other.sign_in("ada")
    replaced_by = value_of(made.manager.commit(other)[0])
    session.sign_out()
    assert value_of(made.manager.commit(session)[0]) == ""
    assert made.manager.load([replaced_by]).is_new


def test_a_failed_second_commit_can_be_retried() -> None:
    """When the store fails to load what happened to the session, nothing is lost."""
    made = Made(store=Unreachable(Keyring(Settings(secret=SECRET, environment="production"))))
    session = made.manager.load([])
    session["count"] = 1
    value = value_of(made.manager.commit(session)[0])
    session["count"] = 2
    with pytest.raises(StoreError, match="throttled"):
        made.manager.commit(session)
    assert made.names[-1] == "unavailable"
    made.manager.commit(session)
    assert made.manager.load([value]) == {"count": 2}


@both
def test_a_change_after_the_session_was_closed_raises(server: bool) -> None:
    """A change in place raises at each later commit, because nothing would store it."""
    made = Made(server=server)
    session = made.manager.load([])
    session["cart"] = ["book"]
    cookies = made.manager.commit(session)
    session.close()
    assert made.manager.commit(session) == cookies
    session["cart"].append("pen")
    for _ in range(3):
        with pytest.raises(LateChange, match="response was made"):
            made.manager.commit(session)


@both
def test_data_that_cannot_be_stored_raises(server: bool) -> None:
    """A set raises an error with its path before anything is stored or ended."""
    made = Made(server=server)
    value = made.cookie(count=1)
    session = made.manager.load([value])
    session.destroy()
    session["tags"] = {"a", "b"}
    with pytest.raises(TypeError, match="tags"):
        made.manager.commit(session)
    assert made.manager.load([value]) == {"count": 1}


def test_s25_name_and_value_of_4096_bytes_pass_and_4097_raise() -> None:
    """The error has the largest key and the remedy, and nothing is sent."""
    made = Made()
    room = next(size for size in range(3200, 2800, -1) if _fits(made, size))
    session = made.manager.load([])
    session["note"] = "x" * room
    assert len("_idx") + len(value_of(made.manager.commit(session)[0])) in range(4093, 4097)
    session = made.manager.load([])
    session["note"] = "x" * (room + 1)
    with pytest.raises(SessionTooLarge, match=r"'note' \([\d,]+ bytes\)\. Store less"):
        made.manager.commit(session)


def _fits(made: Made, size: int) -> bool:
    try:
        made.cookie(note="x" * size)
    except SessionTooLarge:
        return False
    return True


# -- failure


@both
def test_a_failed_response_drops_changes_with_an_event(server: bool) -> None:
    """On a 5xx the session is unchanged, and one event is emitted."""
    made = Made(server=server)
    value = made.cookie(count=1)
    session = made.manager.load([value])
    session["count"] = 2
    assert made.manager.commit(session, failed=True) == ()
    assert made.manager.load([value]) == {"count": 1}
    assert "dropped" in made.names


@both
def test_a_failed_response_drops_a_sign_in_with_an_event(server: bool) -> None:
    """On a 5xx no one is signed in, and each attempt emits one event."""
    made = Made(server=server)
    session = made.manager.load([made.cookie(count=1)])
    session.sign_in("ada")
    assert made.manager.commit(session, failed=True) == ()
    session = made.manager.load([])
    session.sign_in("ada")
    value = value_of(made.manager.commit(session)[0])
    made.clock.forward(60)
    session = made.manager.load([value])
    session.sign_in("ada")
    assert made.manager.commit(session, failed=True) == ()
    assert made.manager.load([value]).signed_in_at == made.clock() - 60
    assert made.names.count("dropped") == 2


@both
def test_a_failed_response_drops_data_that_cannot_be_stored(server: bool) -> None:
    """On a 5xx an invalid value raises no second error, with or without a sign-out."""
    made = Made(server=server)
    value = made.cookie(count=1)
    for end in (False, True):
        session = made.manager.load([value])
        if end:
            session.sign_out()
        session["tags"] = {"a", "b"}
        assert len(made.manager.commit(session, failed=True)) == end
        assert "dropped" in made.names
        made.events.clear()


@both
def test_a_failed_response_carries_out_a_sign_out(server: bool) -> None:
    """On a 5xx the sign-out is carried out, and data set after it is not stored."""
    made = Made(server=server)
    value = made.cookie(count=1)
    session = made.manager.load([value])
    session.sign_out()
    session["next"] = "page"
    cookies = made.manager.commit(session, failed=True)
    assert "Max-Age=0" in cookies[0]
    assert "destroyed" in made.names
    assert "dropped" in made.names
    if server:
        assert made.manager.load([value]).is_new


def test_a_failed_renewal_is_an_event_and_no_error() -> None:
    """A failed renewal does not affect a visitor who only reads, but a failed write raises."""
    made = Made(server=True)
    made.manager.store = Failing(made.manager.keyring)
    value = made.cookie(count=1)
    made.clock.forward(days=2)
    session = made.manager.load([value])
    assert made.manager.commit(session) == ()
    assert made.names[-1] == "renewal_failed"
    session = made.manager.load([value])
    session["count"] = 2
    with pytest.raises(StoreError):
        made.manager.commit(session)


class Down(MemoryStore):
    """A store whose system fails."""

    def load(self, value: str, now: int) -> Record:
        """Fail."""
        raise StoreError("throttled")

    def create(self, record: Record, now: int) -> str:
        """Fail."""
        raise StoreError("throttled")


def test_s43_a_failing_store_is_an_event() -> None:
    """A failed load and a failed write raise, and each emits one `unavailable` event with the store's message."""
    made = Made(server=True)
    made.manager.store = Down(made.manager.keyring)
    with pytest.raises(StoreError):
        made.manager.load(["any"])
    session = made.manager.load([])
    session["count"] = 1
    with pytest.raises(StoreError):
        made.manager.commit(session)
    assert [(event.name, event.reason) for event in made.events] == [("unavailable", "throttled")] * 2


# -- identity


@both
def test_s16_signing_in_changes_the_id_and_keeps_data_and_age(server: bool) -> None:
    """Regeneration gives the session a new id, and a store on a server revokes the old one."""
    made = Made(server=server)
    old = made.cookie(cart=["book"])
    before = made.manager.load([old])
    made.clock.forward(60)
    session = made.manager.load([old])
    session.sign_in("ada")
    new = value_of(made.manager.commit(session)[0])
    again = made.manager.load([new])
    assert again.id != before.id
    assert again.created_at == before.created_at
    assert again == {"cart": ["book"]}
    assert again.user_id == "ada"
    if server:
        assert made.manager.load([old]).is_new


@both
def test_s16_a_double_clicked_sign_in_succeeds(server: bool) -> None:
    """Two sign-ins that loaded the same session both return a cookie of a signed-in session."""
    made = Made(server=server)
    old = made.cookie(cart=["book"])
    one, other = made.manager.load([old]), made.manager.load([old])
    for session in (one, other):
        session.sign_in("ada")
    values = [value_of(made.manager.commit(session)[0]) for session in (one, other)]
    assert [made.manager.load([value]).user_id for value in values] == ["ada", "ada"]


@both
def test_s15_an_id_the_server_did_not_issue_is_never_adopted(server: bool) -> None:
    """Data for a visitor with an invented or unknown id is stored under another id."""
    made = Made(server=server)
    value = made.cookie(count=1)
    foreign = Made(server=server, secret="another secret of thirty-two chars").cookie(count=9)
    for arrived in ("A" * 24, "A" * 24 + "." + "B" * 43, foreign, value + "x"):
        session = made.manager.load([arrived])
        assert session == {}
        session["count"] = 5
        cookie = made.manager.commit(session)[0]
        assert value_of(cookie) != arrived
        assert session.id not in arrived


@both
def test_s01_ids_are_24_characters_of_18_random_bytes(server: bool) -> None:
    """An id has 144 bits of the manager's randomness."""
    made = Made(server=server)
    sizes: list[int] = []

    def recording(size: int) -> bytes:
        sizes.append(size)
        return b"\x01" * size

    made.manager.random = recording
    assert len(made.manager.load([]).id) == 24
    assert sizes == [18]


# -- ending


@both
def test_s21_after_a_sign_out_the_old_cookie_opens_nothing_on_a_server(server: bool) -> None:
    """A store on a server revokes a captured cookie; a sealed one is valid until it expires, as documented."""
    made = Made(server=server)
    captured = made.cookie(count=1)
    session = made.manager.load([captured])
    session.sign_out()
    made.manager.commit(session)
    assert made.manager.load([captured]).is_new is server
    made.clock.forward(WEEK)
    assert made.manager.load([captured]).is_new


def test_s22_a_slow_request_revives_nothing_and_sends_no_cookie() -> None:
    """A commit of an ended session writes nothing, clears nothing and emits an event."""
    made = Made(server=True)
    value = made.cookie(count=1)
    slow = made.manager.load([value])
    quick = made.manager.load([value])
    quick.sign_out()
    made.manager.commit(quick)
    slow["count"] = 2
    assert made.manager.commit(slow) == ()
    assert made.names[-1] == "write_after_destroy"
    assert made.manager.load([value]).is_new


@both
def test_data_set_after_a_destroy_starts_another_session(server: bool) -> None:
    """A message after the sign-out is stored with a new id, a new creation time and no principal."""
    made = Made(server=server)
    session = made.manager.load([made.cookie(count=1)])
    before = session.id
    made.clock.forward(60)
    session = made.manager.load([made.cookie(count=1)])
    session.sign_out()
    session.flash("info", "bye")
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert again.id != before
    assert (again.user_id, again.flashes()) == (None, ["bye"])


@both
def test_replacing_keeps_the_id_and_an_empty_dict_destroys(server: bool) -> None:
    """`req.session = {…}` keeps the session, and `{}` ends it."""
    made = Made(server=server)
    session = made.manager.load([made.cookie(count=1)])
    before = session.id
    session.replace({"other": 2})
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (again, again.id) == ({"other": 2}, before)
    again.replace({})
    assert "Max-Age=0" in made.manager.commit(again)[0]


def test_s23_the_clearing_cookie_repeats_the_attributes_in_every_variant() -> None:
    """With a domain configured, the host-only cookie and the one with the domain are cleared."""
    made = Made(domain="example.com", path="/app", same_site="Strict")
    session = made.manager.load([made.cookie(count=1)])
    session.destroy()
    domain, host_only = made.manager.commit(session)
    for cookie in (domain, host_only):
        assert cookie.startswith("_idx=; Max-Age=0; ")
        for attribute in (
            "Path=/app",
            "HttpOnly",
            "Secure",
            "SameSite=Strict",
            "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ):
            assert attribute in cookie
    assert "Domain=example.com" in domain
    assert "Domain" not in host_only


# -- ids, and what a store cannot do


@pytest.mark.parametrize(("pattern", "character"), [(b"\xff\xff\xff", "_"), (b"\xfb\xef\xbe", "-")])
def test_an_id_is_safe_in_an_address(pattern: bytes, character: str) -> None:
    """The two characters of base64 that are not are written as Node writes them."""
    made = Made()
    made.manager.random = lambda size: pattern * (size // 3)
    assert made.manager.load([]).id == character * 24


class Taken(MemoryStore):
    """A store in which the first ids are in use."""

    taken = 2

    def create(self, record: Record, now: int) -> str:
        """Refuse the first ids."""
        if self.taken:
            self.taken -= 1
            raise IdTaken
        return super().create(record, now)


def test_an_id_that_is_in_use_is_replaced_by_a_new_one() -> None:
    """Twice; then something is wrong with the machine's randomness, and the commit fails."""
    store = Taken(Keyring(Settings(secret=SECRET, environment="production")))
    made = Made(store=store)
    session = made.manager.load([])
    first = session.id
    session["count"] = 1
    value = value_of(made.manager.commit(session)[0])
    assert session.id not in ("", first)
    again = made.manager.load([value])
    assert (again, again.id) == ({"count": 1}, session.id)
    store.taken = 3
    other = made.manager.load([])
    other["count"] = 1
    with pytest.raises(StoreError, match="3 new session ids"):
        made.manager.commit(other)


class Plain(MemoryStore):
    """A store on the server that does not merge."""

    merges = False


class Moving(MemoryStore):
    """A store that merges and is not on the server."""

    on_server = False


@pytest.mark.parametrize("kind", [Plain, Moving])
def test_a_store_with_a_table_has_limits_on_numbers(kind: type[MemoryStore]) -> None:
    """One that merges or is on the server; a sealed session may hold larger ones."""
    made = Made(store=kind(Keyring(Settings(secret=SECRET, environment="production"))))
    assert Made().cookie(number=10**40)
    with pytest.raises(TypeError, match="number"):
        made.cookie(number=10**40)


# -- sessions that end between load and commit, and commits that store nothing


@both
def test_a_session_that_expires_while_a_request_runs_is_over(server: bool) -> None:
    """A read sends no cookie, a change is not kept, and a sign-in begins another session at once."""
    made = Made(server=server, idle=1000)
    value = made.cookie(count=1)
    reading, changing, signing_in = (made.manager.load([value]) for _ in range(3))
    made.clock.forward(1000)
    assert made.manager.commit(reading) == ()
    changing["count"] = 2
    assert made.manager.commit(changing) == ()
    assert made.names[-2:] == ["write_after_destroy"] * 2
    assert {event.session for event in made.events} == {made.events[0].session}
    assert made.manager.load([value]).is_new
    if not server:
        signing_in["last"] = "/"
        signing_in.sign_in("ada")
        (cookie,) = made.manager.commit(signing_in)
        again = made.manager.load([value_of(cookie)])
        assert (again.user_id, again, again.created_at) == ("ada", {"last": "/"}, int(made.clock()))


@both
def test_an_explicit_commit_writes_what_did_not_change(server: bool) -> None:
    """A session is written anew; of one without data the cookie is cleared."""
    made = Made(server=server)
    session = made.manager.load([made.cookie(count=1)])
    (cookie,) = made.manager.commit(session, explicit=True)
    assert made.manager.load([value_of(cookie)]) == {"count": 1}
    (clearing,) = made.manager.commit(made.manager.load([]), explicit=True)
    assert value_of(clearing) == ""


@both
def test_a_change_after_a_commit_that_stored_nothing_is_stored(server: bool) -> None:
    """The first commit stored, the second was of a failed response, and the third stores again."""
    made = Made(server=server)
    session = made.manager.load([])
    session["count"] = 1
    made.manager.commit(session)
    session["lost"] = True
    made.manager.commit(session, failed=True)
    del session["lost"]
    session["count"] = 3
    cookies = made.manager.commit(session)
    assert made.manager.load([value_of(cookies[0])]) == {"count": 3}
    assert "write_after_destroy" not in made.names


def test_a_sign_out_of_a_session_that_another_request_ended_clears_the_cookie() -> None:
    """Nothing is left to end between two commits."""
    made, session, _ = ended_after_a_commit()
    session.sign_out()
    (clearing,) = made.manager.commit(session)
    assert value_of(clearing) == ""
    assert made.names.count("destroyed") == 1


class Recording(MemoryStore):
    """A store that remembers each record that it is given."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(keyring)
        self.given: list[Record] = []

    def create(self, record: Record, now: int) -> str:
        """Remember the record, too."""
        self.given.append(record)
        return super().create(record, now)


@pytest.mark.parametrize(("lifetime", "idle"), [(None, WEEK), (3600, 3600), ("browser", WEEK)])
def test_a_store_is_given_all_there_is_to_a_session(lifetime: int | Literal["browser"] | None, idle: int) -> None:
    """Its data with the JSON of it, the principal, the messages, when it was written and when it ends."""
    store = Recording(Keyring(Settings(secret=SECRET, environment="production")))
    made = Made(store=store)
    session = made.manager.load([])
    session["cart"] = ["book"]
    session.flash("info", "hello")
    session.sign_in("ada", lifetime=lifetime)
    (cookie,) = made.manager.commit(session)
    (record,) = store.given
    now = int(made.clock())
    assert (record.id, record.data, record.text) == (session.id, {"cart": ["book"]}, '{"cart":["book"]}')
    assert (record.user_id, record.flashes, record.lifetime) == ("ada", (("info", "hello"),), lifetime)
    assert (record.created, record.signed_in_at, record.issued, record.expires) == (now, now, now, now + idle)
    assert ("Max-Age" in cookie) is (lifetime != "browser")


@pytest.mark.parametrize(
    ("is_new", "way", "arguments", "events"),
    [
        (False, "sign_out", (), ["destroyed"]),
        (False, "sign_in", ("ada",), ["regenerated"]),
        (True, "sign_out", (), []),
        (True, "sign_in", ("ada",), ["created"]),
    ],
)
def test_what_follows_when_another_request_ended_the_session_between_two_commits(
    is_new: bool, way: str, arguments: tuple[str, ...], events: list[str]
) -> None:
    """A sign-out ends what is left of a loaded session, and a sign-in gives it a new id; a new one begins afresh."""
    made = Made(server=True)
    session = made.manager.load([] if is_new else [made.cookie(count=1)])
    session["count"] = 2
    other = made.manager.load([value_of(made.manager.commit(session)[0])])
    other.sign_out()
    made.manager.commit(other)
    getattr(session, way)(*arguments)
    made.events.clear()
    (cookie,) = made.manager.commit(session)
    assert made.names == events
    assert made.manager.load([value_of(cookie)]).user_id == session.user_id


def test_of_two_sessions_the_one_in_the_present_store_is_taken() -> None:
    """Whatever their order: the other one has not moved yet."""
    made = Made()
    foreign = made.cookie(count=1)
    made.move_to(MemoryStore(made.manager.keyring))
    own = made.cookie(count=2)
    for values in ([own, foreign], [foreign, own]):
        assert made.manager.load(values) == {"count": 2}
