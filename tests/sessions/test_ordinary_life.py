"""Ordinary behavior of browsers does not sign visitors out or in: late requests, withheld cookies, prefetches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arc.sessions.visit import Visit
from tests.sessions.conftest import manager_on
from tests.sessions.making import WEEK, Made, value_of

if TYPE_CHECKING:
    from arc.sessions.session import Session

SERVERS = ("memory", "dynamodb")


@pytest.fixture(params=SERVERS)
def table(request: pytest.FixtureRequest) -> Made:
    """A manager on each store that keeps sessions on a server."""
    return manager_on(request.param, request)


def finish(made: Made, session: Session) -> str:
    """Commit and return the cookie's value."""
    return value_of(made.manager.commit(session)[0])


def signed_in_over(made: Made, value: str) -> str:
    """Return the cookie value after a sign-in of the visitor with the cookie `value`."""
    session = made.manager.load([value])
    session.sign_in("ada")
    return finish(made, session)


# -- late requests with the old id


def test_s17_a_late_request_with_the_old_id_sends_no_cookie(table: Made) -> None:
    """For a minute after a sign-in, a request with the old id does not replace the session."""
    old = table.cookie(cart=["book"])
    new = signed_in_over(table, old)
    for seconds, begins_anew in ((0, False), (59, False), (1, True)):
        table.clock.forward(seconds)
        late = table.manager.load([old])
        late["seen"] = True
        assert bool(table.manager.commit(late)) is begins_anew
        nothing = table.manager.load([old])
        assert bool(table.manager.commit(nothing, explicit=True)) is begins_anew
    assert table.manager.load([new]).user_id == "ada"
    assert ("dropped", True) in [(event.name, "been given a new id" in event.reason) for event in table.events]


def test_s17_an_anonymous_session_beside_a_late_id_replaces_nothing(table: Made) -> None:
    """This is true for a sibling host's anonymous session in either order of the cookies."""
    old, beside = table.cookie(cart=["book"]), table.cookie(other=True)
    signed_in_over(table, old)
    for cookies in ([old, beside], [beside, old]):
        late = table.manager.load(cookies)
        late["seen"] = True
        assert table.manager.commit(late) == ()
    leaving = table.manager.load([old, beside])
    leaving.sign_out()
    assert value_of(table.manager.commit(leaving)[0]) == ""
    assert table.manager.load([beside]).is_new


def test_s17_a_late_sign_out_ends_the_new_session(table: Made) -> None:
    """A sign-out with the old id ends the new session and clears the cookie."""
    old = table.cookie(cart=["book"])
    new = signed_in_over(table, old)
    leaving = table.manager.load([old])
    leaving.sign_out()
    assert finish(table, leaving) == ""
    assert table.manager.load([new]).is_new


def test_s17_a_late_sign_in_succeeds(table: Made) -> None:
    """A visitor who lost the response of a sign-in can sign in again with the old id."""
    old = table.cookie(cart=["book"])
    signed_in_over(table, old)
    assert table.manager.load([signed_in_over(table, old)]).user_id == "ada"


# -- a cookie that the browser withheld


class FromElsewhere(Visit):
    """A form that another site submitted, without the SameSite cookie."""

    safe = False

    def withheld(self, same_site: str) -> bool:
        """Lax and Strict cookies stay in the browser."""
        return same_site != "None"


def test_a_request_with_a_withheld_cookie_replaces_nothing(made: Made) -> None:
    """Changes in a payment page's POST are dropped, and an event gives advice."""

    def set_data(session: Session) -> None:
        session["paid"] = True

    def end(session: Session) -> None:
        session.sign_out()

    for change in (set_data, end):
        session = made.manager.load([], FromElsewhere())
        change(session)
        assert made.manager.commit(session) == ()
        empty = made.manager.load([], FromElsewhere())
        assert made.manager.commit(empty, explicit=True) == ()
    assert made.names == ["dropped"]
    assert "303" in made.events[0].reason


def test_a_sign_in_works_with_a_withheld_cookie(made: Made) -> None:
    """An identity provider's POST signs the visitor in."""
    session = made.manager.load([], FromElsewhere())
    session.sign_in("ada")
    assert made.manager.load([finish(made, session)]).user_id == "ada"


def test_a_cross_site_request_with_its_cookie_is_ordinary(made: Made) -> None:
    """A session whose cookie was sent is written, also in a request of another site."""
    session = made.manager.load([made.cookie(cart=["book"])], FromElsewhere())
    session["paid"] = True
    assert made.manager.load([finish(made, session)]) == {"cart": ["book"], "paid": True}
    embedded = Made(same_site="None")
    other = embedded.manager.load([], FromElsewhere())
    other["paid"] = True
    assert finish(embedded, other)


# -- responses that are not displayed


class Prefetch(Visit):
    """A page that a browser fetches before its user opens it."""

    displayed = False


def test_messages_wait_for_a_displayed_response(made: Made) -> None:
    """A prefetch does not consume messages, and the page that the visitor opens has them."""
    session = made.manager.load([])
    session.flash("info", "Saved")
    value = finish(made, session)
    ahead = made.manager.load([value], Prefetch())
    assert ahead.flashes() == ["Saved"]
    assert made.manager.commit(ahead) == ()
    page = made.manager.load([value])
    assert page.flashes("info") == ["Saved"]
    assert made.manager.load([finish(made, page)]).flashes() == []


# -- lifetimes of single sessions


def test_a_sign_in_can_set_the_sessions_lifetime(made: Made) -> None:
    """Each renewal uses this lifetime, on the server and in the browser; other sessions do not."""
    month = 30 * 86_400
    session = made.manager.load([])
    session.sign_in("ada", lifetime=month)
    (cookie,) = made.manager.commit(session)
    assert f"Max-Age={month};" in cookie
    made.clock.forward(month - 1)
    again = made.manager.load([value_of(cookie)])
    again["seen"] = True
    (cookie,) = made.manager.commit(again)
    assert f"Max-Age={month};" in cookie
    made.clock.forward(month - 1)
    assert made.manager.load([value_of(cookie)]).user_id == "ada"
    made.clock.forward(1)
    assert made.manager.load([value_of(cookie)]).is_new


def test_a_short_lifetime_ends_on_the_server(made: Made) -> None:
    """A sign-in for an hour ends after an hour, also under a new id."""
    session = made.manager.load([])
    session.sign_in("ada", lifetime=3600)
    changed = made.manager.load([finish(made, session)])
    changed.regenerate()
    value = finish(made, changed)
    made.clock.forward(3599)
    assert made.manager.load([value]).user_id == "ada"
    made.clock.forward(1)
    assert made.manager.load([value]).is_new


def test_a_session_that_ends_with_the_browser_keeps_the_servers_limit(made: Made) -> None:
    """The cookie has neither Max-Age nor Expires, also at renewals, and the idle lifetime applies on the server."""
    session = made.manager.load([])
    session.sign_in("ada", lifetime="browser")
    (cookie,) = made.manager.commit(session)
    for _ in range(2):
        assert "Max-Age" not in cookie
        assert "Expires" not in cookie
        made.clock.forward(WEEK - 1)
        (cookie,) = made.manager.commit(made.manager.load([value_of(cookie)]))
    made.clock.forward(WEEK)
    assert made.manager.load([value_of(cookie)]).is_new


def test_the_next_sign_in_resets_the_lifetime(made: Made) -> None:
    """A sign-in without a lifetime and a session after a sign-out have the default lifetime."""
    session = made.manager.load([])
    session.sign_in("ada", lifetime=3600)
    again = made.manager.load([finish(made, session)])
    again.sign_in("ada")
    (cookie,) = made.manager.commit(again)
    assert f"Max-Age={WEEK};" in cookie
    short = made.manager.load([])
    short.sign_in("ada", lifetime="browser")
    out = made.manager.load([finish(made, short)])
    out.sign_out()
    out.flash("info", "Goodbye")
    assert f"Max-Age={WEEK};" in made.manager.commit(out)[0]


def test_s18_the_absolute_lifetime_limits_that_of_a_sign_in(request: pytest.FixtureRequest) -> None:
    """A sign-in for a month in an app that allows a day lasts a day."""
    for store in ("sealed", *SERVERS):
        made = manager_on(store, request, absolute=86_400)
        session = made.manager.load([])
        session.sign_in("ada", lifetime=30 * 86_400)
        (cookie,) = made.manager.commit(session)
        assert "Max-Age=86400;" in cookie
        made.clock.forward(86_400)
        assert made.manager.load([value_of(cookie)]).is_new


@pytest.mark.parametrize("lifetime", [0, -1, 400 * 86_400 + 1, True, 1.5, "session", "3600"])
def test_an_invalid_lifetime_is_refused(lifetime: object) -> None:
    """The error has the valid lifetimes, and no one is signed in."""
    session = Made().manager.load([])
    with pytest.raises(ValueError, match=r"1 to 34,560,000 seconds .* or 'browser', not"):
        session.sign_in("ada", lifetime=lifetime)  # type: ignore[arg-type]  # what a program might pass
    assert session.user_id is None
