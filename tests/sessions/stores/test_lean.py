"""The lean transport on the wire: what it sends, what it makes of each answer, and when it hands over to boto3."""

from __future__ import annotations

import os
from typing import Any

import pytest

from arc.errors import StoreError
from arc.http import build_manager
from arc.sessions.lifecycle import Event
from arc.sessions.signing import sign
from arc.sessions.stores.dynamodb.connections import Connections
from arc.sessions.stores.dynamodb.lean import Credentials, HandingOver, LeanSend
from arc.sessions.stores.dynamodb.transport import ATTEMPTS, Refusal, RetryingTransport
from arc.settings import Settings
from tests.sessions.stores.servers import answer, refused, serving
from tests.sessions.stores.test_signature import by_botocore, headers_of

ITEM = {"Item": {"_idx": {"S": "é"}, "count": {"N": "1"}}}
GET = {"TableName": "t", "Key": {"_idx": {"S": "x"}}}
CREDENTIALS = Credentials("the-key", "hidden-secret", "hidden-token")


class Asking:
    """A transport to a server, with what it was handed over to, the reasons told, and the pauses made."""

    def __init__(self, port: int, environ: dict[str, str] | None = None) -> None:
        self.told: list[str] = []
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
        send = HandingOver(lean, lambda: self._boto, self.told.append)
        self.ask = RetryingTransport(send, sleep=self.pauses.append)

    def _boto(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        self.by_boto += 1
        return {"by": "boto3"}

    def get(self) -> dict[str, Any]:
        """The answer to a GetItem."""
        return self.ask("GetItem", GET)


def test_a_request_is_signed_and_its_connection_kept() -> None:
    """Two requests go through one connection, each with a signature that botocore would make."""
    with serving(answer(ITEM), answer(ITEM)) as server:
        asking = Asking(server.port)
        assert asking.get() == asking.get() == ITEM
        asking.connections.close()
    assert server.connections == 1
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        headers = headers_of(head + b"\r\n\r\n")
        assert headers["Authorization"] == by_botocore(
            headers, body, CREDENTIALS, "eu-west-1", 1_800_000_000, tls=False
        )


def test_binary_data_goes_both_ways() -> None:
    """Bytes are base64 on the wire, in sets and below maps too; an attribute that is called B is none."""
    row = {"B": {"S": "x"}, "b": {"B": "AAE="}, "s": {"BS": ["/w=="]}, "m": {"M": {"B": {"B": ""}}}}
    with serving(answer({"Item": row})) as server:
        asking = Asking(server.port)
        found = asking.ask("PutItem", {"Item": {"b": {"B": b"\x00\x01"}, "s": {"BS": [b"\xff"]}}})
        asking.connections.close()
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
def test_s38_a_passing_failure_is_not_noticed(name: str) -> None:
    """Two failed attempts are followed by a third, each after a random pause, and boto3 is not asked."""
    with serving(PASSING[name], PASSING[name], answer(ITEM), hang_up=name in INCOMPLETE) as server:
        asking = Asking(server.port)
        assert asking.get() == ITEM
        asking.connections.close()
    assert len(server.requests) == ATTEMPTS
    assert 0 <= asking.pauses[0] <= 0.05
    assert 0 <= asking.pauses[1] <= 0.1
    assert asking.told == []


@pytest.mark.parametrize("name", PASSING)
def test_s38_a_lasting_failure_is_a_store_error(name: str) -> None:
    """After as many attempts as through boto3."""
    with serving(*[PASSING[name]] * 5, hang_up=name in INCOMPLETE) as server:
        asking = Asking(server.port)
        with pytest.raises(StoreError, match="attempts"):
            asking.get()
        asking.connections.close()
    assert len(server.requests) == ATTEMPTS
    assert asking.told == []


def test_s38_an_address_without_a_server_is_named() -> None:
    """The error has host and port."""
    with serving() as server:
        pass
    with pytest.raises(StoreError, match=f"127.0.0.1:{server.port}"):
        Asking(server.port).get()


def test_what_the_store_acts_on_is_a_refusal() -> None:
    """The row that did not meet a condition, and the reasons of a transaction, come with it."""
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"_idx": {"S": "x"}}}]
    with serving(
        refused("ConditionalCheckFailedException", "The conditional request failed", Item={"a": {"N": "1"}}),
        refused("TransactionCanceledException", "cancelled", CancellationReasons=reasons),
    ) as server:
        asking = Asking(server.port)
        with pytest.raises(Refusal) as failed:
            asking.get()
        assert failed.value.item == {"a": {"N": "1"}}
        with pytest.raises(Refusal) as cancelled:
            asking.get()
        assert cancelled.value.reasons == (("None", None), ("ConditionalCheckFailed", {"_idx": {"S": "x"}}))
        asking.connections.close()


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
def test_s42_an_answer_that_is_not_understood_hands_over(odd: bytes) -> None:
    """boto3 takes the request and all that follow; one event names the reason and nothing secret."""
    with serving(odd, odd, hang_up=True) as server:
        asking = Asking(server.port)
        assert asking.get() == asking.get() == {"by": "boto3"}
    assert len(server.requests) == 1
    (reason,) = asking.told
    assert "boto3" in reason
    assert "hidden" not in reason


def test_credentials_that_have_expired_are_read_once_more() -> None:
    """Where the environment has others they are used; where those have expired too, boto3 is."""
    environ = {"AWS_ACCESS_KEY_ID": "new", "AWS_SECRET_ACCESS_KEY": "new", "AWS_SESSION_TOKEN": "new-token"}
    expired = refused("ExpiredTokenException")
    with serving(expired, answer(ITEM), expired) as server:
        asking = Asking(server.port, environ)
        assert asking.get() == ITEM
        assert b"X-Amz-Security-Token: new-token\r\n" in server.requests[1]
        assert asking.told == []
        assert asking.get() == {"by": "boto3"}
    assert len(asking.told) == 1


def test_a_connection_that_its_server_closed_is_not_used_again() -> None:
    """A request after a pause goes through a new connection, and no attempt is lost."""
    with serving(answer(ITEM), answer(ITEM), hang_up=True) as server:
        asking = Asking(server.port)
        asking.get()
        assert server.gone.wait(30)
        asking.get()
    assert (server.connections, asking.pauses) == (2, [])


def test_a_connection_that_was_idle_for_long_is_not_used_again() -> None:
    """After half a minute something on the way may have dropped it."""
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
    """The one idle connection."""
    ((one, _),) = connections._idle
    return one


@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system does not fork.")
def test_a_forked_process_opens_connections_of_its_own() -> None:
    """The child's request comes by another connection, and the parent's stays open for the parent."""
    with serving(answer(ITEM), answer(ITEM)) as server:
        asking = Asking(server.port)
        asking.get()
        mine = socket_of(asking.connections)
        child = os.fork()
        if child == 0:
            asking.connections._quiet_one()
            os._exit(len(asking.connections._idle))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        asking.get()
        assert socket_of(asking.connections) is mine
        asking.connections.close()


def test_a_server_that_trickles_is_given_up_in_time() -> None:
    """The time to read is that of the whole answer, not of each piece of it."""
    now = iter([0.0, 0.0, 0.0, 2.0])
    with serving(answer(ITEM)[:20], b"") as server:
        connections = Connections("127.0.0.1", server.port, tls=False, monotonic=lambda: next(now))
        with pytest.raises(TimeoutError):
            connections.exchange(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 1.0, 2.0)


def test_a_hand_over_is_one_event_of_the_session() -> None:
    """What answers in place of DynamoDB is reported once, and the sessions of this process go on through boto3."""
    events: list[Event] = []
    with serving(answer(b"<html>"), answer(ITEM), answer(ITEM)) as server:
        settings = Settings(environment="testing", table="t", sandbox_ports={"tables": server.port})
        manager = build_manager(settings, on_event=events.append)
        for _ in range(2):
            assert manager.load([sign("some-id", manager.keyring.signing[0])]).is_new
        assert len(server.requests) == 3
    assert [event.reason for event in events if event.name == "handed_over"] == [
        "the database is asked through boto3 from now on, after an answer with status 200 that is not DynamoDB's"
    ]


def test_s38_a_page_of_anybody_else_is_no_absent_session() -> None:
    """boto3 reads a page as an answer without a row; the visitor gets an error all the same."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
    with serving(*[page] * ATTEMPTS) as server:
        settings = Settings(environment="testing", table="t", sandbox_ports={"tables": server.port})
        manager = build_manager(settings)
        with pytest.raises(StoreError, match="not DynamoDB"):
            manager.load([sign("some-id", manager.keyring.signing[0])])
