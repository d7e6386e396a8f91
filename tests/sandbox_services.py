"""A stand-in for the sandbox's SSM at `/_arc/ssm`, which returns pages like AWS, or refuses."""

from __future__ import annotations

import json
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.local_server import Handler, serving

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

PAGE = 10


class SandboxServices(ThreadingHTTPServer):
    """Parameters by name at `port`. `requests` are all requests. `refusal` is the error of every response, if set."""

    daemon_threads = True

    def __init__(self, parameters: Mapping[str, str], refusal: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.parameters, self.refusal = dict(parameters), refusal
        self.requests: list[dict[str, Any]] = []
        self.port = int(self.server_address[1])

    def answer(self, path: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the response."""
        self.requests.append(request)
        if path != "/_arc/ssm":
            return 404, {"__type": "UnknownPath", "message": path}
        if self.refusal:
            return 400, {"__type": self.refusal, "message": "not for you"}
        below = sorted(name for name in self.parameters if name.startswith(request["Path"] + "/"))
        start = int(request.get("NextToken", 0))
        page = below[start : start + PAGE]
        answer: dict[str, Any] = {"Parameters": [{"Name": name, "Value": self.parameters[name]} for name in page]}
        if start + PAGE < len(below):
            answer["NextToken"] = str(start + PAGE)
        return 200, answer


class _Handler(Handler):
    server: SandboxServices

    def answer(self) -> None:
        status, answer = self.server.answer(self.path, json.loads(self.body()))
        self.respond(status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode())


def sandbox_services(
    parameters: Mapping[str, str], refusal: str | None = None
) -> AbstractContextManager[SandboxServices]:
    """Run a stand-in until the block ends."""
    return serving(SandboxServices(parameters, refusal))
