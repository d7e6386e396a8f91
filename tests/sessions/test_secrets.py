"""Keys from secrets: cut, stretched, refused, or decoded as base64."""

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
    """The first characters are the key, the rest is ignored, and no warning is logged."""
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
    """32 UTF-16 units are the first 32 bytes of their UTF-8; half a surrogate pair becomes U+FFFD."""
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
    """A secret of 16 characters or more that is too short for the key is stretched with HKDF-SHA256."""
    assert opens(keyring(secret, enc=enc), bytes.fromhex(key))
    assert bytes.fromhex(key) == hkdf(secret, f"arc-sessions:seal:{enc}", KEY_BYTES[enc])


def test_s05_a_short_secret_warns_once_per_keyring() -> None:
    """The warning has the length and the command, and not the secret."""
    warnings: list[str] = []
    keyring(SHORT, warnings=warnings)
    (warning,) = warnings
    assert "ARC_APP_SECRET has 16 characters" in warning
    assert "arc secret rotate production" in warning
    assert SHORT not in warning


def test_s05_a_weak_secret_is_logged_once_per_process() -> None:
    """Several keyrings in a process log one warning of `arc.sessions`."""
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
    """The error has the length and the command, and not the secret."""
    message = refusal(secret)
    assert f"{len(secret.encode('utf-16-le')) // 2} characters, and at least 16" in message
    assert "arc secret new | arc env production ARC_APP_SECRET" in message
    assert secret not in message


def test_s05_testing_stretches_any_secret() -> None:
    """In testing, HKDF stretches even a secret of one character."""
    assert opens(keyring("x", environment="testing"), hkdf("x", "arc-sessions:seal:A256GCM", 32))


# -- published secrets


@pytest.mark.parametrize("enc", KEY_BYTES)
@pytest.mark.parametrize("secret", [DEVELOPMENT, DEVELOPMENT[:24], DEVELOPMENT[:16], DEVELOPMENT + " and more"])
def test_s05_a_development_key_is_refused_outside_testing(enc: str, secret: str) -> None:
    """Secrets that result in Node's published keys are refused in every environment except testing."""
    assert "development key" in refusal(secret, enc=enc)
    assert "development key" in refusal(secret, enc=enc, environment="testing", in_lambda=True)
    keyring(secret, enc=enc, environment="testing")


def test_s05_a_development_key_is_refused_in_legacy_mode() -> None:
    """The base64 of the legacy key is refused as well, because the derived key is compared."""
    assert "development key" in refusal("MTIzNDU2Nzg5MDEyMzQ1Ng==", legacy=True)


@pytest.mark.parametrize("settings", [{}, {"enc": "A128GCM"}, {"legacy": True, "secret": PAGE + "AAAA"}])
def test_s05_the_example_secret_works_with_a_warning(settings: dict[str, Any]) -> None:
    """The example in Architect's documentation is accepted, with one warning."""
    warnings: list[str] = []
    keyring(**{"secret": PAGE, "warnings": warnings, **settings})
    assert ["well-known example" in warning for warning in warnings] == ([] if "legacy" in settings else [True])


# -- legacy mode


@pytest.mark.parametrize("enc", KEY_BYTES)
def test_legacy_mode_is_always_a128gcm(enc: str) -> None:
    """The variable sets the content encryption, and the secret is base64 that is cut to 16 bytes."""
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
def test_legacy_secrets_are_decoded_as_leniently_as_in_node(secret: str, key: str) -> None:
    """Both alphabets are accepted, other characters are skipped, and only low bytes count."""
    assert opens(keyring(secret, legacy=True), bytes.fromhex(key))


@pytest.mark.parametrize("secret", ["AAECAwQFBgcICQoLDA0O", "AAEC=AwQFBgcICQoLDA0ODw", "%%%%%%%%%%%%%%%%%%%%%%%%"])
@pytest.mark.parametrize("environment", ["testing", "production"])
def test_s05_a_legacy_secret_that_is_too_short_is_refused(secret: str, environment: str) -> None:
    """Fewer than 16 bytes of base64 are refused in every environment, and an `=` ends the secret."""
    assert "ARC_FORCE_LEGACY_JWE_SECRET requires 16" in refusal(secret, legacy=True, environment=environment)


def test_legacy_mode_has_a_development_key() -> None:
    """Without a secret, testing uses the 16-digit key."""
    assert opens(keyring(None, legacy=True, environment="testing"), b"1234567890123456")


def test_s05_a_blank_secret_is_refused_outside_testing() -> None:
    """Twenty spaces are refused although they are long enough."""
    with pytest.raises(ConfigurationError, match="blank"):
        Keyring(Settings(environment="production", secret=" " * 20))
