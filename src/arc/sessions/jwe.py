"""Seal and unseal: JWE compact serialization with direct encryption (RFC 7516 §3.1, RFC 7518 §4.5 and §5.3)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from arc.sessions.refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = {"A256GCM": 32, "A192GCM": 24, "A128GCM": 16}
MAX_TOKEN = 4096  # characters; browsers keep no longer cookie (RFC 6265bis §5.6)
_PARTS = 5
_NONCE, _TAG = 12, 16  # bytes, RFC 7518 §5.3
_NONCE_TEXT, _TAG_TEXT = 16, 22  # the same as characters of base64url


def seal(payload: bytes, cipher: AESGCM, enc: str, nonce: bytes) -> str:
    """The token that holds `payload`; `nonce` is 12 bytes that are never used twice with one key."""
    header = _HEADERS[enc]
    sealed = cipher.encrypt(nonce, payload, header.encode())
    return f"{header}..{_encode(nonce)}.{_encode(sealed[:-_TAG])}.{_encode(sealed[-_TAG:])}"


def unseal(token: str, ciphers: Sequence[AESGCM], enc: str) -> tuple[bytes, int]:
    """The payload of `token`, and the index of the cipher that opened it.

    `enc` is the one content encryption that is taken: the header must be its own, byte for byte, and is
    never parsed (RFC 8725 §3.1). Raises `Refused`, before any decoding for what is too long.
    """
    if len(token) > MAX_TOKEN:
        raise Refused("too-long")
    parts = token.split(".", _PARTS)
    if len(parts) != _PARTS or parts[0] != _HEADERS[enc] or parts[1]:
        raise Refused("malformed")
    if len(parts[2]) != _NONCE_TEXT or len(parts[4]) != _TAG_TEXT:
        raise Refused("malformed")
    nonce, sealed, header = _decode(parts[2]), _decode(parts[3]) + _decode(parts[4]), parts[0].encode()
    for index, cipher in enumerate(ciphers):
        try:
            return cipher.decrypt(nonce, sealed, header), index
        except _invalid_tag():
            continue
    raise Refused("forged")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """The bytes of canonical base64url: encoding them again gives the same text (RFC 7515 §2, RFC 4648 §3.5)."""
    try:
        data = urlsafe_b64decode(text + "==="[: -len(text) % 4])
    except ValueError:
        raise Refused("malformed") from None
    if _encode(data) != text:
        raise Refused("malformed")
    return data


def _invalid_tag() -> type[Exception]:
    """What a cipher raises for a wrong tag; importing it costs more than unsealing, so only a wrong tag does."""
    from cryptography.exceptions import InvalidTag

    return InvalidTag


# The only headers there are, as Node writes them: no white space, this order.
_HEADERS = {enc: _encode(f'{{"alg":"dir","enc":"{enc}"}}'.encode()) for enc in KEY_BYTES}
