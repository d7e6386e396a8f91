"""Several session cookies in one request, from a sibling subdomain or a changed domain."""

from __future__ import annotations

import pytest

from arc.sessions.visit import Visit
from arc.testing import Clock
from tests.sessions.making import Made, value_of


def signed_in(made: Made, user_id: str, **data: object) -> str:
    """Return the cookie value of a session in which `user_id` is signed in."""
    session = made.manager.load([])
    session.sign_in(user_id)
    session.update(data)
    return value_of(made.manager.commit(session)[0])


def test_s26_the_newest_of_valid_sealed_cookies_wins() -> None:
    """The session written last is loaded, in any order of the cookies."""
    made = Made()
    old = made.cookie(count=1)
    made.clock.forward(1)
    new = made.cookie(count=2)
    for values in ([old, new], [new, old]):
        assert made.manager.load(values) == {"count": 2}
    assert made.names.count("ambiguous") == 2


def test_s26_the_last_of_valid_signed_ids_wins() -> None:
    """As in Node, the last cookie is loaded from a store on a server."""
    made = Made(server=True)
    one, other = made.cookie(count=1), made.cookie(count=2)
    assert made.manager.load([one, other]) == {"count": 2}
    assert made.manager.load([other, one]) == {"count": 1}
    assert made.names.count("ambiguous") == 2


def test_s26_a_forged_cookie_does_not_hide_a_valid_one() -> None:
    """It is ignored, with an event."""
    made = Made()
    value = made.cookie(count=1)
    for values in ([value, "forged"], ["forged", value], ["", value, "x.y.z.a.b"]):
        assert made.manager.load(values) == {"count": 1}
    assert made.names.count("ambiguous") == 3


def test_s26_at_most_four_are_tried() -> None:
    """A fifth cookie is not opened, so that many cookies cost nothing."""
    made = Made()
    value = made.cookie(count=1)
    assert made.manager.load([value, *["forged"] * 4]).is_new
    assert made.manager.load([*["forged"] * 100, value]) == {"count": 1}


def test_s26_sessions_of_different_principals_are_not_loaded() -> None:
    """Two valid sessions of different principals result in a new session and an event."""
    for server in (False, True):
        made = Made(server=server)
        ada, grace = signed_in(made, "ada"), signed_in(made, "grace")
        for values in ([ada, grace], [grace, ada]):
            made.events.clear()
            assert made.manager.load(values).is_new
            assert made.names == ["ambiguous"]


def test_s26_a_signed_in_session_wins_over_an_anonymous_one() -> None:
    """This does not depend on their order and age."""
    for server in (False, True):
        made = Made(server=server)
        ada = signed_in(made, "ada")
        made.clock.forward(1)
        nobody = made.cookie(count=1)
        for values in ([ada, nobody], [nobody, ada]):
            assert made.manager.load(values).user_id == "ada"


def test_s17_a_sign_out_ends_all_sessions_of_the_request() -> None:
    """Of two sessions in one request, both end, signed in or not, of one principal or two."""
    for others in ("ada", "grace", None):
        made = Made(server=True)
        values = [signed_in(made, "ada"), made.cookie(count=1) if others is None else signed_in(made, others)]
        session = made.manager.load(values)
        session.sign_out()
        assert value_of(made.manager.commit(session)[0]) == ""
        assert [made.manager.load([value]).is_new for value in values] == [True, True]


def test_s26_a_cookie_left_behind_by_a_change_of_domain_is_cleared() -> None:
    """With a domain configured, a write beside several cookies clears the host-only one."""
    made = Made(domain="example.com")
    ada, nobody = signed_in(made, "ada"), made.cookie(count=1)
    session = made.manager.load([ada, nobody])
    session.sign_in("ada")
    main, host_only = made.manager.commit(session)
    assert "Domain=example.com" in main
    assert host_only.startswith("_idx=; Max-Age=0;")
    assert "Domain" not in host_only


class At(Visit):
    """A request to a page on a host with a parent domain and in a folder."""

    def places(self) -> list[tuple[str | None, str]]:
        """Return host-only and the parent domain, the root and the folder."""
        return [(domain, path) for domain in (None, "example.com") for path in ("/", "/shop")]


def cleared(cookies: tuple[str, ...]) -> list[str]:
    """Return domain and path of every cookie that is cleared."""
    return [one[len("_idx=; Max-Age=0; ") : one.index("; Expires")] for one in cookies if not value_of(one)]


EVERYWHERE_ELSE = ["Path=/shop", "Domain=example.com; Path=/", "Domain=example.com; Path=/shop"]


@pytest.mark.parametrize("server", [False, True], ids=["sealed", "memory"])
@pytest.mark.parametrize("way", ["sign_in", "regenerate", "sign_out", "write over a forged one"])
def test_s26_a_new_id_clears_the_cookies_of_all_other_places(server: bool, way: str) -> None:
    """The first string sets the session's own cookie."""
    made = Made(server=server)
    value = made.cookie(cart=["book"]) if way != "write over a forged one" else "forged"
    session = made.manager.load([value], At())
    if way == "sign_in":
        session.sign_in("ada")
    elif way.startswith("write"):
        session["cart"] = []
    else:
        getattr(session, way)()
    cookies = made.manager.commit(session)
    assert bool(value_of(cookies[0])) == (way != "sign_out")
    assert cleared(cookies[1:]) == EVERYWHERE_ELSE


@pytest.mark.parametrize("server", [False, True], ids=["sealed", "memory"])
def test_s26_an_ordinary_response_clears_nothing(server: bool) -> None:
    """A new session, a change and a sign-in without a cookie send one string; several cookies are cleared."""
    made = Made(server=server)
    fresh, newcomer = made.manager.load([], At()), made.manager.load([], At())
    fresh["count"] = 1
    newcomer.sign_in("ada")
    cookies = made.manager.commit(fresh)
    changed = made.manager.load([value_of(cookies[0])], At())
    changed["count"] = 2
    assert [len(made.manager.commit(one)) for one in (fresh, newcomer, changed)] == [1, 1, 1]
    several = made.manager.load([value_of(cookies[0]), "forged"], At())
    several["count"] = 3
    assert cleared(made.manager.commit(several)[1:]) == EVERYWHERE_ELSE


def test_s27_a_host_prefixed_cookie_is_cleared_in_one_place() -> None:
    """A cookie whose name begins with __Host- can only be host-only with the root path."""
    made = Made(cookie_name="__Host-session")
    session = made.manager.load([made.cookie(count=1), "forged"], At())
    session.sign_out()
    assert len(made.manager.commit(session)) == 1


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("beside", ["forged", "anonymous"])
@pytest.mark.parametrize("own", ["of another clock", "from before a sign-in"])
def test_s26_what_comes_beside_does_not_replace_a_session_that_cannot_be_opened_now(
    own: str, beside: str, first: bool
) -> None:
    """The visitor's own session is ahead of our clock, or got a new id a moment ago; nothing is written over it."""
    made = Made(server=own == "from before a sign-in")
    if made.store is None:
        value = signed_in(Made(clock=Clock(made.clock() + 1000)), "ada")
    else:
        value = made.cookie(count=1)
        session = made.manager.load([value])
        session.sign_in("ada")
        made.manager.commit(session)
    other = "forged" if beside == "forged" else made.cookie(count=2)
    session = made.manager.load([value, other] if first else [other, value])
    assert session == {}
    session["count"] = 3
    assert made.manager.commit(session, explicit=True) == ()
    assert made.names[-1] == "dropped"
