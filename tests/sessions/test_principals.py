"""Nothing in a session passes from one principal to the next, in every store."""

from __future__ import annotations

from tests.sessions.making import Made, value_of


def test_s16_messages_are_dropped_for_another_principal(made: Made) -> None:
    """Messages for one principal are not shown to the next one who signs in."""
    session = made.manager.load([])
    session.sign_in("ada")
    session.flash("info", "Your test result is in.")
    session = made.manager.load([value_of(made.manager.commit(session)[0])])
    session.sign_in("grace")
    session.flash("info", "Welcome, Grace.")
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (again.user_id, again.flashes()) == ("grace", ["Welcome, Grace."])


def test_s16_a_message_in_the_request_of_the_sign_in_is_dropped(made: Made) -> None:
    """A message is dropped when another principal signs in before the commit."""
    session = made.manager.load([])
    session.sign_in("ada")
    session.flash("info", "Your test result is in.")
    session.sign_in("grace")
    assert session.flashes() == []
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (again.user_id, again.flashes()) == ("grace", [])


def test_s16_messages_of_an_anonymous_visitor_are_kept(made: Made) -> None:
    """So are messages when the same principal signs in again."""
    session = made.manager.load([])
    session.flash("info", "Sign in to continue.")
    session = made.manager.load([value_of(made.manager.commit(session)[0])])
    session.sign_in("ada")
    session = made.manager.load([value_of(made.manager.commit(session)[0])])
    session.sign_in("ada")
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert again.flashes() == ["Sign in to continue."]
