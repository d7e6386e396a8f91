"""Where ids and nonces come from: the system's randomness, asked afresh for every one."""

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
    """Settings of production, under which nothing is made easier for tests."""
    return Settings(environment="production", secret=SECRET, enc=enc)


def record() -> Record:
    """A record that is the same each time, its id included."""
    return Record("the-same-id", {"count": 1}, created=NOW, issued=NOW)


def nonce(token: str) -> bytes:
    """The nonce that stands in `token`."""
    return lenient(token.split(".")[2])


@pytest.mark.parametrize("maker", [build_manager, SessionManager])
def test_s01_randomness_is_the_systems_unless_given(maker: object) -> None:
    """Who gives no randomness gets `os.urandom`, and no generator that can be predicted."""
    assert callable(maker)
    assert inspect.signature(maker).parameters["random"].default is os.urandom


def test_s01_a_hundred_thousand_ids_are_distinct() -> None:
    """A manager made as an application makes it gives every new session an id of its own."""
    manager = build_manager(settings())
    assert len({manager.load([]).id for _ in range(MANY)}) == MANY


@pytest.mark.parametrize("enc", KEY_BYTES)
def test_s02_every_seal_asks_for_twelve_bytes_and_uses_them(enc: str) -> None:
    """The nonce in a token is exactly the 12 bytes that this one seal was given."""
    given: list[bytes] = []
    source = Counting()

    def random(size: int) -> bytes:
        given.append(source(size))
        return given[-1]

    store = SealedStore(Keyring(settings(enc)), "_idx", random=random)
    tokens = [
        store.create(record(), NOW),
        store.create(record(), NOW),
        store.update(record(), record(), None, NOW).value,
        store.replace(record(), record(), None, NOW, signing_in=False).value,
        store.renew(record(), record(), NOW).value,
    ]
    assert [nonce(token) for token in tokens] == given
    assert [len(one) for one in given] == [12] * 5


def test_s02_equal_data_sealed_twice_gives_different_bytes() -> None:
    """One record sealed twice at one moment, its id the same, makes tokens that differ from the nonce on."""
    store = build_manager(settings()).store
    first, second = (store.create(record(), NOW).split(".") for _ in range(2))
    assert first[0] == second[0]
    assert all(first[part] != second[part] for part in (2, 3, 4))


def test_s02_no_nonce_repeats_in_a_hundred_thousand_seals() -> None:
    """The store of an application, sealing one record over and over, takes a fresh nonce each time."""
    store, same = build_manager(settings()).store, record()
    assert len({nonce(store.create(same, NOW)) for _ in range(MANY)}) == MANY
