"""Unusual rows and cookies in Node's library and this one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from arc.sessions.cookie import values
from arc.sessions.signing import sign
from tests.sessions.making import SECRET

if TYPE_CHECKING:
    from tests.interop.both import Both

WEEK = 604_800
SECRETS = ["é" * 20, "会话密钥会话密钥会话密钥", "🔑 and a lock", "a b+c/d=e;f,g%41\"'", None]
UNSHOWN: dict[str, Any] = {
    "binary": {"B": b"\x00\xff"},
    "words": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2.5"]},
    "binaries": {"BS": [b"a", b"\xfe"]},
    "nested": {"M": {"shown": {"S": "x"}, "unshown": {"SS": ["c"]}}},
    "list": {"L": [{"S": "x"}, {"B": b"y"}]},
}


def ordered(row: dict[str, Any]) -> dict[str, Any]:
    """`row` with sorted sets, at the top and in maps."""
    return {
        key: {kind: ordered(value) if kind == "M" else sorted(value) if kind in ("SS", "NS", "BS") else value}
        for key, attribute in row.items()
        for kind, value in attribute.items()
    }


def test_what_cannot_be_shown_stays_in_the_row(both: Both) -> None:
    """Binary data and sets beside Node's data are not in our dict, and our commit leaves them where they are.

    Node's own rewrite keeps sets too; its client reads binary data as base64 text, which it writes as text.
    """
    value = both.node_rewrites("", visits=1)
    both.put({**both.row(value), **UNSHOWN})
    session = both.ours(value)
    assert session == {"visits": 1, "nested": {"shown": "x"}}
    session["nested"]["more"] = "y"
    session.increment("visits")
    both.commit(session)
    expected = {**UNSHOWN, "nested": {"M": {**UNSHOWN["nested"]["M"], "more": {"S": "y"}}}}
    assert {key: ordered(both.row(value))[key] for key in UNSHOWN} == ordered(expected)
    both.node_rewrites(value, theirs=1)
    expected |= {"binary": {"S": "AP8="}, "list": {"L": [{"S": "x"}, {"S": "eQ=="}]}}
    expected["binaries"] = {"SS": ["YQ==", "/g=="]}
    assert {key: ordered(both.row(value))[key] for key in expected} == ordered(expected)
    again = both.ours(value)
    assert {key: again[key] for key in ("visits", "nested", "theirs")} == {
        "visits": 2,
        "nested": {"shown": "x", "more": "y"},
        "theirs": 1,
    }
    assert again.keys().isdisjoint({"words", "numbers", "_secret", "_ttl"})


@pytest.mark.parametrize("secret", SECRETS, ids=["accents", "chinese", "emoji", "signs", "none"])
@pytest.mark.sampled(4)
def test_any_secret_signs_for_both(both: Both, secret: str | None) -> None:
    """Sessions of each library open in the other, and without a secret in testing the app's name signs."""
    under = both.under(secret)
    value = under.node_rewrites("", theirs=1)
    session = under.ours(value)
    assert session == {"theirs": 1}
    session["ours"] = 2
    assert under.commit(session) == value
    assert value == sign(session.id, (secret or "testapp").encode())
    fresh = under.manager.load([])
    fresh["ours"] = 3
    assert under.nodes(under.commit(fresh))["ours"] == 3
    assert both.ours(value).is_new
    assert "theirs" not in both.nodes(value)


def test_any_signature_opens_in_both(both: Both) -> None:
    """Signatures with `/` and `+` open plain and percent-encoded, and in quotes only here."""
    for letter in ("/", "+"):
        ids = (f"an-id-of-a-test-{count:08}" for count in itertools.count())
        session_id = next(one for one in ids if letter in sign(one, SECRET.encode()))
        value = sign(session_id, SECRET.encode())
        row = {"_idx": session_id, "_secret": "x" * 24, "wanted": letter}
        both.put({**{key: {"S": text} for key, text in row.items()}, "_ttl": {"N": "4000000000"}})
        encoded = value.replace("+", "%2B").replace("/", "%2F")
        assert encoded != value
        for written in (value, encoded, f'"{value}"', f'"{encoded}"'):
            session = both.manager.load(values([f"other=1; _idx={written}; more=2"], "_idx"))
            assert (session, session.id) == ({"wanted": letter}, session_id)
            assert both.nodes(written).get("wanted") == (None if '"' in written else letter)
        assert both.node_rewrites(encoded, letter=letter) == value


def test_rows_of_architects_python_library_continue(both: Both) -> None:
    """They have numbers as text and no metadata, and the first write stores when the session began."""
    session_id = "python-made-this-id-1234"
    row: dict[str, Any] = {
        "_idx": {"S": session_id},
        "_secret": {"S": "s" * 24},
        "_ttl": {"N": str(int(both.manager.clock()) + WEEK - 100)},
        "count": {"N": "7"},
        "price": {"N": "19.90"},
        "cart": {"L": [{"M": {"sku": {"S": "a"}, "n": {"N": "2"}}}]},
        "user": {"NULL": True},
    }
    both.put(row)
    value = sign(session_id, SECRET.encode())
    session = both.ours(value)
    assert session == {"count": 7, "price": 19.9, "cart": [{"sku": "a", "n": 2}], "user": None}
    assert type(session["count"]) is int
    assert session.user_id is None
    row_cart = [{"sku": "a", "n": 2}]
    began = session.created_at
    assert began == int(row["_ttl"]["N"]) - WEEK
    session["cart"].append({"sku": "b", "n": 1})
    session.increment("count")
    both.commit(session)
    stamped = both.row(value)
    assert stamped["_arc_created"] == {"N": str(began)}
    assert (stamped["count"], stamped["_secret"]) == ({"N": "8"}, row["_secret"])
    both.put({key: stamped[key] for key in stamped if not key.startswith("_arc_")})
    again = both.ours(value)
    assert again == {"count": 8, "price": 19.9, "cart": [*row_cart, {"sku": "b", "n": 1}], "user": None}
    if both.engine.transactions:
        again.sign_in("ada")
    else:
        again["signed"] = True
    assert both.nodes(both.commit(again))["cart"] == [*row_cart, {"sku": "b", "n": 1}]
