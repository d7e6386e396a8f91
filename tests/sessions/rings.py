"""Keyrings for tests."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from arc.errors import ConfigurationError
from arc.sessions.jwe import seal
from arc.sessions.keyring import Keyring
from arc.settings import Settings

NONCE = bytes(12)
LONG = "a secret of the tests, long enough for AES-256"
SHORT = "sixteen letters!"
PAGE = "something-much-better-than-this"
DEVELOPMENT = "12345678901234567890123456789012"


def keyring(secret: str | None = LONG, *, warnings: list[str] | None = None, **settings: Any) -> Keyring:
    """The keyring of a `secret`, in production unless `settings` say otherwise."""
    messages = [] if warnings is None else warnings
    return Keyring(Settings(**{"environment": "production", "secret": secret, **settings}), warn=messages.append)


def refusal(secret: str | None = LONG, **settings: Any) -> str:
    """Why a configuration is refused."""
    with pytest.raises(ConfigurationError) as error:
        keyring(secret, **settings)
    return str(error.value)


def opens(ring: Keyring, key: bytes) -> bool:
    """True when `ring` seals with `key`."""
    token = seal(b"{}", AESGCM(key), ring.enc, NONCE)
    return seal(b"{}", ring.sealing, ring.enc, NONCE) == token


def hkdf(secret: str, info: str, size: int) -> bytes:
    """What cryptography's own HKDF derives, without salt."""
    return HKDF(SHA256(), size, salt=None, info=info.encode()).derive(secret.encode())
