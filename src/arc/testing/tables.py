"""The tables of an `App`: in a local cloud that the tests of this process share, each with a service map of its own."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.tools.sandbox.addresses import Addresses
from arc.tools.sandbox.cloud.local_cloud import INSTALL, LocalCloud, is_installed
from arc.tools.sandbox.cloud.local_tables import LocalTables
from arc.tools.sandbox.cloud.state import temporary_state
from arc.tools.sandbox.front import service_map
from arc.tools.sandbox.functions.launch import sandbox_ports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory import Inventory

_SECONDS_TO_EMPTY = 30
_OK = 200
_SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=dummy"}  # The cloud is closed to requests of web pages.
_idle: list[LocalCloud] = []  # Starting a cloud takes about a second, and emptying one a few milliseconds.


class AppTables:
    """The manifest's tables in a local cloud, with the rows of the seed file."""

    def __init__(self, inventory: Inventory) -> None:
        """Raise `ToolError` if the extra `local` is missing, or if the seed file has a fault."""
        if not is_installed():
            raise ToolError(f"App(…, tables=True) requires a local cloud, which is not installed. Run: {INSTALL}")
        with contextlib.ExitStack() as ends:
            self._cloud = _take_cloud()
            ends.callback(_idle.append, self._cloud)
            tables = LocalTables(_show, Addresses(), fresh=True, quiet=False, cloud=self._cloud)
            tables.prepare(inventory)
            server = _ServiceMap(self._cloud.port, tables.names)
            ends.callback(server.close)
            self.port = server.server_port
            """The port of the service map."""
            self._ends = ends.pop_all()

    @property
    def database_port(self) -> int:
        """DynamoDB's port."""
        return self._cloud.port

    def close(self) -> None:
        """Leave the cloud to the next App."""
        self._ends.close()


def _take_cloud() -> LocalCloud:
    """Return an empty cloud that no App is using."""
    while _idle:
        cloud = _idle.pop()
        if cloud.failure is None and _empty(cloud):
            return cloud
        cloud.close()
    state = temporary_state()
    atexit.register(state.close)
    cloud = LocalCloud(state, warnings.warn, loss="The App's tables are unavailable.")
    atexit.register(cloud.close)
    return cloud


def _empty(cloud: LocalCloud) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=_SECONDS_TO_EMPTY)
    try:
        connection.request("POST", "/_ministack/reset", headers=_SIGNED)
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _show(message: str) -> None:
    """Issue a warning of the sandbox as one of Python's, and omit what it did."""
    text = message.removeprefix("Warning: ")
    if text != message:
        warnings.warn(text, stacklevel=2)


class _ServiceMap(ThreadingHTTPServer):
    """The sandbox's service map at a free port, from which `arc.tables` reads physical names."""

    daemon_threads = True

    def __init__(self, tables_port: int, names: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _ServiceMapRequest)
        ports = sandbox_ports(self.server_port, tables_port)
        self.services = {"ARC_SANDBOX/ports": json.dumps(ports)} | {f"tables/{name}": names[name] for name in names}
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        """Stop the server."""
        self.shutdown()
        self.server_close()


class _ServiceMapRequest(BaseHTTPRequestHandler):
    server: _ServiceMap

    def do_POST(self) -> None:
        """Answer as the sandbox does."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = service_map.answer("POST", self.path, headers, body, self.server.services)
        self.send_response(reply.status)
        for name, value in (*reply.headers, (b"content-length", str(len(reply.body)).encode())):
            self.send_header(name.decode(), value.decode())
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""
