"""A session table that answers as a test says, with every request kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from arc.sessions.keyring import Keyring
from arc.sessions.record import Record
from arc.sessions.signing import sign
from arc.sessions.stores.dynamodb.row import item_of
from arc.sessions.stores.dynamodb.store import DynamoStore
from arc.sessions.stores.dynamodb.table import SessionTable
from arc.settings import Settings
from tests.sessions.making import SECRET, WEEK, Counting

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = dict[str, Any] | Exception | Callable[[], dict[str, Any]]

NOW = 1_800_000_000
OLD, NEW = "A" * 24, "B" * 24
KEYRING = Keyring(Settings(environment="production", secret=SECRET))
# The conditions that the session of `row` lives, and that it is as it was read, as `plain` gives them.
ALIVE = f"_secret = S/its secret AND _ttl > N/{NOW}"
UNCHANGED = f"{ALIVE} AND _ttl = N/{NOW + WEEK} AND _arc_rev = N/1"


class Script:
    """A table that answers each operation with the next of `answers`, or raises it; `asked` are the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.pauses: list[float] = []

    def store(self, **options: Any) -> DynamoStore:
        """A store on it."""
        table = SessionTable(self._answer, lambda: ["t"], remedy=lambda: "")
        return DynamoStore(KEYRING, table, random=Counting(), sleep=self.pauses.append, **options)

    @property
    def names(self) -> list[str]:
        """The operations asked for."""
        return [operation for operation, _ in self.asked]

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((operation, request))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


def record(session_id: str = OLD, **data: Any) -> Record:
    """A session with `data` that ends in a week."""
    return Record(session_id, data, created=NOW, expires=NOW + WEEK)


def row(session_id: str = OLD, *, secret: str = "its secret", **data: Any) -> dict[str, Any]:
    """The row of such a session."""
    return item_of(record(session_id, **data), secret)


def value(session_id: str = OLD) -> str:
    """The cookie's value for a session."""
    return sign(session_id, KEYRING.signing[0])


def loaded(store: DynamoStore) -> Record:
    """The session that the next answer holds."""
    return store.load(value(), NOW)


def plain(condition: dict[str, Any]) -> tuple[str, str]:
    """The update and the condition of a request with names and values in place of their aliases."""
    known = {**condition["ExpressionAttributeNames"], **condition.get("ExpressionAttributeValues", {})}
    used = set[str]()

    def named(match: re.Match[str]) -> str:
        used.add(match[0])
        found = known[match[0]]
        return str(found) if isinstance(found, str) else "/".join(str(one) for pair in found.items() for one in pair)

    texts = [re.sub(r"[#:]\w+", named, condition.get(f"{kind}Expression", "")) for kind in ("Update", "Condition")]
    assert used == set(known)
    assert condition["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    return texts[0], texts[1]
