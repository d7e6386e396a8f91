"""A database that throttles, hangs, refuses, is missing, or loses responses."""

from __future__ import annotations

import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

import arc
from arc.errors import StoreError
from arc.http import build_manager
from arc.sessions.keyring import Keyring
from arc.sessions.stores.dynamodb.boto import BotoSend, boto_client
from arc.sessions.stores.dynamodb.store import DynamoStore
from arc.sessions.stores.dynamodb.table import SessionTable
from arc.sessions.stores.dynamodb.transport import ATTEMPTS, RetryingTransport
from arc.settings import Settings
from arc.testing import payload_v2
from tests.engines import Engine
from tests.sessions.making import SECRET, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.manager import SessionManager

SETTINGS = Settings(environment="production", secret=SECRET)
REMEDY = "Make it: arc create production"


@pytest.fixture
def transport() -> str:
    """These tests are about the exceptions of the client in boto3."""
    return "boto3"


def error(code: str, message: str = "", status: int = 400) -> ClientError:
    """Return boto3's exception for an error response of AWS."""
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation"
    )


def code(failure: Exception) -> str:
    """Return the id of a failure for a test's name."""
    return failure.response["Error"]["Code"] if isinstance(failure, ClientError) else type(failure).__name__


class Failing:
    """A boto3 client whose calls raise `failures` in order and then work."""

    def __init__(self, client: Any, *failures: Exception) -> None:
        self._client, self.failures = client, list(failures)
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.calls += 1
            if self.failures:
                raise self.failures.pop(0)
            return getattr(self._client, name)(**request)

        return call


def manager_on(client: Any, table: str, pauses: list[float] | None = None) -> SessionManager:
    """Return a manager whose store uses `client`."""
    pauses = [] if pauses is None else pauses
    transport = RetryingTransport(BotoSend(lambda _connect, _read: client), sleep=pauses.append)
    store = DynamoStore(
        Keyring(SETTINGS), SessionTable(transport, lambda: [table], remedy=lambda: REMEDY), random=os.urandom
    )
    return build_manager(SETTINGS, store=store)


def a_session(engine: Engine, table: str) -> str:
    """Return the cookie value of a stored session."""
    manager = manager_on(engine.client(), table)
    session = manager.load([])
    session["count"] = 1
    return value_of(manager.commit(session)[0])


THROTTLED = [
    error("ThrottlingException"),
    error("ProvisionedThroughputExceededException"),
    error("RequestLimitExceeded"),
]
DOWN = [error("InternalServerError", status=500), error("Whatever", status=503), ReadTimeoutError(endpoint_url="x")]
REFUSED = [
    error("UnrecognizedClientException", "The security token included in the request is invalid."),
    error("AccessDeniedException", "not authorized to perform: dynamodb:GetItem"),
    error("ExpiredTokenException"),
    NoCredentialsError(),
]


@pytest.mark.parametrize("failure", [*THROTTLED, *DOWN], ids=code)
def test_s38_a_temporary_failure_is_retried(ministack: Engine, failure: Exception) -> None:
    """Two failed attempts are followed by a third, after pauses whose maximum doubles."""
    table = ministack.table()
    value = a_session(ministack, table)
    client, pauses = Failing(ministack.client(), failure, failure), list[float]()
    assert manager_on(client, table, pauses).load([value]) == {"count": 1}
    assert client.calls == ATTEMPTS
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= 0.05
    assert 0 <= pauses[1] <= 0.1


@pytest.mark.parametrize("failure", [*THROTTLED, *DOWN, *REFUSED], ids=code)
def test_s38_a_permanent_failure_is_a_503(ministack: Engine, failure: Exception) -> None:
    """Reading and writing raise `StoreError`, and the response is a 503 with Retry-After, not an empty session."""
    table = ministack.table()
    value = a_session(ministack, table)
    client = Failing(ministack.client(), *[failure] * 50)
    manager = manager_on(client, table)
    with pytest.raises(StoreError):
        manager.load([value])

    handled = []

    @arc.http.handler(manager=manager)
    def handler(req: arc.Request) -> dict[str, Any]:
        req.session["count"] = 2
        handled.append(dict(req.session))
        return {"json": dict(req.session)}

    for cookies in ({"_idx": value}, {}):
        client.failures = [failure] * 50
        answer = handler(payload_v2("GET", "/", cookies=cookies))
        assert answer["statusCode"] == 503
        assert int(answer["headers"]["retry-after"]) > 0
        assert json.loads(answer["body"]) == {"message": "Service Unavailable"}
        assert "cookies" not in answer
    assert handled == [{"count": 2}]  # Only the request without a cookie reaches the handler.
    assert manager_on(ministack.client(), table).load([value]) == {"count": 1}


@pytest.mark.parametrize("failure", REFUSED, ids=code)
def test_refused_credentials_are_not_retried(ministack: Engine, failure: Exception) -> None:
    """A permanent error is requested once, and the message says what to check."""
    table = ministack.table()
    value = a_session(ministack, table)
    client = Failing(ministack.client(), *[failure] * 5)
    with pytest.raises(StoreError, match="role"):
        manager_on(client, table).load([value])
    assert client.calls == 1


def test_s38_a_missing_table_is_reported_with_the_command(engine: Engine) -> None:
    """The error has the names of the table and the command to create it."""
    value = a_session(engine, engine.table())
    manager = manager_on(engine.client(), "testapp-production-nothing")
    with pytest.raises(StoreError, match=r"testapp-production-nothing.* arc create production"):
        manager.load([value])
    session = manager.load([])
    session["count"] = 1
    with pytest.raises(StoreError, match="arc create production"):
        manager.commit(session)


def test_a_table_with_another_key_is_reported(engine: Engine) -> None:
    """The error has the name of the table and the lines to declare another one."""
    value = a_session(engine, engine.table())
    with pytest.raises(StoreError, match=r"its key is not _idx .*_idx \*String"):
        manager_on(engine.client(), engine.table(key="id")).load([value])


def test_the_first_name_that_exists_is_kept(engine: Engine) -> None:
    """Each of a table's possible names is tried once."""
    table = engine.table()
    value = a_session(engine, table)
    requested: list[str] = []
    inner = RetryingTransport(BotoSend(lambda _connect, _read: engine.client()))

    def transport(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        requested.append(request["TableName"])
        return inner(operation, request)

    sessions = SessionTable(transport, lambda: ["testapp-production-no", table, "never"], remedy=lambda: REMEDY)
    manager = build_manager(SETTINGS, store=DynamoStore(Keyring(SETTINGS), sessions, random=os.urandom))
    manager.load([value])
    manager.load([value])
    assert requested == ["testapp-production-no", table, table]


# -- time


class Silent:
    """A server that accepts connections and sends nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """End it."""
        self._socket.close()


class Context:
    """A Lambda context whose clock advances two seconds with every attempt."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds left."""
        return int(self.seconds * 1000)


def test_s38_a_hanging_database_is_a_503_within_the_functions_timeout() -> None:
    """With little time left, attempts are short, so that the response is a 503 and not a timeout."""
    silent, used = Silent(), list[tuple[float, float]]()
    context = Context(2.0)

    def session() -> Any:
        import boto3

        return boto3.session.Session(aws_access_key_id="dummy", aws_secret_access_key="dummy", region_name="us-east-1")

    make = boto_client(session, silent.url)

    def client(connect: float, read: float) -> Any:
        used.append((connect, read))
        real = make(connect, read)

        class Clocked:
            def __getattr__(self, name: str) -> Callable[..., Any]:
                def call(**request: Any) -> Any:
                    try:
                        return getattr(real, name)(**request)
                    finally:
                        context.seconds -= connect + read

                return call

        return Clocked()

    transport = RetryingTransport(BotoSend(client), sleep=lambda _seconds: None)
    store = DynamoStore(
        Keyring(SETTINGS), SessionTable(transport, lambda: ["x"], remedy=lambda: REMEDY), random=os.urandom
    )

    @arc.http.handler(manager=build_manager(SETTINGS, store=store))
    def handler(req: arc.Request) -> dict[str, Any]:
        req.session["count"] = 1
        return {"json": {}}

    answer = handler(payload_v2("GET", "/"), context)
    silent.close()
    assert answer["statusCode"] == 503
    assert context.seconds >= 0.5 - 0.01
    assert used == [(0.5, 1.0)]


def test_no_pause_outlasts_the_time_that_is_left(ministack: Engine) -> None:
    """A commit that other requests keep interrupting pauses only within the function's time, and then fails."""
    kept = Kept(ministack, sleep=(pauses := list[float]()).append, left=lambda: 0.001)
    manager = build_manager(kept.settings, store=kept.store)
    session = manager.load([])
    session["items"] = ["a", "b"]
    value = value_of(manager.commit(session)[0])
    session = manager.load([value])
    session["items"].reverse()

    def another_request(operation: str) -> None:
        if operation == "UpdateItem":
            kept.calls.before = lambda _operation: None
            other = manager.load([value])
            other.increment("other")
            manager.commit(other)
            kept.calls.before = another_request

    kept.calls.before = another_request
    with pytest.raises(StoreError, match="each of 10 attempts"):
        manager.commit(session)
    assert len(pauses) == 9
    assert max(pauses) <= 0.001


def test_s37_a_commit_is_not_retried_after_30_seconds(ministack: Engine) -> None:
    """Other requests remove its token a minute after the commit began."""
    seconds = iter(range(0, 1000, 10))
    kept = Kept(ministack, sleep=lambda _seconds: None, monotonic=lambda: next(seconds))
    manager = build_manager(kept.settings, store=kept.store)
    session = manager.load([])
    session["items"] = ["a", "b"]
    value = value_of(manager.commit(session)[0])
    session = manager.load([value])
    session["items"].reverse()
    client = ministack.client()

    def another_request(operation: str) -> None:
        if operation == "UpdateItem":
            client.update_item(
                TableName=kept.table,
                Key={"_idx": {"S": session.id}},
                UpdateExpression="ADD #revision :one",
                ExpressionAttributeNames={"#revision": "_arc_rev"},
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    kept.calls.before = another_request
    with pytest.raises(StoreError, match="each of 3 attempts"):
        manager.commit(session)


# -- lost responses


class Lossy:
    """A client that executes every call and loses every second response to a write."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock, self._writes = threading.Lock(), 0
        self.lost = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            answer = getattr(self._client, name)(**request)
            if name == "get_item":
                return answer
            with self._lock:
                self._writes += 1
                lose = self._writes % 2 == 1
                self.lost += lose
            if lose:
                raise ReadTimeoutError(endpoint_url="x")
            return answer

        return call


@pytest.mark.parametrize("run", [0, *(pytest.param(run, marks=pytest.mark.exhaustive) for run in (1, 2))])
@pytest.mark.sampled(1)
def test_s36_lost_responses_duplicate_and_lose_nothing(engine: Engine, run: int) -> None:
    """The changes of fifty writers, half of whose responses are lost, are applied once each."""
    table = engine.table()
    value = a_session(engine, table)
    client = Lossy(engine.client())
    manager = manager_on(client, table)
    loaded = threading.Barrier(50)

    def request(number: int) -> None:
        session = manager.load([value])
        loaded.wait(60)
        session.increment("count")
        session.setdefault("items", []).append(number)
        session.setdefault("cart", {})[f"k{number}"] = [number]
        assert len(manager.commit(session)) == 1

    with ThreadPoolExecutor(50) as pool:
        for answer in [pool.submit(request, number) for number in range(50)]:
            answer.result()
    assert client.lost >= 25
    session = manager.load([value])
    assert session["count"] == 51
    assert sorted(session["items"]) == list(range(50))
    assert session["cart"] == {f"k{number}": [number] for number in range(50)}


def test_s17_a_create_with_a_lost_response_creates_one_row(engine: Engine) -> None:
    """A retry recognizes its own row, and the cookie is valid."""
    table = engine.table()
    client = Lossy(engine.client())
    manager = manager_on(client, table)
    session = manager.load([])
    session["count"] = 1
    value = value_of(manager.commit(session)[0])
    assert client.lost == 1
    assert len(engine.items(table)) == 1
    assert manager.load([value]) == {"count": 1}


def test_s16_a_sign_in_with_a_lost_response_succeeds_once(ministack: Engine) -> None:
    """A retry recognizes its own rows, and one session is stored under the new id."""
    table = ministack.table()
    value = a_session(ministack, table)
    client = Lossy(ministack.client())
    manager = manager_on(client, table)
    session = manager.load([value])
    session.sign_in("ada")
    again = manager.load([value_of(manager.commit(session)[0])])
    assert client.lost == 1
    assert (again, again.user_id) == ({"count": 1}, "ada")
    assert len([row for row in ministack.items(table) if "_secret" in row]) == 1


def test_s38_a_failed_sign_out_is_an_error(ministack: Engine) -> None:
    """The response does not claim that the session has ended."""
    table = ministack.table()
    value = a_session(ministack, table)
    client = Failing(ministack.client())
    manager = manager_on(client, table)
    session = manager.load([value])
    session.sign_out()
    client.failures = [error("ThrottlingException")] * 9
    with pytest.raises(StoreError):
        manager.commit(session)
    assert session.cookies == ()
