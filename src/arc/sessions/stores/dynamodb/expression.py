"""Building the requests that change a session's row."""

from __future__ import annotations

from arc.sessions.delta import MISSING, alike
from arc.sessions.stores.dynamodb.attributes import apply_change, decode_map, encode
from arc.sessions.stores.dynamodb.row import commit_stamp, item_of, tombstone
from arc.sessions.stores.store import TOMBSTONE
from arc.sessions.values import deep_copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from arc.sessions.delta import Delta, Path
    from arc.sessions.record import Record
    from arc.sessions.stores.dynamodb.row import Row
    from arc.sessions.stores.dynamodb.transport import Refusal

# DynamoDB's limits for one expression.
MAX_BYTES = 4096
MAX_OPERATORS = 300
LONGEST_COMMIT = 30  # seconds after which a commit is not retried
_REMEMBERED = 60  # seconds for which a commit's token is stored: longer than its retries, even if clocks differ
_MOST_FORGOTTEN = 20  # tokens that one commit removes
_ADDITIONS = ("append", "create", "increment")  # the changes that depend on the value before


class Expression:
    """The parts of one update. Every name and value has an alias, because DynamoDB rejects names like `_idx`."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self._aliases: dict[str, str] = {}
        self._parts: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": []}
        self._conditions: list[str] = []
        self._operators = 0

    def name(self, *path: str) -> str:
        """Return the alias of a path."""
        for key in path:
            if key not in self._aliases:
                self._aliases[key] = f"#n{len(self._aliases)}"
                self.names[self._aliases[key]] = key
        return ".".join(self._aliases[key] for key in path)

    def value(self, value: Any) -> str:
        """Return the alias of a value."""
        alias = f":v{len(self.values)}"
        self.values[alias] = encode(value)
        return alias

    def set(self, path: Sequence[str], value: Any) -> None:
        """Put `value` at `path`."""
        self._add("SET", f"{self.name(*path)} = {self.value(value)}", 1)

    def set_to_sum(self, path: Sequence[str], attribute: str, number: int) -> None:
        """Put the sum of `number` and the row's `attribute` before this update (0 when missing) at `path`."""
        before = f"if_not_exists({self.name(attribute)}, {self.value(0)})"
        self._add("SET", f"{self.name(*path)} = {before} + {self.value(number)}", 3)

    def append(self, path: Sequence[str], elements: list[Any]) -> None:
        """Append `elements` to the list at `path`, which is created when it is missing."""
        name = self.name(*path)
        self._add("SET", f"{name} = list_append(if_not_exists({name}, {self.value([])}), {self.value(elements)})", 3)

    def remove(self, path: Sequence[str]) -> None:
        """Remove the value at `path`."""
        self._add("REMOVE", self.name(*path), 1)

    def add(self, path: Sequence[str], number: float) -> None:
        """Add `number` to the number at `path`, 0 when it is missing."""
        name = self.name(*path)
        if len(path) == 1:
            self._add("ADD", f"{name} {self.value(number)}", 1)
        else:  # ADD supports only top-level attributes.
            self._add("SET", f"{name} = if_not_exists({name}, {self.value(0)}) + {self.value(number)}", 3)

    def demand(self, comparison: str, path: Sequence[str], value: Any = None) -> None:
        """Add a condition: `=` or `>` with a value, `attribute_exists` or `attribute_not_exists`."""
        name = self.name(*path)
        text = (
            f"{comparison}({name})"
            if comparison.startswith("attribute")
            else f"{name} {comparison} {self.value(value)}"
        )
        self._conditions.append(text)
        self._operators += 2

    @property
    def fits(self) -> bool:
        """True when the expressions are within DynamoDB's limits."""
        longest = max(len(self.update.encode()), len(self.condition.encode()))
        return longest <= MAX_BYTES and self._operators <= MAX_OPERATORS

    @property
    def update(self) -> str:
        """The UpdateExpression."""
        return " ".join(f"{word} {', '.join(parts)}" for word, parts in self._parts.items() if parts)

    @property
    def condition(self) -> str:
        """The ConditionExpression."""
        return " AND ".join(self._conditions)

    def conditional(self) -> dict[str, Any]:
        """Return the members of a request for the condition, the names and the values."""
        request: dict[str, Any] = {
            "ConditionExpression": self.condition,
            "ExpressionAttributeNames": self.names,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self.values:
            request["ExpressionAttributeValues"] = self.values
        return request

    def _add(self, word: str, part: str, operators: int) -> None:
        self._parts[word].append(part)
        self._operators += operators


def alive(row: Row, now: int, *, unchanged: bool = False) -> Expression:
    """Return the condition that the session exists, and with `unchanged` that its row is as it was read.

    It compares the row's secret, so that neither a tombstone nor another session with the id satisfies it.
    """
    expression = Expression()
    expression.demand("=", ("_secret",), row.secret)
    expression.demand(">", ("_ttl",), now)
    if unchanged:
        expression.demand("=", ("_ttl",), row.ends)  # Only this shows that Node has written the row.
        if row.revision is None:
            expression.demand("attribute_not_exists", ("_arc_rev",))
        else:
            expression.demand("=", ("_arc_rev",), row.revision)
    return expression


def change(row: Row, delta: Delta, facts: dict[str, Any], now: int, token: str) -> tuple[str, dict[str, Any]]:
    """Return the operation that applies `delta` to the row and sets `facts`, and its request without the table.

    It is an UpdateItem of the changes. A delta that is too large for an expression puts the whole row, on the condition
    that the row is unchanged. `token` is stored, on the condition that it is missing, so that a retry after a lost
    response fails and finds its token. An addition replaces an unsupported attribute.
    """
    replacing = {one.path for one in delta.changes if one.kind in _ADDITIONS and row.hides(one.path)}
    expression = alive(row, now, unchanged=delta.needs_unchanged_row or bool(replacing))
    for name, value in facts.items():
        expression.set((name,), value)
    expression.add(("_arc_rev",), 1)
    _record(expression, row, now, token)
    for one in delta.changes:
        if one.path in replacing:
            expression.set(one.path, one.value)
        elif one.kind == "append":
            expression.append(one.path, one.value)
        elif one.kind == "remove":
            expression.remove(one.path)
        elif one.kind == "increment":
            expression.add(one.path, one.value)
        else:
            expression.set(one.path, one.value)
            if one.kind == "create":
                expression.demand("attribute_not_exists", one.path)
    if not expression.fits:
        return _whole(row, delta, facts, now, token)
    return "UpdateItem", {
        "Key": {"_idx": {"S": row.id}},
        "UpdateExpression": expression.update,
        "ReturnValues": "UPDATED_OLD",
        **expression.conditional(),
    }


def _record(expression: Expression, row: Row, now: int, token: str) -> None:
    if row.done is None:
        expression.set(("_arc_ops",), {token: commit_stamp(now, row.revision)})
        expression.demand("attribute_not_exists", ("_arc_ops",))
        return
    expression.set_to_sum(("_arc_ops", token), "_arc_rev", commit_stamp(now))
    expression.demand("attribute_not_exists", ("_arc_ops", token))
    for old in [key for key, (at, _) in row.done.items() if at < now - _REMEMBERED][:_MOST_FORGOTTEN]:
        expression.remove(("_arc_ops", old))


def _whole(row: Row, delta: Delta, facts: dict[str, Any], now: int, token: str) -> tuple[str, dict[str, Any]]:
    item = deep_copy(row.item)
    for one in delta.changes:
        apply_change(one, item)
    done = {key: commit_stamp(*made) for key, made in (row.done or {}).items() if made[0] >= now - _REMEMBERED}
    done[token] = commit_stamp(now, row.revision)
    made = {**facts, "_arc_rev": (row.revision or 0) + 1, "_arc_ops": done}
    item.update({name: encode(value) for name, value in made.items()})
    return "PutItem", {"Item": item, **alive(row, now, unchanged=True).conditional()}


def overwritten(delta: Delta, attributes: dict[str, Any]) -> list[Path]:
    """Return the paths where an update, which returned `attributes` as UPDATED_OLD, overwrote unknown values."""
    before = decode_map(attributes)
    lost = []
    for change in delta.changes:
        if change.kind not in ("set", "remove"):
            continue
        value: Any = before
        for key in change.path:
            value = value.get(key, MISSING) if isinstance(value, dict) else MISSING
        if not any(alike(value, known) for known in (change.base, change.value)):
            lost.append(change.path)
    return lost


def moved(row: Row, record: Record, delta: Delta, secret: str) -> dict[str, Any]:
    """Return the row under its new id: the old one with the changes, or only the new data if all was replaced."""
    if delta.replaces:
        return item_of(record, secret)
    item = deep_copy(row.item)
    for change in delta.changes:
        apply_change(change, item)
    return item_of(record, secret, over=item)


def replacement(row: Row, item: dict[str, Any], now: int, token: str) -> dict[str, Any]:
    """Return the request, without the table, that inserts `item` and replaces the old row by a tombstone."""
    ends = max(now + TOMBSTONE, row.origin_ends or 0)
    old = tombstone(row.id, ends, {"_arc_next": [item["_idx"]["S"]], "_arc_replaced": now})
    unchanged = alive(row, now, unchanged=True)
    return _transaction(token, {"Put": insertion(item)}, {"Put": {"Item": old, **unchanged.conditional()}})


def second_replacement(session_id: str, successor: Row, item: dict[str, Any], now: int, token: str) -> dict[str, Any]:
    """Return the request, without the table, that inserts `item` beside another `successor` of `session_id`.

    The tombstone gets it as a further successor, on the condition that the other one still exists.
    """
    new = item["_idx"]["S"]
    known = Expression()
    known.demand("attribute_exists", ("_arc_next",))
    known.append(("_arc_next",), [new])
    tombstone_update = {"Key": {"_idx": {"S": session_id}}, "UpdateExpression": known.update, **known.conditional()}
    successor_check = {"Key": {"_idx": {"S": successor.id}}, **alive(successor, now).conditional()}
    return _transaction(
        token, {"Put": insertion(item)}, {"Update": tombstone_update}, {"ConditionCheck": successor_check}
    )


def reason(refusal: Refusal, part: int) -> tuple[bool, dict[str, Any] | None]:
    """Return whether a part of a transaction failed its condition, and the row that it found."""
    code, item = refusal.reasons[part] if part < len(refusal.reasons) else ("", None)
    return code == "ConditionalCheckFailed", item


def insertion(item: dict[str, Any]) -> dict[str, Any]:
    """Return the request, without the table, that puts `item` if its id is not in use."""
    new = Expression()
    new.demand("attribute_not_exists", ("_idx",))
    return {"Item": item, **new.conditional()}


def _transaction(token: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": list(parts), "ClientRequestToken": token}
