"""A stand-in for what Architect's sandbox does with events, queues and sockets: it records every call."""

from __future__ import annotations

import json
import secrets
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.engines import AWS

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTED_AT = "2026-11-23T07:00:00.000Z"
_SOCKETS = "/_arc/ws/@connections/"


def named(**ports: int) -> dict[str, str]:
    """The environment of a function of an app that no other test has, in a sandbox with these ports."""
    sandbox = json.dumps({"ports": ports, "version": "8.0.0"})
    own = {"ARC_ENV": "testing", "ARC_APP_NAME": f"app{secrets.token_hex(8)}", "AWS_REGION": AWS["AWS_REGION"]}
    return {**own, "ARC_SANDBOX": sandbox}


class ArchitectSandbox(ThreadingHTTPServer):
    """Events and queues called `names`, and sockets of the `connections`, at `port`.

    `calls` has the method, path and body of every call; `failure` is the status of every answer where it is set.
    """

    daemon_threads = True

    def __init__(self, names: tuple[str, ...], connections: tuple[str, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.names, self.connections = names, connections
        self.failure: int | None = None
        self.calls: list[tuple[str, str, Any]] = []
        self.port = int(self.server_address[1])

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body, as Architect's sandbox answers."""
        value: Any = json.loads(body) if body else None
        self.calls.append((method, path, value))
        if self.failure is not None:
            return self.failure, {}, b"broken"
        if path in ("/events", "/queues"):
            return (200, {}, b"ok") if value["name"] in self.names else (404, {}, b"Not found")
        if path.removeprefix(_SOCKETS) not in self.connections:
            return 410, {"x-amzn-ErrorType": "GoneException"}, b""
        return 200, {}, json.dumps({"connectedAt": CONNECTED_AT}).encode() if method == "GET" else b""


class _Handler(BaseHTTPRequestHandler):
    server: ArchitectSandbox

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, answer = self.server.answer(self.command, self.path, body)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_DELETE = do_GET = do_POST = _reply  # noqa: N815  # the names are http.server's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is http.server's
        """Nothing is printed."""


@contextmanager
def architect_sandbox(*names: str, connections: tuple[str, ...] = ()) -> Iterator[ArchitectSandbox]:
    """The stand-in, ended with the block."""
    with ArchitectSandbox(names, connections) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
