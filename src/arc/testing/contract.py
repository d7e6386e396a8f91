"""The behaviour that the session manager counts on, as tests for any store."""

from __future__ import annotations

from arc.sessions.record import Record
from arc.sessions.refused import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.sessions.stores.store import Store

NOW = 1_800_000_000
WEEK = 604_800


class StoreContract:
    """Inherit from this in a test class and give it a `store` method; pytest runs what is here.

    class TestMyStore(StoreContract):
        def store(self) -> Store:
            return MyStore(…)
    """

    def store(self) -> Store:
        """A new, empty store under test."""
        raise NotImplementedError(f"{type(self).__name__} needs a store() method that returns the store to test.")

    def record(self, session_id: str = "A" * 24, **data: object) -> Record:
        """A record to store, made at `NOW` and ending a week later."""
        return Record(session_id, dict(data), created=NOW, issued=NOW, expires=NOW + WEEK)

    def reason(self, store: Store, value: str, now: int = NOW) -> str:
        """Why `value` is refused; fails when it is not."""
        try:
            store.load(value, now)
        except Refused as refusal:
            return refusal.reason
        raise AssertionError(f"{value[:8]}… was accepted.")

    def test_what_is_created_is_loaded(self) -> None:
        """A created record loads with its data, id, times, principal and messages."""
        store = self.store()
        record = self.record(count=1, cart={"items": [1, 2.5, True, None, "é"]})
        record.user_id, record.signed_in_at, record.flashes = "ada", NOW, (("error", "wrong"),)
        loaded = store.load(store.create(record, NOW), NOW)
        assert loaded.data == record.data
        assert (loaded.id, loaded.created) == (record.id, NOW)
        assert (loaded.user_id, loaded.signed_in_at, loaded.flashes) == ("ada", NOW, (("error", "wrong"),))

    def test_what_is_loaded_is_a_copy(self) -> None:
        """Changing what was loaded changes nothing that is stored."""
        store = self.store()
        value = store.create(self.record(cart=["book"]), NOW)
        store.load(value, NOW).data["cart"].append("pen")
        assert store.load(value, NOW).data == {"cart": ["book"]}

    def test_garbage_is_refused(self) -> None:
        """A value that no store made is refused, never an error."""
        store = self.store()
        for value in ("", ".", "a.b", "....", "x" * 5000, "\x00", "é", "A" * 24 + "." + "B" * 43):
            assert self.reason(store, value)

    def test_a_changed_value_is_refused(self) -> None:
        """Changing one character of a valid value makes it worthless."""
        store = self.store()
        value = store.create(self.record(count=1), NOW)
        for position in range(len(value)):
            other = "A" if value[position] != "A" else "B"
            assert self.reason(store, value[:position] + other + value[position + 1 :])

    def test_an_update_is_loaded(self) -> None:
        """After an update the new data is there under the returned value."""
        store = self.store()
        loaded = store.load(store.create(self.record(count=1), NOW), NOW)
        value = store.update(loaded, self.record(count=2), NOW + 5)
        assert value is not None
        assert store.load(value, NOW + 5).data == {"count": 2}

    def test_a_renewal_moves_the_end(self) -> None:
        """A renewed session keeps its data and lives until its new end."""
        store = self.store()
        loaded = store.load(store.create(self.record(count=1), NOW), NOW)
        record = self.record(count=1)
        record.expires = NOW + 2 * WEEK
        value = store.renew(loaded, record, NOW + 100)
        assert value is not None
        assert store.load(value, NOW + WEEK + 50).data == {"count": 1}

    def test_a_replaced_session_has_its_new_id(self) -> None:
        """After a regeneration the new id holds the data; a revocable store no longer knows the old one."""
        store = self.store()
        old = store.create(self.record(count=1), NOW)
        new = store.replace(store.load(old, NOW), self.record("B" * 24, count=1), NOW)
        assert store.load(new, NOW).id == "B" * 24
        if store.revocable:
            assert self.reason(store, old)

    def test_replacing_works_when_the_old_one_has_gone(self) -> None:
        """A double-clicked sign-in ends signed in: the second one inserts a fresh record."""
        store = self.store()
        loaded = store.load(store.create(self.record(), NOW), NOW)
        store.replace(loaded, self.record("B" * 24, winner=1), NOW)
        value = store.replace(loaded, self.record("C" * 24, winner=2), NOW)
        assert store.load(value, NOW).data == {"winner": 2}

    def test_destroying_twice_is_no_error(self) -> None:
        """Destroying a session that has gone already does nothing."""
        store = self.store()
        value = store.create(self.record(), NOW)
        loaded = store.load(value, NOW)
        store.destroy(loaded, NOW)
        store.destroy(loaded, NOW)
        if store.revocable:
            assert self.reason(store, value)

    def test_nothing_revives_a_destroyed_session(self) -> None:
        """In a revocable store an update or renewal of a destroyed session says that it has gone."""
        store = self.store()
        if not store.revocable:
            return
        value = store.create(self.record(count=1), NOW)
        loaded = store.load(value, NOW)
        store.destroy(loaded, NOW)
        assert store.update(loaded, self.record(count=2), NOW) is None
        assert store.renew(loaded, self.record(count=1), NOW) is None
        assert self.reason(store, value)

    def test_an_expired_session_is_gone(self) -> None:
        """At its end, to the second, a session kept on the server is refused; one second before it is not."""
        store = self.store()
        if not store.on_server:
            return
        value = store.create(self.record(count=1), NOW)
        assert store.load(value, NOW + WEEK - 1).data == {"count": 1}
        assert self.reason(store, value, NOW + WEEK)
