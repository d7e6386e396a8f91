"""API Gateway's part: finds the route, makes the event, and sends what the function gives back."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

from arc.tools.sandbox.cloud import service_map
from arc.tools.sandbox.front.asgi import BodyTooLong, Disconnected, read_body
from arc.tools.sandbox.front.event import make_event
from arc.tools.sandbox.front.failures import InvocationFailure, TooLarge, failure_page, wants_html
from arc.tools.sandbox.front.reply import Reply, make_reply
from arc.tools.sandbox.functions.worker import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.tools.sandbox.application import Application
    from arc.tools.sandbox.front.asgi import Message, Receive, Scope, Send
    from arc.tools.sandbox.front.hosts import Hosts, Refusal
    from arc.tools.sandbox.terminal import Terminal

_MOST = 6 * 1024 * 1024  # bytes of an event, or of a result: Lambda's limit
_LONGEST_HEAD = 10_240  # bytes of request line and headers: API Gateway's limit
_LONGEST_PATH = 100  # bytes of a path in the terminal
_JSON = (b"content-type", b"application/json")
_BODYLESS = frozenset((204, 304))


class Gateway:
    """The ASGI app that visitors talk to. While it is `closing`, what fails is nobody's fault."""

    def __init__(
        self,
        application: Application,
        terminal: Terminal,
        hosts: Hosts,
        services: Callable[[], Mapping[str, str]] = dict,
        *,
        verbose: bool = False,
    ) -> None:
        """`hosts` decides which requests are answered; `verbose` adds a line to the terminal for each of them.

        `services` returns what the service map holds, such as `tables/session` with a physical name.
        """
        self._application, self._terminal, self._hosts, self._services = application, terminal, hosts, services
        self._verbose = verbose
        self._refusal: Refusal | None = None
        self._hinted: set[tuple[str, str]] = set()
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one whose body breaks off has no one to answer."""
        with contextlib.suppress(Disconnected):
            await self._answer(scope, receive, self._reporting(scope, send) if self._verbose else send)

    def _reporting(self, scope: Scope, send: Send) -> Send:
        """Return `send` with a line for the terminal: the request, its status and the time that it took."""
        since = time.monotonic()

        async def report(message: Message) -> None:
            if message["type"] == "http.response.start":
                took = round((time.monotonic() - since) * 1000)
                self._terminal.lines(_name(scope), [f"{message['status']} in {took} ms"])
            await send(message)

        return report

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _length_of_head(scope) > _LONGEST_HEAD:
            self._terminal.lines(_name(scope), ["431: the request line and headers have more than 10,240 bytes"])
            await _send(scope, send, _plain(431, "Request Header Fields Too Large"))
            return
        refusal = self._hosts.refusal(_hosts_of(scope), scope["server"][0] if scope.get("server") else None)
        if refusal is not None:
            self._tell(scope, refusal)
            await _send(scope, send, _plain(refusal.status, refusal.sentence))
            return
        if service_map.is_internal(scope["path"]) and service_map.is_this_machine(scope.get("client")):
            await _send(scope, send, await self._internal(scope, receive))
            return
        found = await self._application.find(scope["method"], scope["raw_path"].decode("utf-8", "replace"))
        if found is None:
            await _send(scope, send, _plain(404, "Not Found"))
            return
        function, route, parameters = found
        try:
            body = await _body(receive)
            event = make_event(scope, body, route, parameters, time.time())
            trace = event["headers"]["x-amzn-trace-id"]
            invocation = Invocation(_event_json(event), event["requestContext"]["requestId"], trace)
            result = await function.run(invocation)
            if len(result) > _MOST:
                raise TooLarge("The handler's result")
            reply = make_reply(result)
            self._hint(route.name, reply)
        except InvocationFailure as failure:
            if not self.closing:
                self._terminal.lines(route.name, _told(failure))
            reply = _reply_of(route.name, failure, scope)
        await _send(scope, send, reply)

    async def _internal(self, scope: Scope, receive: Receive) -> Reply:
        try:
            body = await _body(receive)
        except TooLarge:
            return _plain(413, "Payload Too Large")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return service_map.answer(scope["method"], scope["path"], headers, body, self._services())

    def _tell(self, scope: Scope, refusal: Refusal) -> None:
        """Say why a request is refused, once when the same is sent again and again."""
        if refusal != self._refusal:
            self._refusal = refusal
            self._terminal.lines(_name(scope), [f"{refusal.status}: {refusal.sentence}"])

    def _hint(self, route: str, reply: Reply) -> None:
        if reply.hint and (route, reply.hint) not in self._hinted:
            self._hinted.add((route, reply.hint))
            self._terminal.lines(route, [reply.hint])


async def _body(receive: Receive) -> bytes:
    try:
        return await read_body(receive, _MOST)
    except BodyTooLong:
        raise TooLarge("The request") from None


def _event_json(event: dict[str, object]) -> bytes:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(text) > _MOST:
        raise TooLarge("The request's event")
    return text


def _told(failure: InvocationFailure) -> list[str]:
    """What the terminal says: nothing of an exception whose traceback the worker has printed already."""
    if failure.traceback:
        return []
    return f"{failure.status}: {failure.title} {failure.detail}".splitlines()


def _reply_of(route: str, failure: InvocationFailure, scope: Scope) -> Reply:
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
    if not wants_html(accept):
        return _plain(failure.status, failure.message)
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]
    return Reply(failure.status, headers, failure_page(route, failure))


def _plain(status: int, message: str) -> Reply:
    return Reply(status, [_JSON], json.dumps({"message": message}, separators=(",", ":")).encode())


def _name(scope: Scope) -> str:
    """The request as the terminal marks it, in printable ASCII."""
    return f"{scope['method'].lower()} {ascii(scope['raw_path'][:_LONGEST_PATH].decode('latin-1'))[1:-1]}"


def _hosts_of(scope: Scope) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]


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
