"""A stand-in for Architect's sandbox: it records every call about events, queues and sockets."""

from __future__ import annotations

import json
import secrets
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.engines import AWS
from tests.local_server import Handler, serving

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

CONNECTED_AT = "2026-11-23T07:00:00.000Z"
_SOCKETS = "/_arc/ws/@connections/"


def sandbox_environ(**ports: int) -> dict[str, str]:
    """Variables of a function in a sandbox with these ports. No other test uses its app."""
    sandbox = json.dumps({"ports": ports, "version": "8.0.0"})
    app = {"ARC_ENV": "testing", "ARC_APP_NAME": f"app{secrets.token_hex(8)}", "AWS_REGION": AWS["AWS_REGION"]}
    return {**app, "ARC_SANDBOX": sandbox}


class ArchitectSandbox(ThreadingHTTPServer):
    """Events and queues called `names`, and sockets of the `connections`, at `port`.

    `calls` has the method, path and body of every call. `failure` is the status of every response, if it is set.
    """

    daemon_threads = True

    def __init__(self, names: tuple[str, ...], connections: tuple[str, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.names, self.connections = names, connections
        self.failure: int | None = None
        self.calls: list[tuple[str, str, Any]] = []
        self.port = int(self.server_address[1])

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the response."""
        value: Any = json.loads(body) if body else None
        self.calls.append((method, path, value))
        if self.failure is not None:
            return self.failure, {}, b"broken"
        if path in ("/events", "/queues"):
            return (200, {}, b"ok") if value["name"] in self.names else (404, {}, b"Not found")
        if path.removeprefix(_SOCKETS) not in self.connections:
            return 410, {"x-amzn-ErrorType": "GoneException"}, b""
        return 200, {}, json.dumps({"connectedAt": CONNECTED_AT}).encode() if method == "GET" else b""


class _Handler(Handler):
    server: ArchitectSandbox

    def answer(self) -> None:
        self.respond(*self.server.answer(self.command, self.path, self.body()))


def architect_sandbox(*names: str, connections: tuple[str, ...] = ()) -> AbstractContextManager[ArchitectSandbox]:
    """Run a stand-in until the block ends."""
    return serving(ArchitectSandbox(names, connections))
