"""A store failure that is answered with status 503 is logged every time, with its text and the route."""

from __future__ import annotations

import json
import logging
import secrets
import socket
from typing import Any

import pytest

import arc
from arc.errors import BadRequest, StoreError
from arc.testing import alb, function_url, payload_v1, payload_v2
from tests.sessions.making import Made

EVENTS = {
    "GET /notes/{id}": payload_v2(path="/notes/7", route="/notes/{id}"),
    "PUT /notes/{id}": payload_v1("PUT", "/notes/7", route="/notes/{id}"),
    "POST /notes/7": alb("POST", "/notes/7"),
    "GET /notes/7": function_url(path="/notes/7"),
    "GET /": {},
}


def errors(log: pytest.LogCaptureFixture) -> list[str]:
    """The messages logged as errors under `arc.http`."""
    return [one.getMessage() for one in log.records if (one.name, one.levelno) == ("arc.http", logging.ERROR)]


@pytest.mark.parametrize("route", EVENTS)
def test_store_error_is_logged_with_its_route(route: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each 503 has its own line, in every format, also for an async handler."""

    def fail(_req: arc.Request) -> None:
        raise StoreError("the table is on fire")

    async def fail_later(req: arc.Request) -> None:
        fail(req)

    for function in (fail, fail_later):
        handler = arc.http.handler(manager=Made().manager)(function)
        for _ in range(2):
            caplog.clear()
            assert handler(EVENTS[route], None)["statusCode"] == 503
            (line,) = errors(caplog)
            assert "the table is on fire" in line
            assert repr(route) in line


def test_unreachable_table_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """`arc.tables.table` without a service map is logged with its reason."""
    with socket.socket() as unused:  # bound and not listening: a connection is refused
        unused.bind(("127.0.0.1", 0))
        ports = {"_arc": unused.getsockname()[1]}
        environ = {
            "ARC_ENV": "testing",
            "ARC_APP_NAME": f"app{secrets.token_hex(8)}",
            "AWS_REGION": "us-east-1",
            "ARC_SANDBOX": json.dumps({"ports": ports, "version": "1"}),
        }

        def read(_req: arc.Request) -> dict[str, Any]:
            return {"json": arc.tables.table("notes", environ=environ).scan()}

        reply = arc.http.handler(manager=Made().manager)(read)(payload_v2(path="/notes"), None)
    assert (reply["statusCode"], reply["body"]) == (503, '{"message":"Service Unavailable"}')
    (line,) = errors(caplog)
    assert "'GET /notes'" in line
    assert "could not be read" in line


def test_store_failure_during_a_refusal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A failure of the session's store is logged whenever it happens."""
    made = Made(server=True)

    def refuse(req: arc.Request) -> None:
        req.session["a"] = 1
        raise BadRequest("no")

    class Failing(type(made.store)):  # type: ignore[misc]
        """A store that fails."""

        def create(self, *_: object) -> str:
            """Fail."""
            raise StoreError("the table is on fire")

    made.manager.store = Failing(made.manager.keyring)
    assert arc.http.handler(manager=made.manager)(refuse)(payload_v2(), None)["statusCode"] == 503
    assert "the table is on fire" in errors(caplog)[0]


def test_refusals_are_not_logged_as_errors(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a visitor's mistake nor a success is logged as an error."""

    def refuse(_req: arc.Request) -> None:
        raise BadRequest("no")

    for function in (refuse, lambda _req: {"text": "ok"}):
        arc.http.handler(manager=Made().manager)(function)(payload_v2(), None)
    assert errors(caplog) == []
