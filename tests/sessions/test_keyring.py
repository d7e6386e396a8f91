"""Secrets and keys: which one seals, which ones open, and keys for other purposes."""

from __future__ import annotations

import hmac
import logging
import os
import subprocess
import sys
from uuid import uuid4

import pytest

from arc.errors import MissingSecret
from arc.sessions.jwe import KEY_BYTES, seal, unseal
from arc.sessions.keyring import _warn_once
from arc.sessions.record import Refused
from tests.sessions.rings import DEVELOPMENT, LONG, NONCE, PAGE, SHORT, hkdf, keyring, opens, refusal


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_s03_a_missing_secret_advises_verify_first(environment: str) -> None:
    """A function deployed before its environment got the secret needs `arc env verify`, not a new secret."""
    with pytest.raises(MissingSecret) as error:
        keyring(None, environment=environment)
    assert str(error.value) == (
        f"ARC_APP_SECRET is not set in {environment}. If the environment has a secret that this function lacks, run: "
        f"arc env verify {environment}. Only if it has none, set a new one: "
        f"arc secret new | arc env {environment} ARC_APP_SECRET"
    )


def test_s03_without_an_environment_the_message_advises_verify_first() -> None:
    """Without ARC_ENV the message also mentions verify first."""
    with pytest.raises(MissingSecret) as error:
        keyring(None, environment=None)
    assert 0 < str(error.value).find("arc env verify production") < str(error.value).find("arc secret new")
    assert str(error.value).endswith(": arc secret new | arc env production ARC_APP_SECRET")


def test_s03_an_empty_secret_counts_as_unset() -> None:
    """An empty variable counts as unset, as in Node."""
    with pytest.raises(MissingSecret):
        keyring("")


def test_s03_an_unset_environment_is_not_testing() -> None:
    """Without ARC_ENV there is no development key, and the message says what to set."""
    with pytest.raises(MissingSecret, match=r"ARC_ENV are not set.*ARC_ENV=testing"):
        keyring(None, environment=None)


def test_s03_testing_on_lambda_is_not_testing() -> None:
    """A function deployed with ARC_ENV=testing has no development key."""
    with pytest.raises(MissingSecret, match="on Lambda"):
        keyring(None, environment="testing", in_lambda=True)


@pytest.mark.parametrize(("enc", "size"), KEY_BYTES.items())
def test_s03_testing_uses_the_published_development_key(enc: str, size: int) -> None:
    """Only in testing, without a secret, Node's development key seals, without a warning."""
    warnings: list[str] = []
    ring = keyring(None, environment="testing", enc=enc, warnings=warnings)
    assert opens(ring, DEVELOPMENT[:size].encode())
    assert warnings == []


# -- rotation


def test_s04_the_first_seals_and_all_open() -> None:
    """A keyring seals with its secret and opens tokens of all fallbacks; the index identifies the secret."""
    old, older = LONG, "an older secret, of thirty-two letters or more"
    now = "the secret of today, of thirty-two letters too"
    ring = keyring(now, fallbacks=(old, older))
    for index, secret in enumerate((now, old, older)):
        token = seal(b"{}", keyring(secret).sealing, ring.enc, NONCE)
        assert unseal(token, ring.opening, ring.enc) == (b"{}", index)
    assert seal(b"{}", ring.sealing, ring.enc, NONCE) == seal(b"{}", keyring(now).sealing, ring.enc, NONCE)


def test_s04_a_retired_secret_opens_nothing() -> None:
    """A token of a secret that was removed from the list counts as forged."""
    token = seal(b"{}", keyring("a retired secret, long enough for AES-256").sealing, "A256GCM", NONCE)
    with pytest.raises(Refused):
        unseal(token, keyring(LONG, fallbacks=(PAGE,)).opening, "A256GCM")


def test_s04_the_order_of_signing_secrets_is_the_order_of_secrets() -> None:
    """The secret comes first and the fallbacks follow in order, each as UTF-8."""
    assert keyring("é" * 32, fallbacks=(PAGE, LONG)).signing == (("é" * 32).encode(), PAGE.encode(), LONG.encode())


def test_a_fallback_equal_to_the_secret_is_accepted() -> None:
    """A fallback may equal the secret, as it does during a rotation."""
    ring = keyring(LONG, fallbacks=(LONG,))
    assert unseal(seal(b"{}", ring.sealing, ring.enc, NONCE), ring.opening, ring.enc) == (b"{}", 0)


@pytest.mark.parametrize("bad", ["too short", DEVELOPMENT])
def test_s05_fallbacks_obey_the_same_rules(bad: str) -> None:
    """An invalid fallback is refused with its place in the list, and is never shown."""
    message = refusal(LONG, fallbacks=(PAGE, bad))
    assert message.startswith("Secret 2 of ARC_APP_SECRET_FALLBACKS")
    assert "Remove it from the list" in message
    assert bad not in message


def test_s05_a_weak_fallback_warns_with_its_place() -> None:
    """The warning has the fallback's place in the list and advises to remove it."""
    warnings: list[str] = []
    keyring(LONG, fallbacks=(SHORT,), warnings=warnings)
    assert [warning[:37] for warning in warnings] == ["Secret 1 of ARC_APP_SECRET_FALLBACKS "]
    assert warnings[0].endswith(" Remove it from the list. Sessions that only this secret opens are lost.")


@pytest.mark.parametrize(
    ("environment", "advice"),
    [
        ("staging", "Rotate it, which signs no one out: arc secret rotate staging"),
        (None, "Rotate it, which signs no one out: arc secret rotate production"),
        ("testing", "Set another one: arc secret new | arc env testing ARC_APP_SECRET"),
    ],
)
def test_s05_a_weak_secret_warns_with_the_command(environment: str | None, advice: str) -> None:
    """The warning has the command for the function's environment; an unknown one counts as production."""
    warnings: list[str] = []
    keyring(SHORT, environment=environment, warnings=warnings)
    assert [warning.partition("does not support. ")[2] for warning in warnings] == [advice]


def test_s05_a_warning_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The same message is logged once as a warning of `arc.sessions`, and another message separately."""
    with caplog.at_level("WARNING"):
        sentences = [f"100 % weak: {uuid4()}" for _ in range(2)]
        for sentence in (*sentences, *sentences):
            _warn_once(sentence)
    assert caplog.record_tuples == [("arc.sessions", logging.WARNING, sentence) for sentence in sentences]


def test_in_testing_fallbacks_open_beside_the_development_key() -> None:
    """Without a secret, testing seals with the development key and opens tokens of the fallbacks."""
    ring = keyring(None, environment="testing", fallbacks=(LONG,))
    assert unseal(seal(b"{}", keyring(LONG).sealing, ring.enc, NONCE), ring.opening, ring.enc) == (b"{}", 1)


# -- other purposes


def test_s12_derived_keys_differ_by_purpose() -> None:
    """A derived key differs from that of another purpose and from the sealing key, and equals HKDF's bytes."""
    ring = keyring(SHORT, fallbacks=(LONG,))
    purposes = ("csrf", "csrf cookie", "event", "seal:A256GCM", "")
    keys = [key for purpose in purposes for key in ring.derived(purpose)]
    assert len(set(keys)) == 2 * len(purposes)
    assert ring.derived("csrf") == tuple(hkdf(secret, "arc-sessions:purpose:csrf", 32) for secret in (SHORT, LONG))
    assert not any(hmac.compare_digest(key, hkdf(SHORT, "arc-sessions:seal:A256GCM", 32)) for key in keys)


@pytest.mark.parametrize(("app", "word"), [("testapp", b"testapp"), (None, b"fallback")])
def test_in_testing_ids_are_signed_with_the_apps_name(app: str | None, word: bytes) -> None:
    """Without a secret, testing signs with the app's name or, as Node does, the word `fallback`."""
    assert keyring(None, environment="testing", app_name=app).signing == (word,)


def test_s42_the_repr_shows_no_key() -> None:
    """The repr of a keyring has the number of its keys and nothing else about them."""
    assert repr(keyring(LONG, fallbacks=(PAGE,))) == "<Keyring of 2 keys for A256GCM>"


def test_s44_keys_and_cookies_import_no_cryptography() -> None:
    """The ciphers are imported when the first session is opened, and nothing slow is imported before."""
    heavy = ("cryptography", "logging", "urllib", "email", "asyncio", "typing", "dataclasses", "http", "secrets")
    program = (
        "import sys; before = set(sys.modules)\n"
        "import arc.sessions.cookie, arc.sessions.signing\n"
        "from arc.settings import Settings; from arc.sessions.keyring import Keyring\n"
        f"ring = Keyring(Settings(environment='production', secret={LONG!r})); ring.derived('csrf')\n"
        f"print(*[one for one in {heavy!r} if one in set(sys.modules) - before])\n"
        "ring.sealing; print('cryptography' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=dict(os.environ)
    )
    assert run.stdout.splitlines() == ["", "True"]


def test_s12_keys_are_derived_once() -> None:
    """The second time they are at hand."""
    ring = keyring(LONG)
    assert ring.derived("csrf") is ring.derived("csrf")
    assert ring.derived("event") is ring.derived("event")
    assert {len(key) for key in ring.derived("csrf")} == {32}
