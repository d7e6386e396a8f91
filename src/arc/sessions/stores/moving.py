"""Sessions on their way from one store to another, so that a change of stores signs nobody out."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from arc.errors import SessionTooLarge
from arc.sessions.delta import Delta
from arc.sessions.lifetimes import NODES_WEEK
from arc.sessions.record import Record, Refused
from arc.sessions.signing import sign, unsign
from arc.sessions.stores.store import IdTaken, Written
from arc.sessions.values import storable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.sessions.delta import Path
    from arc.sessions.keyring import Keyring
    from arc.sessions.stores.store import Store


class MovingStore:
    """The store `new`, which takes a session over from `old` at the first commit after the change.

    Into a store on the server a session moves under an id that is derived from the old one's identity, so
    that parallel first requests meet in one record. Until the old token has expired, the end of a session
    leaves a mark there, and the token cannot bring it back. Into the sealed cookie it moves with the end of
    the old record, which leaves a tombstone; what does not fit stays where it is. `idle` is the idle lifetime,
    in seconds.
    """

    def __init__(self, new: Store, old: Store, keyring: Keyring, *, idle: int) -> None:
        self._new, self._old, self._keyring, self._idle = new, old, keyring, idle
        self.revocable, self.on_server = new.revocable, new.on_server
        self.merges, self.typed_numbers = new.merges or old.merges, new.typed_numbers

    def load(self, value: str, now: int) -> Record:
        """The record of a value of either store. Raises `Refused`, `StoreError`."""
        try:
            return self._new.load(value, now)
        except Refused as refusal:
            if refusal.reason in ("ended", "expired", "clock"):
                raise
            first = refusal
        try:
            old = self._old.load(value, now)
        except Refused as refusal:
            if refusal.replaced is not None:  # Those that have replaced it are in the old store.
                refusal.replaced = refusal.replaced.copied(state=refusal.replaced, foreign=True)
            if first.reason == refusal.reason == "unknown-id":  # An id of ours that the old store had may have moved.
                taken_over = self._taken_over(unsign(value, self._keyring.signing)[0], now)
                if taken_over is not None:
                    return taken_over
            raise (first if refusal.reason == "malformed" else refusal) from None
        if not self._new.on_server:
            return old.copied(state=old, stale=True, foreign=True)
        taken_over = self._taken_over(old.id, now)
        if taken_over is not None:
            return taken_over
        idle = old.lifetime if isinstance(old.lifetime, int) else self._idle
        ends = (old.issued or now) + max(idle, NODES_WEEK) if old.expires is None else old.expires
        old.data, left_out = storable(old.data)
        old.text = None
        new_id = self._derived(old.id)[0]
        return old.copied(id=new_id, state=old, stale=True, foreign=True, origin_ends=ends, left_out=left_out)

    def create(self, record: Record, now: int) -> str:
        """Store a new record in the new store."""
        return self._new.create(record, now)

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written | None:
        """Store the changed record, in the new store from now on; None when the session has gone."""
        if not loaded.foreign:
            return self._new.update(loaded, record, delta, now)
        return self._take_over(loaded, record, delta, now)

    def replace(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        """Store the record under its new id in the new store, and end the old one."""
        if not loaded.foreign:
            return self._new.replace(loaded, record, delta, now, signing_in=signing_in)
        if not self._new.on_server:
            return self._take_over(loaded, record, delta, now, signing_in=signing_in)
        # First the session moves as it was, so that parallel requests agree on what the new id replaces.
        old = _old(loaded)
        was = old.copied(id=loaded.id, expires=record.expires, origin_ends=loaded.origin_ends)
        moved = self._moved(was, now)
        if moved is None:
            return None
        delta, lost = _on(moved, delta)
        written = self._new.replace(moved, record, delta, now, signing_in=signing_in)
        self._old.destroy(old, now)
        return written and Written(written.value, tuple(dict.fromkeys((*lost, *written.lost))))

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Move the session's end, and the session itself where it is still in the old store."""
        if not loaded.foreign:
            return self._new.renew(loaded, record, now)
        return self._take_over(loaded, record, Delta((), loaded.values), now)

    def destroy(self, loaded: Record, now: int) -> None:
        """End the session in both stores."""
        self._new.destroy(loaded, now)  # First, because a retry finds the session by the old store's record.
        if loaded.foreign:
            self._old.destroy(_old(loaded), now)

    def _taken_over(self, old_id: str, now: int) -> Record | None:
        """The record that a session of the old store has become, None when it has not moved yet."""
        for session_id in self._derived(old_id):
            try:
                taken_over = self._new.load(sign(session_id, self._keyring.signing[0]), now)
            except Refused as refusal:
                if refusal.reason != "unknown-id":
                    raise
            else:
                taken_over.stale = True  # The visitor's cookie is still the old one.
                return taken_over
        return None

    def _take_over(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool = False
    ) -> Written | None:
        old = _old(loaded)
        if not self._new.on_server:
            return self._into_the_cookie(old, record, delta, now, signing_in=signing_in)
        record.origin_ends = loaded.origin_ends
        try:
            value = self._new.create(record, now)
        except IdTaken:  # A parallel request was first: this one's changes join it.
            moved = self._moved(loaded, now)
            if moved is None:
                return None
            delta, lost = _on(moved, delta)
            written = self._new.update(moved, record, delta, now)
            return written and Written(written.value, tuple(dict.fromkeys((*lost, *written.lost))))
        self._old.destroy(old, now)
        return Written(value)

    def _into_the_cookie(
        self, old: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        if self._old.renew(old, record, now) is None:  # It ended, or got a new id, while this request ran.
            return self._old.replace(old, record, delta, now, signing_in=True) if signing_in else None
        try:
            value = self._new.create(record, now)
        except SessionTooLarge:
            return self._stay(old, record, delta, now, signing_in=signing_in)
        return Written(value) if self._leave(old, now) or signing_in else None

    def _leave(self, old: Record, now: int) -> bool:
        """End the old record as one that was replaced, so that who still comes with its cookie is known to be late.

        False when another request has ended or moved it.
        """
        successor = old.copied(id=self._derived(old.id)[0], data={}, flashes=())
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

    def _moved(self, record: Record, now: int) -> Record | None:
        """The record in the new store, put there unless another request was first; None when it has ended."""
        try:
            value = self._new.create(record, now)
        except IdTaken:
            value = sign(record.id, self._keyring.signing[0])
        try:
            return self._new.load(value, now)
        except Refused:
            return None

    def _derived(self, old_id: str) -> list[str]:
        """The ids, by each secret, under which a session of the old store is kept: nobody can choose or guess them."""
        from hmac import digest

        keys = self._keyring.derived("moved session")
        return [urlsafe_b64encode(digest(key, old_id.encode(), "sha256")[:18]).decode() for key in keys]


def _old(loaded: Record) -> Record:
    """The record as the old store gave it: the one that was handed out has been changed since."""
    if not isinstance(loaded.state, Record):
        raise TypeError("This record was not loaded from the old store.")
    return loaded.state


def _on(moved: Record, delta: Delta | None) -> tuple[Delta | None, tuple[Path, ...]]:
    """The delta on what another request has moved already."""
    return (None, ()) if delta is None else delta.rebased(moved.values)
