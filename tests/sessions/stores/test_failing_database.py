"""A database that throttles, hangs, refuses, is not there, or loses its answers."""

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
    """What boto3's client raises is what these tests are about."""
    return "boto3"


def error(code: str, message: str = "", status: int = 400) -> ClientError:
    """What boto3 raises for an answer of AWS."""
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation"
    )


def code(failure: Exception) -> str:
    """What to call a failure in a test's name."""
    return failure.response["Error"]["Code"] if isinstance(failure, ClientError) else type(failure).__name__


class Failing:
    """A boto3 client whose calls fail with what `failures` holds, one for each call, and work after that."""

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
    """A manager whose store talks to `client`."""
    pauses = [] if pauses is None else pauses
    transport = RetryingTransport(BotoSend(lambda _connect, _read: client), sleep=pauses.append)
    store = DynamoStore(Keyring(SETTINGS), SessionTable(transport, lambda: [table], remedy=REMEDY), random=os.urandom)
    return build_manager(SETTINGS, store=store)


def a_session(engine: Engine, table: str) -> str:
    """The cookie value of a stored session."""
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
def test_s38_a_passing_failure_is_not_noticed(ministack: Engine, failure: Exception) -> None:
    """Two failed attempts are followed by a third, each after a pause that is longer at most."""
    table = ministack.table()
    value = a_session(ministack, table)
    client, pauses = Failing(ministack.client(), failure, failure), list[float]()
    assert manager_on(client, table, pauses).load([value]) == {"count": 1}
    assert client.calls == ATTEMPTS
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= 0.05
    assert 0 <= pauses[1] <= 0.1


@pytest.mark.parametrize("failure", [*THROTTLED, *DOWN, *REFUSED], ids=code)
def test_s38_a_lasting_failure_is_a_503_and_no_empty_session(ministack: Engine, failure: Exception) -> None:
    """Reading and writing raise `StoreError`, which the decorator answers with 503 and Retry-After."""
    table = ministack.table()
    value = a_session(ministack, table)
    client = Failing(ministack.client(), *[failure] * 50)
    manager = manager_on(client, table)
    with pytest.raises(StoreError):
        manager.load([value])

    seen = []

    @arc.http.handler(manager=manager)
    def handler(req: arc.Request) -> dict[str, Any]:
        req.session["count"] = 2
        seen.append(dict(req.session))
        return {"json": dict(req.session)}

    for cookies in ({"_idx": value}, {}):
        client.failures = [failure] * 50
        answer = handler(payload_v2("GET", "/", cookies=cookies))
        assert answer["statusCode"] == 503
        assert int(answer["headers"]["retry-after"]) > 0
        assert json.loads(answer["body"]) == {"message": "Service Unavailable"}
        assert "cookies" not in answer
    assert seen == [{"count": 2}]  # The visitor without a cookie alone got as far as the handler.
    assert manager_on(ministack.client(), table).load([value]) == {"count": 1}


@pytest.mark.parametrize("failure", REFUSED, ids=code)
def test_refused_credentials_are_not_tried_again(ministack: Engine, failure: Exception) -> None:
    """What will not pass is asked once, and the message says what to look at."""
    table = ministack.table()
    value = a_session(ministack, table)
    client = Failing(ministack.client(), *[failure] * 5)
    with pytest.raises(StoreError, match="role"):
        manager_on(client, table).load([value])
    assert client.calls == 1


def test_s38_a_missing_table_names_the_command_that_makes_it(engine: Engine) -> None:
    """The error says which names were looked for and how a table is made."""
    value = a_session(engine, engine.table())
    manager = manager_on(engine.client(), "testapp-production-nothing")
    with pytest.raises(StoreError, match=r"testapp-production-nothing.* arc create production"):
        manager.load([value])
    session = manager.load([])
    session["count"] = 1
    with pytest.raises(StoreError, match="arc create production"):
        manager.commit(session)


def test_a_table_with_another_key_is_named(engine: Engine) -> None:
    """A table that is no session table says so, with the lines to declare one."""
    value = a_session(engine, engine.table())
    with pytest.raises(StoreError, match=r"its key is not _idx .*_idx \*String"):
        manager_on(engine.client(), engine.table(key="id")).load([value])


def test_the_first_name_that_exists_is_kept(engine: Engine) -> None:
    """Of several names a table may have, each is asked for once."""
    table = engine.table()
    value = a_session(engine, table)
    asked: list[str] = []
    inner = RetryingTransport(BotoSend(lambda _connect, _read: engine.client()))

    def transport(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["TableName"])
        return inner(operation, request)

    sessions = SessionTable(transport, lambda: ["testapp-production-no", table, "never"], remedy=REMEDY)
    manager = build_manager(SETTINGS, store=DynamoStore(Keyring(SETTINGS), sessions, random=os.urandom))
    manager.load([value])
    manager.load([value])
    assert asked == ["testapp-production-no", table, table]


# -- time


class Silent:
    """A server that takes connections and says nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """End it."""
        self._socket.close()


class Context:
    """A Lambda context with a clock of its own, which every attempt takes two seconds of."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds left."""
        return int(self.seconds * 1000)


def test_s38_a_database_that_hangs_is_given_up_within_the_functions_time() -> None:
    """With little time left the attempts are short, and the visitor gets a 503 and not the function's timeout."""
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
    store = DynamoStore(Keyring(SETTINGS), SessionTable(transport, lambda: ["x"], remedy=REMEDY), random=os.urandom)

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
    """A commit that others keep getting in the way of waits no longer than the function has, then gives up."""
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
    with pytest.raises(StoreError, match="attempts: 10"):
        manager.commit(session)
    assert len(pauses) == 9
    assert max(pauses) <= 0.001


def test_s37_a_commit_is_given_up_while_its_token_is_kept(ministack: Engine) -> None:
    """After 30 seconds a commit is not tried again: other requests drop its token a minute after it was made."""
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
    with pytest.raises(StoreError, match="attempts: 3"):
        manager.commit(session)


# -- answers that are lost


class Lossy:
    """A client that does what it is asked and loses every second answer to a write."""

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
def test_s36_lost_answers_double_nothing_and_lose_nothing(engine: Engine, run: int) -> None:
    """Fifty writers that append, increment and create, half of whose answers are lost, count once each."""
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


def test_s17_a_create_whose_answer_was_lost_is_made_once(engine: Engine) -> None:
    """A new session that met its own row is one row, and its cookie opens it."""
    table = engine.table()
    client = Lossy(engine.client())
    manager = manager_on(client, table)
    session = manager.load([])
    session["count"] = 1
    value = value_of(manager.commit(session)[0])
    assert client.lost == 1
    assert len(engine.items(table)) == 1
    assert manager.load([value]) == {"count": 1}


def test_s16_a_sign_in_whose_answer_was_lost_is_made_once(ministack: Engine) -> None:
    """A regeneration that met its own rows is done: one session, under the new id."""
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


def test_s38_a_failed_sign_out_is_an_error_and_no_sign_out(ministack: Engine) -> None:
    """A visitor whose session could not be ended is not told that it was."""
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
