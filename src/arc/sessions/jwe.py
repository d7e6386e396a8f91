"""Seal and unseal: JWE compact serialization with direct encryption (RFC 7516 §3.1, RFC 7518 §4.5 and §5.3)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from arc.sessions.refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = {"A256GCM": 32, "A192GCM": 24, "A128GCM": 16}
MAX_TOKEN = 4096
_NONCE, _TAG = 12, 16
# The only headers there are, as bytes: no header is ever parsed.
_HEADERS = {enc: urlsafe_b64encode(f'{{"alg":"dir","enc":"{enc}"}}'.encode()).decode().rstrip("=") for enc in KEY_BYTES}


def seal(payload: bytes, cipher: AESGCM, enc: str, nonce: bytes) -> str:
    """The token that holds `payload`; `nonce` is 12 bytes that are never used twice with one key."""
    header = _HEADERS[enc]
    sealed = cipher.encrypt(nonce, payload, header.encode())
    return f"{header}..{_encode(nonce)}.{_encode(sealed[:-_TAG])}.{_encode(sealed[-_TAG:])}"


def unseal(token: str, ciphers: Sequence[AESGCM], enc: str) -> tuple[bytes, int]:
    """The payload of `token`, and the index of the cipher that opened it. Raises `Refused`."""
    from cryptography.exceptions import InvalidTag

    if len(token) > MAX_TOKEN:
        raise Refused("too-long")
    parts = token.split(".", 5)
    if len(parts) != 5 or parts[0] != _HEADERS[enc] or parts[1]:
        raise Refused("malformed")
    nonce, ciphertext, tag = map(_decode, parts[2:])
    if len(nonce) != _NONCE or len(tag) != _TAG:
        raise Refused("malformed")
    header = parts[0].encode()
    for index, cipher in enumerate(ciphers):
        try:
            return cipher.decrypt(nonce, ciphertext + tag, header), index
        except InvalidTag:
            continue
    raise Refused("forged")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """The bytes of canonical base64url: encoding them again gives the same text (RFC 7515 §2, RFC 4648 §3.5)."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Refused("malformed") from None
    if _encode(data) != text:
        raise Refused("malformed")
    return data
