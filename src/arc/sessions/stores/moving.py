"""Moving sessions from one store to another, so that a change of stores signs no one out."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from arc.errors import SessionTooLarge
from arc.sessions.delta import Delta
from arc.sessions.record import NODES_WEEK, Record, Refused
from arc.sessions.signing import sign, unsign
from arc.sessions.stores.store import IdTaken, Written
from arc.sessions.values import drop_unstorable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.sessions.keyring import Keyring
    from arc.sessions.stores.store import Store


class MovingStore:
    """The store `new`, which takes sessions over from the store `old`, each at its first commit.

    Into a store on the server, a session moves under an id that is derived from its old id, so that parallel first
    requests use the same record. When the session ends, a tombstone stays until the old token has expired, so that the
    token cannot restore it.

    Into sealed cookies, a session moves when its old record is replaced by a tombstone. A session that does not fit
    stays in the old store.

    `idle` is the default idle lifetime in seconds.
    """

    def __init__(self, new: Store, old: Store, keyring: Keyring, *, idle: int) -> None:
        self._new, self._old, self._keyring, self._idle = new, old, keyring, idle
        self.revocable, self.on_server = new.revocable, new.on_server
        self.merges, self.typed_numbers = new.merges or old.merges, new.typed_numbers

    def load(self, value: str, now: int) -> Record:
        """Return the record of a value of either store. Raises `Refused` and `StoreError`."""
        try:
            return self._new.load(value, now)
        except Refused as refusal:
            if refusal.reason in ("ended", "expired", "clock"):
                raise
            first = refusal
        try:
            old = self._old.load(value, now)
        except Refused as refusal:
            if refusal.replaced is not None:  # Its replacements are in the old store, too.
                refusal.replaced = refusal.replaced.copy(state=refusal.replaced, foreign=True)
            if first.reason == refusal.reason == "unknown-id":  # The old store's session may have moved already.
                moved = self._find_moved(unsign(value, self._keyring.signing)[0], now)
                if moved is not None:
                    return moved
            raise (first if refusal.reason == "malformed" else refusal) from None
        if not self._new.on_server:
            return old.copy(state=old, stale=True, foreign=True)
        moved = self._find_moved(old.id, now)
        if moved is not None:
            return moved
        idle = old.lifetime if isinstance(old.lifetime, int) else self._idle
        ends = (old.issued or now) + max(idle, NODES_WEEK) if old.expires is None else old.expires
        old.data, left_out = drop_unstorable(old.data)
        old.text = None
        new_id = self._derive_ids(old.id)[0]
        return old.copy(id=new_id, state=old, stale=True, foreign=True, origin_ends=ends, left_out=left_out)

    def create(self, record: Record, now: int) -> str:
        """Store a new record in the new store."""
        return self._new.create(record, now)

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written | None:
        """Store the changed record in the new store. Return None when the session has ended."""
        if not loaded.foreign:
            return self._new.update(loaded, record, delta, now)
        return self._take_over(loaded, record, delta, now)

    def replace(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        """Store the record in the new store under its new id, and end the old one."""
        if not loaded.foreign:
            return self._new.replace(loaded, record, delta, now, signing_in=signing_in)
        if not self._new.on_server:
            return self._take_over(loaded, record, delta, now, signing_in=signing_in)
        # First the unchanged session moves, so that parallel requests agree about which session is replaced.
        old = _old(loaded)
        moved = self._move(old.copy(id=loaded.id, expires=record.expires, origin_ends=loaded.origin_ends), now)
        if moved is None:
            return None
        delta, lost = delta.rebase(moved.values) if delta is not None else (None, ())
        written = self._new.replace(moved, record, delta, now, signing_in=signing_in)
        self._old.destroy(old, now)
        return written and Written(written.value, tuple(dict.fromkeys((*lost, *written.lost))))

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Move the session's end, and move the session if it is still in the old store."""
        if not loaded.foreign:
            return self._new.renew(loaded, record, now)
        return self._take_over(loaded, record, Delta((), loaded.values), now)

    def destroy(self, loaded: Record, now: int) -> None:
        """End the session in both stores."""
        self._new.destroy(loaded, now)  # This comes first, because a retry needs the record in the old store.
        if loaded.foreign:
            self._old.destroy(_old(loaded), now)

    def _find_moved(self, old_id: str, now: int) -> Record | None:
        """Return the new store's record of a session of the old store, None if it has not moved yet."""
        for session_id in self._derive_ids(old_id):
            try:
                moved = self._new.load(sign(session_id, self._keyring.signing[0]), now)
            except Refused as refusal:
                if refusal.reason != "unknown-id":
                    raise
            else:
                moved.stale = True  # The visitor still has the old cookie.
                return moved
        return None

    def _take_over(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool = False
    ) -> Written | None:
        old = _old(loaded)
        if not self._new.on_server:
            return self._seal(old, record, delta, now, signing_in=signing_in)
        record.origin_ends = loaded.origin_ends
        try:
            value = self._new.create(record, now)
        except IdTaken:  # A parallel request has moved the session, and this one changes it there.
            moved = self._move(loaded, now)
            if moved is None:
                return None
            delta, lost = delta.rebase(moved.values) if delta is not None else (None, ())
            written = self._new.update(moved, record, delta, now)
            return written and Written(written.value, tuple(dict.fromkeys((*lost, *written.lost))))
        self._old.destroy(old, now)
        return Written(value)

    def _seal(self, old: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool) -> Written | None:
        """Move a session to a sealed cookie."""
        if self._old.renew(old, record, now) is None:  # It ended or was replaced while this request ran.
            return self._old.replace(old, record, delta, now, signing_in=True) if signing_in else None
        try:
            value = self._new.create(record, now)
        except SessionTooLarge:
            return self._stay(old, record, delta, now, signing_in=signing_in)
        return Written(value) if self._end_old(old, now) or signing_in else None

    def _end_old(self, old: Record, now: int) -> bool:
        """Replace the old record by a tombstone, so that requests with its cookie are recognized as late.

        Return False when another request has ended or moved the session.
        """
        successor = old.copy(id=self._derive_ids(old.id)[0], data={}, flashes=())
        try:
            replaced = self._old.replace(old, successor, Delta((), {}, replaces=True), now, signing_in=False)
        except IdTaken:
            return False
        self._old.destroy(successor, now)
        return replaced is not None

    def _stay(self, old: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool) -> Written | None:
        if record.id != old.id:
            written = self._old.replace(old, record, delta, now, signing_in=signing_in)
        else:
            written = self._old.update(old, record, delta, now)
        return written and Written(written.value, written.lost, stayed=True)

    def _move(self, record: Record, now: int) -> Record | None:
        """Create the record in the new store unless it exists there, and return it; None when it has ended."""
        try:
            value = self._new.create(record, now)
        except IdTaken:
            value = sign(record.id, self._keyring.signing[0])
        try:
            return self._new.load(value, now)
        except Refused:
            return None

    def _derive_ids(self, old_id: str) -> list[str]:
        """Return the new ids of a session of the old store, one per secret. No one can choose or guess them."""
        from hmac import digest

        keys = self._keyring.derived("moved session")
        return [urlsafe_b64encode(digest(key, old_id.encode(), "sha256")[:18]).decode() for key in keys]


def _old(loaded: Record) -> Record:
    """Return the record as the old store loaded it. That of the new store is a changed copy."""
    if not isinstance(loaded.state, Record):
        raise TypeError("This record was not loaded from the old store.")
    return loaded.state
