"""Sessions in memory: what is kept of those that have ended, until when, and what a write leaves as it is."""

from __future__ import annotations

import pytest

from arc.sessions.delta import Change, Delta
from arc.sessions.keyring import Keyring
from arc.sessions.record import Record, Refused
from arc.sessions.stores.memory import MemoryStore
from arc.sessions.stores.store import TOMBSTONE, IdTaken
from arc.settings import Settings
from tests.sessions.making import SECRET

NOW = 1_800_000_000
OLD, NEW, OTHER = "A" * 24, "B" * 24, "C" * 24


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore(Keyring(Settings(environment="production", secret=SECRET)))


def record(session_id: str = OLD, *, origin_ends: int | None = None, **data: object) -> Record:
    """A session that ends in a thousand seconds."""
    record = Record(session_id, data, created=NOW, expires=NOW + 1000)
    record.origin_ends = origin_ends
    return record


def refusal(store: MemoryStore, value: str, now: int = NOW) -> Refused:
    """Why a value is refused."""
    with pytest.raises(Refused) as refused:
        store.load(value, now)
    return refused.value


def test_a_value_signed_with_a_fallback_secret_is_stale(store: MemoryStore) -> None:
    """It opens, and asks for a renewal; one signed with the current secret does not."""
    value = store.create(record(count=1), NOW)
    assert store.load(value, NOW).stale is False
    rotated = Settings(environment="production", secret="another secret of the tests, long enough", fallbacks=(SECRET,))
    store._keyring = Keyring(rotated)
    assert store.load(value, NOW).stale is True


def test_every_write_sets_the_time_of_the_last_one(store: MemoryStore) -> None:
    """A session knows when it was created, updated or replaced last."""
    value = store.create(record(count=1), NOW)
    assert store.load(value, NOW + 1).issued == NOW
    loaded = store.load(value, NOW)
    assert store.update(loaded, record(count=2), None, NOW + 2)
    assert store.load(value, NOW + 3).issued == NOW + 2
    written = store.replace(loaded, record(NEW, count=2), None, NOW + 4, signing_in=False)
    assert written
    assert store.load(written.value, NOW + 5).issued == NOW + 4


def test_an_update_keeps_the_end_of_the_older_token(store: MemoryStore) -> None:
    """Where a session has moved, its old token stays known after a change."""
    value = store.create(record(origin_ends=NOW + 5000), NOW)
    assert store.update(store.load(value, NOW), record(count=2), None, NOW)
    assert store.load(value, NOW).origin_ends == NOW + 5000


def test_a_replaced_session_leads_to_its_successors_for_a_quarter_of_an_hour(store: MemoryStore) -> None:
    """The refusal of its value lets a sign-out end what has replaced it, until the tombstone ends."""
    value = store.create(record(count=1), NOW)
    written = store.replace(store.load(value, NOW), record(NEW, count=1), None, NOW + 5, signing_in=False)
    assert written
    refused = refusal(store, value, NOW + 5 + TOMBSTONE - 1)
    assert refused.reason == "ended"
    assert refused.replaced is not None
    replaced = refused.replaced
    assert (replaced.id, replaced.data, replaced.created, replaced.issued) == (OLD, {}, NOW + 5, NOW + 5)
    assert refusal(store, value, NOW + 5 + TOMBSTONE).reason == "unknown-id"


def test_a_sign_out_after_the_tombstone_has_ended_ends_its_own_session_alone(store: MemoryStore) -> None:
    """To the second, in each direction."""
    for later, is_kept in ((TOMBSTONE - 1, False), (TOMBSTONE, True)):
        loaded = store.load(store.create(record(), NOW), NOW)
        written = store.replace(loaded, record(NEW, count=1), None, NOW, signing_in=False)
        assert written
        store.destroy(loaded, NOW + later)
        assert len(store) == is_kept
        if not is_kept:
            store._tombstones.clear()


def test_the_mark_of_an_ended_session_stays_until_its_older_token_has_expired(store: MemoryStore) -> None:
    """No session can begin under its id before that, to the second."""
    value = store.create(record(origin_ends=NOW + 50), NOW)
    store.destroy(store.load(value, NOW), NOW + 1)
    refused = refusal(store, value, NOW + 49)
    assert (refused.reason, refused.replaced) == ("ended", None)
    with pytest.raises(IdTaken):
        store.create(record(), NOW + 49)
    assert refusal(store, value, NOW + 50).reason == "unknown-id"
    assert store.create(record(), NOW + 50) == value


def test_an_id_is_free_as_soon_as_its_tombstone_has_ended(store: MemoryStore) -> None:
    """A session can be created under it without a look at it before."""
    loaded = store.load(store.create(record(origin_ends=NOW + 50), NOW), NOW)
    store.destroy(loaded, NOW)
    store.create(record(count=1), NOW + 50)
    assert len(store) == 1


def test_s21_a_sign_out_ends_both_sessions_of_a_double_clicked_sign_in(store: MemoryStore) -> None:
    """Two sign-ins replaced one session; a sign-out that still has the old id ends both."""
    loaded = store.load(store.create(record(cart=1), NOW), NOW)
    for new in (NEW, OTHER):
        assert store.replace(loaded, record(new, cart=1), None, NOW, signing_in=True)
    assert len(store) == 2
    store.destroy(loaded, NOW)
    assert len(store) == 0


def test_what_a_sign_in_loses_is_named(store: MemoryStore) -> None:
    """Of two requests that changed one value, the one that changes the id too is told so."""
    value = store.create(record(colour="red"), NOW)
    loaded = store.load(value, NOW)
    assert store.update(loaded, record(colour="blue"), None, NOW)
    delta = Delta([Change("set", ("colour",), "green", "red")], {"colour": "green"})
    written = store.replace(loaded, record(NEW, colour="green"), delta, NOW, signing_in=True)
    assert written
    assert written.lost == (("colour",),)
