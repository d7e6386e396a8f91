"""Signed ids in Node's library and this one, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arc.sessions.signing import sign, unsign
from tests.sessions.making import value_of

if TYPE_CHECKING:
    from tests.interop.peer import Peer

SECRETS = ["fallback", "testapp", "something-much-better-than-this", "é会话🔑" * 8]
IDS = ["abc", "7Lk-sK0LoscLEOTDWKIbnfJl", *(f"id-{number}" for number in range(40))]


@pytest.mark.parametrize("secret", SECRETS)
def test_signed_ids_are_equal(node_peer: Peer, secret: str) -> None:
    """Both libraries make equal signatures, also with `/` and `+`, and open each other's."""
    signatures = ""
    for session_id in IDS:
        ours, nodes = sign(session_id, secret.encode()), node_peer.ask("sign", value=session_id, secret=secret)
        assert ours == nodes
        assert node_peer.ask("unsign", signed=ours, secret=secret) == session_id
        assert unsign(nodes, [b"another", secret.encode()]) == (session_id, 1)
        set_cookie = node_peer.ask("signedCookie", value=session_id, secret=secret)
        assert value_of(set_cookie) == ours
        signatures += ours
    assert "/" in signatures
    assert "+" in signatures
