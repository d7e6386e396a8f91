"""Sealed tokens for tests."""

from __future__ import annotations

import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arc.sessions.jwe import seal, unseal
from arc.sessions.record import Refused

KEY = bytes(range(32))
CIPHER = AESGCM(KEY)
NONCE = bytes(range(12))
PAYLOAD = '{"who":"Zoë","count":1,"iat":1800000000}'.encode()
TOKEN = seal(PAYLOAD, CIPHER, "A256GCM", NONCE)
BASE64URL = string.ascii_letters + string.digits + "-_"


class Untouchable:
    """A cipher that must not be used."""

    def decrypt(self, nonce: bytes, data: bytes, header: bytes) -> bytes:
        """Never called."""
        raise AssertionError("A key was used for a token that its form refuses.")


def base64url(data: bytes) -> str:
    """Encode `data` as base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def lenient(text: str) -> bytes:
    """Decode base64url as a lenient decoder does."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def reason(token: str, *, ciphers: Any = (CIPHER,), enc: str = "A256GCM") -> str:
    """Return why `token` is refused."""
    with pytest.raises(Refused) as refusal:
        unseal(token, ciphers, enc)
    return refusal.value.reason


def is_refused_unopened(token: str) -> bool:
    """True when `token` is refused because of its form, without any cryptography."""
    return reason(token, ciphers=(Untouchable(),)) == "malformed"
