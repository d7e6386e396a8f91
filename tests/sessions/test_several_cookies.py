"""Several cookies of our name: a sibling subdomain can toss one, and a changed domain leaves one behind."""

from __future__ import annotations

import pytest

from arc.sessions.visit import Visit
from tests.sessions.making import Made, value_of


def signed_in(made: Made, user_id: str, **data: object) -> str:
    """The cookie value of a session in which `user_id` is signed in."""
    session = made.manager.load([])
    session.sign_in(user_id)
    session.update(data)
    return value_of(made.manager.commit(session)[0])


def test_s26_of_valid_sealed_cookies_the_newest_is_taken() -> None:
    """Whatever their order, the session written last wins."""
    made = Made()
    old = made.cookie(count=1)
    made.clock.forward(1)
    new = made.cookie(count=2)
    for values in ([old, new], [new, old]):
        assert made.manager.load(values) == {"count": 2}
    assert made.names.count("ambiguous") == 2


def test_s26_of_valid_signed_ids_the_last_is_taken() -> None:
    """As Node does, the last cookie wins in a server-side store."""
    made = Made(server=True)
    one, other = made.cookie(count=1), made.cookie(count=2)
    assert made.manager.load([one, other]) == {"count": 2}
    assert made.manager.load([other, one]) == {"count": 1}
    assert made.names.count("ambiguous") == 2


def test_s26_a_forged_neighbour_does_not_hide_a_valid_cookie() -> None:
    """Garbage beside a valid session is passed over, with an event."""
    made = Made()
    value = made.cookie(count=1)
    for values in ([value, "forged"], ["forged", value], ["", value, "x.y.z.a.b"]):
        assert made.manager.load(values) == {"count": 1}
    assert made.names.count("ambiguous") == 3


def test_s26_at_most_four_are_tried() -> None:
    """A fifth cookie is not opened, so that tossing many costs nothing."""
    made = Made()
    value = made.cookie(count=1)
    assert made.manager.load([value, *["forged"] * 4]).is_new
    assert made.manager.load([*["forged"] * 100, value]) == {"count": 1}


def test_s26_different_principals_are_nobody() -> None:
    """Two valid sessions of different people give a fresh one and an event."""
    for server in (False, True):
        made = Made(server=server)
        ada, grace = signed_in(made, "ada"), signed_in(made, "grace")
        for values in ([ada, grace], [grace, ada]):
            made.events.clear()
            assert made.manager.load(values).is_new
            assert made.names == ["ambiguous"]


def test_s26_a_session_that_nobody_is_signed_in_to_disputes_none() -> None:
    """Beside it the signed-in session is taken, whatever their order and age."""
    for server in (False, True):
        made = Made(server=server)
        ada = signed_in(made, "ada")
        made.clock.forward(1)
        nobody = made.cookie(count=1)
        for values in ([ada, nobody], [nobody, ada]):
            assert made.manager.load(values).user_id == "ada"


def test_s17_a_sign_out_ends_every_session_that_came() -> None:
    """Of two sessions that a browser sends, signed in or not, of one person or of two, none opens afterwards."""
    for others in ("ada", "grace", None):
        made = Made(server=True)
        values = [signed_in(made, "ada"), made.cookie(count=1) if others is None else signed_in(made, others)]
        session = made.manager.load(values)
        session.sign_out()
        assert value_of(made.manager.commit(session)[0]) == ""
        assert [made.manager.load([value]).is_new for value in values] == [True, True]


def test_s26_a_cookie_left_behind_by_a_change_of_domain_is_cleared() -> None:
    """With a domain configured, what is written beside several cookies clears the host-only one."""
    made = Made(domain="example.com")
    ada, nobody = signed_in(made, "ada"), made.cookie(count=1)
    session = made.manager.load([ada, nobody])
    session.sign_in("ada")
    main, host_only = made.manager.commit(session)
    assert "Domain=example.com" in main
    assert host_only.startswith("_idx=; Max-Age=0;")
    assert "Domain" not in host_only


class At(Visit):
    """A request to a page of a host that has a parent domain and a folder."""

    def places(self) -> list[tuple[str | None, str]]:
        """Host-only and the parent, the root and the folder."""
        return [(domain, path) for domain in (None, "example.com") for path in ("/", "/shop")]


def cleared(cookies: tuple[str, ...]) -> list[str]:
    """Domain and path of every cookie that is cleared."""
    return [one[len("_idx=; Max-Age=0; ") : one.index("; Expires")] for one in cookies if not value_of(one)]


EVERYWHERE_ELSE = ["Path=/shop", "Domain=example.com; Path=/", "Domain=example.com; Path=/shop"]


@pytest.mark.parametrize("server", [False, True], ids=["sealed", "memory"])
@pytest.mark.parametrize("way", ["sign_in", "regenerate", "sign_out", "write over a forged one"])
def test_s26_whoever_becomes_another_has_no_second_cookie_left(server: bool, way: str) -> None:
    """A change of whose session it is clears the cookies of every other place, the first of the strings being ours."""
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
    """One string for a new visitor, a change and a sign-in of a visitor without a cookie; the others beside several."""
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


def test_s27_a_host_cookie_lies_in_one_place_only() -> None:
    """A name that begins with __Host- is cleared nowhere else: browsers keep it host-only under the root path."""
    made = Made(cookie_name="__Host-session")
    session = made.manager.load([made.cookie(count=1), "forged"], At())
    session.sign_out()
    assert len(made.manager.commit(session)) == 1
