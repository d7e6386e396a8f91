"""Tokens: JWE compact serialization with direct encryption (RFC 7516 §3.1, RFC 7518 §4.5 and §5.3)."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

from arc.sessions.record import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = {"A256GCM": 32, "A192GCM": 24, "A128GCM": 16}
MAX_TOKEN = 4096  # characters; the limit of browsers (RFC 6265bis §5.6)
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # base64; base64url has - and _ last
_TO_URL = bytes.maketrans(b"+/", b"-_")
# To base64, and all other characters to one that base64 does not have. `translate` takes longer to delete characters,
# and `in` longer than `find`, because it first tries the bytes as an integer.
_FROM_URL = bytes(one if one in _ALPHABET.translate(_TO_URL) + b"." else ord("!") for one in range(256)).translate(
    bytes.maketrans(b"-_", b"+/")
)
# The valid last characters by the length modulo 4: spare bits are 0, so that bytes have one text (RFC 4648 §3.5).
_LAST = (_ALPHABET, b"", _ALPHABET[::16], _ALPHABET[::4])
_NONCE, _TAG = 12, 16  # bytes, RFC 7518 §5.3
_NONCE_TEXT, _TAG_TEXT = 16, 22  # the same as characters of base64url
_LAST_OF_TAG = _LAST[_TAG_TEXT % 4]


def seal(payload: bytes, cipher: AESGCM, enc: str, nonce: bytes) -> str:
    """Return the token that contains `payload`. `nonce` is 12 bytes that are never used twice with one key."""
    header = _HEADERS[enc]
    sealed = cipher.encrypt(nonce, payload, header)
    # `%.16b` takes the first 16 bytes, without the padding and the line end.
    parts = (header, b2a_base64(nonce), b2a_base64(sealed[:-_TAG]).rstrip(b"=\n"), b2a_base64(sealed[-_TAG:]))
    return (b"%b..%.16b.%b.%.22b" % parts).translate(_TO_URL).decode()


def unseal(token: str, ciphers: Sequence[AESGCM], enc: str) -> tuple[bytes, int]:
    """Return the payload of `token` and the index of the cipher that opened it.

    `enc` is the only content encryption that is accepted: the header is compared with its header byte for byte, and is
    never parsed (RFC 8725 §3.1). Raises `Refused`; a token that is too long is not decoded.
    """
    if len(token) > MAX_TOKEN:
        raise Refused("too-long")
    start = _STARTS[enc]
    try:
        text = token[len(start) :].encode().translate(_FROM_URL)
        nonce, sealed, end = text.split(b".", 3)
    except ValueError:
        raise Refused("malformed") from None
    if not token.startswith(start) or len(nonce) != _NONCE_TEXT or len(end) != _TAG_TEXT or text.find(b"!") >= 0:
        raise Refused("malformed")
    over = len(sealed) % 4
    if end[-1] not in _LAST_OF_TAG or (over and sealed[-1] not in _LAST[over]):
        raise Refused("malformed")
    iv, message, header = a2b_base64(nonce), a2b_base64(sealed + b"===") + a2b_base64(end + b"=="), _HEADERS[enc]
    index = 0
    for cipher in ciphers:
        try:
            return cipher.decrypt(iv, message, header), index
        except _invalid_tag():
            index += 1
    raise Refused("forged")


def _invalid_tag() -> type[Exception]:
    """Return the exception for a wrong tag. Its import takes longer than unsealing, so only a wrong tag imports it."""
    from cryptography.exceptions import InvalidTag

    return InvalidTag


# The only valid headers, as Node writes them, and the start of a token, whose encrypted key is empty.
_HEADERS = {
    enc: b2a_base64(f'{{"alg":"dir","enc":"{enc}"}}'.encode()).rstrip(b"=\n").translate(_TO_URL) for enc in KEY_BYTES
}
_STARTS = {enc: f"{header.decode()}.." for enc, header in _HEADERS.items()}
