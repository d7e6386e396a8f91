"""Sessions in a DynamoDB table, which merge parallel changes and never restore an ended session."""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64encode

from arc.errors import SessionTooLarge, StoreError
from arc.sessions.delta import Delta
from arc.sessions.record import Refused
from arc.sessions.signing import sign, unsign
from arc.sessions.stores.dynamodb import expression
from arc.sessions.stores.dynamodb.attributes import encode, size
from arc.sessions.stores.dynamodb.expression import moved, reason, replacement, second_replacement
from arc.sessions.stores.dynamodb.row import Row, item_of, successors_of, tombstone
from arc.sessions.stores.dynamodb.transport import Refusal, pause
from arc.sessions.stores.store import IdTaken, Written
from arc.sessions.visit import time_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from arc.sessions.delta import Path
    from arc.sessions.keyring import Keyring
    from arc.sessions.record import Record
    from arc.sessions.stores.dynamodb.table import SessionTable

_MOST_ATTEMPTS = 10
_LONGEST_ID = 1024  # bytes of a partition key
_NO_CHANGE = Delta((), {})
_TOO_LARGE = re.compile(r"Item size .*exceeded")


class DynamoStore:
    """Sessions as rows of `table`, found by a signed id.

    `random(n)` returns n bytes. `sleep(seconds)` waits between attempts; `left()` and `monotonic()` return the seconds
    that limit it. A session over `max_bytes` is refused. Without `consistent`, reads may be slightly outdated, and a
    row that is not found is read again consistently.
    """

    revocable = True
    on_server = True
    merges = True
    typed_numbers = False

    def __init__(
        self,
        keyring: Keyring,
        table: SessionTable,
        *,
        random: Callable[[int], bytes],
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        left: Callable[[], float | None] = time_left,
        max_bytes: int = 65_536,
        consistent: bool = True,
    ) -> None:
        self._keyring, self._table, self._random = keyring, table, random
        self._sleep, self._monotonic, self._left = sleep, monotonic, left
        self._max_bytes, self._consistent = max_bytes, consistent

    def load(self, value: str, now: int) -> Record:
        """Return the record of a signed id. Raises `Refused` and `StoreError`."""
        session_id, signed_by = unsign(value, self._keyring.signing)
        if len(session_id) > _LONGEST_ID:  # signed ids are ASCII
            raise Refused("malformed")
        item = self._get(session_id, consistent=self._consistent)
        if item is None and not self._consistent:
            item = self._get(session_id)
        if item is None:
            raise Refused("unknown-id")
        return Row(item, now).record(now, stale=signed_by > 0)

    def create(self, record: Record, now: int) -> str:  # noqa: ARG002  # part of the contract
        """Insert a row. Raises `IdTaken`, `SessionTooLarge` and `StoreError`."""
        self._insert(item_of(record, self._secret()))
        return self._value(record.id)

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written | None:
        """Apply the change to the current row. Return None when the session has ended. Raises `SessionTooLarge`."""
        row, delta = _row(loaded), delta or _NO_CHANGE
        self._fit(item_of(record, row.secret))
        token = self._token()
        lost: dict[Path, None] = {}  # an ordered set
        for attempt in self._attempts():
            facts = {"_ttl": record.expires}
            if row.created is None:
                facts["_arc_created"] = record.created
            operation, request = expression.change(row, delta, facts, now, token)
            try:
                response = self._table(operation, request)
            except Refusal as refusal:
                current = self._current(row, refusal, now, attempt, delta)
                if current is None:
                    return None
                if token not in (current.done or ()):
                    row = current
                    delta, more = delta.rebase(row.values)
                    lost |= dict.fromkeys(more)
                    continue
                # An earlier attempt took effect. What it overwrote was in its lost response.
                overwritten = delta.assigned_paths if current.was_overtaken(token, row) else []
            else:
                overwritten = expression.overwritten(delta, response.get("Attributes", {}))
            break
        lost |= dict.fromkeys(overwritten)
        return Written(self._value(row.id), tuple(lost))

    def replace(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        """Insert the session under its new id and end the old one in one transaction. Raises as `create` does."""
        row, delta = _row(loaded), delta or _NO_CHANGE
        secret = self._secret()
        lost: dict[Path, None] = {}
        for attempt in self._attempts():
            item = moved(row, record, delta, secret)
            self._fit(item)
            refusal = self._refusal_of(replacement(row, item, now, self._token()), record.id, secret)
            if refusal is None:
                break
            stale, old = reason(refusal, 1)
            if not stale and refusal.code != "TransactionCanceledException":
                raise self._explain(refusal)
            current = self._reread_living(row, old, now, attempt)
            if current is None:
                return self._insert_sign_in(row, record, delta, now, lost) if signing_in else None
            row = current
            delta, more = delta.rebase(row.values)
            lost |= dict.fromkeys(more)
        return Written(self._value(record.id), tuple(lost))

    def renew(self, loaded: Record, record: Record, now: int) -> Written | None:
        """Move the session's end, unless another request moved it. Return None when the session has ended."""
        row = _row(loaded)
        update = expression.alive(row, now)
        update.demand("=", ("_ttl",), row.ends)
        update.set(("_ttl",), record.expires)
        if row.created is None:
            update.set(("_arc_created",), record.created)
        request = {"Key": {"_idx": {"S": row.id}}, "UpdateExpression": update.update, **update.conditional()}
        try:
            self._table("UpdateItem", request)
        except Refusal as refusal:
            if self._current(row, refusal, now) is None:
                return None
        return Written(self._value(row.id))

    def destroy(self, loaded: Record, now: int) -> None:
        """Delete the row and those of the sessions that have replaced it. The tombstones between them stay.

        If an older token could restore the session, a tombstone replaces its row until the token has expired.
        """
        ids, known = [loaded.id], 0
        while known < len(ids):  # While a successor exists, a sign-in may add another one.
            known = len(ids)
            for session_id in ids:  # The list grows during the loop.
                buried_until = (loaded.origin_ends or 0) if session_id == loaded.id else 0
                ids += [one for one in self._end(session_id, buried_until, now) if one not in ids]

    # -- parts

    def _attempts(self) -> Iterator[int]:
        """Yield the number of each attempt at one commit, from 0. Raises `StoreError` after the last one."""
        end = self._monotonic() + expression.LONGEST_COMMIT
        attempt = 0
        while attempt < _MOST_ATTEMPTS and self._monotonic() <= end:
            yield attempt
            attempt += 1
        raise StoreError(
            f"Other requests changed this session during each of {attempt} attempts to commit it. Try again."
        )

    def _end(self, session_id: str, buried_until: int, now: int) -> list[str]:
        """Delete one session's row, or replace it by a tombstone. Return the ids of its successors.

        An existing tombstone stays, so that a retry after a lost response finds them again.
        """
        no_successor = expression.Expression()
        no_successor.demand("attribute_not_exists", ("_arc_next",))
        if buried_until > now:
            operation, request = "PutItem", {"Item": tombstone(session_id, buried_until, {"_arc_ended": True})}
        else:
            operation, request = "DeleteItem", {"Key": {"_idx": {"S": session_id}}}
        try:
            self._table(operation, {**request, **no_successor.conditional()})
        except Refusal as refusal:
            if refusal.code != "ConditionalCheckFailedException":
                raise self._explain(refusal) from None
            return successors_of(refusal.item or self._get(session_id))
        return []

    def _insert_sign_in(
        self, row: Row, record: Record, delta: Delta, now: int, lost: dict[Path, None]
    ) -> Written | None:
        """Insert a row for a sign-in whose session has ended, with its data if a session that replaced it exists.

        Return None when an earlier attempt took effect and another request has signed out since.
        """
        secret = self._secret()
        for attempt in self._attempts():
            old = self._reread(row, None, attempt)
            if record.id in successors_of(old):
                return None
            successor = self._find_successor(old, now)
            if successor is None:
                own, more = delta.rebase({})
                lost |= dict.fromkeys(more)
                self._insert(item_of(record, secret, over={key: encode(value) for key, value in own.ours.items()}))
                break
            item = moved(row, record, delta, secret)
            self._fit(item)
            request = second_replacement(row.id, successor, item, now, self._token())
            refusal = self._refusal_of(request, record.id, secret)
            if refusal is None:
                break
            if refusal.code != "TransactionCanceledException":
                raise self._explain(refusal)
        return Written(self._value(record.id), tuple(lost))

    def _find_successor(self, tombstone: dict[str, Any] | None, now: int) -> Row | None:
        """Return an existing session that has replaced the one of a `tombstone`, directly or indirectly."""
        ids = successors_of(tombstone)
        for session_id in ids:  # The list grows during the loop.
            item = self._get(session_id)
            row = _living(item, now)
            if row is not None:
                return row
            ids += [one for one in successors_of(item) if one not in ids]
        return None

    def _refusal_of(self, transaction: dict[str, Any], session_id: str, secret: str) -> Refusal | None:
        """Run a transaction that first inserts `session_id`. Return why it was refused, or None. Raises `IdTaken`."""
        try:
            self._table("TransactWriteItems", transaction)
        except Refusal as refusal:
            taken, _ = reason(refusal, 0)
            if not taken:
                return refusal
            if not self._is_ours(session_id, secret):
                raise IdTaken from None
        return None

    def _insert(self, item: dict[str, Any]) -> None:
        self._fit(item)
        try:
            self._table("PutItem", expression.insertion(item))
        except Refusal as refusal:
            if refusal.code != "ConditionalCheckFailedException":
                raise self._explain(refusal) from None
            if not self._is_ours(item["_idx"]["S"], item["_secret"]["S"]):
                raise IdTaken from None

    def _is_ours(self, session_id: str, secret: str) -> bool:
        """True when an earlier attempt inserted the row and its response was lost."""
        item = self._get(session_id)
        return item is not None and item.get("_secret") == {"S": secret}

    def _reread(self, row: Row, refused_by: dict[str, Any] | None, attempt: int) -> dict[str, Any] | None:
        """Return the current row: at first the one in the refusal, after another attempt the one in the table."""
        if attempt:
            self._sleep(pause(attempt - 1, self._random, self._left()))
        return refused_by if refused_by is not None and not attempt else self._get(row.id)

    def _reread_living(self, row: Row, refused_by: dict[str, Any] | None, now: int, attempt: int) -> Row | None:
        """Return the session's current row, None when it has ended. Another session may have its id then."""
        current = _living(self._reread(row, refused_by, attempt), now)
        return current if current is not None and current.secret == row.secret else None

    def _current(self, row: Row, refusal: Refusal, now: int, attempt: int = 0, delta: Delta = _NO_CHANGE) -> Row | None:
        """Return the current row after a refused change, None when the session has ended."""
        if refusal.code not in ("ConditionalCheckFailedException", "ValidationException"):
            raise self._explain(refusal) from None
        current = self._reread_living(row, refusal.item, now, attempt)
        if refusal.code == "ValidationException" and current is not None and _unchanged(row, current, delta):
            raise self._explain(refusal) from None  # No other request caused this.
        return current

    def _get(self, session_id: str, *, consistent: bool = True) -> dict[str, Any] | None:
        try:
            response = self._table("GetItem", {"Key": {"_idx": {"S": session_id}}, "ConsistentRead": consistent})
        except Refusal as refusal:
            raise self._explain(refusal) from None
        item: dict[str, Any] | None = response.get("Item")
        return item

    @staticmethod
    def _explain(refusal: Refusal) -> Exception:
        if _TOO_LARGE.search(refusal.message):
            return SessionTooLarge("The session is larger than DynamoDB's limit of 400 KB for a row. Store less.")
        return StoreError(f"DynamoDB refused a session: {refusal}.")

    def _fit(self, item: dict[str, Any]) -> None:
        total = size(item)
        if total <= self._max_bytes:
            return
        sizes = sorted(((size({key: item[key]}), key) for key in item), reverse=True)
        largest = ", ".join(f"{key!r} ({length:,} bytes)" for length, key in sizes[:3])
        raise SessionTooLarge(
            f"The session has {total:,} bytes, and {self._max_bytes:,} are allowed. Largest: {largest}. Store less, or "
            "raise ARC_SESSION_MAX_BYTES. (DynamoDB's limit is 400 KB, and every write is billed for the whole row.)"
        )

    def _value(self, session_id: str) -> str:
        return sign(session_id, self._keyring.signing[0])

    def _secret(self) -> str:
        return urlsafe_b64encode(self._random(18)).decode()

    def _token(self) -> str:
        return self._random(12).hex()


def _row(loaded: Record) -> Row:
    if not isinstance(loaded.state, Row):
        raise TypeError("This record was not loaded from DynamoDB.")
    return loaded.state


def _unchanged(before: Row, row: Row, delta: Delta) -> bool:
    """True when no other writer has changed what a `delta` depends on. Not every writer counts revisions."""
    is_same = (row.revision, row.ends, row.values) == (before.revision, before.ends, before.values)
    return is_same and not any(row.hides(one.path) and not before.hides(one.path) for one in delta.changes)


def _living(item: dict[str, Any] | None, now: int) -> Row | None:
    try:
        return Row(item, now) if item is not None else None
    except Refused:
        return None
