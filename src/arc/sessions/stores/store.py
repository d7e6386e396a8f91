"""The contract of a session store.

A store converts a cookie's value to a `Record` and back. The session manager decides which keys may be written, how
long a session lives and when it is renewed, and passes complete records.

A session that is absent, expired, forged or malformed raises `Refused` with a reason, because visitors can send
anything. `StoreError` is for failures of the store's own system: an outage must never look like a visitor without a
session. Times are Unix seconds and always arguments.
"""

from __future__ import annotations

from arc.sessions.record import IdTaken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from arc.sessions.delta import Delta, Path
    from arc.sessions.record import Record
else:
    Protocol = object

__all__ = ["TOMBSTONE", "IdTaken", "Store", "Written"]

TOMBSTONE = 900
"""Seconds for which a replaced id is remembered, so that a sign-out also ends the session that replaced it.

A request that loaded the old session may still sign out: an invocation on Lambda runs for up to 15 minutes.
"""


class Written:
    """The result of a write: the cookie's `value`, and the paths where one of two writers lost something.

    `stayed` is true for a session that should have moved to a new store, but did not fit there.
    """

    __slots__ = ("lost", "stayed", "value")

    def __init__(self, value: str, lost: tuple[Path, ...] = (), *, stayed: bool = False) -> None:
        self.value, self.lost, self.stayed = value, lost, stayed


class Store(Protocol):
    """A session store. `arc.testing.StoreContract` tests it.

    The flags describe the store, and the tests depend on them.
    """

    revocable: bool
    """True when the old cookie of a destroyed or regenerated session is invalid."""

    on_server: bool
    """True when data stays on the server, so that a renewal cannot overwrite a parallel write with old data."""

    merges: bool
    """True when parallel writes are merged. Other stores ignore the deltas."""

    typed_numbers: bool
    """True when 1.0 is loaded as 1.0 and not as 1."""

    def load(self, value: str, now: int) -> Record:
        """Return the record that a cookie's value identifies. Raises `Refused` and `StoreError`."""

    def create(self, record: Record, now: int) -> str:
        """Store a new record and return its cookie value. Raises `IdTaken` for an id in use."""

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written | None:
        """Store the changed record, or apply `delta` to the stored one. Return None when the session has ended."""

    def replace(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        """Store `record` under its new id and end `loaded` in one step. Raises `IdTaken`.

        Return None when `loaded` has ended, unless the visitor is `signing_in`. In that case the new session has all
        data if another session has replaced `loaded`, and otherwise only this request's changes.
        """

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Move the session's end to `record.expires`, unless another request has moved it since the load.

        Return None when the session has ended.
        """

    def destroy(self, loaded: Record, now: int) -> None:
        """End the session and every session that has replaced it. Idempotent.

        `loaded` may be the `replaced` of a `Refused`.
        """
