"""What events say about a session's id."""

from __future__ import annotations

import logging

import pytest

from arc.sessions.lifecycle import Event, Lifecycle
from tests.sessions.making import Made, value_of

OTHER = "another secret of the tests, long enough too"


def named(made: Made) -> tuple[str, str]:
    """The id of a new session, and what its events call it."""
    session = made.manager.load([])
    session["count"] = 1
    made.manager.commit(session)
    return session.id, made.events[-1].session


def test_s42_an_event_names_a_session_by_a_keyed_hash() -> None:
    """The name of one id depends on the secret, so that no one without the secret can match an id to a log line."""
    ours, again, others = named(Made()), named(Made()), named(Made(secret=OTHER))
    assert ours[0] == again[0] == others[0]
    assert ours[1] == again[1]
    assert ours[1] != others[1]
    assert len(ours[1]) == len("0123456789abcdef")


def test_s42_sessions_are_told_apart_in_events() -> None:
    """Different ids have different names, and every event of one session has the same one."""
    made = Made(server=True)
    value, other = made.cookie(count=1), made.cookie(count=1)
    made.manager.load([value])
    made.manager.load([other])
    created, second, loaded, last = (event.session for event in made.events)
    assert created == loaded
    assert second == last
    assert created != second


def test_s43_a_new_id_is_told_once_it_is_stored(made: Made) -> None:
    """A sign-in is one `regenerated` event, under the new id; one that found its session ended is none."""
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
    """The name, the hash of the session and the reason are one line, and what is not known is left out."""
    lifecycle = Lifecycle(None, lambda session_id: f"hash of {session_id}")
    with caplog.at_level(logging.DEBUG, "arc.sessions"):
        lifecycle.tell("refused")
        lifecycle.tell("refused", "forged", "id")
    assert caplog.messages == ["session refused", "session refused hash of id: forged"]


def test_a_listener_hears_what_the_log_does_not(caplog: pytest.LogCaptureFixture) -> None:
    """With the logger turned off, every event still reaches `on_event`; what is not known is empty."""
    events: list[Event] = []
    lifecycle = Lifecycle(events.append, str.upper)
    with caplog.at_level(logging.CRITICAL, "arc.sessions"):
        lifecycle.tell("loaded")
        lifecycle.tell("refused", "forged", "id")
    assert [(event.name, event.reason, event.session) for event in events] == [
        ("loaded", "", ""),
        ("refused", "forged", "ID"),
    ]
    assert caplog.messages == []
    assert repr(Event("loaded")) == "Event('loaded', reason='', session='')"
