"""Kept-alive HTTP/1.1 connections to one server.

Importing `http.client` takes as long as a TLS handshake, and it needs ten times the CPU for a request. This module
reads only what DynamoDB sends, and any other response raises `UnexpectedResponse`.
"""

from __future__ import annotations

import os
import re
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

_MOST_IDLE = 64  # connections
_LONGEST_IDLE = 30.0  # seconds, after which a server or a proxy may have dropped a connection silently
_LONGEST_HEAD, LONGEST_BODY = 32_768, 16 * 1024 * 1024  # bytes; DynamoDB's responses have at most 16 MB
_LONGEST_LINE = 1024  # bytes of a chunk's size with its extensions, or of a trailer
_AT_ONCE = 65_536  # bytes
_STATUS = re.compile(rb"HTTP/1\.([01]) ([2-5]\d\d)(?: [\t -~\x80-\xff]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t -~\x80-\xff]*)?")
_WITHOUT_BODY = (204, 205, 304)


class UnexpectedResponse(Exception):
    """A response that is not DynamoDB's, or that only boto3 can handle. The text contains nothing secret."""


class Response:
    """A complete HTTP response, with `headers` by lower-case name, and whether the connection is `reusable`."""

    __slots__ = ("body", "headers", "reusable", "status")

    def __init__(self, status: int, headers: dict[bytes, bytes], body: bytes, *, reusable: bool) -> None:
        self.status, self.headers, self.body, self.reusable = status, headers, body, reusable


class Connections:
    """Connections to `host`. With `tls` its certificate is verified.

    Only one thread at a time uses a connection, and a forked process opens its own. `monotonic` returns seconds, and
    `context` the settings of TLS.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: bool,
        monotonic: Callable[[], float] = time.monotonic,
        context: Callable[[], SSLContext] | None = None,
    ) -> None:
        self._host, self._port, self._tls, self._monotonic = host, port, tls, monotonic
        self._make_context = context or tls_context
        self._context: SSLContext | None = None
        # No lock: `append` and `pop` are atomic, and a fork might copy a lock that another thread holds.
        self._idle: list[tuple[socket.socket, float]] = []
        self._process = os.getpid()

    def exchange(self, message: bytes, connect: float, read: float) -> Response:
        """Send a whole request and return the response, within seconds to `connect` and to `read`.

        Raises `OSError` for a failed or broken connection, and `UnexpectedResponse`.
        """
        connection = self._idle_connection()
        reused = connection is not None
        if connection is None:
            connection = self._connect(connect)
        try:
            response = self._exchange(connection, message, read)
        except BaseException:
            connection.close()
            if reused:
                self.close()  # The others were idle for longer.
            raise
        if response.reusable and len(self._idle) < _MOST_IDLE:
            self._idle.append((connection, self._monotonic()))
        else:
            connection.close()
        return response

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            try:
                connection, _ = self._idle.pop()
            except IndexError:  # Another thread has taken the last one.
                return
            connection.close()

    __del__ = close

    def _exchange(self, connection: socket.socket, message: bytes, read: float) -> Response:
        end = self._monotonic() + read
        connection.settimeout(read)
        connection.sendall(message)

        def receive() -> bytes:
            left = end - self._monotonic()
            if left <= 0:
                raise TimeoutError(f"{self._host} did not respond within {read:g} seconds")
            connection.settimeout(left)
            return connection.recv(_AT_ONCE)

        return read_response(receive)

    def _idle_connection(self) -> socket.socket | None:
        """Return an idle connection that its server has not closed, or None."""
        if self._process != os.getpid():
            self.close()  # The parent process's connections stay open.
            self._process = os.getpid()
        oldest = self._monotonic() - _LONGEST_IDLE
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if since >= oldest and _is_quiet(connection):
                return connection
            connection.close()
        return None

    def _connect(self, seconds: float) -> socket.socket:
        connection = socket.create_connection((self._host, self._port), seconds)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if not self._tls:
                return connection
            if self._context is None:
                self._context = self._make_context()
            return self._context.wrap_socket(connection, server_hostname=self._host)
        except BaseException as error:
            connection.close()
            if type(error).__name__ == "SSLCertVerificationError":  # boto3 has its own root certificates.
                raise UnexpectedResponse("a certificate that the system's root certificates do not verify") from None
            raise


def tls_context() -> SSLContext:
    """Return settings for TLS 1.2 or newer that verify certificate and host name with the system's certificates."""
    import ssl

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _is_quiet(connection: socket.socket) -> bool:
    """True when the server has sent nothing since its last response and has not closed the connection."""
    try:
        connection.settimeout(0)
        socket.socket.recv(connection, 1, socket.MSG_PEEK)  # TLS cannot peek.
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class _Stream:
    """The bytes that `receive` returns in pieces. An empty piece is the end."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self.data = bytearray()

    def until(self, mark: bytes, most: int) -> bytes:
        """Take everything up to `mark`, which is removed. Raises `UnexpectedResponse` for more than `most` bytes."""
        end = self.data.find(mark)
        while end < 0 and len(self.data) <= most:
            start = max(0, len(self.data) - len(mark))
            self._receive_more()
            end = self.data.find(mark, start)
        if not 0 <= end <= most:
            raise UnexpectedResponse("a response whose head is too long")
        return self._take(end, len(mark))

    def exactly(self, size: int) -> bytes:
        """Take the next `size` bytes."""
        while len(self.data) < size:
            self._receive_more()
        return self._take(size, 0)

    def _receive_more(self) -> None:
        piece = self._receive()
        if not piece:
            raise ConnectionError("the connection was closed before the response was complete")
        self.data += piece

    def _take(self, size: int, mark: int) -> bytes:
        start = bytes(self.data[:size])
        del self.data[: size + mark]
        return start


def read_response(receive: Callable[[], bytes]) -> Response:
    """Read a response in the pieces that `receive` returns.

    Raises `ConnectionError` when it ends too early, and `UnexpectedResponse`.
    """
    stream = _Stream(receive)
    line, *lines = stream.until(b"\r\n\r\n", _LONGEST_HEAD).split(b"\r\n")
    match = _STATUS.fullmatch(line)
    if match is None or int(match[2]) in _WITHOUT_BODY:
        raise UnexpectedResponse("a response that is not HTTP/1.1 with a body")
    headers: dict[bytes, bytes] = {}
    for field in lines:
        parts = _FIELD.fullmatch(field)
        if parts is None:
            raise UnexpectedResponse("a response with a malformed header")
        name, value = parts[1].lower(), parts[2].rstrip(b" \t")
        headers[name] = headers[name] + b", " + value if name in headers else value
    encoding = headers.get(b"transfer-encoding")
    if encoding is None:
        body = stream.exactly(_length(headers))
    elif encoding.lower() == b"chunked" and b"content-length" not in headers and match[1] == b"1":
        body = _chunked(stream)
    else:
        raise UnexpectedResponse("a response with an unknown encoding or two lengths")
    stays = match[1] == b"1" and b"close" not in headers.get(b"connection", b"").lower()
    return Response(int(match[2]), headers, body, reusable=stays and not stream.data)


def _length(headers: dict[bytes, bytes]) -> int:
    text = headers.get(b"content-length", b"")
    if not text.isdigit() or len(text) > len(str(LONGEST_BODY)) or int(text) > LONGEST_BODY:
        raise UnexpectedResponse("a response that has no length or two, or is too long")
    return int(text)


def _chunked(stream: _Stream) -> bytes:
    parts, total = [], 0
    while True:
        match = _SIZE.fullmatch(stream.until(b"\r\n", _LONGEST_LINE))
        size = int(match[1], 16) if match else -1
        total += size
        if size < 0 or total > LONGEST_BODY:
            raise UnexpectedResponse("a response with a malformed chunk, or too long")
        if size == 0:
            break
        parts.append(stream.exactly(size))
        if stream.exactly(2) != b"\r\n":
            raise UnexpectedResponse("a response with a malformed chunk")
    trailers = 0
    while line := stream.until(b"\r\n", _LONGEST_LINE):
        trailers += len(line)
        if trailers > _LONGEST_LINE:
            raise UnexpectedResponse("a response whose trailers are too long")
    return b"".join(parts)
