"""Ids and nonces come from the system's randomness, each one freshly."""

from __future__ import annotations

import inspect
import os

import pytest

from arc.http import build_manager
from arc.sessions.jwe import KEY_BYTES
from arc.sessions.keyring import Keyring
from arc.sessions.manager import SessionManager
from arc.sessions.record import Record
from arc.sessions.stores.sealed import SealedStore
from arc.settings import Settings
from tests.sessions.making import SECRET, Counting
from tests.sessions.tokens import lenient

MANY = 100_000
NOW = 1_800_000_000


def settings(enc: str = "A256GCM") -> Settings:
    """Return settings of production."""
    return Settings(environment="production", secret=SECRET, enc=enc)


def record() -> Record:
    """Return a record that is the same each time, including its id."""
    return Record("the-same-id", {"count": 1}, created=NOW, issued=NOW)


def nonce(token: str) -> bytes:
    """Return the nonce in `token`."""
    return lenient(token.split(".")[2])


@pytest.mark.parametrize("maker", [build_manager, SessionManager])
def test_s01_the_default_randomness_is_the_systems(maker: object) -> None:
    """The default is `os.urandom` and not a predictable generator."""
    assert callable(maker)
    assert inspect.signature(maker).parameters["random"].default is os.urandom


def test_s01_a_hundred_thousand_ids_are_distinct() -> None:
    """A manager with the defaults gives every new session another id."""
    manager = build_manager(settings())
    assert len({manager.load([]).id for _ in range(MANY)}) == MANY


@pytest.mark.parametrize("enc", KEY_BYTES)
def test_s02_every_seal_uses_twelve_random_bytes(enc: str) -> None:
    """The nonce in a token is exactly the 12 bytes that this seal requested."""
    returned: list[bytes] = []
    source = Counting()

    def random(size: int) -> bytes:
        returned.append(source(size))
        return returned[-1]

    store = SealedStore(Keyring(settings(enc)), "_idx", random=random)
    tokens = [
        store.create(record(), NOW),
        store.create(record(), NOW),
        store.update(record(), record(), None, NOW).value,
        store.replace(record(), record(), None, NOW, signing_in=False).value,
        store.renew(record(), record(), NOW).value,
    ]
    assert [nonce(token) for token in tokens] == returned
    assert [len(one) for one in returned] == [12] * 5


def test_s02_equal_data_sealed_twice_gives_different_bytes() -> None:
    """One record sealed twice at one moment has tokens that differ from the nonce on."""
    store = build_manager(settings()).store
    first, second = (store.create(record(), NOW).split(".") for _ in range(2))
    assert first[0] == second[0]
    assert all(first[part] != second[part] for part in (2, 3, 4))


def test_s02_no_nonce_repeats_in_a_hundred_thousand_seals() -> None:
    """An app's store that seals one record repeatedly uses a new nonce each time."""
    store, same = build_manager(settings()).store, record()
    assert len({nonce(store.create(same, NOW)) for _ in range(MANY)}) == MANY
