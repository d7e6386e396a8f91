"""Sessions in a DynamoDB table, where parallel requests keep each other's work and the dead stay dead."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode

from arc.errors import SessionTooLarge, StoreError
from arc.sessions.delta import Delta
from arc.sessions.refused import Refused
from arc.sessions.signing import sign, unsign
from arc.sessions.stores.dynamodb import expression
from arc.sessions.stores.dynamodb.attributes import encode, size
from arc.sessions.stores.dynamodb.replacement import moved, reason, replacement
from arc.sessions.stores.dynamodb.row import Row, item_of, successor_of, tombstone
from arc.sessions.stores.dynamodb.transport import Refusal, pause
from arc.sessions.stores.store import IdTaken, Written
from arc.sessions.time_left import time_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from arc.sessions.delta import Path
    from arc.sessions.keyring import Keyring
    from arc.sessions.record import Record
    from arc.sessions.stores.dynamodb.table import SessionTable

_MOST_ATTEMPTS = 10
_MOST_SUCCESSORS = 10
_LONGEST_ID = 1024  # bytes of a partition key


class DynamoStore:
    """Sessions as rows of `table`, found by a signed id.

    `random(n)` gives n bytes, `sleep(seconds)` waits between attempts, within the seconds that
    `left()` gives. A session over `max_bytes` is refused.
    With `consistent` false a read may be a moment old; what it does not find is then read again.
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
        left: Callable[[], float | None] = time_left,
        max_bytes: int = 65_536,
        consistent: bool = True,
    ) -> None:
        self._keyring, self._table, self._random = keyring, table, random
        self._sleep, self._left = sleep, left
        self._max_bytes, self._consistent = max_bytes, consistent

    def load(self, value: str, now: int) -> Record:
        """The record of a signed id. Raises `Refused`, `StoreError`."""
        session_id, signed_by = unsign(value, self._keyring.signing)
        if not 0 < len(session_id.encode()) <= _LONGEST_ID:
            raise Refused("malformed")
        item = self._get(session_id, consistent=self._consistent)
        if item is None and not self._consistent:
            item = self._get(session_id)
        if item is None:
            raise Refused("unknown-id")
        return Row(item, now).record(now, stale=signed_by > 0)

    def create(self, record: Record, now: int) -> str:  # noqa: ARG002  # the contract's shape
        """Insert a row. Raises `IdTaken`, `SessionTooLarge`, `StoreError`."""
        self._insert(item_of(record, self._secret()))
        return self._value(record.id)

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written | None:
        """Make the change on the row as it is now; None when the session has gone. Raises `SessionTooLarge`."""
        row, delta = _row(loaded), delta or Delta((), {})
        self._fit(item_of(record, row.secret))
        token = self._token()
        lost: dict[Path, None] = {}  # in order, each once
        for attempt in range(_MOST_ATTEMPTS):
            facts = {"_ttl": record.expires}
            if row.created is None:
                facts["_arc_created"] = record.created
            operation, request = expression.change(row, delta, facts, now, token)
            try:
                answer = self._table(operation, request)
            except Refusal as refusal:
                current = self._current(row, refusal, now, attempt)
                if current is None:
                    return None
                if token in (current.done or ()):
                    return Written(self._value(row.id), tuple(lost))
                row = current
                delta, more = delta.rebased(row.values)
                lost |= dict.fromkeys(more)
                continue
            lost |= dict.fromkeys(expression.overwritten(delta, answer.get("Attributes", {})))
            return Written(self._value(row.id), tuple(lost))
        raise _contended()

    def replace(
        self, loaded: Record, record: Record, delta: Delta | None, now: int, *, signing_in: bool
    ) -> Written | None:
        """Insert the session under its new id and end the old one, in one transaction. Raises as `create` does."""
        row, delta = _row(loaded), delta or Delta((), {})
        secret = self._secret()
        lost: dict[Path, None] = {}
        for attempt in range(_MOST_ATTEMPTS):
            item = moved(row, record, delta, secret)
            self._fit(item)
            try:
                self._table("TransactWriteItems", replacement(row, item, now, self._token()))
            except Refusal as refusal:
                taken, _ = reason(refusal, 0)
                if taken and self._is_ours(record.id, secret):
                    return Written(self._value(record.id), tuple(lost))
                if taken:
                    raise IdTaken from None
                stale, old = reason(refusal, 1)
                if not stale and refusal.code != "TransactionCanceledException":
                    raise self._explained(refusal) from None
                old = self._again(row, old, attempt)
                current = _living(old, now)
                if current is None:
                    return self._signed_in_anew(row, record, delta, old, lost) if signing_in else None
                row = current
                delta, more = delta.rebased(row.values)
                lost |= dict.fromkeys(more)
                continue
            return Written(self._value(record.id), tuple(lost))
        raise _contended()

    def renew(self, loaded: Record, record: Record, now: int) -> str | None:
        """Move the end of the row; None when the session has gone."""
        row = _row(loaded)
        update = expression.alive(row, now)
        update.set(("_ttl",), record.expires)
        if row.created is None:
            update.set(("_arc_created",), record.created)
        request = {"Key": {"_idx": {"S": row.id}}, "UpdateExpression": update.update, **update.conditional()}
        try:
            self._table("UpdateItem", request)
        except Refusal as refusal:
            if refusal.code != "ConditionalCheckFailedException":
                raise self._explained(refusal) from None
            return None
        return self._value(row.id)

    def destroy(self, loaded: Record, now: int) -> None:
        """Delete the row, and that of the session which has replaced it.

        Where an older token could bring the session back, a row that nobody can read stays so long.
        """
        session_id: str | None = loaded.id
        buried_until = loaded.origin_ends or 0
        for _ in range(_MOST_SUCCESSORS):
            if session_id is None:
                return
            if buried_until > now:
                request: dict[str, Any] = {"Item": tombstone(session_id, buried_until, None)}
                answer = self._asked("PutItem", {**request, "ReturnValues": "ALL_OLD"})
            else:
                request = {"Key": {"_idx": {"S": session_id}}, "ReturnValues": "ALL_OLD"}
                answer = self._asked("DeleteItem", request)
            session_id, buried_until = successor_of(answer.get("Attributes") or {}), 0

    # -- parts

    def _signed_in_anew(
        self, row: Row, record: Record, delta: Delta, old: dict[str, Any] | None, lost: dict[Path, None]
    ) -> Written:
        """A row for a sign-in whose old session has gone: with its data when it was replaced, without when it ended."""
        secret = self._secret()
        if old is not None and successor_of(old) is not None:
            item = moved(row, record, delta, secret)
        else:
            own, more = delta.rebased({})
            lost |= dict.fromkeys(more)
            item = item_of(record, secret, over={key: encode(value) for key, value in own.ours.items()})
        self._insert(item)
        return Written(self._value(record.id), tuple(lost))

    def _insert(self, item: dict[str, Any]) -> None:
        self._fit(item)
        new = expression.Expression()
        new.demand("attribute_not_exists", ("_idx",))
        try:
            self._table("PutItem", {"Item": item, **new.conditional()})
        except Refusal as refusal:
            if refusal.code != "ConditionalCheckFailedException":
                raise self._explained(refusal) from None
            if not self._is_ours(item["_idx"]["S"], item["_secret"]["S"]):
                raise IdTaken from None

    def _is_ours(self, session_id: str, secret: str) -> bool:
        """True when the row is the one that an earlier attempt inserted, whose answer was lost."""
        found = self._get(session_id)
        return found is not None and found.get("_secret") == {"S": secret}

    def _again(self, row: Row, told: dict[str, Any] | None, attempt: int) -> dict[str, Any] | None:
        """The row as it is now: as the refusal told it at first, read after a pause when that was stale again."""
        if attempt:
            self._sleep(pause(attempt - 1, self._random, self._left()))
        return told if told is not None and not attempt else self._get(row.id)

    def _current(self, row: Row, refusal: Refusal, now: int, attempt: int) -> Row | None:
        """The row as it is now, after a change was refused; None when the session has gone."""
        if refusal.code not in ("ConditionalCheckFailedException", "ValidationException"):
            raise self._explained(refusal) from None
        current = _living(self._again(row, refusal.item, attempt), now)
        if current is not None and current.secret != row.secret:
            return None
        if refusal.code == "ValidationException" and (
            current is not None and (current.revision, current.ends) == (row.revision, row.ends)
        ):
            raise self._explained(refusal) from None  # Nobody else is to blame.
        return current

    def _get(self, session_id: str, *, consistent: bool = True) -> dict[str, Any] | None:
        answer = self._asked("GetItem", {"Key": {"_idx": {"S": session_id}}, "ConsistentRead": consistent})
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def _asked(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._table(operation, request)
        except Refusal as refusal:
            raise self._explained(refusal) from None

    def _explained(self, refusal: Refusal) -> Exception:
        if "size" in refusal.message and "exceeded" in refusal.message:
            return SessionTooLarge("The session is larger than the 400 KB that DynamoDB keeps in a row. Store less.")
        if "schema" in refusal.message or "key element" in refusal.message:
            return StoreError(
                f"The table {self._table.name} is no session table: its key is not _idx (String) alone. "
                "Declare one in app.arc (@tables, session, _idx *String, _ttl TTL), run `arc create`, "
                "and set SESSION_TABLE_NAME to it."
            )
        return StoreError(f"DynamoDB refused a session: {refusal}.")

    def _fit(self, item: dict[str, Any]) -> None:
        total = size(item)
        if total <= self._max_bytes:
            return
        sizes = sorted(((size({key: item[key]}), key) for key in item), reverse=True)
        largest = ", ".join(f"{key!r} ({length:,} bytes)" for length, key in sizes[:3])
        raise SessionTooLarge(
            f"The session takes {total:,} bytes, and {self._max_bytes:,} are allowed. Largest: {largest}. "
            "Store less, or raise ARC_SESSION_MAX_BYTES (DynamoDB takes 400 KB, and bills all of it at every write)."
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


def _living(item: dict[str, Any] | None, now: int) -> Row | None:
    try:
        return Row(item, now) if item is not None else None
    except Refused:
        return None


def _contended() -> StoreError:
    return StoreError(
        f"Other requests changed this session {_MOST_ATTEMPTS} times while it was being committed. Try again."
    )
