"""Which secrets there are, which seals, which open, and keys for other purposes."""

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
def test_s03_a_missing_secret_names_verify_before_a_new_secret(environment: str) -> None:
    """A function that was deployed later lacks a secret that its environment has, so `arc env verify` comes first."""
    with pytest.raises(MissingSecret) as error:
        keyring(None, environment=environment)
    assert str(error.value) == (
        f"ARC_APP_SECRET is not set for {environment}. If the environment has a secret that this function lacks, run: "
        f"arc env verify {environment}. Only if it has none, set a new one: "
        f'arc env {environment} ARC_APP_SECRET "$(arc secret new)"'
    )


def test_s03_an_unset_environment_names_verify_before_a_new_secret() -> None:
    """Without ARC_ENV the message advises verify first, too."""
    with pytest.raises(MissingSecret) as error:
        keyring(None, environment=None)
    assert 0 < str(error.value).find("arc env verify production") < str(error.value).find("arc secret new")
    assert str(error.value).endswith(': arc env production ARC_APP_SECRET "$(arc secret new)"')


def test_s03_an_empty_secret_is_no_secret() -> None:
    """A variable set to nothing counts as unset, as in Node."""
    with pytest.raises(MissingSecret):
        keyring("")


def test_s03_an_unset_environment_is_not_testing() -> None:
    """Without ARC_ENV there is no development key; the message says that ARC_ENV is unset and what to do."""
    with pytest.raises(MissingSecret, match=r"ARC_ENV is unset.*ARC_ENV=testing"):
        keyring(None, environment=None)


def test_s03_testing_on_lambda_is_not_testing() -> None:
    """A function deployed with ARC_ENV=testing takes no development key."""
    with pytest.raises(MissingSecret, match="on Lambda"):
        keyring(None, environment="testing", in_lambda=True)


@pytest.mark.parametrize(("enc", "size"), KEY_BYTES.items())
def test_s03_testing_takes_the_well_known_key(enc: str, size: int) -> None:
    """In testing, and there alone, Node's development key seals when no secret is set, without a word."""
    warnings: list[str] = []
    ring = keyring(None, environment="testing", enc=enc, warnings=warnings)
    assert opens(ring, DEVELOPMENT[:size].encode())
    assert warnings == []


# -- rotation


def test_s04_the_first_seals_and_all_open() -> None:
    """A ring seals with its secret and opens what any of its fallbacks sealed; the index says which."""
    old, older = LONG, "an older secret, of thirty-two letters or more"
    now = "the secret of today, of thirty-two letters too"
    ring = keyring(now, fallbacks=(old, older))
    for index, secret in enumerate((now, old, older)):
        token = seal(b"{}", keyring(secret).sealing, ring.enc, NONCE)
        assert unseal(token, ring.opening, ring.enc) == (b"{}", index)
    assert seal(b"{}", ring.sealing, ring.enc, NONCE) == seal(b"{}", keyring(now).sealing, ring.enc, NONCE)


def test_s04_a_retired_secret_opens_nothing() -> None:
    """What was sealed with a secret that is in no list any more is forged."""
    token = seal(b"{}", keyring("a retired secret, long enough for AES-256").sealing, "A256GCM", NONCE)
    with pytest.raises(Refused):
        unseal(token, keyring(LONG, fallbacks=(PAGE,)).opening, "A256GCM")


def test_s04_the_order_of_signing_secrets_is_the_order_of_secrets() -> None:
    """The secret signs ids, the fallbacks follow in their order, each as its UTF-8."""
    assert keyring("é" * 32, fallbacks=(PAGE, LONG)).signing == (("é" * 32).encode(), PAGE.encode(), LONG.encode())


def test_two_equal_secrets_are_fine() -> None:
    """A fallback equal to the secret, as in the middle of a rotation, changes nothing."""
    ring = keyring(LONG, fallbacks=(LONG,))
    assert unseal(seal(b"{}", ring.sealing, ring.enc, NONCE), ring.opening, ring.enc) == (b"{}", 0)


@pytest.mark.parametrize("bad", ["too short", DEVELOPMENT])
def test_s05_fallbacks_obey_the_same_rules(bad: str) -> None:
    """A fallback that would be no secret is refused by its place in the list, and never shown."""
    message = refusal(LONG, fallbacks=(PAGE, bad))
    assert message.startswith("Secret 2 of ARC_APP_SECRET_FALLBACKS")
    assert "Take it off the list" in message
    assert bad not in message


def test_s05_a_weak_fallback_warns_by_its_place() -> None:
    """A stretched fallback is named by its place in the list, and leaves the list rather than being rotated."""
    warnings: list[str] = []
    keyring(LONG, fallbacks=(SHORT,), warnings=warnings)
    assert [warning[:37] for warning in warnings] == ["Secret 1 of ARC_APP_SECRET_FALLBACKS "]
    assert warnings[0].endswith(" Take it off the list; sessions that only it opens start afresh.")


@pytest.mark.parametrize(
    ("environment", "advice"),
    [
        ("staging", "Change it, which signs nobody out: arc secret rotate staging"),
        (None, "Change it, which signs nobody out: arc secret rotate production"),
        ("testing", 'Set another: arc env testing ARC_APP_SECRET "$(arc secret new)"'),
    ],
)
def test_s05_a_weak_secret_is_rotated_where_it_has_sealed_sessions(environment: str | None, advice: str) -> None:
    """The warning names the command for the function's environment; an unknown one is production."""
    warnings: list[str] = []
    keyring(SHORT, environment=environment, warnings=warnings)
    assert [warning.partition("cannot do. ")[2] for warning in warnings] == [advice]


def test_s05_a_warning_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The same sentence is one warning of `arc.sessions`, however often it is given; another sentence is another."""
    with caplog.at_level("WARNING"):
        sentences = [f"100 % weak: {uuid4()}" for _ in range(2)]
        for sentence in (*sentences, *sentences):
            _warn_once(sentence)
    assert caplog.record_tuples == [("arc.sessions", logging.WARNING, sentence) for sentence in sentences]


def test_in_testing_fallbacks_open_beside_the_development_key() -> None:
    """Without a secret, testing seals with the development key and still opens what fallbacks sealed."""
    ring = keyring(None, environment="testing", fallbacks=(LONG,))
    assert unseal(seal(b"{}", keyring(LONG).sealing, ring.enc, NONCE), ring.opening, ring.enc) == (b"{}", 1)


# -- other purposes


def test_s12_keys_for_other_purposes_are_their_own() -> None:
    """A derived key differs with its purpose and from the sealing key; these are HKDF's own bytes."""
    ring = keyring(SHORT, fallbacks=(LONG,))
    purposes = ("csrf", "csrf cookie", "event", "seal:A256GCM", "")
    keys = [key for purpose in purposes for key in ring.derived(purpose)]
    assert len(set(keys)) == 2 * len(purposes)
    assert ring.derived("csrf") == tuple(hkdf(secret, "arc-sessions:purpose:csrf", 32) for secret in (SHORT, LONG))
    assert not any(hmac.compare_digest(key, hkdf(SHORT, "arc-sessions:seal:A256GCM", 32)) for key in keys)


@pytest.mark.parametrize(("app", "word"), [("testapp", b"testapp"), (None, b"fallback")])
def test_in_testing_ids_are_signed_with_nodes_words(app: str | None, word: bytes) -> None:
    """Without a secret, testing signs ids with the application's name, else the word `fallback`."""
    assert keyring(None, environment="testing", app_name=app).signing == (word,)


def test_s42_the_repr_shows_no_key() -> None:
    """A keyring that is printed shows how many keys it has and nothing of them."""
    assert repr(keyring(LONG, fallbacks=(PAGE,))) == "<Keyring of 2 keys for A256GCM>"


def test_s44_keys_and_cookies_import_no_cryptography() -> None:
    """The ciphers are imported when the first session is opened, and nothing heavy before."""
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
