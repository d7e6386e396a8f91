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
    new = Expression()
    new.demand("attribute_not_exists", ("_idx",))
    ends = max(now + TOMBSTONE, row.origin_ends or 0)
    old = tombstone(row.id, ends, item["_idx"]["S"])
    unchanged = alive(row, now, unchanged=True)
    return {
        "TransactItems": [
            {"Put": {"Item": item, **new.conditional()}},
            {"Put": {"Item": old, **unchanged.conditional()}},
        ],
        "ClientRequestToken": token,
    }


def reason(refusal: Refusal, part: int) -> tuple[bool, dict[str, Any] | None]:
    """Whether a part of a transaction did not meet its condition, and the row it met instead."""
    code, item = refusal.reasons[part] if part < len(refusal.reasons) else ("", None)
    return code == "ConditionalCheckFailed", item
