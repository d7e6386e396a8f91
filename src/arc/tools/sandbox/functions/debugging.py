"""Ports where editors attach to functions. What comes is handed on to the debugpy in the function's newest process.

So a port stays the same from process to process, an editor may come before there is one, and web pages are kept out.
Source of the protocol: https://microsoft.github.io/debug-adapter-protocol/overview
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

_FIRST_PORT = 5678  # debugpy's own
_HEAD = re.compile(rb"Content-Length: *([0-9]{1,9})\r\n\r\n")
_SECONDS_TO_END = 1.0  # for editors to be told that a session has ended
_PAUSE = 0.05  # seconds
_BROKEN = (OSError, EOFError, ValueError, asyncio.LimitOverrunError)


@dataclass(eq=False)
class Debuggee:
    """A process that listens for an editor on `port`, to whoever knows `secret`."""

    port: int
    secret: str
    is_outdated: Callable[[], bool]
    """True when another process takes its place."""
    attached: bool = False
    """True once an editor was attached, from when on the process waits for none."""


class DebugPorts:
    """The port of each function that is debugged."""

    def __init__(self, terminal: Terminal, only: Sequence[str] = ()) -> None:
        """`only` names the routes whose functions are debugged, as `get /cart` or `/cart`; empty stands for all."""
        self._terminal, self._only = terminal, [_normal(name) for name in only]
        self._ports: dict[Path, DebugPort] = {}
        self._next, self._announced = _FIRST_PORT, False

    def check(self, inventory: Inventory) -> None:
        """Raise `ToolError` when debugpy is not installed, and for a name that is no route of the app."""
        if importlib.util.find_spec("debugpy") is None:
            raise ToolError("--debug needs debugpy, which is not installed. Run: pip install 'arc-sessions[debug]'")
        for name in self._only:
            routes = [route for route in inventory.routes if route.is_python]
            if not any(name in _names(route) for route in routes):
                known = ", ".join(route.name for route in routes) or "none"
                raise ToolError(f"Unknown route {name!r}. Choose one of: {known}.")

    def of(self, route: Route, inventory: Inventory) -> DebugPort | None:
        """Return the port of the route's function, None when that is not debugged."""
        folder = route.folder
        if not route.is_python:
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
        """Say every port, and from now on each new one."""
        self._announced = True
        for port in self._ports.values():
            port.announce()

    async def close(self) -> None:
        """Close every port, after editors have been told that the processes are gone."""
        await asyncio.gather(*(port.close() for port in self._ports.values()))


class DebugPort:
    """One function's port. `wake` is called when an editor comes, so that there is a process to debug."""

    def __init__(self, listening: socket.socket, route: str, terminal: Terminal) -> None:
        self.number = int(listening.getsockname()[1])
        self.wake: Callable[[], None] = _do_nothing
        self._address, self._route, self._terminal = f"127.0.0.1:{self.number}", route, terminal
        self._debuggee: Debuggee | None = None
        self._offered = asyncio.Event()
        self._sessions: set[_Session] = set()
        self._server = asyncio.get_running_loop().create_task(asyncio.start_server(self._serve, sock=listening))

    def announce(self) -> None:
        """Say the port."""
        self._say(f"debugger port: {self._address}")

    def offer(self, debuggee: Debuggee) -> None:
        """Hand the editors that come from now on, and those that wait, to this process."""
        self._debuggee = debuggee
        self._offered.set()
        self._say_if_waiting()

    def withdraw(self, debuggee: Debuggee | None) -> None:
        """Hand no editor to this process any more, because it has ended."""
        if debuggee is not None and debuggee is self._debuggee:
            self._debuggee = None
            self._offered.clear()

    async def close(self) -> None:
        """Stop listening, and end what is left of the sessions."""
        (await self._server).close()
        attached = [session.task for session in self._sessions if session.debuggee is not None]
        if attached:
            await asyncio.wait(attached, timeout=_SECONDS_TO_END)
        for session in self._sessions:
            session.task.cancel()

    def _say(self, sentence: str) -> None:
        self._terminal.lines(self._route, [sentence])

    def _say_if_waiting(self) -> None:
        debuggee, served = self._debuggee, [session.debuggee for session in self._sessions]
        if debuggee is not None and not debuggee.attached and debuggee not in served and None not in served:
            self._say(f"waiting for a debugger: attach your editor to {self._address}")

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one editor; anything else, such as a web page, is hung up on after its first lines."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs has one
        session = _Session(reader, writer, task)
        with contextlib.suppress(*_BROKEN, asyncio.CancelledError):
            first = await read_message(reader)
            self._sessions.add(session)
            self.wake()
            await self._connect(session, first)
        writer.close()
        if session in self._sessions:
            self._sessions.discard(session)
            self._say_if_waiting()

    async def _connect(self, session: _Session, first: bytes) -> None:
        """Wait for a process, and relay what the editor and the process say."""
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
                await asyncio.sleep(_PAUSE)  # It is ending, or a debugpy that listens a moment after it says so.
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
        """Hand messages on until one side ends, and let the other side know."""
        up = asyncio.create_task(self._hand_up(session, debuggee, first, writer))
        down = asyncio.create_task(_hand_down(reader, session.writer))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if up.done():
                writer.write(_request("disconnect", terminateDebuggee=False))  # Else a stopped handler stays so.
                await writer.drain()
            elif not session.is_leaving:
                session.writer.write(_terminated(restart=debuggee.is_outdated()))
                await session.writer.drain()
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _hand_up(self, session: _Session, debuggee: Debuggee, message: bytes, writer: StreamWriter) -> None:
        """Hand the editor's messages on, from the first one until it hangs up."""
        while True:
            command = _parsed(message).get("command")
            session.is_leaving |= command in ("disconnect", "terminate")
            if command == "configurationDone" and not debuggee.attached:
                debuggee.attached = True
                self._say("a debugger is attached")
            writer.write(_framed(message))
            await writer.drain()
            message = await read_message(session.reader)


@dataclass(eq=False)
class _Session:
    """An editor's connection. `debuggee` is None while there is no process; `is_leaving` once it has said goodbye."""

    reader: StreamReader
    writer: StreamWriter
    task: asyncio.Task[None]
    debuggee: Debuggee | None = None
    is_leaving: bool = False


async def _authorize(reader: StreamReader, writer: StreamWriter, secret: str) -> None:
    writer.write(_request("pydevdAuthorize", debugServerAccessToken=secret))
    while _parsed(await read_message(reader)).get("command") != "pydevdAuthorize":
        """Events may come before the answer."""


async def _hand_down(reader: StreamReader, writer: StreamWriter) -> None:
    while True:
        writer.write(_framed(await read_message(reader)))
        await writer.drain()


async def read_message(reader: StreamReader) -> bytes:
    """Return the body of the next message. Raises `ValueError` for a head that a browser can send."""
    head = _HEAD.fullmatch(await reader.readuntil(b"\r\n\r\n"))
    if head is None:
        raise ValueError("This is no message of the Debug Adapter Protocol.")
    return await reader.readexactly(int(head[1]))


def _framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def _parsed(body: bytes) -> dict[str, Any]:
    message = json.loads(body)
    return message if isinstance(message, dict) else {}


def _request(command: str, **arguments: object) -> bytes:
    message = {"seq": 0, "type": "request", "command": command, "arguments": arguments}
    return _framed(json.dumps(message).encode())


def _terminated(*, restart: bool) -> bytes:
    message = {"seq": 0, "type": "event", "event": "terminated", "body": {"restart": True} if restart else {}}
    return _framed(json.dumps(message).encode())


def _normal(name: str) -> str:
    method, _, path = name.strip().rpartition(" ")
    return f"{method.strip().lower()} {path}".strip()


def _names(route: Route) -> tuple[str, str]:
    return route.name, route.path


def _do_nothing() -> None:
    """Wake no function: there is none yet."""
