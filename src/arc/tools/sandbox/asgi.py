"""The types of an ASGI application (asgi.readthedocs.io), and the one way its bodies are read here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

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
