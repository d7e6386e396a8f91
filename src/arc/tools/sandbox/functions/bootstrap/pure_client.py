"""awslambdaric's native module `runtime_client` in pure Python, for systems that it is not built for."""

from __future__ import annotations

import http.client
import os

_INVOCATION = "2018-06-01/runtime/invocation/"
_DEADLINE = "Lambda-Runtime-Deadline-Ms"


class Connection:
    """A persistent connection to the Runtime API at the address `api`, as in `AWS_LAMBDA_RUNTIME_API`."""

    def __init__(self, api: str, user_agent: str) -> None:
        address, _, prefix = api.partition("/")
        self._base = (f"/{prefix}/" if prefix else "/") + _INVOCATION
        self._user_agent = user_agent
        self._http = http.client.HTTPConnection(address)

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Return the status, body and headers of the response. A dropped connection is reopened once."""
        fields = {"User-Agent": self._user_agent, **(headers or {})}
        for attempt in (1, 2):
            try:
                self._http.request(method, self._base + path, body, fields)
                response = self._http.getresponse()
                return response.status, response.read(), response.headers
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._http.close()
                if attempt == 2:  # noqa: PLR2004
                    raise
        raise AssertionError


_connection: Connection


def initialize_client(user_agent: str) -> None:
    """Create the connection to the Runtime API."""
    global _connection  # noqa: PLW0603 - the native module keeps its client the same way
    _connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"], user_agent)


def next() -> tuple[bytes, dict[str, str | int | None]]:  # noqa: A001 - the native module's name
    """Return the next event, and the headers that awslambdaric reads."""
    status, body, headers = _connection.call("GET", "next")
    if status != http.client.OK:
        raise RuntimeError(f"The Runtime API returned status {status} for the next event.")
    known: dict[str, str | int | None] = {name.title().replace("_", "-"): headers[name] for name in headers}
    known[_DEADLINE] = int(headers[_DEADLINE] or 0)
    return body, known


def post_invocation_result(invoke_id: str, body: bytes, content_type: str = "application/json", *_: object) -> None:
    """Return the handler's result to the Runtime API."""
    _post(f"{invoke_id}/response", body, content_type)


def post_error(invoke_id: str, error: str, *_: object) -> None:
    """Return the handler's exception to the Runtime API, as JSON."""
    _post(f"{invoke_id}/error", error.encode(), "application/json")


def _post(path: str, body: bytes, content_type: str) -> None:
    status, answer, _ = _connection.call("POST", path, body, {"Content-Type": content_type})
    if not 200 <= status < 300:  # noqa: PLR2004
        raise RuntimeError(f"The Runtime API returned status {status}: {answer.decode(errors='replace')}")
