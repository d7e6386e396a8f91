"""The behaviour that the session manager counts on, as tests for any store."""

from __future__ import annotations

from arc.sessions.changes import changes_of
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

    def delta(self, store: Store, loaded: Record, record: Record) -> Delta | None:
        """What changed in place from `loaded` to `record`, for a store that merges."""
        if not store.merges:
            return None
        live = deep_copy(loaded.data)
        snapshot = Snapshot(live, (None, None, ()), merges=True)
        _change_in_place(live, record.data)
        return changes_of(snapshot, live, deep_copy(live), ([], []), {}, replaced=False)

    def updated(self, store: Store, loaded: Record, **data: object) -> str:
        """The value after an update of `loaded` to `data`, made five seconds later."""
        record = self.record(loaded.id, **data)
        written = store.update(loaded, record, self.delta(store, loaded, record), NOW + 5)
        assert written is not None
        return written.value

    def replaced(self, store: Store, loaded: Record, record: Record, *, signing_in: bool = False) -> str:
        """The value after `record` has replaced `loaded`."""
        written = store.replace(loaded, record, self.delta(store, loaded, record), NOW, signing_in=signing_in)
        assert written is not None
        return written.value

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
        assert store.load(self.updated(store, loaded, count=2), NOW + 5).data == {"count": 2}

    def test_numbers_keep_their_kind(self) -> None:
        """1.0 comes back as a float where a store promises it, and as the same number everywhere."""
        store = self.store()
        numbers = [0, -1, 2**53 + 1, 10**37, 1.5, 1e-9, 1.0]
        loaded = store.load(store.create(self.record(numbers=numbers), NOW), NOW).data["numbers"]
        assert loaded == numbers
        kinds = [type(number) for number in numbers]
        assert [type(number) for number in loaded] == (kinds if store.typed_numbers else [*kinds[:-1], int])

    def test_a_renewal_moves_the_end(self) -> None:
        """A renewed session keeps its data and lives until its new end."""
        store = self.store()
        loaded = store.load(store.create(self.record(count=1), NOW), NOW)
        record = self.record(count=1)
        record.expires = NOW + 2 * WEEK
        written = store.renew(loaded, record, NOW + 100)
        assert written is not None
        assert store.load(written.value, NOW + WEEK + 50).data == {"count": 1}

    def test_a_replaced_session_has_its_new_id(self) -> None:
        """After a regeneration the new id holds the data; a revocable store no longer knows the old one."""
        store = self.store()
        old = store.create(self.record(count=1), NOW)
        new = self.replaced(store, store.load(old, NOW), self.record("B" * 24, count=1))
        assert store.load(new, NOW).id == "B" * 24
        assert store.load(new, NOW).data == {"count": 1}
        if store.revocable:
            assert self.reason(store, old)

    def test_a_second_sign_in_finds_the_first_one_done(self) -> None:
        """A double-clicked sign-in ends signed in: the second one inserts a record of its own, data and all."""
        store = self.store()
        loaded = store.load(store.create(self.record(cart=1), NOW), NOW)
        self.replaced(store, loaded, self.record("B" * 24, cart=1))
        value = self.replaced(store, loaded, self.record("C" * 24, cart=1, late=2), signing_in=True)
        assert store.load(value, NOW).data == {"cart": 1, "late": 2}

    def test_nobody_else_replaces_what_has_gone(self) -> None:
        """Without a sign-in, a session that was replaced or destroyed meanwhile gets no new id."""
        store = self.store()
        if not store.revocable:
            return
        loaded = store.load(store.create(self.record(count=1), NOW), NOW)
        self.replaced(store, loaded, self.record("B" * 24, count=1))
        again = self.record("C" * 24, count=1)
        delta = self.delta(store, loaded, again)
        assert store.replace(loaded, again, delta, NOW, signing_in=False) is None

    def test_a_sign_in_brings_no_destroyed_data_back(self) -> None:
        """A sign-in beside a sign-out ends signed in, with its own changes and none of the ended session's data."""
        store = self.store()
        if not store.revocable:
            return
        loaded = store.load(store.create(self.record(secrets="old"), NOW), NOW)
        store.destroy(loaded, NOW)
        record = self.record("B" * 24, secrets="old", welcome=True)
        record.user_id = "ada"
        value = self.replaced(store, loaded, record, signing_in=True)
        assert store.load(value, NOW).data == {"welcome": True}
        assert store.load(value, NOW).user_id == "ada"

    def test_a_sign_in_brings_nothing_back_of_a_destroyed_successor(self) -> None:
        """The same when the session was replaced first, and what replaced it was destroyed."""
        store = self.store()
        if not store.revocable:
            return
        loaded = store.load(store.create(self.record(secrets="old"), NOW), NOW)
        successor = self.replaced(store, loaded, self.record("B" * 24, secrets="old"))
        store.destroy(store.load(successor, NOW), NOW)
        value = self.replaced(store, loaded, self.record("C" * 24, secrets="old", welcome=True), signing_in=True)
        assert store.load(value, NOW).data == {"welcome": True}

    def test_a_sign_out_ends_what_replaced_the_session(self) -> None:
        """Destroying a session that another request has just given a new id ends that one too."""
        store = self.store()
        if not store.revocable:
            return
        loaded = store.load(store.create(self.record(count=1), NOW), NOW)
        value = self.replaced(store, loaded, self.record("B" * 24, count=1))
        store.destroy(loaded, NOW)
        assert self.reason(store, value)

    def test_s17_an_id_in_use_is_not_overwritten(self) -> None:
        """Creating or replacing under a living id raises `IdTaken` and leaves the living one alone."""
        store = self.store()
        if not store.on_server:
            return
        value = store.create(self.record(owner="ada"), NOW)
        loaded = store.load(store.create(self.record("B" * 24, owner="grace"), NOW), NOW)
        taken = self.record(owner="mallory")
        delta = self.delta(store, loaded, taken)
        try:
            store.create(taken, NOW)
        except IdTaken:
            pass
        else:
            raise AssertionError("A record was created under an id in use.")
        try:
            store.replace(loaded, taken, delta, NOW, signing_in=True)
        except IdTaken:
            pass
        else:
            raise AssertionError("A session was moved to an id in use.")
        assert store.load(value, NOW).data == {"owner": "ada"}

    def test_parallel_changes_are_all_kept(self) -> None:
        """In a store that merges, two requests that loaded one session keep each other's work."""
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

    def test_a_regeneration_takes_parallel_changes_along(self) -> None:
        """In a store that merges, what was written since the load moves under the new id as well."""
        store = self.store()
        if not store.merges:
            return
        value = store.create(self.record(items=["a"]), NOW)
        first, second = store.load(value, NOW), store.load(value, NOW)
        self.updated(store, first, items=["a", "b"])
        new = self.replaced(store, second, self.record("B" * 24, items=["a", "c"]))
        assert store.load(new, NOW).data == {"items": ["a", "b", "c"]}
        assert self.reason(store, value)

    def test_what_is_lost_is_named(self) -> None:
        """In a store that merges, the later of two writers of one value wins, and is told which value."""
        store = self.store()
        if not store.merges:
            return
        value = store.create(self.record(colour="red"), NOW)
        first, second = store.load(value, NOW), store.load(value, NOW)
        self.updated(store, first, colour="blue")
        record = self.record(colour="green")
        written = store.update(second, record, self.delta(store, second, record), NOW)
        assert written is not None
        assert written.lost == (("colour",),)
        assert store.load(value, NOW).data == {"colour": "green"}

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
        record = self.record(count=2)
        assert store.update(loaded, record, self.delta(store, loaded, record), NOW) is None
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


def _change_in_place(live: Any, data: Any) -> None:
    """Give the dict `live` the content of `data`, keeping the containers that both have."""
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
