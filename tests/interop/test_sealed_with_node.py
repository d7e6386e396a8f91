"""Sealed sessions in Node's library and this one, in both directions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

import arc
from tests.interop.any_data import apart
from tests.sessions.making import value_of

if TYPE_CHECKING:
    from arc.sessions.manager import SessionManager
    from tests.interop.peer import Peer

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "development": {},
    "A256GCM": {"ARC_APP_SECRET": "abcdefghijklmnopqrstuvwxyz012345"},
    "longer": {"ARC_APP_SECRET": "abcdefghijklmnopqrstuvwxyz012345-and-more"},
    "A192GCM": {"ARC_APP_SECRET": "abcdefghijklmnopqrstuvwx", "ARC_APP_SECRET_ALGO": "A192GCM"},
    "A128GCM": {"ARC_APP_SECRET": "abcdefghijklmnop", "ARC_APP_SECRET_ALGO": "A128GCM"},
    "development A192GCM": {"ARC_APP_SECRET_ALGO": "A192GCM"},
    "development A128GCM": {"ARC_APP_SECRET_ALGO": "A128GCM"},
    "legacy": {"ARC_FORCE_LEGACY_JWE_SECRET": "1"},
    "legacy secret": {"ARC_FORCE_LEGACY_JWE_SECRET": "1", "ARC_APP_SECRET": "something-much-better-than-this"},
    "legacy standard base64": {"ARC_FORCE_LEGACY_JWE_SECRET": "1", "ARC_APP_SECRET": "ab+/cd+/ef+/gh+/ij+/kl+/"},
    "accents": {"ARC_APP_SECRET": "é" * 32},
    "chinese": {"ARC_APP_SECRET": "会话密钥" * 8},
    "emoji": {"ARC_APP_SECRET": "🔑" * 20},
    "emoji at the cut": {"ARC_APP_SECRET": "x" * 31 + "🔑" + "y"},
    "emoji before the cut": {"ARC_APP_SECRET": "x" * 30 + "🔑" + "y"},
}
PAYLOADS: list[dict[str, Any]] = [
    {"count": 1},
    {"text": 'é 会话 🔑 \u2028 "quoted" \\ / \n\t\x00', "ключ": "value"},
    {"nested": {"list": [1, [2, [3, {"deep": None}]]], "empty": {}, "none": []}},
    {"numbers": [0, -1, 1.5, 1e21, 1e-7, 9007199254740991, True, False, None]},
    {"_user": "underscore", "": "no name"},
    {"long": "x" * 2500},
]
every_environment = pytest.mark.parametrize("env", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())


def manager(env: dict[str, str]) -> SessionManager:
    """This library's manager, under the same variables."""
    return arc.http.build_manager(arc.Settings.from_env({"ARC_ENV": "testing", **env}))


@every_environment
def test_node_opens_sealed_sessions(node_peer: Peer, env: dict[str, str]) -> None:
    """Node finds the data under every algorithm and secret."""
    sessions = manager(env)
    for payload in PAYLOADS:
        session = sessions.load([])
        session.update({key: value for key, value in payload.items() if key})
        cookie = sessions.commit(session)[0].partition(";")[0]
        read = node_peer.ask("read", env, headers={"cookie": f"other=1; {cookie}"})
        assert abs(read["iat"] - time.time()) < 600
        assert {key: value for key, value in read.items() if key != "iat" and not key.startswith("_arc_")} == session
        assert node_peer.ask("readList", env, cookies=["other=1", cookie]) == read


@every_environment
def test_sealed_sessions_of_node_open(node_peer: Peer, env: dict[str, str]) -> None:
    """This library finds the data under every algorithm and secret."""
    sessions = manager(env)
    for payload in [{}, *PAYLOADS]:
        session = sessions.load([value_of(node_peer.ask("write", env, payload=payload))])
        assert session == payload
        assert not session.is_new


@every_environment
def test_signed_in_session_goes_to_node_and_back(node_peer: Peer, env: dict[str, str]) -> None:
    """Node adds data, and the principal and the message stay."""
    sessions = manager(env)
    session = sessions.load([])
    session["cart"] = ["book"]
    session.sign_in("ada")
    session.flash("info", "hello")
    ours = sessions.commit(session)[0].partition(";")[0]
    nodes = node_peer.ask("rewrite", env, headers={"Cookie": ours}, changes={"theme": "dark"})
    again = sessions.load([value_of(nodes)])
    assert again == {"cart": ["book"], "theme": "dark"}
    assert (again.id, again.user_id, again.created_at) == (session.id, "ada", session.created_at)
    assert again.flashes() == ["hello"]
    again["cart"].append("pen")
    cookie = sessions.commit(again)[0].partition(";")[0]
    assert node_peer.ask("read", env, headers={"cookie": cookie})["cart"] == ["book", "pen"]


def test_s13_invalid_data_of_node_is_kept(node_peer: Peer) -> None:
    """An empty key, an unpaired surrogate and numbers beyond DynamoDB's stay unchanged when a key is added."""
    sessions = manager({})
    payload = {"": "no name", "half": "\ud83d", "\ud83d": [1e300, 5e-324], "cart": [{"": 1}]}
    session = sessions.load([value_of(node_peer.ask("write", payload=payload))])
    session["count"] = 1
    cookie = sessions.commit(session)[0].partition(";")[0]
    assert apart(node_peer.ask("read", headers={"cookie": cookie})) == {**payload, "count": 1}
    again = sessions.load([value_of(node_peer.ask("rewrite", headers={"Cookie": cookie}, changes={"count": 2}))])
    assert again == {**payload, "count": 2}


def test_session_from_node_keeps_its_id(node_peer: Peer) -> None:
    """A session without metadata has a lasting id after its first write here."""
    sessions = manager({})
    session = sessions.load([value_of(node_peer.ask("write", payload={"count": 1}))])
    session["count"] = 2
    again = sessions.load([value_of(sessions.commit(session)[0])])
    assert again.id == session.id
    assert again.user_id is None


def test_set_cookie_attributes_have_nodes_order(node_peer: Peer) -> None:
    """Except for token and times the two strings are equal, with and without a domain."""
    for extra in ({}, {"ARC_SESSION_DOMAIN": "example.com", "ARC_SESSION_SAME_SITE": "Strict"}, {"ARC_ENV": "staging"}):
        env = {"ARC_APP_SECRET": "abcdefghijklmnopqrstuvwxyz012345", "ARC_SESSION_TTL": "3600", **extra}
        sessions = manager(env)
        session = sessions.load([])
        session["count"] = 1
        ours, nodes = sessions.commit(session)[0], node_peer.ask("write", env, payload={"count": 1})
        assert attributes(ours) == attributes(nodes)


def attributes(set_cookie: str) -> list[str]:
    """The attributes in their order, without the time of Expires."""
    return [part if "Expires" not in part else "Expires" for part in set_cookie.split("; ")[1:]]


def test_both_refuse_a_tampered_token(node_peer: Peer) -> None:
    """A tampered token is an empty session in both libraries."""
    sessions = manager({})
    session = sessions.load([])
    session["count"] = 1
    cookie = sessions.commit(session)[0].partition(";")[0]
    tampered = cookie[:-3] + ("A" if cookie[-3] != "A" else "B") + cookie[-2:]
    assert node_peer.ask("read", headers={"cookie": tampered}) == {}
    assert sessions.load([value_of(tampered)]).is_new


def test_shorter_idle_lifetime_applies_in_node(node_peer: Peer) -> None:
    """`exp` ends a token in both libraries at the same time."""
    clock = [time.time() - 100]
    sessions = arc.http.build_manager(arc.Settings(environment="testing", idle=50), clock=lambda: clock[0])
    session = sessions.load([])
    session["count"] = 1
    cookie = sessions.commit(session)[0].partition(";")[0]
    assert node_peer.ask("read", headers={"cookie": cookie}) == {}
