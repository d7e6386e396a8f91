"""DynamoDB stores for tests that record every call."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from arc.sessions.keyring import Keyring
from arc.sessions.stores.dynamodb.boto import BotoSend, boto_method
from arc.sessions.stores.dynamodb.choice import lean_send
from arc.sessions.stores.dynamodb.lean import Credentials
from arc.sessions.stores.dynamodb.store import DynamoStore
from arc.sessions.stores.dynamodb.table import SessionTable
from arc.sessions.stores.dynamodb.transport import Refusal, RetryingTransport, TryAgain
from arc.settings import Settings
from tests.sessions.making import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.stores.dynamodb.transport import Send, Transport
    from tests.engines import Engine


class Calls:
    """A transport that records operations in order, and lets a test run code before them."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.made: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[str], None] = lambda _operation: None
        self.after: Callable[[str], None] = lambda _operation: None

    @property
    def names(self) -> list[str]:
        """The names of the recorded operations."""
        return [operation for operation, _ in self.made]

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Pass it on."""
        self.made.append((operation, request))
        self.before(operation)
        answer = self._inner(operation, request)
        self.after(operation)
        return answer


class Kept:
    """A session table on an engine, and a store on it."""

    def __init__(self, engine: Engine, *, table: str | None = None, **options: Any) -> None:
        self.engine = engine
        self.table = table or engine.table()
        self.client = Unreliable(send_to(engine))
        self.calls = Calls(RetryingTransport(self.client, sleep=lambda _seconds: None))
        self.settings = Settings(environment="production", secret=SECRET)
        self.store = DynamoStore(
            Keyring(self.settings),
            SessionTable(self.calls, lambda: [self.table], remedy=lambda: "Make it: arc create production"),
            random=options.pop("random", os.urandom),
            **options,
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return every row of the table."""
        return self.engine.items(self.table)


class Unreliable:
    """A transport whose responses can be lost.

    `plan(method)` returns the fault of each call (`get_item`): None for none, `lost` executes the call and drops the
    response, `down` drops the call. `meanwhile` runs after each fault, before the caller retries. `on_effect(method,
    request)` runs after each executed call, before its response is returned or lost.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.plan: Callable[[str], str | None] = lambda _method: None
        self.meanwhile: Callable[[], None] = lambda: None
        self.on_effect: Callable[[str, dict[str, Any]], None] = lambda _method, _request: None

    def lose(self, method: str, *, times: int = 1) -> None:
        """Lose the responses to the next `times` calls of `method`."""
        left = times

        def plan(called: str) -> str | None:
            nonlocal left
            if called != method or left == 0:
                return None
            left -= 1
            return "lost"

        self.plan = plan

    def __call__(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        """Carry it out, unless the plan has something else in mind."""
        method = boto_method(operation)
        fault = self.plan(method)
        if fault != "down":
            with suppress(*([Refusal] if fault else [])):  # A refusal is an answer, too.
                answer = self._send(operation, request, timeouts)
                self.on_effect(method, request)
                if fault is None:
                    return answer
        self.meanwhile()
        raise TryAgain("The answer was lost.")


def send_to(engine: Engine) -> Send:
    """Return the transport of an `engine`'s test with its connections, for one store."""
    if engine.transport == "boto3":
        client = engine.client()
        return BotoSend(lambda _connect, _read: client)
    place = ("http", "127.0.0.1", engine.port)
    return lean_send({}, Credentials("dummy", "dummy"), place, "us-east-1")
