"""What a sealed token holds: which parts of a payload become the session, and what does not fit into a cookie."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from arc.errors import SessionTooLarge
from arc.sessions.jwe import seal, unseal
from arc.sessions.keyring import Keyring
from arc.sessions.record import Record, Refused
from arc.sessions.stores.sealed import MAX_COOKIE, SealedStore
from arc.settings import Settings
from tests.sessions.making import SECRET, WEEK, Counting

NOW = 1_800_000_000
KEYRING = Keyring(Settings(environment="production", secret=SECRET))
FACTS = {"_arc_id": "an-id", "_arc_created": NOW - 9, "iat": NOW - 5}


def store_named(name: str) -> SealedStore:
    """A store whose cookie has this name."""
    return SealedStore(KEYRING, name, random=Counting())


STORE = store_named("_idx")


def record(**data: Any) -> Record:
    """A session with `data`."""
    return Record("an-id", data, created=NOW)


def token(payload: bytes) -> str:
    """A token that another writer sealed with the same key."""
    return seal(payload, KEYRING.sealing, "A256GCM", b"n" * 12)


def load(*parts: dict[str, Any]) -> Record:
    """The session of a payload with the keys of `parts`, in order."""
    payload = {key: value for part in parts for key, value in part.items()}
    return STORE.load(token(json.dumps(payload, separators=(",", ":")).encode()), NOW)


def refusal(payload: bytes) -> str:
    """Why a payload is refused."""
    with pytest.raises(Refused) as refused:
        STORE.load(token(payload), NOW)
    return refused.value.reason


# -- the text of the data


def test_a_record_has_the_text_of_its_token() -> None:
    """The data comes first in it, so that a commit finds out by its own text what changed."""
    full = record(count=1, cart={"items": ["a"]})
    full.user_id, full.signed_in_at, full.lifetime = "ada", NOW, 60
    full.flashes, full.expires = (("info", "hello"),), NOW + 60
    later = record(count=1)
    later.expires = NOW + 8 * WEEK
    for one, text in ((full, '{"count":1,"cart":{"items":["a"]}}'), (record(), "{}"), (later, '{"count":1}')):
        loaded = STORE.load(STORE.create(one, NOW), NOW + 1)
        assert (loaded.text, loaded.source) == (text, None)


@pytest.mark.parametrize(
    "payload",
    [
        '{"count":1,"iat":%d}',
        '{"_arc_id":"an-id","_arc_created":%d,"count":1,"iat":%d}',
        '{"count":1,"_arc_id":"an-id","_arc_created":%d.0,"iat":%d}',
        '{"count":1,"_arc_id":"an-id","_arc_created":%d,"iat":%d }',
        '{"count":1,"_arc_id":"an-\\u0069d","_arc_created":%d,"iat":%d}',
    ],
    ids=["Node", "another order", "a number spelled otherwise", "a space", "an escape"],
)
def test_a_record_has_no_exact_text_of_a_token_in_another_form(payload: str) -> None:
    """What another version or library wrote is compared by its values."""
    text = payload.replace("%d", str(NOW))
    loaded = STORE.load(token(text.encode()), NOW)
    assert (loaded.text, loaded.source, loaded.data) == (None, text, {"count": 1})


@pytest.mark.parametrize(
    "facts",
    [
        {"_arc_other": 2, **FACTS},
        {"_arc_created": NOW, "_arc_id": "an-id", "iat": NOW},
        {**FACTS, "_arc_other": 2},
        {**FACTS, "more": 2},
    ],
    ids=["an unknown fact before", "another order", "an unknown fact", "data after the facts"],
)
def test_a_payload_in_another_form_is_read_key_by_key(facts: dict[str, Any]) -> None:
    """What another version or library wrote loads with the application's keys alone."""
    loaded = load({"count": 1}, facts)
    assert loaded.data == {"count": 1, **({"more": 2} if "more" in facts else {})}
    assert loaded.id == "an-id"


def test_brackets_in_text_are_no_nesting() -> None:
    """A session may hold text with more brackets than containers may be nested."""
    assert load({"text": "[" * 100}, FACTS).data == {"text": "[" * 100}
    assert load({"count": 1}, FACTS, {"_arc_flash": [["info", "{" * 100]]}).flashes == (("info", "{" * 100),)


def test_half_a_surrogate_pair_of_another_writer_is_kept() -> None:
    """Bytes that stand for half a pair are read as they are, and written so that any reader takes them."""
    loaded = STORE.load(token(b'{"a":"\xed\xa0\x80","iat":%d}' % NOW), NOW)
    assert loaded.data == {"a": "\ud800"}
    again = STORE.create(loaded, NOW)
    assert unseal(again, KEYRING.opening, "A256GCM")[0].startswith(b'{"a":"\\ud800"')
    assert STORE.load(again, NOW).data == {"a": "\ud800"}


@pytest.mark.parametrize("payload", [b"[1]", b"1", b"null", b'"text"', b"{,}", b""], ids=str)
def test_a_payload_that_is_no_session_is_malformed(payload: bytes) -> None:
    """Valid JSON of another kind is refused as invalid JSON is."""
    assert refusal(payload) == "malformed"


# -- the facts


def test_every_fact_comes_back() -> None:
    """Principal, sign-in, lifetime, messages and end are those that were sealed."""
    made = record(count=1)
    made.user_id, made.signed_in_at, made.lifetime = "ada", NOW - 3, 2 * WEEK
    made.flashes, made.expires, made.created = (("info", "hello"),), NOW + 60, NOW - 4
    loaded = STORE.load(STORE.create(made, NOW), NOW)
    assert (loaded.id, loaded.created, loaded.issued, loaded.expires) == ("an-id", NOW - 4, NOW, NOW + 60)
    assert (loaded.user_id, loaded.signed_in_at, loaded.lifetime) == ("ada", NOW - 3, 2 * WEEK)
    assert loaded.flashes == (("info", "hello"),)
    made.lifetime = "browser"
    assert STORE.load(STORE.create(made, NOW), NOW).lifetime == "browser"


@pytest.mark.parametrize("odd", [5, "", "\ud800", None, ["an-id"]], ids=ascii)
def test_an_id_that_is_no_text_is_derived_from_the_token(odd: object) -> None:
    """A token without a usable id has the same one at every request, and every other token another."""
    first = token(json.dumps({"count": 1, "_arc_id": odd, "iat": NOW}).encode())
    second = token(json.dumps({"count": 2, "_arc_id": odd, "iat": NOW}).encode())
    ids = [STORE.load(one, NOW).id for one in (first, second)]
    assert ids == [first[-22:], second[-22:]]


@pytest.mark.parametrize("odd", [5, "", None, ["ada"]], ids=str)
def test_a_principal_that_is_no_text_is_none(odd: object) -> None:
    """Nobody is signed in by a number or an empty text."""
    assert load({"_arc_user": odd}, FACTS).user_id is None


@pytest.mark.parametrize(("odd", "seconds"), [(0, None), (-1, None), ("1", None), (1.5, None), (True, None), (1, 1)])
def test_a_time_that_is_no_positive_number_is_none(odd: object, seconds: int | None) -> None:
    """The times of a sign-in and of the beginning are whole seconds since 1970; the beginning is else the token's."""
    loaded = load({"_arc_user": "ada", "_arc_signed_in": odd}, FACTS, {"_arc_created": odd})
    assert loaded.signed_in_at == seconds
    assert loaded.created == (seconds or FACTS["iat"])


def test_the_first_second_of_1970_is_a_time() -> None:
    """A token from then opens like any other, and one from a second before does not."""
    assert STORE.load(token(b'{"count":1,"iat":1}'), 10).issued == 1
    assert refusal(b'{"count":1,"iat":0}') == "malformed"


def test_messages_that_are_no_pairs_of_text_are_left_out() -> None:
    """The others are kept."""
    odd = [["info", 1], [1, "a"], ["info"], "info", ["info", "a", "b"], ["info", "\ud800"], ["info", "hello"]]
    assert load(FACTS, {"_arc_flash": odd}).flashes == (("info", "hello"),)
    assert load(FACTS, {"_arc_flash": "info"}).flashes == ()


@pytest.mark.parametrize(("ends", "written"), [(WEEK - 1, True), (WEEK, False), (WEEK + 1, False)])
def test_an_end_is_sealed_where_it_comes_before_that_of_node(ends: int, written: bool) -> None:
    """Node's library ends every token a week after it was made."""
    made = record()
    made.expires = NOW + ends
    payload = json.loads(unseal(STORE.create(made, NOW), KEYRING.opening, "A256GCM")[0])
    assert payload.get("exp") == (NOW + ends if written else None)


# -- sizes


def test_a_cookie_may_have_4096_bytes() -> None:
    """Name and value together fill a cookie to the byte, and one byte more is refused with the size."""
    room = MAX_COOKIE - len(STORE.create(record(text="x"), NOW))
    assert store_named("n" * room).create(record(text="x"), NOW)
    with pytest.raises(SessionTooLarge, match=r"\b4,097 bytes.*\b4,096\b"):
        store_named("n" * (room + 1)).create(record(text="x"), NOW)


def test_the_largest_keys_of_a_session_are_named() -> None:
    """Three at most, the largest first, each with the bytes of its value."""
    large = record(d=1, c=12, b="\xe9", a="x" * 5000)
    largest = re.escape("'a' (5,002 bytes), 'b' (4 bytes), 'c' (2 bytes). ")
    with pytest.raises(SessionTooLarge, match=largest):
        STORE.create(large, NOW)
    one = Record("x" * 5000, {"d": 1}, created=NOW)
    with pytest.raises(SessionTooLarge, match=re.escape(" 'd' (1 byte). ")):
        STORE.create(one, NOW)
    messages = record()
    messages.flashes = (("info", "x" * 5000),)
    with pytest.raises(SessionTooLarge, match="flash messages"):
        STORE.create(messages, NOW)
