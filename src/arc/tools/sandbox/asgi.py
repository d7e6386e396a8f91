"""ASGI (asgi.readthedocs.io): its types, request bodies, and the protocol class for uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class BodyTooLong(Exception):
    """A request body exceeds the limit."""


class Disconnected(Exception):
    """The client disconnected before it had sent the whole request body."""


async def read_body(receive: Receive, limit: float = float("inf")) -> bytes:
    """Return the whole request body.

    Raises `BodyTooLong` for more than `limit` bytes, and `Disconnected` when the client disconnects.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLong
        if not message.get("more_body", False):
            return bytes(body)


class OneSegmentProtocol(HttpToolsProtocol):
    """Sends everything that is written in one iteration of the event loop in one TCP segment."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put a buffer between uvicorn and the socket."""
        super().connection_made(_BufferedTransport(transport))  # type: ignore[arg-type]


class _BufferedTransport:
    """A transport that collects writes until the end of the event loop's iteration."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._chunks: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._chunks:
            asyncio.get_running_loop().call_soon(self._flush)
        self._chunks.append(bytes(data))

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._chunks:
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._transport.write(data)
