"""Data of other writers that an app could not store itself: visitors can go on with their sessions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arc.errors import SessionTooLarge
from arc.sessions import jwe
from arc.sessions.record import Refused
from arc.sessions.stores.dynamodb.row import Row
from arc.sessions.stores.sealed import SealedStore
from arc.sessions.values import drop_unstorable, same
from tests.sessions.making import Made, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from tests.engines import Engine

ODD: dict[str, Any] = {
    "an empty key": {"": "no name"},
    "an empty key further down": {"cart": [{"": 1}]},
    "half a surrogate pair": {"name": "\ud83d"},
    "half a surrogate pair in a key": {"cart": {"\udc00": 1}},
    "a large number": {"big": 1e300},
    "a small number": {"small": [5e-324]},
    "fifty digits": {"count": 10**49},
}
odd = pytest.mark.parametrize("data", ODD.values(), ids=ODD)


def sealed(made: Made, data: object) -> str:
    """Return the token of another writer that has the key."""
    text = json.dumps(data).encode()
    return jwe.seal(text, made.manager.keyring.sealing, "A256GCM", made.random(12))


def visitor(made: Made, data: dict[str, Any]) -> str:
    """Return the cookie value of a visitor whose session Node has just written."""
    return sealed(made, {**data, "iat": int(made.clock())})


@odd
def test_s13_values_of_another_writer_survive_our_changes(data: dict[str, Any]) -> None:
    """An odd value stays unchanged when the app changes another key, and at a renewal."""
    made = Made()
    value = visitor(made, data)
    for number in range(3):
        session = made.manager.load([value])
        session["visits"] = number
        value = value_of(made.manager.commit(session)[0])
        assert same(dict(made.manager.load([value])), {**data, "visits": number})
        made.clock.forward(days=1)
        value = value_of(made.manager.commit(made.manager.load([value]))[0])
    assert same(dict(made.manager.load([value])), {**data, "visits": 2})
    assert {"renewed", "loaded"} == set(made.names)


@odd
def test_s13_values_of_another_writer_can_be_moved(data: dict[str, Any]) -> None:
    """The app may store a loaded odd value under another key or in another list."""
    made = Made()
    session = made.manager.load([visitor(made, data)])
    found = dict(session)
    for key in found:
        del session[key]
    session["moved"] = [found]
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert same(dict(again), {"moved": [found]})


@odd
def test_odd_values_of_the_app_are_refused(data: dict[str, Any]) -> None:
    """In testing, the app's own odd value raises `TypeError`, also beside a loaded one."""
    made = Made(environment="testing")
    session = made.manager.load([visitor(made, {"other": 1e299})])
    session.update(data)
    with pytest.raises(TypeError, match="session"):
        made.manager.commit(session)


BEYOND = pytest.mark.parametrize("number", [1e300, -1e300, 5e-324, 10**38, -(10**49)])


@BEYOND
def test_a_sealed_session_stores_any_json_number(number: float) -> None:
    """In production, no table's limits apply."""
    made = Made()
    value = made.cookie(n=number, list=[number])
    assert same(dict(made.manager.load([value])), {"n": number, "list": [number]})


@BEYOND
@pytest.mark.parametrize("made", [Made(server=True), Made(environment="testing")], ids=["a database", "testing"])
def test_a_number_beyond_the_limits_of_a_table_is_refused(made: Made, number: float) -> None:
    """Stores with limits raise an error with the path, and in testing every store does."""
    for data in ({"n": number}, {"n": [{"deep": number}]}):
        with pytest.raises(TypeError, match=r"session\['n'\].* (38 digits|between 1e-130 and 9.99e125)"):
            made.cookie(**data)


@BEYOND
def test_the_old_tables_limits_apply_while_sessions_move(ministack: Engine, number: float) -> None:
    """A session that moves from a table to the cookie may have to stay in the table."""
    made = Made(store=Kept(ministack).store)
    value = made.cookie(large="x" * 5_000)
    made.move_to(SealedStore(made.manager.keyring, "_idx", random=made.random))
    session = made.manager.load([value])
    session["n"] = number
    with pytest.raises(TypeError, match=r"session\['n'\].* (38 digits|between 1e-130 and 9.99e125)"):
        made.manager.commit(session)


@pytest.mark.parametrize(
    "data", [{"n": float("nan")}, {"n": [float("inf")]}, {"n": 10**5_000}], ids=["NaN", "inf", "long"]
)
def test_numbers_that_json_does_not_have_are_refused(data: dict[str, Any]) -> None:
    """NaN, infinities and huge integers raise an error with the path."""
    with pytest.raises(TypeError, match=r"session\['n'\].* (finite|4,000 digits)"):
        Made().cookie(**data)


@odd
def test_s13_values_that_a_table_cannot_store_are_dropped_at_the_move(ministack: Engine, data: dict[str, Any]) -> None:
    """Node's session moves to the table without the odd value, and an event has its path."""
    made = Made()
    value = visitor(made, {"kept": ["a", {"b": 1}], **data})
    kept = Kept(ministack)
    made.move_to(kept.store)
    session = made.manager.load([value])
    session["visits"] = 1
    value = value_of(made.manager.commit(session)[0])
    again = dict(made.manager.load([value]))
    assert (again.pop("kept"), again.pop("visits")) == (["a", {"b": 1}], 1)
    assert again in ({}, {"cart": [{}]}, {"cart": {}}, {"small": []})
    (event,) = [event for event in made.events if event.name == "dropped"]
    assert "session" in event.reason
    assert len(kept.rows) == 1


HALF = r'"\ud83d"'


@pytest.mark.parametrize("moves", [False, True], ids=["sealed", "moved"])
@pytest.mark.parametrize("fact", ['"_arc_id":%s', '"_arc_id":"x","_arc_flash":[["e",%s],[%s,"m"],["e","m"]]'])
def test_s13_an_invalid_text_in_a_fact_is_ignored(ministack: Engine, fact: str, *, moves: bool) -> None:
    """Half a surrogate pair as an id or in a message counts as missing, because we never write one."""
    made = Made()
    payload = f'{{"a":1,{fact.replace("%s", HALF)},"iat":1800000000}}'
    value = jwe.seal(payload.encode(), made.manager.keyring.sealing, "A256GCM", made.random(12))
    if moves:
        made.move_to(Kept(ministack).store)
    session = made.manager.load([value])
    assert session.flashes("e") == (["m"] if "flash" in fact else [])
    session["b"] = 2
    assert dict(made.manager.load([value_of(made.manager.commit(session)[0])])) == {"a": 1, "b": 2}


def test_s16_a_session_with_an_invalid_user_id_is_refused() -> None:
    """No one can sign in as half a surrogate pair, so the next visitor to sign in must not get its data."""
    made = Made()
    payload = f'{{"a":1,"_arc_id":"x","_arc_user":{HALF},"iat":1800000000}}'.encode()
    session = made.manager.load([jwe.seal(payload, made.manager.keyring.sealing, "A256GCM", made.random(12))])
    assert (dict(session), session.is_new, made.events[0].reason) == ({}, True, "malformed")


def test_s13_a_dropped_value_is_reported_with_its_path() -> None:
    """The path has the keys of dicts and the places in lists, and values beside it stay."""
    data = {"a": {"b": ["x", {"": 1, "c": 2}, "\ud800", 10**38, "y"]}, "": {"gone": 1}, "z": [1e300]}
    kept, left_out = drop_unstorable(data)
    assert kept == {"a": {"b": ["x", {"c": 2}, "y"]}, "z": []}
    assert left_out == [("a", "b", "1", ""), ("a", "b", "2"), ("a", "b", "3"), ("",), ("z", "0")]


@pytest.mark.parametrize("text", ["1e999", "-1E+999", "1e400", "1" * 310 + ".5", "Infinity", "-Infinity", "NaN"])
@pytest.mark.parametrize(
    "place",
    [
        '{"a":%s,"iat":1800000000}',
        '{"a":{"b":[0,%s]},"iat":1800000000}',
        '{"a":%s,"_arc_id":"x","iat":1800000000}',
        '{"a":{"b":[0,%s]},"_arc_id":"x","_arc_created":1800000000,"iat":1800000000}',
        '{"a":1,"_arc_id":"x","_arc_life":%s,"iat":1800000000}',
    ],
)
def test_s13_infinity_and_nan_are_refused_at_load(text: str, place: str) -> None:
    """A token with Infinity, NaN or a number that overflows is refused."""
    made = Made()
    token = jwe.seal((place % text).encode(), made.manager.keyring.sealing, "A256GCM", made.random(12))
    assert made.manager.load([token]).is_new
    assert (made.events[0].name, made.events[0].reason) == ("refused", "malformed")


ESCAPED = r'"\u005f\u0061rc_user":"mallory"'


@pytest.mark.parametrize(
    "place", ['{%s,"a":1,"_arc_id":"x","iat":1800000000}', '{"a":1,%s,"_arc_id":"x","iat":1800000000}']
)
def test_s39_a_reserved_name_written_with_escapes_is_reserved(place: str) -> None:
    """No JSON spelling of a reserved name makes it data of the app."""
    made = Made()
    text = (place % ESCAPED).encode()
    session = made.manager.load([jwe.seal(text, made.manager.keyring.sealing, "A256GCM", made.random(12))])
    assert (dict(session), session.user_id) == ({"a": 1}, "mallory")
    session["a"] = 2
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert (dict(again), again.user_id) == ({"a": 2}, "mallory")


@pytest.mark.parametrize(
    "text",
    [
        '{,"_arc_id":"x","iat":1800000000}',
        '{ ,"_arc_id":"x","iat":1800000000}',
        '{},"_arc_id":"x","iat":1800000000}',
        '{"a":1}},"_arc_id":"x","iat":1800000000}',
        '{"a":1,,"_arc_id":"x","iat":1800000000}',
        '["a",1,"_arc_id":"x","iat":1800000000}',
        '{"a":[1,"_arc_id":"x","iat":1800000000}',
        '"a,"_arc_id":"x","iat":1800000000}',
        ',"_arc_id":"x","iat":1800000000}',
        '{"a":1,"_arc_id":"x","iat":1800000000}}',
        '{"a":1,"_arc_id":"x","iat":1800000000},{}',
        '{"a":1,"_arc_id":"x","iat":1800000000',
    ],
)
def test_s13_a_payload_that_is_not_valid_json_is_refused(text: str) -> None:
    """Two parts that are valid JSON only separately are refused."""
    made = Made()
    assert made.manager.load([jwe.seal(text.encode(), made.manager.keyring.sealing, "A256GCM", made.random(12))]).is_new
    assert (made.events[0].name, made.events[0].reason) == ("refused", "malformed")


def test_s13_the_last_of_duplicate_keys_counts() -> None:
    """This agrees with Node's JSON.parse."""
    made = Made()
    text = b'{"a":1,"b":{"c":1,"c":2},"a":2,"iat":1800000000}'
    assert made.manager.load([jwe.seal(text, made.manager.keyring.sealing, "A256GCM", made.random(12))]) == {
        "a": 2,
        "b": {"c": 2},
    }


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=5)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**37, 10**60) | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(ANY_TEXT, ANY_JSON, max_size=4), st.booleans())
@example({"": 1e300}, False)  # noqa: FBT003  # it cannot be given by name
@example({"a": {"": [10**50, "\ud800"]}}, True)  # noqa: FBT003
def test_s13_any_payload_of_another_writer_can_be_changed(data: dict[str, Any], moves: bool) -> None:
    """The app can change a key with any payload, in the cookie and after a move to a server."""
    made = Made()
    value = visitor(made, data)
    if moves:
        made.move_to(Made(server=True).manager.store)
    session = made.manager.load([value])
    before = dict(session)
    session["visits"] = 1
    try:
        cookies = made.manager.commit(session)
    except SessionTooLarge:
        assert not moves
        return
    assert same(dict(made.manager.load([value_of(cookies[0])])), {**before, "visits": 1})


@pytest.mark.parametrize("number", ["1E300", "1E999", "Infinity", "NaN"])
def test_s13_a_row_with_an_unusual_number_is_no_error(number: str) -> None:
    """The row is loaded with the number, or refused if it is not a valid number."""
    item = {"_idx": {"S": "A" * 24}, "_secret": {"S": "B" * 24}, "_ttl": {"N": "1800000600"}, "n": {"N": number}}
    if number == "1E300":
        assert Row(item, 1_800_000_000).values == {"n": 1e300}
    else:
        with pytest.raises(Refused, match="malformed"):
            Row(item, 1_800_000_000)
