"""The session as its user sees it: a dict that records what is wanted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from arc.errors import FreshSignInRequired, LateChange
from tests.sessions.making import Made, value_of


def test_it_is_a_dict_of_the_users_own_keys() -> None:
    """Nothing but the user's keys is in the dict, whatever else the session knows."""
    made = Made()
    session = made.manager.load([made.cookie(count=1)])
    assert dict(session) == {"count": 1}
    assert json.loads(json.dumps(session)) == {"count": 1}
    assert copy.deepcopy(session) == {"count": 1}


def test_a_new_session_says_so() -> None:
    """A session is new until it was stored, and again once it was destroyed."""
    made = Made()
    session = made.manager.load([])
    assert session.is_new
    session["count"] = 1
    assert session.is_new
    made.manager.commit(session)
    assert not session.is_new
    session = made.manager.load([made.cookie(count=1)])
    assert not session.is_new
    session.destroy()
    assert session.is_new


def test_flashes_are_given_once_and_by_kind() -> None:
    """A message is kept until it is asked for, and then gone."""
    session = Made().manager.load([])
    session.flash("error", "wrong password")
    session.flash("info", "hello")
    session.flash("error", "again")
    assert session.flashes("error") == ["wrong password", "again"]
    assert session.flashes("error") == []
    assert session.flashes() == ["hello"]
    assert session.flashes() == []


def test_increment_returns_the_sum_and_refuses_what_is_no_number() -> None:
    """Increment counts from 0, takes a step, and names the key it cannot add to."""
    session = Made().manager.load([])
    assert session.increment("visits") == 1
    assert session.increment("visits", 4) == 5
    session["name"] = "ada"
    with pytest.raises(TypeError, match="name"):
        session.increment("name")
    session["flag"] = True
    with pytest.raises(TypeError, match="flag"):
        session.increment("flag")
    with pytest.raises(TypeError, match=r"^session\.increment adds a number, not '1'"):
        session.increment("visits", "1")  # type: ignore[arg-type]


def test_signing_in_binds_the_principal_and_the_time() -> None:
    """sign_in changes the id and keeps the data; the sign-in is fresh for as long as asked."""
    made = Made()
    session = made.manager.load([made.cookie(cart=["book"])])
    before = session.id
    session.sign_in("ada")
    assert (session.user_id, session.signed_in_at) == ("ada", int(made.clock()))
    assert session.id != before
    assert session["cart"] == ["book"]
    session.require_fresh(0)


def test_signing_in_as_somebody_else_drops_the_data() -> None:
    """The data of another principal does not pass over."""
    session = Made().manager.load([])
    session.sign_in("ada")
    session["cart"] = ["book"]
    session.sign_in("ada")
    assert session == {"cart": ["book"]}
    session.sign_in("grace")
    assert session == {}


@pytest.mark.parametrize("user_id", ["", None, 7])
def test_a_principal_is_a_non_empty_string(user_id: object) -> None:
    """Anything but a non-empty string is refused."""
    with pytest.raises(TypeError):
        Made().manager.load([]).sign_in(user_id)  # type: ignore[arg-type]


def test_require_fresh_asks_for_a_recent_sign_in(made: Made) -> None:
    """No one signed in, or too long ago: FreshSignInRequired, in every store."""
    session = made.manager.load([made.cookie(count=1)])
    with pytest.raises(FreshSignInRequired):
        session.require_fresh(60)
    session.sign_in("ada")
    value = value_of(made.manager.commit(session)[0])
    made.clock.forward(60)
    assert made.manager.load([value]).signed_in_at == made.clock() - 60
    made.manager.load([value]).require_fresh(60)
    made.clock.forward(1)
    with pytest.raises(FreshSignInRequired):
        made.manager.load([value]).require_fresh(60)


@pytest.mark.parametrize("seconds", ["600", None, True, float("nan"), -1])
@pytest.mark.parametrize("signed_in", [True, False])
def test_require_fresh_refuses_what_is_not_a_number_of_seconds(seconds: object, *, signed_in: bool) -> None:
    """Whether or not a visitor is signed in, and naming the value; NaN does not pass for a fresh sign-in."""
    session = Made().manager.load([])
    if signed_in:
        session.sign_in("ada")
    with pytest.raises(TypeError, match=f"^require_fresh takes a number of seconds, 0 or more, not {seconds!r}"):
        session.require_fresh(seconds)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["iat", "_idx", "_arc_id"])
def test_s39_reserved_keys_are_refused_where_they_are_set(key: str) -> None:
    """The line that sets a reserved key is the line that raises."""
    session = Made().manager.load([])
    for attempt in (
        lambda: session.__setitem__(key, 1),
        lambda: session.setdefault(key, 1),
        lambda: session.update({key: 1}),
        lambda: session.replace({key: [1]}),
        lambda: session.increment(key),
    ):
        with pytest.raises(ValueError, match=key):
            attempt()


def test_every_way_to_change_a_committed_session_raises() -> None:
    """A change that could not be kept any more is an error, not a loss."""
    made = Made()
    session = made.manager.load([])
    session["count"] = 1
    made.manager.commit(session)
    session.close()
    for attempt in (
        lambda: session.__setitem__("x", 1),
        lambda: session.__delitem__("count"),
        lambda: session.pop("count"),
        session.popitem,
        session.clear,
        lambda: session.update(x=1),
        lambda: session.setdefault("x", 1),
        lambda: session.__ior__({"x": 1}),
        lambda: session.increment("count"),
        lambda: session.flash("error", "late"),
        lambda: session.sign_in("ada"),
        session.sign_out,
        session.destroy,
        session.regenerate,
        lambda: session.replace({"x": 1}),
    ):
        with pytest.raises(LateChange):
            attempt()
    assert session == {"count": 1}


def test_s42_the_repr_shows_the_data_but_neither_id_nor_token() -> None:
    """What a traceback prints of a session cannot be used to take it over."""
    made = Made()
    value = made.cookie(count=1)
    session = made.manager.load([value])
    assert session.id not in repr(session)
    assert value not in repr(session)
    assert session.id not in repr(made.events)


def test_an_in_place_union_keeps_the_session() -> None:
    """`session |= {...}` sets every key and leaves the session in the variable."""
    made = Made()
    session = before = made.manager.load([])
    session |= {"count": 1}
    assert session is before
    assert session == {"count": 1}
    with pytest.raises(ValueError, match="iat"):
        session |= {"iat": 1}


def test_what_other_libraries_add_to_a_session_may_be_written_back() -> None:
    """Node's and Python's `read` give `_idx`, `_secret`, `_ttl` and `iat` with the data; none of it is data of ours."""
    made = Made()
    session = made.manager.load([])
    session.replace({"_idx": "id", "_secret": "s", "_ttl": 1_800_000_000.5, "iat": 1_800_000_000, "count": 1})
    assert session == {"count": 1}
    value = value_of(made.manager.commit(session)[0])
    again = made.manager.load([value])
    assert (again, again.id) == ({"count": 1}, session.id)


@pytest.mark.parametrize("data", [{"_idx": 5}, {"_secret": None}, {"_ttl": "soon"}, {"iat": True}, {"iat": [1]}])
def test_something_else_under_those_names_is_refused(data: dict[str, Any]) -> None:
    """It may be data that its author wants back."""
    session = Made().manager.load([])
    with pytest.raises(ValueError, match="sessions keep for themselves"):
        session.replace({**data, "count": 1})
    assert session == {}


def test_a_session_of_nothing_but_those_names_is_ended() -> None:
    """It is an empty one, as `{}` is."""
    made = Made()
    session = made.manager.load([made.cookie(count=1)])
    session.replace({"_idx": "id", "_ttl": 1})
    assert value_of(made.manager.commit(session)[0]) == ""
