"""Sealing and unsealing, compared with joserfc."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe as referee
from joserfc.jwk import OctKey

from arc.sessions.jwe import KEY_BYTES, MAX_TOKEN, seal, unseal
from tests.sessions.tokens import (
    CIPHER,
    KEY,
    NONCE,
    PAYLOAD,
    TOKEN,
    Untouchable,
    base64url,
    is_refused_unopened,
    lenient,
    reason,
)


def test_a_token_with_a_fixed_nonce_has_known_bytes() -> None:
    """With a fixed key and nonce, a token is one known string with Node's header."""
    assert TOKEN == (
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAECAwQFBgcICQoL."
        "PCChc6rH-DnXLlQgk8VaDuyj6UDSQW5QGg6E8T9TMYoxIJ7Mn_EiqAk.0FjAM_RHY7_U42x5VIOz8w"
    )


@pytest.mark.parametrize("enc", KEY_BYTES)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 2900])
def test_unsealing_returns_the_sealed_payload(enc: str, size: int) -> None:
    """A payload of any size is returned unchanged, with every content encryption."""
    cipher, payload = AESGCM(KEY[: KEY_BYTES[enc]]), bytes(range(256)) * 12
    assert unseal(seal(payload[:size], cipher, enc, NONCE), (cipher,), enc) == (payload[:size], 0)


@pytest.mark.parametrize(("enc", "size"), KEY_BYTES.items())
def test_tokens_are_compatible_with_joserfc(enc: str, size: int) -> None:
    """Another implementation of JWE opens our tokens and vice versa, with every content encryption."""
    cipher, key = AESGCM(KEY[:size]), OctKey.import_key(KEY[:size])
    opened = referee.decrypt_compact(seal(PAYLOAD, cipher, enc, NONCE), key)
    assert (opened.plaintext, opened.protected) == (PAYLOAD, {"alg": "dir", "enc": enc})
    assert unseal(referee.encrypt_compact({"alg": "dir", "enc": enc}, PAYLOAD, key), (cipher,), enc) == (PAYLOAD, 0)


@pytest.mark.parametrize("change", ["header", "nonce", "ciphertext", "tag"])
def test_joserfc_refuses_changed_tokens_too(change: str) -> None:
    """Joserfc also refuses a token in which one character of any part has changed."""
    parts = TOKEN.split(".")
    index = {"header": 0, "nonce": 2, "ciphertext": 3, "tag": 4}[change]
    parts[index] = ("B" if parts[index][0] == "A" else "A") + parts[index][1:]
    assert reason(".".join(parts)) in {"malformed", "forged"}
    with pytest.raises(Exception, match=r"."):  # joserfc raises several kinds
        referee.decrypt_compact(".".join(parts), OctKey.import_key(KEY))


def test_s04_the_index_is_that_of_the_cipher() -> None:
    """Every cipher of the list opens its tokens in any order, and the index is its own."""
    other = AESGCM(bytes(32))
    assert unseal(TOKEN, (CIPHER, other), "A256GCM") == (PAYLOAD, 0)
    assert unseal(TOKEN, (other, CIPHER), "A256GCM") == (PAYLOAD, 1)
    assert reason(TOKEN, ciphers=(other,)) == "forged"
    assert reason(TOKEN, ciphers=()) == "forged"


HEADERS = [
    '{"alg":"dir","enc":"A128GCM"}',
    '{"alg":"dir","enc":"A192GCM"}',
    '{"enc":"A256GCM","alg":"dir"}',
    '{"alg":"dir", "enc":"A256GCM"}',
    '{"alg":"dir","enc":"A256GCM"} ',
    '{"alg":"DIR","enc":"A256GCM"}',
    '{"alg":"dir","enc":"A256GCM","zip":"DEF"}',
    '{"alg":"dir","enc":"A256GCM","crit":["exp"]}',
    '{"alg":"dir","enc":"A256GCM","kid":"1"}',
    '{"alg":"dir","enc":"A256GCM","typ":"JWT"}',
    '{"alg":"dir","enc":"A256GCM","jwk":{"kty":"oct","k":"AAAA"}}',
    '{"alg":"dir","enc":"A256CBC-HS512"}',
    '{"alg":"dir","enc":"A128CBC-HS256"}',
    '{"alg":"A256KW","enc":"A256GCM"}',
    '{"alg":"A256GCMKW","enc":"A256GCM"}',
    '{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2147483647,"p2s":"AAAA"}',
    '{"alg":"RSA-OAEP","enc":"A256GCM"}',
    '{"alg":"none"}',
    '{"alg":"none","enc":"A256GCM"}',
    "{}",
    "",
    "null",
]


@pytest.mark.parametrize("header", HEADERS)
def test_s06_only_the_configured_header_is_accepted(header: str) -> None:
    """A token with another header is refused before any cryptography, even if the right key sealed it."""
    protected = base64url(header.encode())
    sealed = CIPHER.encrypt(NONCE, PAYLOAD, protected.encode())
    assert is_refused_unopened(f"{protected}..{base64url(NONCE)}.{base64url(sealed[:-16])}.{base64url(sealed[-16:])}")


@pytest.mark.parametrize("enc", ["A128GCM", "A192GCM"])
def test_s06_a_token_with_another_content_encryption_is_refused(enc: str) -> None:
    """A valid token of another key size is refused in every combination."""
    token = seal(PAYLOAD, AESGCM(KEY[: KEY_BYTES[enc]]), enc, NONCE)
    assert is_refused_unopened(token)
    assert reason(TOKEN, ciphers=(Untouchable(),), enc=enc) == "malformed"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "....",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.",
        "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.AAAA",
        TOKEN + ".",
        TOKEN + ".AAAA",
        "." + TOKEN,
        TOKEN.replace("..", "."),
        TOKEN.replace(".", ""),
        TOKEN[: TOKEN.rindex(".")],
        TOKEN.replace("..", ".\udcff."),
        "\ud800",
    ],
)
def test_s06_anything_but_five_parts_is_refused(token: str) -> None:
    """A signed token of three parts, including `none`, and any other number of parts is refused unopened."""
    assert is_refused_unopened(token)


@pytest.mark.parametrize("size", [0, 1, 4, 8, 12, 13, 14, 15, 17, 32])
def test_s07_a_tag_of_another_size_is_refused(size: int) -> None:
    """A tag that is not 16 bytes long is refused unopened."""
    head, _, tag = TOKEN.rpartition(".")
    assert is_refused_unopened(f"{head}.{base64url((lenient(tag) * 2)[:size])}")


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_s07_a_nonce_of_another_size_is_refused(size: int) -> None:
    """A token that was sealed with a nonce of another size is refused unopened."""
    header = TOKEN.split(".")[0]
    nonce = bytes(max(size, 8))
    sealed = CIPHER.encrypt(nonce, PAYLOAD, header.encode())
    token = f"{header}..{base64url(nonce[:size])}.{base64url(sealed[:-16])}.{base64url(sealed[-16:])}"
    assert is_refused_unopened(token)


@pytest.mark.parametrize("part", ["A", "AAAA", base64url(bytes(32)), "."])
def test_s07_a_key_part_is_refused(part: str) -> None:
    """With direct encryption the second part must be empty (RFC 7518 §4.5)."""
    assert is_refused_unopened(TOKEN.replace("..", f".{part}."))


class Long(str):
    """A text that can only be measured."""

    __slots__ = ()

    def split(self, *_: Any, **__: Any) -> Any:
        """Never called."""
        raise AssertionError("A token that is too long was looked at.")

    encode = partition = rpartition = split


def test_s08_the_length_is_checked_first() -> None:
    """A token over the limit is refused without being split, copied or decoded."""
    tracemalloc.start()
    try:
        text = Long(TOKEN + "A" * 10_000_000)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        assert reason(text) == "too-long"
        assert tracemalloc.get_traced_memory()[1] - before < 50_000
    finally:
        tracemalloc.stop()


def test_s08_the_limit_is_that_of_a_cookie() -> None:
    """A token of 4,096 characters is processed, and a longer one is not."""
    assert reason("A" * MAX_TOKEN) == "malformed"
    assert reason("A" * (MAX_TOKEN + 1)) == "too-long"
    assert MAX_TOKEN == 4096
