"""Servers that respond with given bytes."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


def answer(body: dict[str, Any] | bytes, *, status: int = 200, headers: str = "") -> bytes:
    """An answer as DynamoDB writes it, with the checksum of its body unless `headers` has another one."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    checksum = "" if "crc32" in headers.lower() else f"x-amz-crc32: {crc32(text)}\r\n"
    head = f"HTTP/1.1 {status} Some\r\nContent-Type: application/x-amz-json-1.0\r\n{checksum}{headers}"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text


def refused(code: str, message: str = "", *, status: int = 400, **more: Any) -> bytes:
    """Return an error response of DynamoDB."""
    return answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **more}, status=status)


class Server:
    """A server on `port` that answers each request with the next of `answers`: empty hangs up without one.

    It records `requests` and counts `connections`. With `hang_up` it closes the connection after each response.
    """

    def __init__(self, answers: list[bytes], *, context: ssl.SSLContext | None, hang_up: bool) -> None:
        self._answers, self._context, self._hang_up = answers, context, hang_up
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0
        self.disconnected = threading.Event()
        self._open: list[socket.socket] = []

    def serve(self) -> None:
        """Respond until the listener is closed."""
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(raw)
            with suppress(OSError):
                self._converse(self._context.wrap_socket(raw, server_side=True) if self._context else raw)

    def _converse(self, connection: socket.socket) -> None:
        with connection:
            while self._answers:
                data = b""
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65_536)
                    if not piece:
                        return
                    data += piece
                head, _, body = data.partition(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                while len(body) < size:
                    body += connection.recv(65_536)
                self.requests.append(head + b"\r\n\r\n" + body)
                reply = self._answers.pop(0)
                connection.sendall(reply)
                if not reply or self._hang_up:
                    break
        self.disconnected.set()

    def close(self) -> None:
        """Close the listener and all open connections."""
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def serving(*answers: bytes, context: ssl.SSLContext | None = None, hang_up: bool = False) -> Iterator[Server]:
    """Run a `Server` until the end of the block."""
    server = Server(list(answers), context=context, hang_up=hang_up)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
