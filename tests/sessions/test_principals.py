"""What passes from one principal to the next in a session: nothing, in every store."""

from __future__ import annotations

from tests.sessions.making import Made, value_of


def test_s16_another_principal_sees_no_message_of_the_former(made: Made) -> None:
    """Messages left for one principal are not shown to whoever signs in next in the same session."""
    session = made.manager.load([])
    session.sign_in("ada")
    session.flash("info", "Your test result is in.")
    session = made.manager.load([value_of(made.manager.commit(session)[0])])
    session.sign_in("grace")
    session.flash("info", "Welcome, Grace.")
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (again.user_id, again.flashes()) == ("grace", ["Welcome, Grace."])


def test_s16_a_message_left_in_the_request_of_the_sign_in_is_dropped_too(made: Made) -> None:
    """A message set for one principal is gone when another signs in before the commit."""
    session = made.manager.load([])
    session.sign_in("ada")
    session.flash("info", "Your test result is in.")
    session.sign_in("grace")
    assert session.flashes() == []
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (again.user_id, again.flashes()) == ("grace", [])


def test_s16_messages_of_an_anonymous_visitor_go_along(made: Made) -> None:
    """A message left before the first sign-in, or before the same principal signs in again, is kept."""
    session = made.manager.load([])
    session.flash("info", "Sign in to continue.")
    session = made.manager.load([value_of(made.manager.commit(session)[0])])
    session.sign_in("ada")
    session = made.manager.load([value_of(made.manager.commit(session)[0])])
    session.sign_in("ada")
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert again.flashes() == ["Sign in to continue."]
