"""Deploys the app of a page as its reader would: a function for each route, an HTTP API for each environment."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from arc import inventory as inventories
from tests.deployed import deploy, package
from tests.engines import Engine

HERE = "<!-- deployed -->"
# curl sends Secure cookies over plain HTTP to these two names of this machine alone; one for each environment.
_NAMES = {"staging": "localhost", "production": "127.0.0.1"}


class Deployment:
    """Deploys apps to the tests' `cloud`; their addresses are closed when the block ends."""

    def __init__(self, cloud: Engine, home: Path) -> None:
        self._cloud, self._ends = cloud, ExitStack()
        self.environ = cloud.environ(home)
        """Variables of a terminal that works on this cloud."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def deploy(self, folder: Path) -> dict[str, str]:
        """Deploy the app in `folder` to staging and production; return the addresses as `STAGING` and `PRODUCTION`."""
        addresses = {}
        for environment, name in _NAMES.items():
            port = self._ends.enter_context(_gateway(self._cloud.port, self._deployed(folder, environment)))
            addresses[environment.upper()] = f"http://{name}:{port}"
        return addresses

    def _deployed(self, folder: Path, environment: str) -> str:
        """Return the host of the HTTP API."""
        inventory = inventories.read(folder, environ={})
        api = self._cloud.client("apigatewayv2")
        made: str = api.create_api(Name=f"{inventory.app}-{environment}", ProtocolType="HTTP")["ApiId"]
        for route in inventory.routes:
            assert route.handler is not None
            code = package(f"print('asked')\n{route.handler.read_text()}")
            functions = deploy(self._cloud, inventory.app, environment, [route.logical_id], code=code)
            integration = api.create_integration(
                ApiId=made,
                IntegrationType="AWS_PROXY",
                IntegrationUri=functions.configuration(route.logical_id)["FunctionArn"],
                PayloadFormatVersion="2.0",
            )["IntegrationId"]
            api.create_route(ApiId=made, RouteKey=route.route_key, Target=f"integrations/{integration}")
        api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
        return f"{made}.execute-api.localhost"


@contextmanager
def _gateway(cloud: int, host: str) -> Iterator[int]:
    """Yield a port that forwards GET requests to the HTTP API `host` of the `cloud`."""

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", cloud, timeout=60)
            cookies = {"Cookie": self.headers["Cookie"]} if "Cookie" in self.headers else {}
            connection.request("GET", self.path, headers={"Host": host, **cookies})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"connection", "content-length", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing, because a page shows only what its commands print."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
