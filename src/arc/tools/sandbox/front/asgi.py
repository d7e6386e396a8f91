"""The types of an ASGI application (asgi.readthedocs.io), and the one way its bodies are read here."""

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
    """A request body has more bytes than were allowed."""


class Disconnected(Exception):
    """The client hung up before the whole request body had arrived."""


async def read_body(receive: Receive, most: float = float("inf")) -> bytes:
    """Return the whole request body.

    Raises `BodyTooLong` when it has more than `most` bytes, and `Disconnected` when it breaks off.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise BodyTooLong
        if not message.get("more_body", False):
            return chunk if len(chunks) == 1 else b"".join(chunks)


class OneSegmentProtocol(HttpToolsProtocol):
    """What is written within one turn of the event loop is sent together."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the gathering transport between uvicorn and the socket."""
        super().connection_made(_Gathering(transport))  # type: ignore[arg-type]


class _Gathering:
    """Passes everything on to the real transport, and writes at the end of the loop's turn."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._real = transport
        self._chunks: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._chunks:
            asyncio.get_running_loop().call_soon(self._flush)
        self._chunks.append(bytes(data))

    def close(self) -> None:
        self._flush()
        self._real.close()

    def _flush(self) -> None:
        if self._chunks:
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._real.write(data)
