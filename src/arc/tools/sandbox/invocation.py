"""One event on its way through a function."""

from __future__ import annotations

import asyncio
import time
import uuid


class Invocation:
    """An event's JSON and the future of its result. `id` is the request id, `since` a monotonic time in seconds.

    `trace` is the trace header of X-Ray, by which logs of one request are found.
    """

    __slots__ = ("body", "deadline_ms", "id", "result", "since", "taken_back", "trace")

    def __init__(self, body: bytes, request_id: str | None = None, trace: str | None = None) -> None:
        self.body = body
        self.id = request_id or str(uuid.uuid4())
        self.trace = trace or f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
        self.since = time.monotonic()
        self.deadline_ms = 0
        self.taken_back = False
        self.result: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def answer(self, body: bytes) -> None:
        """Settle with the handler's result, as JSON."""
        if not self.result.done():
            self.result.set_result(body)

    def fail(self, failure: Exception) -> None:
        """Settle with an `InvocationFailure`."""
        if not self.result.done():
            self.result.set_exception(failure)
