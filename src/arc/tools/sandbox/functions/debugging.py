"""Ports where editors attach to functions. They relay messages to debugpy in the function's newest process.

A port therefore stays the same when a process is replaced, accepts an editor before there is a process, and refuses
web pages. Source of the protocol: https://microsoft.github.io/debug-adapter-protocol/overview
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.sandbox.addresses import bind_loopback

if TYPE_CHECKING:
    import socket
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.terminal import Terminal

_FIRST_PORT = 5678  # debugpy's default
_HEAD = re.compile(rb"Content-Length: *([0-9]{1,9})\r\n\r\n")
_SECONDS_TO_CLOSE = 1.0  # for sessions to report their end to editors
_RETRY_DELAY = 0.05  # seconds
_CONNECTION_ERRORS = (OSError, EOFError, ValueError, asyncio.LimitOverrunError)


@dataclass(eq=False)
class Debuggee:
    """A process that waits for an editor on `port`, which requires `secret`."""

    port: int
    secret: str
    is_outdated: Callable[[], bool]
    """Returns True if another process replaces this one."""
    attached: bool = False
    """True once an editor has attached, after which the process no longer waits for one."""


class DebugPorts:
    """The ports of all functions that are debugged."""

    def __init__(self, terminal: Terminal, only: Sequence[str], *, enabled: bool) -> None:
        """`only` lists the routes to debug, such as `get /cart` or `/cart`; without it all functions are debugged."""
        self._terminal, self._only, self._enabled = terminal, [_normalize(name) for name in only], enabled
        self._ports: dict[Path, DebugPort] = {}
        self._next, self._announced = _FIRST_PORT, False

    def check(self, inventory: Inventory) -> None:
        """Raise `ToolError` if debugpy is not installed, or for an unknown route."""
        if self._enabled and importlib.util.find_spec("debugpy") is None:
            raise ToolError("--debug requires debugpy, which is not installed. Run: pip install 'arc-sessions[debug]'")
        routes = [route for route in inventory.routes if route.is_python]
        for name in self._only:
            if not any(name in _names(route) for route in routes):
                known = ", ".join(route.name for route in routes) or "none"
                raise ToolError(f"Unknown route {name!r}. Choose one of: {known}.")

    def port_for(self, route: Route, inventory: Inventory) -> DebugPort | None:
        """Return the port of the route's function, or None if that is not debugged."""
        folder = route.folder
        if not self._enabled or not route.is_python:
            return None
        names = {name for each in inventory.routes if each.folder == folder for name in _names(each)}
        if folder not in self._ports and (not self._only or names.intersection(self._only)):
            listening = bind_loopback(self._next)
            port = self._ports[folder] = DebugPort(listening, route.name, self._terminal)
            self._next = port.number + 1
            if self._announced:
                port.announce()
        return self._ports.get(folder)

    def announce(self) -> None:
        """Print every port, and from now on each new one."""
        self._announced = True
        for port in self._ports.values():
            port.announce()

    async def close(self) -> None:
        """Report to editors that their processes have ended, and close every port."""
        await asyncio.gather(*(port.close() for port in self._ports.values()))


class DebugPort:
    """The port of one function. `wake` is called when an editor connects, to start a process if there is none."""

    def __init__(self, listening: socket.socket, route: str, terminal: Terminal) -> None:
        self.number = int(listening.getsockname()[1])
        self.wake: Callable[[], None] = lambda: None
        self._address, self._route, self._terminal = f"127.0.0.1:{self.number}", route, terminal
        self._debuggee: Debuggee | None = None
        self._offered = asyncio.Event()
        self._sessions: set[_Session] = set()
        self._server = asyncio.get_running_loop().create_task(asyncio.start_server(self._serve, sock=listening))

    def announce(self) -> None:
        """Print the port."""
        self._say(f"debugger port: {self._address}")

    def offer(self, debuggee: Debuggee) -> None:
        """Connect editors that are waiting, and future ones, to this process."""
        self._debuggee = debuggee
        self._offered.set()
        self._say_if_waiting()

    def withdraw(self, debuggee: Debuggee | None) -> None:
        """Stop connecting editors to a process that has ended."""
        if debuggee is not None and debuggee is self._debuggee:
            self._debuggee = None
            self._offered.clear()

    async def close(self) -> None:
        """Stop listening, and end the remaining sessions."""
        (await self._server).close()
        attached = [session.task for session in self._sessions if session.debuggee is not None]
        if attached:
            await asyncio.wait(attached, timeout=_SECONDS_TO_CLOSE)
        for session in self._sessions:
            session.task.cancel()

    def _say(self, text: str) -> None:
        self._terminal.write_lines(self._route, [text])

    def _say_if_waiting(self) -> None:
        debuggee, served = self._debuggee, [session.debuggee for session in self._sessions]
        if debuggee is not None and not debuggee.attached and debuggee not in served and None not in served:
            self._say(f"waiting for a debugger: attach your editor to {self._address}")

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one editor. Any other client, such as a web page, is disconnected after its first lines."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a running coroutine has a task
        session = _Session(reader, writer, task)
        with contextlib.suppress(*_CONNECTION_ERRORS, asyncio.CancelledError):
            first = await read_message(reader)
            self._sessions.add(session)
            self.wake()
            await self._connect(session, first)
        writer.close()
        if session in self._sessions:
            self._sessions.discard(session)
            self._say_if_waiting()

    async def _connect(self, session: _Session, first: bytes) -> None:
        """Wait for a process, and relay messages between it and the editor."""
        while True:
            await self._offered.wait()
            debuggee = self._debuggee
            if debuggee is None or session.reader.at_eof():
                return
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", debuggee.port)
                await _authorize(reader, writer, debuggee.secret)
            except (OSError, EOFError):
                if writer is not None:
                    writer.close()
                await asyncio.sleep(_RETRY_DELAY)  # The process is ending, or debugpy does not listen yet.
                continue
            session.debuggee = debuggee
            try:
                await self._relay(session, debuggee, first, reader, writer)
            finally:
                writer.close()
            return

    async def _relay(
        self, session: _Session, debuggee: Debuggee, first: bytes, reader: StreamReader, writer: StreamWriter
    ) -> None:
        """Relay messages until one side disconnects, and report that to the other side."""
        up = asyncio.create_task(self._relay_up(session, debuggee, first, writer))
        down = asyncio.create_task(_relay_down(reader, session.writer))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if up.done():
                writer.write(_request("disconnect", terminateDebuggee=False))  # This resumes a paused handler.
                await writer.drain()
            elif not session.is_leaving:
                session.writer.write(_terminated(restart=debuggee.is_outdated()))
                await session.writer.drain()
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _relay_up(self, session: _Session, debuggee: Debuggee, message: bytes, writer: StreamWriter) -> None:
        """Relay the editor's messages, from `message` on, until it disconnects."""
        while True:
            command = _parse(message).get("command")
            session.is_leaving |= command in ("disconnect", "terminate")
            if command == "configurationDone" and not debuggee.attached:
                debuggee.attached = True
                self._say("a debugger is attached")
            writer.write(_frame(message))
            await writer.drain()
            message = await read_message(session.reader)


@dataclass(eq=False)
class _Session:
    """An editor's connection. `debuggee` is None without a process; `is_leaving` is True once it disconnects."""

    reader: StreamReader
    writer: StreamWriter
    task: asyncio.Task[None]
    debuggee: Debuggee | None = None
    is_leaving: bool = False


async def _authorize(reader: StreamReader, writer: StreamWriter, secret: str) -> None:
    writer.write(_request("pydevdAuthorize", debugServerAccessToken=secret))
    while _parse(await read_message(reader)).get("command") != "pydevdAuthorize":
        """Skip events that precede the response."""


async def _relay_down(reader: StreamReader, writer: StreamWriter) -> None:
    while True:
        writer.write(_frame(await read_message(reader)))
        await writer.drain()


async def read_message(reader: StreamReader) -> bytes:
    """Return the body of the next message. Raises `ValueError` for any header but Content-Length."""
    head = _HEAD.fullmatch(await reader.readuntil(b"\r\n\r\n"))
    if head is None:
        raise ValueError("Not a message of the Debug Adapter Protocol.")
    return await reader.readexactly(int(head[1]))


def _frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def _parse(body: bytes) -> dict[str, Any]:
    message = json.loads(body)
    return message if isinstance(message, dict) else {}


def _request(command: str, **arguments: object) -> bytes:
    return _encode(type="request", command=command, arguments=arguments)


def _terminated(*, restart: bool) -> bytes:
    return _encode(type="event", event="terminated", body={"restart": True} if restart else {})


def _encode(**message: object) -> bytes:
    return _frame(json.dumps({"seq": 0, **message}).encode())


def _normalize(name: str) -> str:
    method, _, path = name.strip().rpartition(" ")
    return f"{method.strip().lower()} {path}".strip()


def _names(route: Route) -> tuple[str, str]:
    return route.name, route.path
