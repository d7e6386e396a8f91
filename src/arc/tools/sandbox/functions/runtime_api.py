"""Lambda's Runtime API for all workers on one loopback port, where each worker has a secret path."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from arc.tools.sandbox.addresses import bind_loopback
from arc.tools.sandbox.asgi import Disconnected, read_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.tools.sandbox.asgi import Receive, Scope, Send
    from arc.tools.sandbox.functions.worker import Worker

_RUNTIME = "2018-06-01/runtime/"
_ACCEPTED = b'{"status":"OK"}'


class RuntimeApi:
    """An ASGI app for the paths `/{token}/2018-06-01/runtime/…`: Lambda's four operations, and `debugger`."""

    def __init__(self) -> None:
        self.socket = bind_loopback()
        self._workers: dict[str, Worker] = {}

    def admit(self, worker: Worker) -> str:
        """Accept requests of `worker`; return the value of its `AWS_LAMBDA_RUNTIME_API`."""
        self._workers[worker.token] = worker
        return f"127.0.0.1:{self.socket.getsockname()[1]}/{worker.token}"

    def forget(self, worker: Worker) -> None:
        """Refuse requests of a worker that has ended."""
        self._workers.pop(worker.token, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a worker's request, unless the worker is killed in the meantime."""
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
                await _respond_next(send, worker)
            case ["invocation", request_id, "response" | "error" as kind]:
                body = await read_body(receive)
                event = worker.finish(request_id)
                if event is not None and kind == "response":
                    event.answer(body)
                elif event is not None:
                    event.fail(worker.raised(_parse(body)))
                await _respond(send, 400 if event is None else 202, _ACCEPTED)
            case ["init", "error"]:
                report = _parse(await read_body(receive))
                await _respond(send, 202, _ACCEPTED)
                worker.fail_start(worker.raised(report, importing=True))
            case ["debugger"]:
                worker.report_debugger(_parse(await read_body(receive)))
                await _respond(send, 202, _ACCEPTED)
            case _:
                await _respond(send, 404, b'{"errorMessage":"Not Found"}')


async def _respond_next(send: Send, worker: Worker) -> None:
    invocation = await worker.next()
    if invocation is None:
        await _respond(send, 410, b'{"errorMessage":"Gone"}')
        return
    headers = [
        (b"lambda-runtime-aws-request-id", invocation.id.encode()),
        (b"lambda-runtime-deadline-ms", str(invocation.deadline_ms).encode()),
        (b"lambda-runtime-invoked-function-arn", worker.arn.encode()),
        (b"lambda-runtime-trace-id", invocation.trace.encode()),
    ]
    await _respond(send, 200, invocation.body, headers)


async def _respond(send: Send, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    fields = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _parse(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None
