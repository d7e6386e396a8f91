"""Idle and absolute lifetimes, renewal, and clocks."""

from __future__ import annotations

import pytest

from arc.sessions import jwe
from arc.sessions.record import Lifetimes, Record
from arc.sessions.stores.sealed import SealedStore
from arc.sessions.visit import Visit
from tests.sessions.making import SECRET, WEEK, Made, value_of

both = pytest.mark.parametrize("server", [False, True], ids=["sealed", "memory"])
OLD = "an older secret, also long enough for AES"


def sealed_payload(made: Made, payload: bytes) -> str:
    """Return a token of this app with any payload."""
    return jwe.seal(payload, made.manager.keyring.sealing, "A256GCM", b"n" * 12)


@both
def test_s11_the_idle_lifetime_ends_to_the_second(server: bool) -> None:
    """A session is valid one second before its idle lifetime ends, and not at its end."""
    made = Made(server=server, idle=1000)
    value = made.cookie(count=1)
    made.clock.forward(999)
    assert made.manager.load([value]) == {"count": 1}
    made.clock.forward(1)
    assert made.manager.load([value]).is_new


@both
def test_s18_the_absolute_lifetime_survives_renewal_and_regeneration(server: bool) -> None:
    """Renewals and regenerations do not move the end of the absolute lifetime."""
    made = Made(server=server, idle=1000, absolute=2500)
    value = made.cookie(count=1)
    for step in range(4):
        made.clock.forward(600)
        session = made.manager.load([value])
        assert session == {"count": 1}
        if step % 2:
            session.regenerate()
        value = value_of(made.manager.commit(session)[0])
    made.clock.forward(99)
    assert not made.manager.load([value]).is_new
    made.clock.forward(1)
    assert made.manager.load([value]).is_new


def test_s18_the_absolute_lifetime_survives_a_rotation_of_keys() -> None:
    """A session opened by a fallback secret keeps its creation time."""
    before = Made(absolute=1000, secret=OLD)
    value = before.cookie(count=1)
    after = Made(absolute=1000, fallbacks=(OLD,), clock=before.clock)
    after.clock.forward(500)
    session = after.manager.load([value])
    assert session.created_at == before.clock() - 500
    value = value_of(after.manager.commit(session)[0])
    after.clock.forward(499)
    assert after.manager.load([value]) == {"count": 1}
    after.clock.forward(1)
    assert after.manager.load([value]).is_new


@both
def test_s19_max_age_is_the_servers_lifetime(server: bool) -> None:
    """The cookie lasts as long as the server accepts it, limited by the absolute lifetime and 400 days."""
    made = Made(server=server, idle=1000, absolute=1500)
    session = made.manager.load([])
    session["count"] = 1
    cookie = made.manager.commit(session)[0]
    assert "Max-Age=1000;" in cookie
    made.clock.forward(900)
    session = made.manager.load([value_of(cookie)])
    assert "Max-Age=600;" in made.manager.commit(session)[0]
    made = Made(server=server, idle=500 * 86_400)
    session = made.manager.load([])
    session["count"] = 1
    assert f"Max-Age={400 * 86_400};" in made.manager.commit(session)[0]


@both
def test_s20_a_read_renews_after_a_tenth_of_the_idle_lifetime(server: bool) -> None:
    """Before a tenth a read sends nothing, and then it extends cookie and server lifetime together."""
    made = Made(server=server, idle=1000)
    value = made.cookie(count=1)
    made.clock.forward(99)
    assert made.manager.commit(made.manager.load([value])) == ()
    made.clock.forward(1)
    renewed = made.manager.commit(made.manager.load([value]))
    assert "Max-Age=1000;" in renewed[0]
    assert made.names[-1] == "renewed"
    made.clock.forward(999)
    assert made.manager.load([value_of(renewed[0])]) == {"count": 1}


@pytest.mark.parametrize(("idle", "lifetime", "tenth", "half"), [(1009, None, 100, 504), (9, 1009, 100, 504)])
def test_s20_parts_of_a_lifetime_are_whole_seconds_of_the_sessions_own(
    idle: int, lifetime: int | None, tenth: int, half: int
) -> None:
    """Parts are rounded down, and the lifetime set by the sign-in replaces that of the settings."""
    lifetimes, record = Lifetimes(idle, None), Record("id", {}, created=0, issued=0, expires=1009, lifetime=lifetime)
    for now, due in ((tenth - 1, False), (tenth, True)):
        assert lifetimes.renewal_due(record, now, on_server=True) is due
    for now, elapsed in ((half - 1, False), (half, True)):
        assert lifetimes.half_elapsed(record, now) is elapsed


def test_s11_a_record_without_times_is_over() -> None:
    """A record without `issued`, `expires` and an absolute lifetime has ended at time 0."""
    record = Record("id", {}, created=1000)
    assert Lifetimes(1000, None).end(record) == 0
    assert Lifetimes(1000, None).is_over(record, 0, may_have_moved=False)


def test_s18_only_the_absolute_lifetime_is_certain_if_the_end_may_have_moved() -> None:
    """If another request may have renewed a session, only its absolute lifetime ends it."""
    record = Record("id", {}, created=1000, issued=1000, expires=1001)
    for now, over in ((1999, False), (2000, True)):
        assert Lifetimes(10, 1000).is_over(record, now, may_have_moved=True) is over
    assert not Lifetimes(10, None).is_over(record, 9999, may_have_moved=True)


@both
def test_s20_a_short_lifetime_is_renewed_at_most_once_a_second(server: bool) -> None:
    """With an idle lifetime under ten seconds a read renews after a second."""
    made = Made(server=server, idle=5)
    value = made.cookie(count=1)
    assert made.manager.commit(made.manager.load([value])) == ()
    made.clock.forward(1)
    assert "Max-Age=5;" in made.manager.commit(made.manager.load([value]))[0]


@both
def test_s20_a_polling_route_can_opt_out(server: bool) -> None:
    """touch=False never renews."""
    made = Made(server=server, idle=1000)
    value = made.cookie(count=1)
    made.clock.forward(500)
    assert made.manager.commit(made.manager.load([value]), touch=False) == ()


class Fetch(Visit):
    """A request of a script."""

    navigation = False


class Post(Fetch):
    """A script's request that changes something."""

    safe = False


def test_a_script_renews_a_sealed_cookie_after_half_of_its_lifetime() -> None:
    """A renewal could undo a parallel write, so a script's GET renews late and its POST never."""
    made = Made(idle=1000)
    value = made.cookie(count=1)
    for seconds, visit, renews in ((499, Fetch(), False), (1, Fetch(), True), (499, Post(), False)):
        made.clock.forward(seconds)
        assert bool(made.manager.commit(made.manager.load([value], visit))) is renews
    on_server = Made(server=True, idle=1000)
    value = on_server.cookie(count=1)
    on_server.clock.forward(100)
    assert on_server.manager.commit(on_server.manager.load([value], Post())) != ()


def test_an_app_that_only_fetches_keeps_visitors_signed_in() -> None:
    """Daily GET requests of a script keep a visitor signed in for a month."""
    made = Made()
    value = made.cookie(count=1)
    for _ in range(30):
        made.clock.forward(86_400)
        cookies = made.manager.commit(made.manager.load([value], Fetch()))
        value = value_of(cookies[0]) if cookies else value
    assert made.manager.load([value]) == {"count": 1}


def test_a_lifetime_over_a_week_is_renewed_while_node_still_reads_the_token() -> None:
    """Node accepts a token for a week, so scripts renew it within a week even if the idle lifetime is longer."""
    made = Made(idle=30 * 86_400)
    value = made.cookie(count=1)
    made.clock.forward(WEEK // 2)
    assert made.manager.commit(made.manager.load([value], Fetch())) != ()


def test_touch_always_renews_on_any_request() -> None:
    """touch="always" also renews a sealed cookie on a script's POST after a tenth of the lifetime."""
    made = Made(idle=1000)
    value = made.cookie(count=1)
    for seconds, renews in ((99, False), (1, True)):
        made.clock.forward(seconds)
        assert bool(made.manager.commit(made.manager.load([value], Post()), touch="always")) is renews


def test_a_session_opened_by_a_fallback_is_renewed_at_once() -> None:
    """The next navigation seals it with the current secret, so that the fallback can be retired."""
    old = Made(secret=OLD)
    value = old.cookie(count=1)
    made = Made(fallbacks=(OLD,))
    renewed = value_of(made.manager.commit(made.manager.load([value]))[0])
    assert Made().manager.load([renewed]) == {"count": 1}


def test_s04_retired_secrets_open_nothing_and_fallbacks_never_seal() -> None:
    """All secrets of the list open, only the first seals, and other secrets do neither."""
    old, new = Made(secret=OLD), Made(secret=SECRET)
    rotating = Made(secret=SECRET, fallbacks=(OLD,))
    waiting = Made(secret=OLD, fallbacks=(SECRET,))
    for opener in (rotating, waiting):
        for sealer in (old, new):
            assert opener.manager.load([sealer.cookie(count=1)]) == {"count": 1}
    assert new.manager.load([rotating.cookie(count=1)]) == {"count": 1}
    assert old.manager.load([waiting.cookie(count=1)]) == {"count": 1}
    assert new.manager.load([old.cookie(count=1)]).is_new
    assert old.manager.load([rotating.cookie(count=1)]).is_new


def test_s11_a_token_from_the_near_future_counts_as_now() -> None:
    """A skew of 300 seconds is accepted and does not extend the session."""
    ahead = Made()
    value = ahead.cookie(count=1)
    behind = Made()
    behind.clock.forward(-300)
    assert behind.manager.load([value]) == {"count": 1}


def test_s11_a_token_from_the_far_future_is_refused_and_not_replaced() -> None:
    """A skew of 301 seconds is a `clock` event, an empty session, and no cookie for any change."""
    ahead = Made()
    value = ahead.cookie(count=1)
    behind = Made()
    behind.clock.forward(-301)
    session = behind.manager.load([value])
    assert session == {}
    assert behind.names == ["clock"]
    session["count"] = 9
    assert behind.manager.commit(session) == ()
    assert behind.names == ["clock", "dropped"]


def test_s11_writing_nothing_keeps_a_token_from_the_future() -> None:
    """An explicit write without data does not clear the valid session's cookie, but a sign-out does."""
    value = Made().cookie(count=1)
    behind = Made()
    behind.clock.forward(-301)
    session = behind.manager.load([value])
    assert behind.manager.commit(session, explicit=True) == ()
    session = behind.manager.load([value])
    session.sign_out()
    assert "Max-Age=0" in behind.manager.commit(session)[0]


def test_s11_data_after_a_sign_out_replaces_a_token_from_the_future() -> None:
    """After a sign-out from a session from the future, data begins another session."""
    value = Made().cookie(count=1)
    behind = Made()
    behind.clock.forward(-301)
    session = behind.manager.load([value])
    session.sign_out()
    session.flash("info", "Goodbye")
    again = behind.manager.load([value_of(behind.manager.commit(session)[0])])
    assert again.flashes() == ["Goodbye"]


@pytest.mark.parametrize("iat", ["true", "1800000000.0", '"1800000000"', "null", "0", "-5", "[]"])
def test_s11_iat_is_an_integer(iat: str) -> None:
    """A token whose `iat` is not a positive integer is refused."""
    made = Made()
    assert made.manager.load([sealed_payload(made, b'{"count":1,"iat":%s}' % iat.encode())]).is_new
    assert (made.events[0].name, made.events[0].reason) == ("refused", "malformed")


@pytest.mark.parametrize(
    "payload",
    [b"[1]", b'"text"', b"", b"{", b"\xff", b'{"a":NaN,"iat":1800000000}', b'{"a":Infinity,"iat":1800000000}'],
)
def test_s13_the_payload_is_a_json_object(payload: bytes) -> None:
    """A payload that is not a JSON object is refused, even if our key sealed it."""
    made = Made()
    assert made.manager.load([sealed_payload(made, payload)]).is_new
    assert made.names == ["refused"]


def test_s13_deep_nesting_does_not_crash() -> None:
    """Thousands of nested lists are refused with any recursion limit."""
    made = Made()
    for depth in (31, 900, 1400):
        payload = b'{"iat":1800000000,"x":' + b"[" * depth + b"]" * depth + b"}"
        assert made.manager.load([sealed_payload(made, payload)]).is_new
    deep = b'{"iat":1800000000,"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    assert made.manager.load([sealed_payload(made, deep)]).is_new


@pytest.mark.parametrize("depth", [31, 900, 10_000])
def test_s13_deep_nesting_is_refused_in_data_and_facts(depth: int) -> None:
    """Deep nesting is refused in the data and in the session's facts."""
    made = Made()
    deep = b"[" * depth + b"]" * depth
    for place in (
        b'{"x":%s,"_arc_id":"x","iat":1800000000}',
        b'{"x":1,"_arc_id":"x","_arc_flash":%s,"iat":1800000000}',
    ):
        assert made.manager.load([sealed_payload(made, place % deep)]).is_new


def test_a_session_of_node_that_is_too_large_to_renew_is_loaded() -> None:
    """If our facts make it too large for a cookie, a read emits an event and does not fail."""
    made = Made()
    session = made.manager.load([sealed_payload(made, b'{"x":"%s","iat":1800000000}' % (b"x" * 2930))])
    made.clock.forward(days=1)
    assert not session.is_new
    assert made.manager.commit(session) == ()
    assert made.names == ["loaded", "renewal_failed"]


def test_exp_can_only_shorten_the_lifetime() -> None:
    """A token's `exp` can end it earlier and not later."""
    made = Made()
    now = int(made.clock())
    early = sealed_payload(made, b'{"a":1,"iat":%d,"exp":%d}' % (now, now + 10))
    late = sealed_payload(made, b'{"a":1,"iat":%d,"exp":%d}' % (now, now + 2 * WEEK))
    made.clock.forward(10)
    assert made.manager.load([early]).is_new
    made.clock.forward(WEEK - 10)
    assert made.manager.load([late]).is_new


def test_a_shorter_idle_lifetime_limits_nodes_fixed_week() -> None:
    """A token that Node would accept for longer is renewed at once with an `exp` for Node."""
    made = Made(idle=1000)
    now = int(made.clock())
    session = made.manager.load([sealed_payload(made, b'{"a":1,"iat":%d}' % now)])
    renewed = value_of(made.manager.commit(session)[0])
    record = SealedStore(made.manager.keyring, "_idx", random=made.manager.random).load(renewed, now)
    assert record.expires == now + 1000
    assert made.manager.commit(made.manager.load([renewed])) == ()


def test_a_longer_idle_lifetime_is_renewed_within_nodes_week() -> None:
    """With an idle lifetime of a year a token is renewed before Node's week ends."""
    for server in (False, True):  # A row says itself when it ends, so that Node needs no reminder.
        made = Made(server=server, idle=365 * 86_400)
        value = made.cookie(count=1)
        made.clock.forward(WEEK // 10 - 1)
        assert made.manager.commit(made.manager.load([value])) == ()
        made.clock.forward(1)
        assert bool(made.manager.commit(made.manager.load([value]))) is not server


def test_a_token_without_a_creation_stamp_was_created_at_its_iat() -> None:
    """A session that Node wrote has the creation time of Node's write, also after renewals."""
    made = Made(absolute=1000)
    now = int(made.clock())
    made.clock.forward(400)
    session = made.manager.load([sealed_payload(made, b'{"a":1,"iat":%d}' % now)])
    assert session.created_at == now
    session["a"] = 2
    assert made.manager.load([value_of(made.manager.commit(session)[0])]).created_at == now


@pytest.mark.parametrize("before", [None, 5000], ids=["introduced", "shortened"])
def test_s18_a_new_absolute_lifetime_applies_to_existing_sessions(made: Made, before: int | None) -> None:
    """When the settings introduce or shorten it, older sessions end to the second, in every store."""
    old = Made(store=made.manager.store, clock=made.clock, absolute=before)
    value = old.cookie(count=1)
    new = Made(store=made.manager.store, clock=made.clock, absolute=1000)
    made.clock.forward(999)
    assert new.manager.load([value]) == {"count": 1}
    made.clock.forward(1)
    assert new.manager.load([value]).is_new
    assert (new.events[-1].name, new.events[-1].reason) == ("refused", "expired")
    assert old.manager.load([value]) == {"count": 1}


def test_s18_a_record_without_another_end_ends_with_its_absolute_lifetime() -> None:
    """A store that knows neither when it was written nor an end still knows when it began."""
    record = Record("id", {}, created=1000)
    assert Lifetimes(1000, 50).end(record) == 1050
    assert Lifetimes(1000, 50).end(Record("id", {}, created=1000, expires=1049)) == 1049
    assert Lifetimes(1000, 50).end(Record("id", {}, created=1000, expires=1051)) == 1050
    assert not record.foreign
