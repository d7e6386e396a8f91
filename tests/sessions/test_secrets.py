"""What a secret becomes: cut, stretched, refused, or read as base64."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from arc.errors import ConfigurationError
from arc.sessions.jwe import KEY_BYTES
from arc.sessions.keyring import Keyring
from arc.settings import Settings
from tests.sessions.rings import DEVELOPMENT, LONG, PAGE, SHORT, hkdf, keyring, opens, refusal


@pytest.mark.parametrize(("enc", "size"), KEY_BYTES.items())
def test_s05_a_long_secret_is_cut(enc: str, size: int) -> None:
    """As many characters as the key has bytes are the key; the rest does not count, and nothing is said."""
    warnings: list[str] = []
    for secret in (LONG, LONG[:size]):
        assert opens(keyring(secret, enc=enc, warnings=warnings), LONG[:size].encode())
    assert warnings == []


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("é" * 32, "é" * 16),
        ("漢" * 32, ("漢" * 11).encode()[:32]),
        ("x" * 31 + "é", ("x" * 31 + "é").encode()[:32]),
        ("x" * 30 + "😀", ("x" * 30 + "😀").encode()[:32]),
        ("x" * 31 + "😀", ("x" * 31 + "\ufffd").encode()[:32]),
        ("😀" * 16, "😀" * 8),
        ("é" + "\udcff" * 31, ("é" + "\ufffd" * 31).encode()[:32]),
    ],
)
def test_s05_characters_are_counted_and_cut_as_node_does(secret: str, key: str | bytes) -> None:
    """32 UTF-16 units, then the first 32 bytes of their UTF-8; half a surrogate pair becomes U+FFFD."""
    assert opens(keyring(secret), key if isinstance(key, bytes) else key.encode())


@pytest.mark.parametrize(
    ("enc", "secret", "key"),
    [
        ("A256GCM", SHORT, "16d2eab71a6eec25be01d7d186bd1f1adca81017fb2413926a8e7c57713152b5"),
        ("A192GCM", SHORT, "e71502f735b3febd2b21275cdfd2ac2bc69a2041000b572d"),
        ("A256GCM", PAGE, "95ad19747470bb3b637e883b2b4a613a031f6a7ad408aa38f89a0a350cb7ef03"),
        ("A256GCM", "é" * 31, "a08eaf9bb81314683d87bbc918c9853b8b6d2d0d29ebf364b9c814b689686aa1"),
    ],
)
def test_s05_a_short_secret_is_stretched(enc: str, secret: str, key: str) -> None:
    """16 characters and more, but too few for the key, go through HKDF-SHA256 whole: these are the vectors."""
    assert opens(keyring(secret, enc=enc), bytes.fromhex(key))
    assert bytes.fromhex(key) == hkdf(secret, f"arc-sessions:seal:{enc}", KEY_BYTES[enc])


def test_s05_a_short_secret_warns_once_a_keyring() -> None:
    """One sentence says that the secret is stretched, that Node cannot read along, and what to set; not the secret."""
    warnings: list[str] = []
    keyring(SHORT, warnings=warnings)
    (warning,) = warnings
    assert "ARC_APP_SECRET has 16 characters" in warning
    assert "arc secret rotate production" in warning
    assert SHORT not in warning


def test_s05_the_log_hears_of_a_weak_secret_once_a_process() -> None:
    """However many keyrings a process makes, a weak secret is one warning of the logger `arc.sessions`."""
    program = (
        "import logging; logging.basicConfig(format='%(name)s %(levelname)s %(message)s')\n"
        "from arc.settings import Settings; from arc.sessions.keyring import Keyring\n"
        f"for _ in range(3): Keyring(Settings(environment='production', secret={SHORT!r}))"
    )
    lines = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=dict(os.environ)
    ).stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("arc.sessions WARNING ARC_APP_SECRET has 16 characters")


@pytest.mark.parametrize("secret", ["x", "fifteen letters", "é" * 15, "😀" * 7])
def test_s05_under_sixteen_characters_is_refused_outside_testing(secret: str) -> None:
    """A secret that can be guessed is refused, with its length and the command, and never shown."""
    message = refusal(secret)
    assert f"{len(secret.encode('utf-16-le')) // 2} characters, and at least 16" in message
    assert 'arc env production ARC_APP_SECRET "$(arc secret new)"' in message
    assert secret not in message


def test_s05_testing_stretches_any_secret() -> None:
    """In testing even a secret of one character works, by HKDF."""
    assert opens(keyring("x", environment="testing"), hkdf("x", "arc-sessions:seal:A256GCM", 32))


# -- published secrets


@pytest.mark.parametrize("enc", KEY_BYTES)
@pytest.mark.parametrize("secret", [DEVELOPMENT, DEVELOPMENT[:24], DEVELOPMENT[:16], DEVELOPMENT + " and more"])
def test_s05_a_development_key_is_refused_outside_testing(enc: str, secret: str) -> None:
    """Node's published keys, whatever makes them, are refused in every environment but testing."""
    assert "development key" in refusal(secret, enc=enc)
    assert "development key" in refusal(secret, enc=enc, environment="testing", in_lambda=True)
    keyring(secret, enc=enc, environment="testing")


def test_s05_a_development_key_is_refused_in_legacy_mode() -> None:
    """The base64 of the legacy key is refused as well: it is the derived key that counts."""
    assert "development key" in refusal("MTIzNDU2Nzg5MDEyMzQ1Ng==", legacy=True)


@pytest.mark.parametrize("settings", [{}, {"enc": "A128GCM"}, {"legacy": True, "secret": PAGE + "AAAA"}])
def test_s05_the_pages_own_secret_works_with_a_warning(settings: dict[str, Any]) -> None:
    """The secret that the web page shows is taken, with one warning that says where it comes from."""
    warnings: list[str] = []
    keyring(**{"secret": PAGE, "warnings": warnings, **settings})
    assert ["web page" in warning for warning in warnings] == ([] if "legacy" in settings else [True])


# -- legacy mode


@pytest.mark.parametrize("enc", KEY_BYTES)
def test_legacy_mode_is_a128gcm_whatever_is_set(enc: str) -> None:
    """The variable of old times fixes the content encryption, the secret being base64 cut to 16 bytes."""
    ring = keyring("AAECAwQFBgcICQoLDA0ODw==", enc=enc, legacy=True)
    assert ring.enc == "A128GCM"
    assert opens(ring, bytes(range(16)))


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (PAGE, "b2899eb618a783e9ae721f9b7adb5eaf"),
        ("AAECAwQFBgcICQoLDA0ODw", "000102030405060708090a0b0c0d0e0f"),
        ("AAECAwQFBgcICQoLDA0ODxAAA", "000102030405060708090a0b0c0d0e0f"),
        ("AAECAwQFBgcICQoLDA0ODxAAAA", "000102030405060708090a0b0c0d0e0f"),
        ("AAEC AwQF\nBgcI.CQoL%DA0ODw", "000102030405060708090a0b0c0d0e0f"),
        ("-_-_-_-_-_-_-_-_-_-_-_-_", "fbffbffbffbffbffbffbffbffbffbffb"),
        ("ŁAECAwQFBgcICQoLDA0ODw", "000102030405060708090a0b0c0d0e0f"),
        ("éAAECAwQFBgcICQoLDA0ODw", "000102030405060708090a0b0c0d0e0f"),
        ("漢AAECAwQFBgcICQoLDA0ODw", "000102030405060708090a0b0c0d0e0f"),
    ],
)
def test_legacy_secrets_are_read_as_leniently_as_node_does(secret: str, key: str) -> None:
    """Both alphabets count, other characters are passed over, and of wide ones the low byte counts."""
    assert opens(keyring(secret, legacy=True), bytes.fromhex(key))


@pytest.mark.parametrize("secret", ["AAECAwQFBgcICQoLDA0O", "AAEC=AwQFBgcICQoLDA0ODw", "%%%%%%%%%%%%%%%%%%%%%%%%"])
@pytest.mark.parametrize("environment", ["testing", "production"])
def test_s05_a_legacy_secret_that_is_too_short_is_refused(secret: str, environment: str) -> None:
    """Fewer than 16 bytes of base64 make no key, in no environment; an `=` ends the reading."""
    assert "ARC_FORCE_LEGACY_JWE_SECRET needs 16" in refusal(secret, legacy=True, environment=environment)


def test_legacy_mode_has_a_development_key() -> None:
    """Without a secret, testing takes the sixteen digits."""
    assert opens(keyring(None, legacy=True, environment="testing"), b"1234567890123456")


def test_s05_a_blank_secret_is_refused_outside_testing() -> None:
    """Twenty spaces are long enough and no secret."""
    with pytest.raises(ConfigurationError, match="blank"):
        Keyring(Settings(environment="production", secret=" " * 20))
