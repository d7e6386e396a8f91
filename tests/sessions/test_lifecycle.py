"""Lifecycle events and how they identify a session."""

from __future__ import annotations

import logging

import pytest

from arc.sessions.lifecycle import Event, Lifecycle
from tests.sessions.making import Made, value_of

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
