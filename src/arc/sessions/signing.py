"""Signed ids `value.mac` of database sessions, as Node's `cookie-signature` makes them."""

from __future__ import annotations

import hmac
from base64 import b64encode

from arc.sessions.record import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SIGNED = 4096  # characters; the limit of browsers (RFC 6265bis §5.6)


def sign(value: str, secret: bytes) -> str:
    """Return `value`, a dot, and the HMAC-SHA256 of `value` in standard base64 without padding."""
    return f"{value}.{_mac(value, secret)}"


def unsign(signed: str, secrets: Sequence[bytes]) -> tuple[str, int]:
    """Return the value of a signed id and the index of the secret that signed it. Raises `Refused`."""
    if len(signed) > MAX_SIGNED:
        raise Refused("too-long")
    value, _, mac = signed.rpartition(".")
    if not value or not signed.isascii():
        raise Refused("malformed")
    for index, secret in enumerate(secrets):
        if hmac.compare_digest(mac, _mac(value, secret)):
            return value, index
    raise Refused("forged")


def _mac(value: str, secret: bytes) -> str:
    return b64encode(hmac.digest(secret, value.encode(), "sha256")).rstrip(b"=").decode()
