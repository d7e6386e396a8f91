"""The sandbox's API Gateway: finds the route, invokes the function, and sends the response."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from arc.tools.sandbox.asgi import BodyTooLong, Disconnected, read_body
from arc.tools.sandbox.front import service_map, static_files
from arc.tools.sandbox.front.event import make_event
from arc.tools.sandbox.front.pages import (
    MISSING_FIELD,
    failure_reply,
    not_found_reply,
    problem_reply,
    wants_html,
    with_banner,
)
from arc.tools.sandbox.front.reply import Reply, make_reply, message_reply
from arc.tools.sandbox.front.request_line import is_unasked, request_line, shown_path
from arc.tools.sandbox.functions.failures import InvocationFailure
from arc.tools.sandbox.functions.worker import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory import Route
    from arc.tools.sandbox.application import Application
    from arc.tools.sandbox.asgi import Receive, Scope, Send
    from arc.tools.sandbox.front.hosts import Hosts, Refusal
    from arc.tools.sandbox.functions.function import Function
    from arc.tools.sandbox.terminal import Terminal

_MAX_PAYLOAD = 6 * 1024 * 1024  # bytes of an event or a result, Lambda's limit
_MAX_HEAD = 10_240  # bytes of the request line and headers, API Gateway's limit
_UNCACHED = (b"cache-control", b"no-cache")
_BODYLESS = frozenset((204, 304))


class TooLarge(InvocationFailure):
    """A request, an event or a result exceeds Lambda's limit."""

    status = 413
    message = "Request Entity Too Large"

    def __init__(self, payload: str) -> None:
        super().__init__(f"{payload} is larger than 6 MB, Lambda's limit.")


class Gateway:
    """The ASGI app that visitors use. While it is `closing`, nothing is printed."""

    def __init__(
        self,
        application: Application,
        terminal: Terminal,
        hosts: Hosts,
        services: Callable[[], Mapping[str, str]],
        *,
        quiet: bool,
        verbose: bool,
    ) -> None:
        """`services` returns the service map's parameters.

        A line is printed for each request unless `quiet` is true. Without `verbose`, requests for the service map are
        left out, and those that browsers make on their own and no route answers.
        """
        self._application, self._terminal, self._hosts, self._services = application, terminal, hosts, services
        self._quiet, self._verbose = quiet, verbose
        self._last_refusal: Refusal | None = None
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request, unless the client disconnects while it sends the body."""
        since = time.monotonic()
        with contextlib.suppress(Disconnected):
            exchange = _Exchange(scope)
            reply = await self._reply(exchange, receive)
            self._print(exchange, reply, time.monotonic() - since)
            await _send(scope, send, reply)

    def _print(self, exchange: _Exchange, reply: Reply, seconds: float) -> None:
        path = exchange.path
        is_routine = service_map.is_internal(path) or (exchange.route is None and is_unasked(path))
        if self.closing or (not self._verbose and (self._quiet or is_routine)):
            return
        shown, colored = exchange.shown_path, self._terminal.is_colored
        self._terminal.say(
            request_line(exchange.method, shown, reply.status, seconds, reply.session, at=time.time(), colored=colored)
        )

    async def _reply(self, exchange: _Exchange, receive: Receive) -> Reply:
        scope = exchange.scope
        if _length_of_head(scope) > _MAX_HEAD:
            message = f"431: The request line and headers exceed {_MAX_HEAD:,} bytes, API Gateway's limit."
            self._terminal.write_lines(exchange.label, [message])
            return message_reply(431, "Request Header Fields Too Large")
        refusal = self._hosts.refusal(_values(scope, b"host"), scope["server"][0] if scope.get("server") else None)
        if refusal is not None:
            if refusal != self._last_refusal:
                self._last_refusal = refusal
                self._terminal.write_lines(exchange.label, [f"{refusal.status}: {refusal.message}"])
            return message_reply(refusal.status, refusal.message)
        own = await self._own_reply(exchange, receive)
        if own is not None:
            return own
        path, app = scope["raw_path"].decode("utf-8", "replace"), self._application
        found = await app.find(scope["method"], path)
        if found is None:
            return not_found_reply(scope["method"], path, app.inventory.routes, exchange.accept, app.fault)
        return await self._invoke(exchange, receive, *found)

    async def _invoke(
        self, exchange: _Exchange, receive: Receive, function: Function, route: Route, parameters: Mapping[str, str]
    ) -> Reply:
        scope, exchange.route = exchange.scope, route
        report: Mapping[str, Any] = {}
        try:
            event = make_event(scope, await _read(receive), route, parameters, time.time())
            trace = event["headers"]["x-amzn-trace-id"]
            invocation = Invocation(_event_json(event), event["requestContext"]["requestId"], trace)
            report = invocation.report
            result = await function.run(invocation)
            if len(result) > _MAX_PAYLOAD:
                raise TooLarge("The handler's result")
            reply = make_reply(result)
        except InvocationFailure as failure:
            if not self.closing and not failure.is_printed:
                lines = f"{failure.status}: {failure.title} {failure.detail}".splitlines()
                self._terminal.write_lines(route.name, lines)
            reply = failure_reply(route.name, failure, exchange.accept, self._application.fault)
        else:
            for message in filter(None, (reply.hint, *report.get("warnings", ()))):
                self._terminal.write_once(route.name, message)
            reply = self._explain(exchange, reply, report)
        return replace(reply, session=report.get("session", ""))

    def _explain(self, exchange: _Exchange, reply: Reply, report: Mapping[str, Any]) -> Reply:
        """Return the response with what only a developer sees: pages, and nothing that a browser keeps.

        A browser that kept a style sheet for a day, which is the default of Architect, would show outdated code.
        """
        route, problem = exchange.name, report.get("problem", {})
        if problem.get("kind") == MISSING_FIELD:
            self._terminal.write_lines(route, [f"400: {problem['message']}", *problem["line"].splitlines()])
        control = reply.header(b"cache-control")
        if not control or (report.get("caches_by_default") and b"no-store" not in control):
            reply = reply.with_headers(_UNCACHED)
        if wants_html(exchange.accept):
            app = self._application
            explained = problem_reply(reply, route, problem, app.inventory.root, app.fault)
            if explained is not reply:
                return explained
            if app.fault and exchange.is_navigation:
                return with_banner(reply, app.fault)
        return reply

    async def _own_reply(self, exchange: _Exchange, receive: Receive) -> Reply | None:
        """Return the response to a request that no function answers: for the service map or a static file."""
        scope = exchange.scope
        if service_map.is_internal(scope["path"]) and service_map.is_this_machine(scope.get("client")):
            return await self._read_service_map(scope, receive)
        static, path = self._application.newest().static, scope["raw_path"].decode("utf-8", "replace")
        if static is None or not static_files.is_static(static, scope["method"], path):
            return None
        reply = static_files.answer(self._application.inventory.root, static, path, _values(scope, b"if-none-match"))
        if reply.hint:
            self._terminal.write_once(exchange.label, reply.hint)
        return reply

    async def _read_service_map(self, scope: Scope, receive: Receive) -> Reply:
        try:
            body = await _read(receive)
        except TooLarge:
            return message_reply(413, "Payload Too Large")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return service_map.answer(scope["method"], scope["path"], headers, body, self._services())


class _Exchange:
    """A request, and the route that answers it, None without one."""

    def __init__(self, scope: Scope) -> None:
        self.scope, self.method, self.path = scope, str(scope["method"]), str(scope["path"])
        self.accept = ",".join(_values(scope, b"accept"))
        self.route: Route | None = None

    @property
    def is_navigation(self) -> bool:
        """True unless the browser marks the request as one of a script, an image or the like (Fetch Metadata)."""
        return all(value == "document" for value in _values(self.scope, b"sec-fetch-dest"))

    @property
    def name(self) -> str:
        """The name of its route."""
        return self.route.name if self.route is not None else ""

    @property
    def shown_path(self) -> str:
        """The path for the terminal."""
        return shown_path(self.scope["raw_path"].decode("latin-1"), self.route.parts if self.route else ())

    @property
    def label(self) -> str:
        """The label of lines in the terminal about a request without a route."""
        return f"{self.method.lower()} {self.shown_path}"


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
