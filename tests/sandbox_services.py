"""A stand-in for the sandbox's SSM at `/_arc/ssm`, which pages as AWS does or refuses."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = 10


class SandboxServices(ThreadingHTTPServer):
    """Parameters by name at `port`; `asked` is every question that came, `refusal` the error that it answers."""

    daemon_threads = True

    def __init__(self, parameters: Mapping[str, str], refusal: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.parameters, self.refusal = dict(parameters), refusal
        self.asked: list[dict[str, Any]] = []
        self.port = int(self.server_address[1])

    def answer(self, path: str, question: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON."""
        self.asked.append(question)
        if path != "/_arc/ssm":
            return 404, {"__type": "UnknownPath", "message": path}
        if self.refusal:
            return 400, {"__type": self.refusal, "message": "not for you"}
        below = sorted(name for name in self.parameters if name.startswith(question["Path"] + "/"))
        start = int(question.get("NextToken", 0))
        page = below[start : start + PAGE]
        answer: dict[str, Any] = {"Parameters": [{"Name": name, "Value": self.parameters[name]} for name in page]}
        if start + PAGE < len(below):
            answer["NextToken"] = str(start + PAGE)
        return 200, answer


class _Handler(BaseHTTPRequestHandler):
    server: SandboxServices

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.server.answer(self.path, question)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is http.server's
        """Nothing is printed."""


@contextmanager
def sandbox_services(parameters: Mapping[str, str], refusal: str | None = None) -> Iterator[SandboxServices]:
    """The stand-in, ended with the block."""
    with SandboxServices(parameters, refusal) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
