"""awslambdaric's native module `runtime_client` in pure Python, for systems it is not built for."""

from __future__ import annotations

import http.client
import os

_RUNTIME = "/2018-06-01/runtime/invocation/"
_NUMBERS = ("Lambda-Runtime-Deadline-Ms",)


class Connection:
    """One kept-alive connection to the Runtime API named by `AWS_LAMBDA_RUNTIME_API`."""

    def __init__(self, api: str, user_agent: str) -> None:
        address, _, prefix = api.partition("/")
        self._prefix = f"/{prefix}" if prefix else ""
        self._user_agent = user_agent
        self._http = http.client.HTTPConnection(address)

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Status, body and headers of the answer. A dropped connection is opened again once."""
        fields = {"User-Agent": self._user_agent, **(headers or {})}
        for attempt in (1, 2):
            try:
                self._http.request(method, self._prefix + _RUNTIME + path, body, fields)
                response = self._http.getresponse()
                return response.status, response.read(), response.headers
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._http.close()
                if attempt == 2:  # noqa: PLR2004
                    raise
        raise AssertionError


_connection: Connection | None = None


def initialize_client(user_agent: str) -> None:
    """Remember who we are and where the Runtime API is."""
    global _connection  # noqa: PLW0603 - the native module keeps its client the same way
    _connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"], user_agent)


def next() -> tuple[bytes, dict[str, str | int | None]]:  # noqa: A001 - the native module's name
    """The next event's bytes, and the headers awslambdaric asks for."""
    status, body, headers = _call("GET", "next")
    if status != http.client.OK:
        raise RuntimeError(f"Runtime API answered {status} when asked for the next event")
    known: dict[str, str | int | None] = {name.title().replace("_", "-"): headers[name] for name in headers}
    for name in _NUMBERS:
        known[name] = int(headers[name] or 0)
    return body, known


def post_invocation_result(invoke_id: str, body: bytes, content_type: str = "application/json", *_: object) -> None:
    """Hand back the handler's result."""
    _expect_accepted(_call("POST", f"{invoke_id}/response", body, {"Content-Type": content_type}))


def post_error(invoke_id: str, error: str, *_: object) -> None:
    """Hand back what the handler raised, as JSON text."""
    _expect_accepted(_call("POST", f"{invoke_id}/error", error.encode(), {"Content-Type": "application/json"}))


def _call(
    method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes, http.client.HTTPMessage]:
    if _connection is None:
        raise RuntimeError("initialize_client() has not been called")
    return _connection.call(method, path, body, headers)


def _expect_accepted(answer: tuple[int, bytes, http.client.HTTPMessage]) -> None:
    if not 200 <= answer[0] < 300:  # noqa: PLR2004
        raise RuntimeError(f"Runtime API answered {answer[0]}: {answer[1].decode(errors='replace')}")
