"""Lambda's Runtime API for all workers on one loopback port, each under an unguessable path of its own."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from arc.tools.sandbox.front.asgi import Disconnected, read_body

if TYPE_CHECKING:
    from arc.tools.sandbox.front.asgi import Receive, Scope, Send
    from arc.tools.sandbox.functions.worker import Worker

_RUNTIME = "2018-06-01/runtime/"
_ACCEPTED = b'{"status":"OK"}'


class RuntimeApi:
    """An ASGI app: `GET /{token}/2018-06-01/runtime/invocation/next`, its three companions, and `debugger`.

    `port` is set once the socket is bound.
    """

    def __init__(self) -> None:
        self.port = 0
        self._workers: dict[str, Worker] = {}

    def admit(self, worker: Worker) -> str:
        """Admit `worker`; what its `AWS_LAMBDA_RUNTIME_API` must say."""
        self._workers[worker.token] = worker
        return f"127.0.0.1:{self.port}/{worker.token}"

    def forget(self, worker: Worker) -> None:
        """Close the door behind a worker that has ended."""
        self._workers.pop(worker.token, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a worker, unless the worker is killed meanwhile."""
        with contextlib.suppress(Disconnected):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        token, _, path = scope["path"][1:].partition("/")
        worker = self._workers.get(token)
        if worker is None or not path.startswith(_RUNTIME):
            await _respond(send, 403, b'{"errorMessage":"Forbidden"}')
            return
        match path.removeprefix(_RUNTIME).split("/"):
            case ["invocation", "next"]:
                await self._next(worker, send)
            case ["invocation", request_id, "response"]:
                body = await read_body(receive)
                await _respond(send, 202 if worker.answer(request_id, body) else 400, _ACCEPTED)
            case ["invocation", request_id, "error"]:
                report = _parsed(await read_body(receive))
                await _respond(send, 202 if worker.report(request_id, report) else 400, _ACCEPTED)
            case ["init", "error"]:
                report = _parsed(await read_body(receive))
                await _respond(send, 202, _ACCEPTED)
                worker.report_start(report)
            case ["debugger"]:
                worker.take_debugger(_parsed(await read_body(receive)))
                await _respond(send, 202, _ACCEPTED)
            case _:
                await _respond(send, 404, b'{"errorMessage":"Not Found"}')

    async def _next(self, worker: Worker, send: Send) -> None:
        invocation = await worker.next()
        if invocation is None:
            await _respond(send, 410, b'{"errorMessage":"Gone"}')
            return
        await _respond(
            send,
            200,
            invocation.body,
            [
                (b"lambda-runtime-aws-request-id", invocation.id.encode()),
                (b"lambda-runtime-deadline-ms", str(invocation.deadline_ms).encode()),
                (b"lambda-runtime-invoked-function-arn", worker.arn.encode()),
                (b"lambda-runtime-trace-id", invocation.trace.encode()),
            ],
        )


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    fields = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *(headers or ())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None
