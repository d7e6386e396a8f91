"""The service map, and who can read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from arc.tools.sandbox.front.service_map import answer, is_internal, is_this_machine

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICES = {"tables/session": "testapp-testing-session", "ARC_SANDBOX/ports": "{}"}
TARGET = {"host": "localhost:3333", "x-amz-target": "AmazonSSM.GetParametersByPath"}


def response(
    question: Any = None, *, method: str = "POST", path: str = "/_arc/ssm", headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Return the status and JSON of the response."""
    body = question if isinstance(question, bytes) else json.dumps(question or {"Path": "/TestappTesting"}).encode()
    reply = answer(method, path, TARGET | dict(headers or {}), body, SERVICES)
    assert (b"content-type", b"application/x-amz-json-1.1") in reply.headers
    return reply.status, json.loads(reply.body)


def names(path: str) -> dict[str, str]:
    """Return the parameters below `path`."""
    status, answered = response({"Path": path, "Recursive": True})
    assert status == 200
    return {parameter["Name"]: parameter["Value"] for parameter in answered["Parameters"]}


def test_service_map_exists_under_any_stack_name() -> None:
    """ARC_STACK_NAME may set any name."""
    for stack in ("TestappTesting", "Mine"):
        assert names(f"/{stack}") == {
            f"/{stack}/tables/session": "testapp-testing-session",
            f"/{stack}/ARC_SANDBOX/ports": "{}",
        }


@pytest.mark.parametrize("path", ["/TestappTesting/tables", "/TestappTesting/tables/"])
def test_part_of_the_map_can_be_requested(path: str) -> None:
    """The path may have a trailing slash."""
    assert names(path) == {"/TestappTesting/tables/session": "testapp-testing-session"}


@pytest.mark.parametrize("path", ["/TestappTesting/table", "/TestappTesting/tables/session", "/", "//tables"])
def test_other_paths_have_no_parameters(path: str) -> None:
    """A prefix matches only whole parts of a path, and a stack's name is required."""
    assert names(path) == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"Path": 1}', b'{"Path": "x"}', b"[" * 100_000, b"\xff"])
def test_malformed_request_is_refused(body: bytes) -> None:
    """The error is SSM's."""
    status, answered = response(body)
    assert (status, answered["__type"]) == (400, "ValidationException")


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", "AmazonSSM.GetParameter"), ("POST", "DynamoDB_20120810.ListTables"), ("POST", ""), ("GET", None)],
)
def test_other_operations_are_unknown(method: str, target: str | None) -> None:
    """Only one operation is supported."""
    headers = {} if target is None else {"x-amz-target": target}
    status, answered = response(method=method, headers=headers)
    assert (status, answered["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize("path", ["/_arc", "/_arc/", "/_arc/nothing", "/_arc/ssm/more", "/_arc/ssmx"])
def test_other_paths_are_not_found(path: str) -> None:
    """The response is JSON that names the supported path."""
    status, answered = response(path=path)
    assert status == 404
    assert "/_arc/ssm" in answered["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3333", "127.0.0.1:1", "[::1]:3333", "[::1]"])
def test_loopback_hosts_are_answered(host: str) -> None:
    """Any name and port is accepted."""
    assert response(headers={"host": host})[0] == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:3333", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1"]
)
def test_other_hosts_are_refused(host: str) -> None:
    """A web page whose host name resolves to this machine cannot read the map."""
    status, answered = response(headers={"host": host})
    assert status == 403
    assert "Parameters" not in answered


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3333", "null", ""])
def test_web_pages_are_refused(origin: str) -> None:
    """This includes pages of this machine."""
    assert response(headers={"origin": origin})[0] == 403


@pytest.mark.parametrize(
    ("path", "internal"), [("/_arc", True), ("/_arc/ssm", True), ("/_arcade", False), ("/", False), ("/x/_arc/", False)]
)
def test_sandbox_reserves_one_folder(path: str, *, internal: bool) -> None:
    """All other paths belong to the app."""
    assert is_internal(path) is internal


@pytest.mark.parametrize(
    ("client", "here"),
    [
        (("127.0.0.1", 1), True),
        (("127.8.8.8", 1), True),
        (("::1", 1), True),
        (("::ffff:127.0.0.1", 1), True),
        (("192.0.2.7", 1), False),
        (("::ffff:192.0.2.7", 1), False),
        (None, False),
    ],
)
def test_clients_on_other_machines_are_recognized_by_their_address(client: tuple[str, int] | None, here: bool) -> None:
    """A sandbox on a network answers these requests only on this machine, whatever Host says."""
    assert is_this_machine(client) is here
