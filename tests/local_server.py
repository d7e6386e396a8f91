"""HTTP servers for tests, each in a thread of this process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from socketserver import BaseServer

Server = TypeVar("Server", bound="BaseServer")


class Handler(BaseHTTPRequestHandler):
    """A request handler that prints nothing. `answer` handles every method."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Return the handler of every method: `do_GET`, `do_POST` and so on."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self) -> None:
        """Answer the request."""
        raise NotImplementedError

    def body(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a response."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is http.server's
        """Print nothing."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Run `server` in a thread until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
