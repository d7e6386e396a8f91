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

    from arc.sessions.record import Record
else:
    Protocol = object


class Store(Protocol):
    """What the session manager asks of a store; `arc.testing.StoreContract` holds every one to it."""

    revocable: bool
    """True when a destroyed or regenerated session's old cookie opens nothing."""

    on_server: bool
    """True when data stays on the server: a renewal then sends nothing old that could undo a parallel write."""

    def load(self, value: str, now: int) -> Record:
        """The record that a cookie's value stands for. Raises `Refused`, `StoreError`."""

    def create(self, record: Record, now: int) -> str:
        """Store a new record and return its cookie value; an existing id is never overwritten."""

    def update(self, loaded: Record, record: Record, now: int) -> str | None:
        """Store the changed record; None when the session has gone meanwhile, and nothing is brought back."""

    def replace(self, loaded: Record, record: Record, now: int) -> str:
        """Store `record` under its new id and end `loaded`; works too when `loaded` has gone."""

    def renew(self, loaded: Record, record: Record, now: int) -> str | None:
        """Move the end of the session to `record.expires`; None when it has gone meanwhile."""

    def destroy(self, loaded: Record, now: int) -> None:
        """End the session; one that has gone already is no error."""
