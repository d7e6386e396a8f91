"""The contract of a session store.

A store turns a cookie's value into a `Record` and back. It is handed finished records: which key may be
written, how long a session lives and when it is renewed are the session manager's affair.

A session that is absent, expired, forged or malformed is `Refused` with a reason, never an error: a
visitor sent it. `StoreError` is for what the store's own system refuses (an outage must never look like
a visitor without a session). Times are Unix seconds and always come as arguments.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from arc.sessions.delta import Delta, Path
    from arc.sessions.record import Record
else:
    Protocol = object


TOMBSTONE = 900
"""Seconds for which a replaced id is remembered, so that a sign-out finds the session that has replaced it.

A request that loaded the session before may still sign out: an invocation on Lambda runs for up to 15 minutes.
"""


class IdTaken(Exception):
    """A new record's id is in use; the session manager mints another one. Never leaves the core."""


class Written:
    """What came of a write: the cookie's `value`, and the paths at which one of two writers lost something.

    `stayed` tells that a session which was to move did not fit into its new store, and is kept in the old one.
    """

    __slots__ = ("lost", "stayed", "value")

    def __init__(self, value: str, lost: tuple[Path, ...] = (), *, stayed: bool = False) -> None:
        self.value, self.lost, self.stayed = value, lost, stayed


class Store(Protocol):
    """What the session manager asks of a store; `arc.testing.StoreContract` holds every one to it.

    The flags say what a store can promise; the contract's tests ask a store for no more than that.
    """

    revocable: bool
    """True when a destroyed or regenerated session's old cookie opens nothing."""

    on_server: bool
    """True when data stays on the server: a renewal then sends nothing old that could undo a parallel write."""

    merges: bool
    """True when parallel writers keep each other's work; a store that does not merge ignores the deltas it is given."""

    typed_numbers: bool
    """True when 1.0 comes back as 1.0 and not as 1: a database may have one kind of number."""

    def load(self, value: str, now: int) -> Record:
        """The record that a cookie's value stands for. Raises `Refused`, `StoreError`."""

    def create(self, record: Record, now: int) -> str:
        """Store a new record and return its cookie value. An id in use is never overwritten: `IdTaken`."""

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written | None:
        """Store the changed record, or `delta` on what is stored now; None when the session has gone meanwhile.

        Nothing is brought back that has gone.
        """

    def replace(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        """Store `record` under its new id and end `loaded`, at once. Raises `IdTaken`.

        When `loaded` has gone meanwhile: None, unless the visitor is `signing_in`, which never fails for that.
        What replaced it keeps the data; what ended it does not, and only this request's own changes are stored.
        """

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Move the end of the session to `record.expires`, unless another request moved it since the load.

        None when the session has gone meanwhile.
        """

    def destroy(self, loaded: Record, now: int) -> None:
        """End the session and every session that has replaced it. Repeating it is no error and misses nothing.

        `loaded` may be the `replaced` of a `Refused`.
        """
