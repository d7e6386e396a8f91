"""`StoreContract`: the behavior that the session manager requires of a store, as tests for any store."""

from __future__ import annotations

from arc.sessions.changes import find_changes
from arc.sessions.record import Record, Refused
from arc.sessions.snapshot import Snapshot
from arc.sessions.stores.store import IdTaken
from arc.sessions.values import deep_copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.sessions.delta import Delta
    from arc.sessions.stores.store import Store

NOW = 1_800_000_000
WEEK = 604_800


class StoreContract:
    """Inherit from this class and add a `store` method. pytest then runs the tests of this class for your store.

    class TestMyStore(StoreContract):
        def store(self) -> Store:
            return MyStore(…)
    """

    def store(self) -> Store:
        """Return a new, empty store to test."""
        raise NotImplementedError(f"{type(self).__name__} needs a store() method that returns the store to test.")

    def record(self, session_id: str = "A" * 24, **data: object) -> Record:
        """Return a record to store, made at `NOW`, that expires a week later."""
        return Record(session_id, dict(data), created=NOW, issued=NOW, expires=NOW + WEEK)

    def loaded(self, store: Store, session_id: str = "A" * 24, **data: object) -> Record:
        """Create a record, and return it as loaded."""
        return store.load(store.create(self.record(session_id, **data), NOW), NOW)

    def reason(self, store: Store, value: str, now: int = NOW) -> str:
        """Return why the store refuses `value`. Fail if it accepts the value."""
        try:
            store.load(value, now)
        except Refused as refusal:
            return refusal.reason
        raise AssertionError(f"{value[:8]}… was accepted.")

    def delta(self, store: Store, loaded: Record, record: Record) -> Delta | None:
        """Return the changes in place from `loaded` to `record`, None for a store that does not merge."""
        if not store.merges:
            return None
        live = deep_copy(loaded.data)
        snapshot = Snapshot(dict(live), loaded, None)
        snapshot.follow_containers(live)
        _change_in_place(live, record.data)
        return find_changes(snapshot, live, deep_copy(live), ([], []), {}, replaced=False)

    def updated(self, store: Store, loaded: Record, **data: object) -> str:
        """Return the value after an update of `loaded` to `data`, five seconds later."""
        record = self.record(loaded.id, **data)
        written = store.update(loaded, record, self.delta(store, loaded, record), NOW + 5)
        assert written is not None
        return written.value

    def replaced(self, store: Store, loaded: Record, record: Record, *, signing_in: bool = False) -> str:
        """Return the value after `record` replaced `loaded`."""
        written = store.replace(loaded, record, self.delta(store, loaded, record), NOW, signing_in=signing_in)
        assert written is not None
        return written.value

    def test_created_record_is_loaded(self) -> None:
        """A created record loads with its data, id, times, principal and messages."""
        store = self.store()
        record = self.record(count=1, cart={"items": [1, 2.5, True, None, "é"]})
        record.user_id, record.signed_in_at, record.flashes = "ada", NOW, (("error", "wrong"),)
        loaded = store.load(store.create(record, NOW), NOW)
        assert loaded.data == record.data
        assert (loaded.id, loaded.created) == (record.id, NOW)
        assert (loaded.user_id, loaded.signed_in_at, loaded.flashes) == ("ada", NOW, (("error", "wrong"),))

    def test_loaded_data_is_a_copy(self) -> None:
        """Changing loaded data does not change stored data."""
        store = self.store()
        value = store.create(self.record(cart=["book"]), NOW)
        store.load(value, NOW).data["cart"].append("pen")
        assert store.load(value, NOW).data == {"cart": ["book"]}

    def test_garbage_is_refused(self) -> None:
        """A value that no store made is refused and raises no other error."""
        store = self.store()
        for value in ("", ".", "a.b", "....", "x" * 5000, "\x00", "é", "A" * 24 + "." + "B" * 43):
            assert self.reason(store, value)

    def test_changed_value_is_refused(self) -> None:
        """A valid value with one changed character is refused."""
        store = self.store()
        value = store.create(self.record(count=1), NOW)
        for position in range(len(value)):
            other = "A" if value[position] != "A" else "B"
            assert self.reason(store, value[:position] + other + value[position + 1 :])

    def test_update_is_loaded(self) -> None:
        """The value that an update returns loads the new data."""
        store = self.store()
        value = self.updated(store, self.loaded(store, count=1), count=2)
        assert store.load(value, NOW + 5).data == {"count": 2}

    def test_numbers_keep_their_type(self) -> None:
        """Numbers load unchanged. 1.0 loads as a float from a store with `typed_numbers`, else as an int."""
        store = self.store()
        numbers = [0, -1, 2**53 + 1, 10**37, 1.5, 1e-9, 1.0]
        loaded = self.loaded(store, numbers=numbers).data["numbers"]
        assert loaded == numbers
        types = [type(number) for number in numbers]
        assert [type(number) for number in loaded] == (types if store.typed_numbers else [*types[:-1], int])

    def test_renewal_extends_the_session(self) -> None:
        """A renewed session keeps its data until its new expiry."""
        store = self.store()
        loaded, record = self.loaded(store, count=1), self.record(count=1)
        record.expires = NOW + 2 * WEEK
        written = store.renew(loaded, record, NOW + 100)
        assert written is not None
        assert store.load(written.value, NOW + WEEK + 50).data == {"count": 1}

    def test_replacement_moves_the_session_to_its_new_id(self) -> None:
        """After a regeneration the new id has the data, and a revocable store refuses the old value."""
        store = self.store()
        old = store.create(self.record(count=1), NOW)
        new = self.replaced(store, store.load(old, NOW), self.record("B" * 24, count=1))
        assert store.load(new, NOW).id == "B" * 24
        assert store.load(new, NOW).data == {"count": 1}
        if store.revocable:
            assert self.reason(store, old)

    def test_second_sign_in_creates_its_own_session(self) -> None:
        """The second request of a double-clicked sign-in stores a record with its own data."""
        store = self.store()
        loaded = self.loaded(store, cart=1)
        self.replaced(store, loaded, self.record("B" * 24, cart=1))
        value = self.replaced(store, loaded, self.record("C" * 24, cart=1, late=2), signing_in=True)
        assert store.load(value, NOW).data == {"cart": 1, "late": 2}

    def test_replaced_session_is_not_replaced_again(self) -> None:
        """Without a sign-in, a session that another request replaced gets no new id."""
        store = self.store()
        if not store.revocable:
            return
        loaded = self.loaded(store, count=1)
        self.replaced(store, loaded, self.record("B" * 24, count=1))
        again = self.record("C" * 24, count=1)
        delta = self.delta(store, loaded, again)
        assert store.replace(loaded, again, delta, NOW, signing_in=False) is None

    def test_sign_in_drops_destroyed_data(self) -> None:
        """A sign-in after another request's sign-out keeps its own changes and no data of the ended session."""
        store = self.store()
        if not store.revocable:
            return
        loaded = self.loaded(store, secrets="old")
        store.destroy(loaded, NOW)
        record = self.record("B" * 24, secrets="old", welcome=True)
        record.user_id = "ada"
        value = self.replaced(store, loaded, record, signing_in=True)
        assert store.load(value, NOW).data == {"welcome": True}
        assert store.load(value, NOW).user_id == "ada"

    def test_sign_in_drops_data_of_a_destroyed_successor(self) -> None:
        """A sign-in keeps no data of a session that was replaced first and then destroyed."""
        store = self.store()
        if not store.revocable:
            return
        loaded = self.loaded(store, secrets="old")
        successor = self.replaced(store, loaded, self.record("B" * 24, secrets="old"))
        store.destroy(store.load(successor, NOW), NOW)
        value = self.replaced(store, loaded, self.record("C" * 24, secrets="old", welcome=True), signing_in=True)
        assert store.load(value, NOW).data == {"welcome": True}

    def test_sign_out_ends_a_successor(self) -> None:
        """Destroying a session ends the one that another request replaced it with."""
        store = self.store()
        if not store.revocable:
            return
        loaded = self.loaded(store, count=1)
        value = self.replaced(store, loaded, self.record("B" * 24, count=1))
        store.destroy(loaded, NOW)
        assert self.reason(store, value)

    def test_s17_id_in_use_is_not_overwritten(self) -> None:
        """Creating or replacing under an id in use raises `IdTaken` and does not change the stored session."""
        store = self.store()
        if not store.on_server:
            return
        value = store.create(self.record(owner="ada"), NOW)
        loaded, taken = self.loaded(store, "B" * 24, owner="grace"), self.record(owner="mallory")
        delta = self.delta(store, loaded, taken)
        for write in (
            lambda: store.create(taken, NOW),
            lambda: store.replace(loaded, taken, delta, NOW, signing_in=True),
        ):
            try:
                write()
            except IdTaken:
                continue
            raise AssertionError("A record was stored under an id in use.")
        assert store.load(value, NOW).data == {"owner": "ada"}

    def test_parallel_changes_are_merged(self) -> None:
        """In a store that merges, the changes of two requests that loaded one session are both stored."""
        store = self.store()
        if not store.merges:
            return
        value = store.create(self.record(cart={"items": ["a"]}, visits=1, gone=1), NOW)
        first, second = store.load(value, NOW), store.load(value, NOW)
        self.updated(store, first, cart={"items": ["a", "b"], "note": "x"}, visits=2, gone=1)
        self.updated(store, second, cart={"items": ["a", "c"]}, visits=1, new={"key": 1})
        assert store.load(value, NOW).data == {
            "cart": {"items": ["a", "b", "c"], "note": "x"},
            "visits": 2,
            "new": {"key": 1},
        }

    def test_regeneration_includes_parallel_changes(self) -> None:
        """In a store that merges, changes that were stored since the load move to the new id."""
        store = self.store()
        if not store.merges:
            return
        value = store.create(self.record(items=["a"]), NOW)
        first, second = store.load(value, NOW), store.load(value, NOW)
        self.updated(store, first, items=["a", "b"])
        new = self.replaced(store, second, self.record("B" * 24, items=["a", "c"]))
        assert store.load(new, NOW).data == {"items": ["a", "b", "c"]}
        assert self.reason(store, value)

    def test_lost_changes_are_reported(self) -> None:
        """In a store that merges, the later of two writers of one value wins, and learns which value it replaced."""
        store = self.store()
        if not store.merges:
            return
        value = store.create(self.record(color="red"), NOW)
        first, second = store.load(value, NOW), store.load(value, NOW)
        self.updated(store, first, color="blue")
        record = self.record(color="green")
        written = store.update(second, record, self.delta(store, second, record), NOW)
        assert written is not None
        assert written.lost == (("color",),)
        assert store.load(value, NOW).data == {"color": "green"}

    def test_destroying_twice_is_no_error(self) -> None:
        """Destroying a session that was destroyed already does nothing."""
        store = self.store()
        value = store.create(self.record(), NOW)
        loaded = store.load(value, NOW)
        store.destroy(loaded, NOW)
        store.destroy(loaded, NOW)
        if store.revocable:
            assert self.reason(store, value)

    def test_destroyed_session_stays_destroyed(self) -> None:
        """In a revocable store, updating or renewing a destroyed session returns None."""
        store = self.store()
        if not store.revocable:
            return
        value = store.create(self.record(count=1), NOW)
        loaded, record = store.load(value, NOW), self.record(count=2)
        store.destroy(loaded, NOW)
        assert store.update(loaded, record, self.delta(store, loaded, record), NOW) is None
        assert store.renew(loaded, self.record(count=1), NOW) is None
        assert self.reason(store, value)

    def test_expired_session_is_refused(self) -> None:
        """A session on the server loads until one second before its expiry."""
        store = self.store()
        if not store.on_server:
            return
        value = store.create(self.record(count=1), NOW)
        assert store.load(value, NOW + WEEK - 1).data == {"count": 1}
        assert self.reason(store, value, NOW + WEEK)


def _change_in_place(live: Any, data: Any) -> None:
    """Change the dict `live` to the content of `data`, and keep the containers that both have."""
    for key in [key for key in live if key not in data]:
        del live[key]
    for key, value in data.items():
        here = live.get(key)
        if isinstance(here, dict) and isinstance(value, dict):
            _change_in_place(here, value)
        elif isinstance(here, list) and isinstance(value, list):
            here[:] = value
        else:
            live[key] = value
