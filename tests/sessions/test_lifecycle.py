"""Lifecycle events and how they identify a session."""

from __future__ import annotations

import logging
import re
from hashlib import blake2b

import pytest

from arc.errors import StoreError
from arc.sessions.keyring import Keyring
from arc.sessions.lifecycle import Event, Lifecycle
from arc.sessions.record import Record
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.store import Written
from arc.settings import Settings
from arc.testing import Clock
from tests.sessions.making import SECRET, Made, value_of
from tests.sessions.rings import hkdf

OTHER = "another secret of the tests, long enough too"


def named(made: Made) -> tuple[str, str]:
    """Return a new session's id and its name in events."""
    session = made.manager.load([])
    session["count"] = 1
    made.manager.commit(session)
    return session.id, made.events[-1].session


def test_s42_an_event_identifies_a_session_by_a_keyed_hash() -> None:
    """The hash depends on the secret, so that no one without it can match an id to a log line."""
    ours, again, others = named(Made()), named(Made()), named(Made(secret=OTHER))
    assert ours[0] == again[0] == others[0]
    assert ours[1] == again[1]
    assert ours[1] != others[1]
    assert len(ours[1]) == len("0123456789abcdef")


def test_s42_events_distinguish_sessions() -> None:
    """Different ids have different hashes, and all events of one session have the same one."""
    made = Made(server=True)
    value, other = made.cookie(count=1), made.cookie(count=1)
    made.manager.load([value])
    made.manager.load([other])
    created, second, loaded, last = (event.session for event in made.events)
    assert created == loaded
    assert second == last
    assert created != second


def test_s43_regenerated_is_emitted_after_the_store_succeeds(made: Made) -> None:
    """A sign-in emits one event with the new id, and none if the session had ended."""
    value = made.cookie(count=1)
    session, late = made.manager.load([value]), made.manager.load([value])
    session.sign_in("ada")
    made.events.clear()
    new = value_of(made.manager.commit(session)[0])
    assert made.names == ["regenerated"]
    made.manager.load([new])
    assert made.events[0].session == made.events[1].session
    late.regenerate()
    made.events.clear()
    made.manager.commit(late)
    assert made.names == (["write_after_destroy"] if made.manager.store.revocable else ["regenerated"])


def test_an_event_reaches_the_log_without_a_listener(caplog: pytest.LogCaptureFixture) -> None:
    """The name, the session's hash and the reason are one line, and unknown parts are left out."""
    lifecycle = Lifecycle(None, lambda session_id: f"hash of {session_id}")
    with caplog.at_level(logging.DEBUG, "arc.sessions"):
        lifecycle.emit("refused")
        lifecycle.emit("refused", "forged", "id")
    assert caplog.messages == ["session refused", "session refused hash of id: forged"]


def test_a_listener_gets_events_while_the_logger_is_disabled(caplog: pytest.LogCaptureFixture) -> None:
    """With the logger disabled, every event reaches `on_event`, and unknown parts are empty."""
    events: list[Event] = []
    lifecycle = Lifecycle(events.append, str.upper)
    with caplog.at_level(logging.CRITICAL, "arc.sessions"):
        lifecycle.emit("loaded")
        lifecycle.emit("refused", "forged", "id")
    assert [(event.name, event.reason, event.session) for event in events] == [
        ("loaded", "", ""),
        ("refused", "forged", "ID"),
    ]
    assert caplog.messages == []
    assert repr(Event("loaded")) == "Event('loaded', reason='', session='')"


def test_s42_the_name_of_a_session_is_a_hash_under_a_key_for_events_alone() -> None:
    """Eight bytes of keyed BLAKE2b: whoever has the secret can find the log lines of an id."""
    made = Made()
    session_id, name = named(made)
    key = hkdf(SECRET, "arc-sessions:purpose:event", 32)
    assert name == blake2b(session_id.encode(), key=key, digest_size=8).hexdigest()


class Throttled(MemoryStore):
    """A store that fails once it is told to."""

    fails = False

    def load(self, value: str, now: int) -> Record:
        """Fail, perhaps."""
        if self.fails:
            raise StoreError("throttled")
        return super().load(value, now)

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Fail."""
        raise StoreError("throttled")


def test_s43_a_failure_of_the_store_is_told_with_its_reason_and_session() -> None:
    """When a session is renewed, and when a second commit asks what became of it."""
    store = Throttled(Keyring(Settings(secret=SECRET, environment="production")))
    made = Made(store=store)
    session = made.manager.load([])
    session["count"] = 1
    value = value_of(made.manager.commit(session)[0])
    name = made.events[-1].session
    made.clock.forward(days=2)
    assert made.manager.commit(made.manager.load([value])) == ()
    store.fails = True
    session["count"] = 2
    with pytest.raises(StoreError):
        made.manager.commit(session)
    assert [(event.name, event.reason, event.session) for event in made.events[2:]] == [
        ("renewal_failed", "throttled", name),
        ("unavailable", "throttled", name),
    ]


def test_s43_an_expired_session_is_told_as_such() -> None:
    """The reason is one word, as those of other refusals are."""
    made = Made(idle=100)
    value = made.cookie(count=1)
    made.clock.forward(100)
    made.manager.load([value])
    assert [(event.name, event.reason) for event in made.events[1:]] == [("refused", "expired")]


def test_s43_several_cookies_are_counted_in_the_event() -> None:
    """How many came, and how many of them stand for a session."""
    made = Made()
    value = made.cookie(count=1)
    made.manager.load(["forged", value, "forged", "forged", value])
    assert re.findall(r"\d+", made.events[-2].reason) == ["5", "2"]
    values = []
    for user_id in ("ada", "grace"):
        session = made.manager.load([])
        session.sign_in(user_id)
        values.append(value_of(made.manager.commit(session)[0]))
    made.events.clear()
    made.manager.load([*values, "forged"])
    assert [(event.name, re.findall(r"\d+", event.reason)) for event in made.events] == [("ambiguous", ["3"])]


def test_s43_what_a_late_request_may_not_replace_is_told_with_the_reason() -> None:
    """A visitor's request that came with the id from before a sign-in, and one with a token from the future."""
    made, sealed = Made(server=True), Made()
    late = made.cookie(count=1)
    signed_in = made.manager.load([late])
    signed_in.sign_in("ada")
    made.manager.commit(signed_in)
    ahead = Made(clock=Clock(sealed.clock() + 1000)).cookie(count=1)
    for one, value in ((made, late), (sealed, ahead)):
        session = one.manager.load([value])
        session["count"] = 2
        assert one.manager.commit(session) == ()
        assert one.names[-1] == "dropped"
        assert " " in one.events[-1].reason
    assert made.names[-2] == "refused"
    assert (sealed.names[-2], " " in sealed.events[-2].reason) == ("clock", True)
