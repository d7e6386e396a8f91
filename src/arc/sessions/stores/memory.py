"""Sessions in this process's memory, for tests and single-process servers."""

from __future__ import annotations

import threading

from arc.sessions.record import Record
from arc.sessions.refused import Refused
from arc.sessions.signing import sign, unsign
from arc.sessions.values import deep_copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.sessions.keyring import Keyring


class MemoryStore:
    """Sessions in a dict, found by a signed id. The later of two parallel writes wins."""

    revocable = True
    on_server = True

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._rows: dict[str, Record] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many sessions are kept, expired ones included until they are asked for."""
        return len(self._rows)

    def load(self, value: str, now: int) -> Record:
        """The record of a signed id. Raises `Refused`."""
        session_id, signed_by = unsign(value, self._keyring.signing)
        with self._lock:
            row = self._living(session_id, now)
            if row is None:
                raise Refused("unknown-id")
            return _copy(row, stale=signed_by > 0)

    def create(self, record: Record, now: int) -> str:
        """Keep a new record; raises `KeyError` when its id is taken by a living one."""
        with self._lock:
            if self._living(record.id, now) is not None:
                raise KeyError("this session id is taken")
            self._rows[record.id] = _copy(record, issued=now)
        return sign(record.id, self._keyring.signing[0])

    def update(self, loaded: Record, record: Record, now: int) -> str | None:
        """Keep the changed record; None when the session has gone."""
        with self._lock:
            if self._living(loaded.id, now) is None:
                return None
            self._rows[loaded.id] = _copy(record, issued=now)
        return sign(loaded.id, self._keyring.signing[0])

    def replace(self, loaded: Record, record: Record, now: int) -> str:
        """Keep `record` under its new id and drop the old one, in one step."""
        with self._lock:
            self._rows.pop(loaded.id, None)
            self._rows[record.id] = _copy(record, issued=now)
        return sign(record.id, self._keyring.signing[0])

    def renew(self, loaded: Record, record: Record, now: int) -> str | None:
        """Move the end of the session; None when it has gone."""
        with self._lock:
            row = self._living(loaded.id, now)
            if row is None:
                return None
            row.expires, row.issued = record.expires, now
        return sign(loaded.id, self._keyring.signing[0])

    def destroy(self, loaded: Record, now: int) -> None:  # noqa: ARG002  # the contract's shape
        """Drop the session."""
        with self._lock:
            self._rows.pop(loaded.id, None)

    def _living(self, session_id: str, now: int) -> Record | None:
        row = self._rows.get(session_id)
        if row is not None and row.expires is not None and row.expires <= now:
            del self._rows[session_id]
            return None
        return row


def _copy(record: Record, *, issued: int | None = None, stale: bool = False) -> Record:
    return Record(
        record.id,
        deep_copy(record.data),
        created=record.created,
        issued=record.issued if issued is None else issued,
        expires=record.expires,
        user_id=record.user_id,
        signed_in_at=record.signed_in_at,
        flashes=record.flashes,
        stale=stale,
    )
