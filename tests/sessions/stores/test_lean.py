"""The lean transport: its requests, its handling of each response, and the fallback to boto3."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import StoreError
from arc.http import build_manager
from arc.sessions.lifecycle import Event
from arc.sessions.signing import sign
from arc.sessions.stores.dynamodb.connections import Connections, UnexpectedResponse
from arc.sessions.stores.dynamodb.lean import Credentials, FallbackSend, LeanSend
from arc.sessions.stores.dynamodb.transport import ATTEMPTS, Refusal, RetryingTransport, TryAgain
from arc.settings import Settings
from tests.sessions.stores.servers import answer, refused, serving
from tests.sessions.stores.test_signature import by_botocore, headers_of

if TYPE_CHECKING:
    from arc.sessions.stores.dynamodb.transport import Send

ITEM = {"Item": {"_idx": {"S": "é"}, "count": {"N": "1"}}}
GET = {"TableName": "t", "Key": {"_idx": {"S": "x"}}}
CREDENTIALS = Credentials("the-key", "hidden-secret", "hidden-token")


class Client:
    """A transport to a server that records fallbacks, their reasons and the pauses."""

    def __init__(self, port: int, environ: dict[str, str] | None = None) -> None:
        self.reasons: list[str] = []
        self.pauses: list[float] = []
        self.by_boto = 0
        self.connections = Connections("127.0.0.1", port, tls=False)
        lean = LeanSend(
            self.connections,
            CREDENTIALS,
            region="eu-west-1",
            host=f"127.0.0.1:{port}",
            environ=environ or {},
            clock=lambda: 1_800_000_000,
        )
        self.send = FallbackSend(lean, lambda: self._boto, self.reasons.append)
        self.ask = RetryingTransport(self.send, sleep=self.pauses.append)

    def _boto(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        self.by_boto += 1
        return {"by": "boto3"}

    def get(self) -> dict[str, Any]:
        """The answer to a GetItem."""
        return self.ask("GetItem", GET)


def test_a_request_is_signed_and_its_connection_is_reused() -> None:
    """Two requests use one connection, each with the signature that botocore would make."""
    with serving(answer(ITEM), answer(ITEM)) as server:
        client = Client(server.port)
        assert client.get() == client.get() == ITEM
        client.connections.close()
    assert server.connections == 1
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        headers = headers_of(head + b"\r\n\r\n")
        assert headers["Authorization"] == by_botocore(
            headers, body, CREDENTIALS, "eu-west-1", 1_800_000_000, tls=False
        )


def test_binary_data_is_sent_and_received() -> None:
    """Bytes are base64 in a request, also in sets and within maps, and an attribute called B is not binary."""
    row = {"B": {"S": "x"}, "b": {"B": "AAE="}, "s": {"BS": ["/w=="]}, "m": {"M": {"B": {"B": ""}}}}
    with serving(answer({"Item": row})) as server:
        client = Client(server.port)
        found = client.ask("PutItem", {"Item": {"b": {"B": b"\x00\x01"}, "s": {"BS": [b"\xff"]}}})
        client.connections.close()
    assert found["Item"] == {
        "B": {"S": "x"},
        "b": {"B": b"\x00\x01"},
        "s": {"BS": [b"\xff"]},
        "m": {"M": {"B": {"B": b""}}},
    }
    assert server.requests[0].endswith(b'{"Item":{"b":{"B":"AAE="},"s":{"BS":["/w=="]}}}')


PASSING = {
    "throttled": refused("ThrottlingException"),
    "a server's error": refused("InternalServerError", status=500),
    "a page with status 503": answer(b"<html>", status=503),
    "another checksum": answer(ITEM, headers="x-amz-crc32: 1\r\n"),
    "no answer": b"",
    "half an answer": answer(ITEM)[:-3],
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
}


INCOMPLETE = ("no answer", "half an answer", "half a head")


@pytest.mark.parametrize("name", PASSING)
def test_s38_a_temporary_failure_is_retried(name: str) -> None:
    """Two failed attempts are followed by a third, after random pauses and without boto3."""
    with serving(PASSING[name], PASSING[name], answer(ITEM), hang_up=name in INCOMPLETE) as server:
        client = Client(server.port)
        assert client.get() == ITEM
        client.connections.close()
    assert len(server.requests) == ATTEMPTS
    assert 0 <= client.pauses[0] <= 0.05
    assert 0 <= client.pauses[1] <= 0.1
    assert client.reasons == []


@pytest.mark.parametrize("name", PASSING)
def test_s38_a_permanent_failure_is_a_store_error(name: str) -> None:
    """The number of attempts is the same as with boto3."""
    with serving(*[PASSING[name]] * 5, hang_up=name in INCOMPLETE) as server:
        client = Client(server.port)
        with pytest.raises(StoreError, match="failed 3 times"):
            client.get()
        client.connections.close()
    assert len(server.requests) == ATTEMPTS
    assert client.reasons == []


def test_s38_an_address_without_a_server_is_reported() -> None:
    """The error has host and port."""
    with serving() as server:
        pass
    with pytest.raises(StoreError, match=f"127.0.0.1:{server.port}"):
        Client(server.port).get()


def test_an_error_that_the_store_handles_is_a_refusal() -> None:
    """It has the row that failed a condition, or the reasons of a transaction."""
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"_idx": {"S": "x"}}}]
    with serving(
        refused("ConditionalCheckFailedException", "The conditional request failed", Item={"a": {"N": "1"}}),
        refused("TransactionCanceledException", "cancelled", CancellationReasons=reasons),
    ) as server:
        client = Client(server.port)
        with pytest.raises(Refusal) as failed:
            client.get()
        assert failed.value.item == {"a": {"N": "1"}}
        with pytest.raises(Refusal) as cancelled:
            client.get()
        assert cancelled.value.reasons == (("None", None), ("ConditionalCheckFailed", {"_idx": {"S": "x"}}))
        client.connections.close()


NOT_UNDERSTOOD = {
    "a refused signature": refused("InvalidSignatureException", "should have been hidden-token"),
    "unknown credentials": refused("UnrecognizedClientException", "hidden-token"),
    "expired credentials": refused("ExpiredTokenException", "hidden-token"),
    "a page": answer(b"<html>hidden-token</html>"),
    "a list": answer(b"[]"),
    "a refusal without a name": answer({"message": "hidden-token"}, status=403),
    "a redirection": answer({}, status=301, headers="Location: https://hidden-token.example/\r\n"),
    "compressed": answer(ITEM, headers="Content-Encoding: gzip\r\n"),
    "no HTTP": b"SSH-2.0-hidden-token\r\n\r\n",
}


@pytest.mark.parametrize("odd", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_s42_an_unexpected_response_falls_back_to_boto3(odd: bytes) -> None:
    """boto3 repeats the request and makes all later ones; one event has the reason and nothing secret."""
    with serving(odd, odd, hang_up=True) as server:
        client = Client(server.port)
        assert client.get() == client.get() == {"by": "boto3"}
    assert len(server.requests) == 1
    (reason,) = client.reasons
    assert "boto3" in reason
    assert "hidden" not in reason


def test_expired_credentials_are_read_again() -> None:
    """The environment's new credentials are used; if these have expired as well, boto3 is used."""
    environ = {"AWS_ACCESS_KEY_ID": "new", "AWS_SECRET_ACCESS_KEY": "new", "AWS_SESSION_TOKEN": "new-token"}
    expired = refused("ExpiredTokenException")
    with serving(expired, answer(ITEM), expired) as server:
        client = Client(server.port, environ)
        assert client.get() == ITEM
        assert b"X-Amz-Security-Token: new-token\r\n" in server.requests[1]
        assert client.reasons == []
        assert client.get() == {"by": "boto3"}
    assert len(client.reasons) == 1


def test_a_connection_that_the_server_closed_is_not_reused() -> None:
    """The next request opens a connection without losing an attempt."""
    with serving(answer(ITEM), answer(ITEM), hang_up=True) as server:
        client = Client(server.port)
        client.get()
        assert server.disconnected.wait(30)
        client.get()
    assert (server.connections, client.pauses) == (2, [])


def test_a_connection_that_was_idle_for_long_is_not_reused() -> None:
    """After half a minute a proxy may have dropped it."""
    now = [0.0]
    with serving(answer(ITEM), answer(ITEM)) as server:
        connections = Connections("127.0.0.1", server.port, tls=False, monotonic=lambda: now[0])
        send = LeanSend(connections, CREDENTIALS, region="eu-west-1", host="x", environ={})
        send("GetItem", GET, (1.0, 2.0))
        first = socket_of(connections)
        now[0] = 31.0
        send("GetItem", GET, (1.0, 2.0))
        assert socket_of(connections) is not first
        connections.close()


def socket_of(connections: Connections) -> Any:
    """Return the only idle connection."""
    ((one, _),) = connections._idle
    return one


@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system does not fork.")
def test_a_forked_process_opens_its_own_connections() -> None:
    """The child's request uses a new connection, and the parent's stays open."""
    with serving(answer(ITEM), answer(ITEM)) as server:
        client = Client(server.port)
        client.get()
        mine = socket_of(client.connections)
        child = os.fork()
        if child == 0:
            client.connections._idle_connection()
            os._exit(len(client.connections._idle))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.get()
        assert socket_of(client.connections) is mine
        client.connections.close()


def test_the_read_timeout_is_for_the_whole_response() -> None:
    """A server that sends single bytes cannot extend it."""
    now = iter([0.0, 0.0, 0.0, 2.0])
    with serving(answer(ITEM)[:20], b"") as server:
        connections = Connections("127.0.0.1", server.port, tls=False, monotonic=lambda: next(now))
        with pytest.raises(TimeoutError):
            connections.exchange(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 1.0, 2.0)


def test_a_fallback_emits_one_event() -> None:
    """A response that is not DynamoDB's is reported once, and all sessions of the process use boto3."""
    events: list[Event] = []
    with serving(answer(b"<html>"), answer(ITEM), answer(ITEM)) as server:
        settings = Settings(environment="testing", table="t", sandbox_ports={"tables": server.port})
        manager = build_manager(settings, on_event=events.append)
        for _ in range(2):
            assert manager.load([sign("some-id", manager.keyring.signing[0])]).is_new
        assert len(server.requests) == 3
    assert [event.reason for event in events if event.name == "handed_over"] == [
        "boto3 replaces the lean transport to DynamoDB after a response with status 200 that is not DynamoDB's"
    ]


def test_s38_a_page_of_another_server_is_an_error() -> None:
    """boto3 would read it as a response without a row, and thus as a missing session."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
    with serving(*[page] * ATTEMPTS) as server:
        settings = Settings(environment="testing", table="t", sandbox_ports={"tables": server.port})
        manager = build_manager(settings)
        with pytest.raises(StoreError, match="not DynamoDB"):
            manager.load([sign("some-id", manager.keyring.signing[0])])


# -- credentials that expire, and the way to boto3


def test_a_request_with_credentials_read_once_more_is_signed_with_them() -> None:
    """It is for the same host and at the same time as the one that was refused."""
    fresh = Credentials("new", "new-secret", "new-token")
    environ = {
        "AWS_ACCESS_KEY_ID": fresh.key,
        "AWS_SECRET_ACCESS_KEY": fresh.secret,
        "AWS_SESSION_TOKEN": fresh.token or "",
    }
    with serving(refused("ExpiredTokenException"), answer(ITEM)) as server:
        client = Client(server.port, environ)
        assert client.get() == ITEM
        client.connections.close()
    head, _, body = server.requests[1].partition(b"\r\n\r\n")
    headers = headers_of(head + b"\r\n\r\n")
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert headers["Authorization"] == by_botocore(headers, body, fresh, "eu-west-1", 1_800_000_000, tls=False)


def test_credentials_that_keep_expiring_are_named_in_the_error() -> None:
    """Where each attempt finds others that have expired too, the error has AWS's name for it."""
    environ = {"AWS_ACCESS_KEY_ID": "new", "AWS_SECRET_ACCESS_KEY": "new", "AWS_SESSION_TOKEN": "new-0"}
    with serving(*[refused("ExpiredTokenException")] * ATTEMPTS) as server:
        client = Client(server.port, environ)

        def renew(seconds: float) -> None:
            environ["AWS_SESSION_TOKEN"] += "1"

        client.ask = RetryingTransport(client.send, sleep=renew)
        with pytest.raises(StoreError, match="ExpiredTokenException"):
            client.get()
        client.connections.close()
    assert client.reasons == []


def test_a_hand_over_names_the_credentials_that_have_expired() -> None:
    """Where the environment has no others, the reason is AWS's name for it."""
    with serving(refused("ExpiredTokenException")) as server:
        client = Client(server.port)
        client.get()
    (reason,) = client.reasons
    assert "ExpiredTokenException" in reason


def test_two_requests_that_are_not_understood_hand_over_once() -> None:
    """The one that comes second finds boto3 there already, and both are to be tried again, for the reason of each."""
    made: list[str] = []
    told: list[str] = []

    def boto(operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        return {"by": "boto3"}

    def make() -> Send:
        made.append("boto3")
        return boto

    def lean(operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        if operation == "GetItem":  # While it waits for its answer, another request meets the same.
            with pytest.raises(TryAgain, match="a page for PutItem"):
                send("PutItem", request, timeouts)
        raise UnexpectedResponse(f"a page for {operation}")

    send = FallbackSend(lean, make, told.append)
    with pytest.raises(TryAgain, match="a page for GetItem"):
        send("GetItem", {}, (1.0, 2.0))
    assert (made, len(told)) == (["boto3"], 1)
    assert send("GetItem", {}, (1.0, 2.0)) == {"by": "boto3"}


def test_lists_beside_binary_data_stay_lists() -> None:
    """Of an answer with bytes in it, only what is marked as such is decoded."""
    row = {"b": {"B": "AAE="}, "l": {"L": [{"S": "AAE="}, {"B": "AAE="}]}, "SS": {"SS": ["AAE="]}}
    with serving(answer({"Item": row})) as server:
        client = Client(server.port)
        found = client.get()["Item"]
        client.connections.close()
    assert found == {
        "b": {"B": b"\x00\x01"},
        "l": {"L": [{"S": "AAE="}, {"B": b"\x00\x01"}]},
        "SS": {"SS": ["AAE="]},
    }
