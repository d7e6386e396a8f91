"""Any secret, data, moment and cookie: Node's library and this one agree, or this one is stricter."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import arc
from arc.errors import ConfigurationError
from arc.sessions.cookie import parse, values
from arc.sessions.jwe import KEY_BYTES
from tests.interop.any_data import apart, as_doubles, characters, data
from tests.interop.peer import NodeError
from tests.sessions.making import value_of

if TYPE_CHECKING:
    from arc.sessions.manager import SessionManager
    from tests.interop.peer import Peer

NOW = 1_800_000_000
WEEK = 604_800
SECRET = {"ARC_APP_SECRET": "abcdefghijklmnopqrstuvwxyz012345"}
with_node = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def manager(env: dict[str, str], now: int = NOW) -> SessionManager:
    """This library's manager, under Node's variables, at a given time."""
    return arc.http.build_manager(arc.Settings.from_env({"ARC_ENV": "testing", **env}), clock=lambda: now)


def ours(env: dict[str, str], content: dict[str, Any], now: int = NOW) -> str:
    """The `name=value` of a session with `content` from this library."""
    sessions = manager(env, now)
    session = sessions.load([])
    session.update(content)
    return sessions.commit(session, explicit=True)[0].partition(";")[0]


def agree(node_peer: Peer, env: dict[str, str]) -> None:
    """Assert that each library reads the other's session under `env`."""
    assert apart(node_peer.ask("read", env, now=NOW, headers={"cookie": ours(env, {"a": 1})})) == {"a": 1}
    assert manager(env).load([value_of(node_peer.ask("write", env, now=NOW, payload={"b": 2}))]) == {"b": 2}


@with_node
@given(st.text(characters, min_size=16, max_size=50), st.sampled_from(list(KEY_BYTES)))
def test_any_long_secret_gives_the_same_key(node_peer: Peer, secret: str, enc: str) -> None:
    """Any characters up to the length that Node requires give the same key in both."""
    assume(len(secret.encode("utf-16-le")) // 2 >= KEY_BYTES[enc])
    agree(node_peer, {"ARC_APP_SECRET": secret, "ARC_APP_SECRET_ALGO": enc})


@pytest.mark.parametrize("edge", ["x" * 15 + "🔑", "x" * 14 + "🔑", "é" * 16, "漢" * 16, "x" * 15 + "漢", "🔑" * 8])
def test_secrets_are_cut_at_the_same_place(node_peer: Peer, edge: str) -> None:
    """Through a surrogate pair, through the bytes of a character, and at the exact length."""
    agree(node_peer, {"ARC_APP_SECRET": edge, "ARC_APP_SECRET_ALGO": "A128GCM"})
    agree(node_peer, {"ARC_APP_SECRET": edge[:-1] * 3 + edge, "ARC_APP_SECRET_ALGO": "A256GCM"})


def test_short_secrets_work_only_here(node_peer: Peer) -> None:
    """Node refuses secrets of up to 31 characters, such as the one in Architect's documentation."""
    env = {"ARC_APP_SECRET": "something-much-better-than-this"}
    with pytest.raises(NodeError, match="Invalid secret length"):
        node_peer.ask("write", env, payload={})
    assert manager(env).load([value_of(ours(env, {"a": 1}))]) == {"a": 1}


@with_node
@given(st.text(string.ascii_letters + string.digits + "+/-_= \n\t.%éōŁ€🔑漢", max_size=60))
def test_any_legacy_secret_gives_the_same_key(node_peer: Peer, secret: str) -> None:
    """Node's lenient base64 is decoded alike, and a secret that is too short is so for both."""
    env = {"ARC_FORCE_LEGACY_JWE_SECRET": "1", "ARC_APP_SECRET": secret}
    assume(secret)
    if len(bytes.fromhex(node_peer.ask("base64", text=secret))) >= KEY_BYTES["A128GCM"]:
        agree(node_peer, env)
        return
    with pytest.raises(ConfigurationError, match="requires 16"):
        manager(env)
    with pytest.raises(NodeError, match="at least 16 bytes"):
        node_peer.ask("write", env, payload={})


@with_node
@given(data)
def test_any_data_goes_both_ways(node_peer: Peer, content: dict[str, Any]) -> None:
    """Node reads and rewrites any JSON of a session, and it is equal afterwards."""
    cookie = ours(SECRET, content)
    read = node_peer.ask("read", SECRET, now=NOW, headers={"cookie": cookie})
    assert read["iat"] == NOW
    assert as_doubles(apart(read)) == as_doubles(content)
    rewritten = node_peer.ask("rewrite", SECRET, now=NOW, headers={"cookie": cookie}, changes={})
    assert as_doubles(manager(SECRET).load([value_of(rewritten)])) == as_doubles(content)


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60) - 1, 10**37 + 1, 12345678901234567890.0])
def test_numbers_beyond_a_double_lose_digits_only_in_node(node_peer: Peer, number: float) -> None:
    """This library keeps 38 digits, and Node reads the nearest double."""
    cookie = ours(SECRET, {"n": number})
    assert manager(SECRET).load([value_of(cookie)]) == {"n": number}
    assert float(node_peer.ask("read", SECRET, now=NOW, headers={"cookie": cookie})["n"]) == float(number)


@pytest.mark.parametrize("age", [-300, 0, 1, WEEK - 1, WEEK, WEEK + 1])
def test_tokens_of_node_expire_after_a_week(node_peer: Peer, age: int) -> None:
    """Node still reads a token at the last second itself, and this library does not."""
    cookie = node_peer.ask("write", SECRET, now=NOW, payload={"a": 1}).partition(";")[0]
    node_reads = node_peer.ask("read", SECRET, now=NOW + age, headers={"cookie": cookie})
    assert (node_reads == {}) is (age > WEEK)
    assert manager(SECRET, NOW + age).load([value_of(cookie)]).is_new is (age >= WEEK)


@pytest.mark.parametrize("idle", [50, WEEK - 1, WEEK])
def test_shorter_lifetime_applies_in_node(node_peer: Peer, idle: int) -> None:
    """Node stops reading a token within one second of this library."""
    env = {**SECRET, "ARC_SESSION_TTL": str(idle)}
    cookie = ours(env, {"a": 1})
    for moment, reads in ((NOW + idle - 1, True), (NOW + idle + 1, False)):
        assert (node_peer.ask("read", env, now=moment, headers={"cookie": cookie}) != {}) is reads
        assert manager(env, moment).load([value_of(cookie)]).is_new is not reads


@with_node
@given(st.text(characters, max_size=30) | st.text("%4123aAfFé+\\ ", max_size=30))
def test_any_value_is_decoded_as_in_node(node_peer: Peer, value: str) -> None:
    """The result is that of decodeURIComponent, or the value itself where that throws; only quotes differ."""
    assume(
        not set(value) & set(';"') and value == value.strip() and not any(one < " " or one == "\x7f" for one in value)
    )
    assert values([f"_idx={value}"], "_idx") == [node_peer.ask("cookies", header=f"_idx={value}")["_idx"]]


@with_node
@given(st.text("ab=; \t%41", max_size=40))
def test_any_header_has_the_same_cookies_as_in_node(node_peer: Peer, header: str) -> None:
    """Of several with one name Node's parser returns the first, and this library all."""
    first: dict[str, str] = {}
    for name, value in parse(header):
        first.setdefault(name, values([f"{name}={value}"], name)[0])
    found = node_peer.ask("cookies", header=header)
    assert first == {name: value for name, value in found.items() if name}
