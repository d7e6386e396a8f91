"""The session as the app's code uses it: a dict that records changes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from arc.errors import FreshSignInRequired, LateChange
from tests.sessions.making import Made, value_of


def test_it_is_a_dict_of_the_apps_keys() -> None:
    """The dict has only the app's keys, and not the session's attributes."""
    made = Made()
    session = made.manager.load([made.cookie(count=1)])
    assert dict(session) == {"count": 1}
    assert json.loads(json.dumps(session)) == {"count": 1}
    assert copy.deepcopy(session) == {"count": 1}


def test_is_new_until_stored_and_after_destroy() -> None:
    """A session is new until it was stored, and again after it was destroyed."""
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


def test_flashes_are_returned_once_and_by_kind() -> None:
    """A message is removed when `flashes` returns it."""
    session = Made().manager.load([])
    session.flash("error", "wrong password")
    session.flash("info", "hello")
    session.flash("error", "again")
    assert session.flashes("error") == ["wrong password", "again"]
    assert session.flashes("error") == []
    assert session.flashes() == ["hello"]
    assert session.flashes() == []


def test_increment_returns_the_sum_and_refuses_other_values() -> None:
    """It counts from 0, accepts a step, and raises an error with the key of a value that is not a number."""
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
    """`sign_in` changes the id and keeps the data, and the sign-in is fresh for the required time."""
    made = Made()
    session = made.manager.load([made.cookie(cart=["book"])])
    before = session.id
    session.sign_in("ada")
    assert (session.user_id, session.signed_in_at) == ("ada", int(made.clock()))
    assert session.id != before
    assert session["cart"] == ["book"]
    session.require_fresh(0)


def test_signing_in_as_another_principal_drops_the_data() -> None:
    """The new principal does not get the data of the former one."""
    session = Made().manager.load([])
    session.sign_in("ada")
    session["cart"] = ["book"]
    session.sign_in("ada")
    assert session == {"cart": ["book"]}
    session.sign_in("grace")
    assert session == {}


@pytest.mark.parametrize("user_id", ["", None, 7])
def test_a_principal_is_a_non_empty_string(user_id: object) -> None:
    """Anything else is refused."""
    with pytest.raises(TypeError):
        Made().manager.load([]).sign_in(user_id)  # type: ignore[arg-type]


def test_require_fresh_requires_a_recent_sign_in(made: Made) -> None:
    """Without a sign-in, or too long after it, every store raises `FreshSignInRequired`."""
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
def test_require_fresh_refuses_invalid_seconds(seconds: object, *, signed_in: bool) -> None:
    """The error has the value, signed in or not; NaN does not count as a fresh sign-in."""
    session = Made().manager.load([])
    if signed_in:
        session.sign_in("ada")
    with pytest.raises(TypeError, match=f"^require_fresh takes a number of seconds, 0 or more, not {seconds!r}"):
        session.require_fresh(seconds)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["iat", "_idx", "_arc_id"])
def test_s39_reserved_keys_are_refused_where_they_are_set(key: str) -> None:
    """The assignment of a reserved key raises."""
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


def test_every_change_of_a_closed_session_raises() -> None:
    """A change that would be lost is an error."""
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
    """A session in a traceback cannot be used to take it over."""
    made = Made()
    value = made.cookie(count=1)
    session = made.manager.load([value])
    assert session.id not in repr(session)
    assert value not in repr(session)
    assert session.id not in repr(made.events)


def test_an_in_place_union_keeps_the_session() -> None:
    """`session |= {...}` sets every key, and the variable still contains the session."""
    made = Made()
    session = before = made.manager.load([])
    session |= {"count": 1}
    assert session is before
    assert session == {"count": 1}
    with pytest.raises(ValueError, match="iat"):
        session |= {"iat": 1}


def test_keys_that_other_libraries_add_are_ignored() -> None:
    """Node's and Python's `read` add `_idx`, `_secret`, `_ttl` and `iat` to the data, and `replace` ignores them."""
    made = Made()
    session = made.manager.load([])
    session.replace({"_idx": "id", "_secret": "s", "_ttl": 1_800_000_000.5, "iat": 1_800_000_000, "count": 1})
    assert session == {"count": 1}
    value = value_of(made.manager.commit(session)[0])
    again = made.manager.load([value])
    assert (again, again.id) == ({"count": 1}, session.id)


@pytest.mark.parametrize("key", ["_idx", "_secret", "_ttl", "iat"])
def test_added_keys_may_be_deleted_though_they_are_absent(key: str) -> None:
    """Handlers delete what Architect's other libraries add to the data. Nothing changes; other keys must exist."""
    made = Made()
    session = made.manager.load([made.cookie(count=1)])
    del session[key]
    assert session == {"count": 1}
    assert made.manager.commit(session) == ()
    with pytest.raises(KeyError):
        del session["missing"]


@pytest.mark.parametrize("data", [{"_idx": 5}, {"_secret": None}, {"_ttl": "soon"}, {"iat": True}, {"iat": [1]}])
def test_other_values_under_these_keys_are_refused(data: dict[str, Any]) -> None:
    """They may be data of the app."""
    session = Made().manager.load([])
    with pytest.raises(ValueError, match="is a reserved name"):
        session.replace({**data, "count": 1})
    assert session == {}


def test_data_with_only_these_keys_ends_the_session() -> None:
    """It counts as empty, like `{}`."""
    made = Made()
    session = made.manager.load([made.cookie(count=1)])
    session.replace({"_idx": "id", "_ttl": 1})
    assert value_of(made.manager.commit(session)[0]) == ""


def test_a_copy_is_a_plain_dict() -> None:
    """Its containers are the session's, and a key that is set in it is not set in the session."""
    session = Made().manager.load([])
    session["cart"] = ["book"]
    copy = session.copy()
    assert type(copy) is dict
    assert copy["cart"] is session["cart"]
    copy["count"] = 1
    assert session == {"cart": ["book"]}


def test_a_committed_sign_in_is_over() -> None:
    """Once something is changed after the commit, `signs_in` is about what comes from then on."""
    made = Made()
    session = made.manager.load([])
    session.sign_in("ada")
    assert session.signs_in is True
    made.manager.commit(session)
    session["count"] = 1
    assert session.signs_in is False
