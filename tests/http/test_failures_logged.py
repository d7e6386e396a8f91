"""A failure of a store that is answered 503 leaves its text in the log, with the route, every time."""

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
def test_a_store_error_is_logged_with_its_route_every_time(route: str, caplog: pytest.LogCaptureFixture) -> None:
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


def test_a_table_that_a_handler_cannot_reach_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """`arc.tables.table` without a service map to ask says in the log what failed."""
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


def test_a_store_that_fails_while_a_refusal_is_answered_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The session's own store is no exception, whenever it fails."""
    made = Made(server=True)

    def refuse(req: arc.Request) -> None:
        req.session["a"] = 1
        raise BadRequest("no")

    class Failing(type(made.store)):  # type: ignore[misc]
        """A store that keeps nothing."""

        def create(self, *_: object) -> str:
            """Fail."""
            raise StoreError("the table is on fire")

    made.manager.store = Failing(made.manager.keyring)
    assert arc.http.handler(manager=made.manager)(refuse)(payload_v2(), None)["statusCode"] == 503
    assert "the table is on fire" in errors(caplog)[0]


def test_refusals_of_a_visitor_are_no_errors(caplog: pytest.LogCaptureFixture) -> None:
    """What a visitor did wrong, and what succeeds, logs no error."""

    def refuse(_req: arc.Request) -> None:
        raise BadRequest("no")

    for function in (refuse, lambda _req: {"text": "ok"}):
        arc.http.handler(manager=Made().manager)(function)(payload_v2(), None)
    assert errors(caplog) == []
