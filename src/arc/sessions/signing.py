"""Signed ids, as Node's `cookie-signature` makes them: `value.mac` (Architect, database sessions)."""

from __future__ import annotations

import hmac
from base64 import b64encode

from arc.sessions.refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SIGNED = 4096


def sign(value: str, secret: bytes) -> str:
    """`value`, a dot, and the HMAC-SHA256 of `value` in standard base64 without padding."""
    return f"{value}.{_mac(value, secret)}"


def unsign(signed: str, secrets: Sequence[bytes]) -> tuple[str, int]:
    """The value of a signed id, and the index of the secret that signed it. Raises `Refused`."""
    if len(signed) > MAX_SIGNED:
        raise Refused("too-long")
    value, dot, mac = signed.rpartition(".")
    if not dot or not value or not signed.isascii():
        raise Refused("malformed")
    found = -1
    for index, secret in enumerate(secrets):
        if hmac.compare_digest(mac, _mac(value, secret)) and found < 0:
            found = index
    if found < 0:
        raise Refused("forged")
    return value, found


def _mac(value: str, secret: bytes) -> str:
    return b64encode(hmac.digest(secret, value.encode(), "sha256")).decode().rstrip("=")
