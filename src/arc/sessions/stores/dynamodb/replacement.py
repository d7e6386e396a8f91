"""A session's move to a new id, as one transaction."""

from __future__ import annotations

from arc.sessions.stores.dynamodb.attributes import copied, make
from arc.sessions.stores.dynamodb.expression import Expression, alive
from arc.sessions.stores.dynamodb.row import item_of, tombstone
from arc.sessions.stores.store import TOMBSTONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.sessions.delta import Delta
    from arc.sessions.record import Record
    from arc.sessions.stores.dynamodb.row import Row
    from arc.sessions.stores.dynamodb.transport import Refusal


def moved(row: Row, record: Record, delta: Delta, secret: str) -> dict[str, Any]:
    """The row under its new id: all of the old one with our changes, or ours alone where they replace everything."""
    if delta.replaces:
        return item_of(record, secret)
    item = copied(row.item)
    for change in delta.changes:
        make(change, item)
    return item_of(record, secret, over=item)


def replacement(row: Row, item: dict[str, Any], now: int, token: str) -> dict[str, Any]:
    """The request, but for the table, that inserts `item` and puts a tombstone over the row it was."""
    ends = max(now + TOMBSTONE, row.origin_ends or 0)
    old = tombstone(row.id, ends, {"_arc_next": [item["_idx"]["S"]], "_arc_replaced": now})
    unchanged = alive(row, now, unchanged=True)
    return _transaction(token, _inserted(item), {"Put": {"Item": old, **unchanged.conditional()}})


def second_replacement(session_id: str, heir: Row, item: dict[str, Any], now: int, token: str) -> dict[str, Any]:
    """The request, but for the table, that inserts `item` beside the session that has replaced `session_id`.

    The tombstone gets it as a further successor, on the condition that the `heir` still lives.
    """
    new = item["_idx"]["S"]
    known = Expression()
    known.demand("attribute_exists", ("_arc_next",))
    known.append(("_arc_next",), [new])
    tombstone_update = {"Key": {"_idx": {"S": session_id}}, "UpdateExpression": known.update, **known.conditional()}
    heir_check = {"Key": {"_idx": {"S": heir.id}}, **alive(heir, now).conditional()}
    return _transaction(token, _inserted(item), {"Update": tombstone_update}, {"ConditionCheck": heir_check})


def reason(refusal: Refusal, part: int) -> tuple[bool, dict[str, Any] | None]:
    """Whether a part of a transaction did not meet its condition, and the row it met instead."""
    code, item = refusal.reasons[part] if part < len(refusal.reasons) else ("", None)
    return code == "ConditionalCheckFailed", item


def _inserted(item: dict[str, Any]) -> dict[str, Any]:
    new = Expression()
    new.demand("attribute_not_exists", ("_idx",))
    return {"Put": {"Item": item, **new.conditional()}}


def _transaction(token: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": list(parts), "ClientRequestToken": token}
