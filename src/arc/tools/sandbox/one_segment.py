"""uvicorn's HTTP protocol, sending each response in one piece.

uvicorn writes header and body separately, which are two system calls and two TCP segments for each response.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


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
