"""The sandbox's API Gateway: finds the route, invokes the function, and sends the response."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

from arc.tools.sandbox.asgi import BodyTooLong, Disconnected, read_body
from arc.tools.sandbox.front import service_map, static_files
from arc.tools.sandbox.front.event import make_event
from arc.tools.sandbox.front.reply import Reply, failure_reply, make_reply, message_reply
from arc.tools.sandbox.functions.failures import InvocationFailure
from arc.tools.sandbox.functions.worker import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.tools.sandbox.application import Application
    from arc.tools.sandbox.asgi import Receive, Scope, Send
    from arc.tools.sandbox.front.hosts import Hosts, Refusal
    from arc.tools.sandbox.terminal import Terminal

_MAX_PAYLOAD = 6 * 1024 * 1024  # bytes of an event or a result, Lambda's limit
_MAX_HEAD = 10_240  # bytes of the request line and headers, API Gateway's limit
_LONGEST_PATH = 100  # bytes of a path that are printed
_BODYLESS = frozenset((204, 304))


class TooLarge(InvocationFailure):
    """A request, an event or a result exceeds Lambda's limit."""

    status = 413
    message = "Request Entity Too Large"

    def __init__(self, payload: str) -> None:
        super().__init__(f"{payload} is larger than 6 MB, Lambda's limit.")


class Gateway:
    """The ASGI app that visitors use. While it is `closing`, failures are not printed."""

    def __init__(
        self,
        application: Application,
        terminal: Terminal,
        hosts: Hosts,
        services: Callable[[], Mapping[str, str]],
        *,
        verbose: bool,
    ) -> None:
        """`verbose` prints a line for each request; `services` returns the service map's parameters."""
        self._application, self._terminal, self._hosts, self._services = application, terminal, hosts, services
        self._verbose = verbose
        self._last_refusal: Refusal | None = None
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request, unless the client disconnects while it sends the body."""
        since = time.monotonic()
        with contextlib.suppress(Disconnected):
            reply = await self._reply(scope, receive)
            if self._verbose:
                duration = round((time.monotonic() - since) * 1000)
                self._terminal.write_lines(_label(scope), [f"{reply.status} in {duration} ms"])
            await _send(scope, send, reply)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        if _length_of_head(scope) > _MAX_HEAD:
            message = f"431: The request line and headers exceed {_MAX_HEAD:,} bytes, API Gateway's limit."
            self._terminal.write_lines(_label(scope), [message])
            return message_reply(431, "Request Header Fields Too Large")
        refusal = self._hosts.refusal(_values(scope, b"host"), scope["server"][0] if scope.get("server") else None)
        if refusal is not None:
            if refusal != self._last_refusal:
                self._last_refusal = refusal
                self._terminal.write_lines(_label(scope), [f"{refusal.status}: {refusal.message}"])
            return message_reply(refusal.status, refusal.message)
        own = await self._own_reply(scope, receive)
        if own is not None:
            return own
        found = await self._application.find(scope["method"], scope["raw_path"].decode("utf-8", "replace"))
        if found is None:
            return message_reply(404, "Not Found")
        function, route, parameters = found
        try:
            event = make_event(scope, await _read(receive), route, parameters, time.time())
            trace = event["headers"]["x-amzn-trace-id"]
            result = await function.run(Invocation(_event_json(event), event["requestContext"]["requestId"], trace))
            if len(result) > _MAX_PAYLOAD:
                raise TooLarge("The handler's result")
            reply = make_reply(result)
        except InvocationFailure as failure:
            if not self.closing and not failure.traceback:  # The worker has already printed a traceback.
                lines = f"{failure.status}: {failure.title} {failure.detail}".splitlines()
                self._terminal.write_lines(route.name, lines)
            return failure_reply(route.name, failure, ",".join(_values(scope, b"accept")))
        if reply.hint:
            self._terminal.write_once(route.name, reply.hint)
        return reply

    async def _own_reply(self, scope: Scope, receive: Receive) -> Reply | None:
        """Return the response to a request that no function answers: for the service map or a static file."""
        if service_map.is_internal(scope["path"]) and service_map.is_this_machine(scope.get("client")):
            return await self._read_service_map(scope, receive)
        static, path = self._application.newest().static, scope["raw_path"].decode("utf-8", "replace")
        if static is None or not static_files.is_static(static, scope["method"], path):
            return None
        reply = static_files.answer(static, path, _values(scope, b"if-none-match"))
        if reply.hint:
            self._terminal.write_once(_label(scope), reply.hint)
        return reply

    async def _read_service_map(self, scope: Scope, receive: Receive) -> Reply:
        try:
            body = await _read(receive)
        except TooLarge:
            return message_reply(413, "Payload Too Large")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return service_map.answer(scope["method"], scope["path"], headers, body, self._services())


async def _read(receive: Receive) -> bytes:
    try:
        return await read_body(receive, _MAX_PAYLOAD)
    except BodyTooLong:
        raise TooLarge("The request") from None


def _event_json(event: dict[str, object]) -> bytes:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(text) > _MAX_PAYLOAD:
        raise TooLarge("The request's event")
    return text


def _label(scope: Scope) -> str:
    """Return the request's label in the terminal, in printable ASCII."""
    return f"{scope['method'].lower()} {ascii(scope['raw_path'][:_LONGEST_PATH].decode('latin-1'))[1:-1]}"


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _length_of_head(scope: Scope) -> int:
    line = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"]) + 12
    return line + sum(len(name) + len(value) + 4 for name, value in scope["headers"])


async def _send(scope: Scope, send: Send, reply: Reply) -> None:
    headers, body = reply.headers, reply.body
    if reply.status in _BODYLESS:
        body = b""
    else:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
