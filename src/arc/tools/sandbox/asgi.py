"""The types of an ASGI application (asgi.readthedocs.io), and the one way its bodies are read here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def read_body(receive: Receive, most: int | None = None) -> bytes | None:
    """The whole request body; None when it has more than `most` bytes."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        chunks, size = [body], len(body)
        while message.get("more_body", False):
            message = await receive()
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if most is not None and size > most:
                return None
        body = b"".join(chunks)
    return body if most is None or len(body) <= most else None
