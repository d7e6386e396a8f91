"""Who is told which tables the app has, and who is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from arc.tools.sandbox.cloud.service_map import answer, is_internal, is_this_machine

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICES = {"tables/session": "testapp-testing-session", "ARC_SANDBOX/ports": "{}"}
TARGET = {"host": "localhost:3333", "x-amz-target": "AmazonSSM.GetParametersByPath"}


def asked(
    question: Any = None, *, method: str = "POST", path: str = "/_arc/ssm", headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Status and JSON of the answer."""
    body = question if isinstance(question, bytes) else json.dumps(question or {"Path": "/TestappTesting"}).encode()
    reply = answer(method, path, TARGET | dict(headers or {}), body, SERVICES)
    assert (b"content-type", b"application/x-amz-json-1.1") in reply.headers
    return reply.status, json.loads(reply.body)


def names(path: str) -> dict[str, str]:
    """The parameters below `path`."""
    status, answered = asked({"Path": path, "Recursive": True})
    assert status == 200
    return {parameter["Name"]: parameter["Value"] for parameter in answered["Parameters"]}


def test_the_map_is_told_under_the_stack_that_was_asked_for() -> None:
    """ARC_STACK_NAME may call it as it likes."""
    for stack in ("TestappTesting", "Mine"):
        assert names(f"/{stack}") == {
            f"/{stack}/tables/session": "testapp-testing-session",
            f"/{stack}/ARC_SANDBOX/ports": "{}",
        }


@pytest.mark.parametrize("path", ["/TestappTesting/tables", "/TestappTesting/tables/"])
def test_a_part_of_the_map_can_be_asked_for(path: str) -> None:
    """With and without a slash at its end."""
    assert names(path) == {"/TestappTesting/tables/session": "testapp-testing-session"}


@pytest.mark.parametrize("path", ["/TestappTesting/table", "/TestappTesting/tables/session", "/", "//tables"])
def test_nothing_is_below_another_path(path: str) -> None:
    """A name is a folder's only at a slash, and no stack has no name."""
    assert names(path) == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"Path": 1}', b'{"Path": "x"}', b"[" * 100_000, b"\xff"])
def test_a_malformed_question_is_refused(body: bytes) -> None:
    """As SSM refuses it."""
    status, answered = asked(body)
    assert (status, answered["__type"]) == (400, "ValidationException")


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", "AmazonSSM.GetParameter"), ("POST", "DynamoDB_20120810.ListTables"), ("POST", ""), ("GET", None)],
)
def test_other_operations_are_unknown(method: str, target: str | None) -> None:
    """One operation is all that is needed."""
    headers = {} if target is None else {"x-amz-target": target}
    status, answered = asked(method=method, headers=headers)
    assert (status, answered["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize("path", ["/_arc", "/_arc/", "/_arc/nothing", "/_arc/ssm/more", "/_arc/ssmx"])
def test_other_paths_are_not_found(path: str) -> None:
    """As JSON, with what there is."""
    status, answered = asked(path=path)
    assert status == 404
    assert "/_arc/ssm" in answered["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3333", "127.0.0.1:1", "[::1]:3333", "[::1]"])
def test_this_machine_is_answered(host: str) -> None:
    """By any of its names, whatever the port."""
    assert asked(headers={"host": host})[0] == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:3333", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1"]
)
def test_other_hosts_are_refused(host: str) -> None:
    """A page whose name was pointed at this machine learns nothing."""
    status, answered = asked(headers={"host": host})
    assert status == 403
    assert "Parameters" not in answered


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3333", "null", ""])
def test_web_pages_are_refused(origin: str) -> None:
    """Even those of this machine."""
    assert asked(headers={"origin": origin})[0] == 403


@pytest.mark.parametrize(
    ("path", "internal"), [("/_arc", True), ("/_arc/ssm", True), ("/_arcade", False), ("/", False), ("/x/_arc/", False)]
)
def test_the_sandbox_keeps_one_folder_for_itself(path: str, *, internal: bool) -> None:
    """Every other path belongs to the app."""
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
def test_callers_from_elsewhere_are_told_apart_by_their_address(client: tuple[str, int] | None, here: bool) -> None:
    """A sandbox that listens on a network keeps its internal addresses to this machine, whatever Host says."""
    assert is_this_machine(client) is here
