"""The requests that change a session's row."""

from __future__ import annotations

from arc.sessions.delta import MISSING, alike
from arc.sessions.stores.dynamodb.attributes import copied, decoded, encode, make
from arc.sessions.stores.dynamodb.row import commit_stamp, item_of, tombstone
from arc.sessions.stores.store import TOMBSTONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from arc.sessions.delta import Delta, Path
    from arc.sessions.record import Record
    from arc.sessions.stores.dynamodb.row import Row
    from arc.sessions.stores.dynamodb.transport import Refusal


# Limits of one expression, of real DynamoDB.
MAX_BYTES = 4096
MAX_OPERATORS = 300
LONGEST_COMMIT = 30  # seconds after which a commit is not tried again
_REMEMBERED = 60  # seconds for which a commit's token is kept: longer than it is retried, whatever two clocks differ
_MOST_FORGOTTEN = 20  # tokens dropped by one commit
_ADDITIONS = ("append", "create", "increment")  # the changes that build on what they find


class Expression:
    """The parts of one update, every name and value behind an alias: DynamoDB refuses `_idx` as it stands."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self._aliases: dict[str, str] = {}
        self._parts: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": []}
        self._conditions: list[str] = []
        self._operators = 0

    def name(self, *path: str) -> str:
        """The aliased path."""
        for key in path:
            if key not in self._aliases:
                self._aliases[key] = f"#n{len(self._aliases)}"
                self.names[self._aliases[key]] = key
        return ".".join(self._aliases[key] for key in path)

    def value(self, value: Any) -> str:
        """The alias of a value."""
        alias = f":v{len(self.values)}"
        self.values[alias] = encode(value)
        return alias

    def set(self, path: Sequence[str], value: Any) -> None:
        """Put `value` at `path`."""
        self._add("SET", f"{self.name(*path)} = {self.value(value)}", 1)

    def set_to_sum(self, path: Sequence[str], attribute: str, number: int) -> None:
        """Put at `path` what the row's `attribute` is before this update, 0 when absent, plus `number`."""
        before = f"if_not_exists({self.name(attribute)}, {self.value(0)})"
        self._add("SET", f"{self.name(*path)} = {before} + {self.value(number)}", 3)

    def append(self, path: Sequence[str], elements: list[Any]) -> None:
        """Append `elements` to the list at `path`, which is made when it is not there."""
        name = self.name(*path)
        self._add("SET", f"{name} = list_append(if_not_exists({name}, {self.value([])}), {self.value(elements)})", 3)

    def remove(self, path: Sequence[str]) -> None:
        """Remove what is at `path`."""
        self._add("REMOVE", self.name(*path), 1)

    def add(self, path: Sequence[str], number: float) -> None:
        """Add `number` to the number at `path`, 0 when there is none."""
        name = self.name(*path)
        if len(path) == 1:
            self._add("ADD", f"{name} {self.value(number)}", 1)
        else:  # ADD knows a row's own attributes only.
            self._add("SET", f"{name} = if_not_exists({name}, {self.value(0)}) + {self.value(number)}", 3)

    def demand(self, comparison: str, path: Sequence[str], value: Any = None) -> None:
        """Demand `=` or `>` of a value, or `attribute_exists` or `attribute_not_exists` of a path."""
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
        """True when DynamoDB takes expressions of this length and this many operators."""
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
        """The members of a request that carry the condition, its names and its values."""
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
    """The condition that the session lives, and with `unchanged` that its row is as it was read.

    The row's own secret is asked for, so that neither a tombstone nor anything else under the id will do.
    """
    expression = Expression()
    expression.demand("=", ("_secret",), row.secret)
    expression.demand(">", ("_ttl",), now)
    if unchanged:
        expression.demand("=", ("_ttl",), row.ends)  # Node changes nothing else that we could go by.
        if row.revision is None:
            expression.demand("attribute_not_exists", ("_arc_rev",))
        else:
            expression.demand("=", ("_arc_rev",), row.revision)
    return expression


def change(row: Row, delta: Delta, facts: dict[str, Any], now: int, token: str) -> tuple[str, dict[str, Any]]:
    """The operation that makes `delta` on the row, and its request but for the table.

    `facts` are attributes to set besides. It is one UpdateItem of what changed; a delta that no expression
    holds puts the whole row, on the condition that it is as it was read. `token` is recorded, on the condition
    that it is not there: a retry after a lost answer fails, and finds its token. Where the row holds what cannot be
    shown, an addition replaces it.
    """
    replacing = {one.path for one in delta.changes if one.kind in _ADDITIONS and row.hides(one.path)}
    expression = alive(row, now, unchanged=delta.one_writer or bool(replacing))
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
    item = copied(row.item)
    for one in delta.changes:
        make(one, item)
    done = {key: commit_stamp(*made) for key, made in (row.done or {}).items() if made[0] >= now - _REMEMBERED}
    done[token] = commit_stamp(now, row.revision)
    made = {**facts, "_arc_rev": (row.revision or 0) + 1, "_arc_ops": done}
    item.update({name: encode(value) for name, value in made.items()})
    return "PutItem", {"Item": item, **alive(row, now, unchanged=True).conditional()}


def overwritten(delta: Delta, attributes: dict[str, Any]) -> list[Path]:
    """The paths where an update that answered UPDATED_OLD with `attributes` overwrote what its request had not seen."""
    before = decoded(attributes)
    lost = []
    for change in delta.changes:
        if change.kind not in ("set", "remove"):
            continue
        found: Any = before
        for key in change.path:
            found = found.get(key, MISSING) if isinstance(found, dict) else MISSING
        if not any(alike(found, known) for known in (change.base, change.value)):
            lost.append(change.path)
    return lost


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
