"""Several cookies of our name: a sibling subdomain can toss one, and a changed domain leaves one behind."""

from __future__ import annotations

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
        ada, grace, nobody = signed_in(made, "ada"), signed_in(made, "grace"), made.cookie(count=1)
        for values in ([ada, grace], [grace, ada], [ada, nobody]):
            made.events.clear()
            assert made.manager.load(values).is_new
            assert made.names == ["ambiguous"]


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
