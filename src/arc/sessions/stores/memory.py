"""Sessions in this process's memory, for tests and single-process servers."""

from __future__ import annotations

import threading

from arc.sessions.record import Record, Refused
from arc.sessions.signing import sign, unsign
from arc.sessions.stores.store import TOMBSTONE, IdTaken, Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.sessions.delta import Delta, Path
    from arc.sessions.keyring import Keyring


class MemoryStore:
    """Sessions in a dict, found by a signed id."""

    revocable = True
    on_server = True
    merges = True
    typed_numbers = True

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._rows: dict[str, Record] = {}
        self._tombstones: dict[str, _Tombstone] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of sessions, including expired ones that were not loaded since."""
        return len(self._rows)

    def load(self, value: str, now: int) -> Record:
        """Return the record of a signed id. Raises `Refused`."""
        session_id, signed_by = unsign(value, self._keyring.signing)
        with self._lock:
            row = self._find(session_id, now)
            if row is not None:
                return row.copy(stale=signed_by > 0)
            tombstone = self._tombstones.get(session_id)
        if tombstone is None:
            raise Refused("unknown-id")
        if not tombstone.successors:
            raise Refused("ended")
        raise Refused("ended", Record(session_id, {}, created=tombstone.made, issued=tombstone.made))

    def create(self, record: Record, now: int) -> str:
        """Store a new record. Raises `IdTaken`."""
        with self._lock:
            self._insert(record, now)
        return self._value(record)

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written | None:
        """Apply the change to the current record. Return None when the session has ended."""
        with self._lock:
            row = self._find(loaded.id, now)
            if row is None:
                return None
            merged, lost = _merge(row.values, record, delta)
            self._rows[loaded.id] = merged.copy(issued=now, origin_ends=row.origin_ends)
        return Written(self._value(loaded), lost)

    def replace(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        """Store the current record with the change under the new id, and remove the old one, in one step."""
        with self._lock:
            row = self._find(loaded.id, now)
            if row is None and not signing_in:
                return None
            tombstone = self._tombstones.get(loaded.id)
            if row is not None:
                merged, lost = _merge(row.values, record, delta)
                tombstone = _Tombstone(now, max(now + TOMBSTONE, row.origin_ends or 0))
            elif any(self._find(one, now) is not None for one in self._family(loaded.id, now)[1:]):
                merged, lost = record, ()
            else:
                tombstone = None
                merged, lost = _merge({}, record, delta)
            self._insert(merged, now)
            if tombstone is not None:
                tombstone.successors.append(record.id)
                self._tombstones[loaded.id] = tombstone
                self._rows.pop(loaded.id, None)
        return Written(self._value(record), lost)

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Move the session's end. Return None when the session has ended."""
        with self._lock:
            row = self._find(loaded.id, now)
            if row is None:
                return None
            if row.expires == loaded.expires:
                row.expires, row.issued = record.expires, now
        return Written(self._value(loaded))

    def destroy(self, loaded: Record, now: int) -> None:
        """Remove the session and those that have replaced it."""
        with self._lock:
            for session_id in self._family(loaded.id, now):
                self._rows.pop(session_id, None)
            if loaded.origin_ends is not None and loaded.origin_ends > now:
                self._tombstones.setdefault(loaded.id, _Tombstone(now, loaded.origin_ends))

    def _family(self, session_id: str, now: int) -> list[str]:
        """Return the id and those of all sessions that have replaced it, directly or indirectly."""
        ids = [session_id]
        for one in ids:  # The list grows during the loop.
            tombstone = self._tombstones.get(one)
            if tombstone is not None and tombstone.ends > now:
                ids += [successor for successor in tombstone.successors if successor not in ids]
        return ids

    def _insert(self, record: Record, now: int) -> None:
        if self._find(record.id, now) is not None or record.id in self._tombstones:
            raise IdTaken
        self._rows[record.id] = record.copy(issued=now)

    def _find(self, session_id: str, now: int) -> Record | None:
        tombstone = self._tombstones.get(session_id)
        if tombstone is not None and tombstone.ends <= now:
            del self._tombstones[session_id]
        row = self._rows.get(session_id)
        if row is not None and row.expires is not None and row.expires <= now:
            del self._rows[session_id]
            return None
        return row

    def _value(self, record: Record) -> str:
        return sign(record.id, self._keyring.signing[0])


class _Tombstone:
    """Stands for an ended session, with the ids of the `successors` that have replaced it.

    It was `made` when the session ended and is removed when it `ends`, both in Unix seconds.
    """

    __slots__ = ("ends", "made", "successors")

    def __init__(self, made: int, ends: int) -> None:
        self.made, self.ends = made, ends
        self.successors: list[str] = []


def _merge(values: dict[str, Any], record: Record, delta: Delta | None) -> tuple[Record, tuple[Path, ...]]:
    """Return `record` with a row's `values` after `delta`, and the paths where something was lost."""
    if delta is None:
        return record, ()
    rebased, lost = delta.rebase(values)
    merged = record.copy()
    merged.set_values(rebased.ours)
    return merged, lost
