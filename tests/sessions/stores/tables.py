"""DynamoDB stores for tests, on an engine, with every call counted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from arc.sessions.keyring import Keyring
from arc.sessions.stores.dynamodb.store import DynamoStore
from arc.sessions.stores.dynamodb.table import SessionTable
from arc.sessions.stores.dynamodb.transport import BotoTransport
from arc.settings import Settings
from tests.sessions.making import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.stores.dynamodb.transport import Transport
    from tests.engines import Engine


class Calls:
    """A transport that keeps what was asked, in order, and lets a test come between."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.made: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[str], None] = lambda _operation: None
        self.after: Callable[[str], None] = lambda _operation: None

    @property
    def names(self) -> list[str]:
        """The operations asked for."""
        return [operation for operation, _ in self.made]

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Pass it on."""
        self.made.append((operation, request))
        self.before(operation)
        answer = self._inner(operation, request)
        self.after(operation)
        return answer


class Kept:
    """A session table on an engine and a store on it."""

    def __init__(self, engine: Engine, *, table: str | None = None, **options: Any) -> None:
        self.engine = engine
        self.table = table or engine.table()
        client = engine.client()
        self.calls = Calls(BotoTransport(lambda _connect, _read: client))
        self.settings = Settings(environment="production", secret=SECRET)
        self.store = DynamoStore(
            Keyring(self.settings),
            SessionTable(self.calls, lambda: [self.table], remedy="Make it: arc create production"),
            random=options.pop("random", os.urandom),
            **options,
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every row of the table."""
        return self.engine.items(self.table)
