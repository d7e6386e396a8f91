"""A function's process, seen from the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from arc.tools.sandbox.front.failures import Exited, InvocationFailure, Raised, TimedOut

if TYPE_CHECKING:
    from arc.tools.sandbox.launch import Launch
    from arc.tools.sandbox.terminal import Output


_BOOTSTRAP = str(Path(__file__).parent / "bootstrap")
_LONGEST_START = 30.0  # seconds to import a handler
_NO_TIMEOUT = 86_400  # seconds that a handler in a debugger is told it has left
_FOR_DEBUGPY = ("-X", "frozen_modules=off")  # it warns of breakpoints that it may miss in them


class Owner(Protocol):
    """Who uses the worker: a function."""

    def is_idle(self, worker: Worker) -> None:
        """The worker waits for an event; `worker.give()` may be called at once."""

    def has_ended(self, worker: Worker) -> None:
        """The process is gone, and with it all its children."""

    def take_back(self, invocation: Invocation) -> None:
        """The process ended before the handler began with this event, so another one can have it."""

    def can_be_debugged(self, worker: Worker, port: int, secret: str) -> None:
        """The process waits for a debugger on `port`, to whoever knows `secret`."""

    def has_not_started(self, worker: Worker, failure: InvocationFailure) -> None:
        """The process never came to wait for an event."""


class Worker:
    """One process that runs one function's handler, one event at a time, in a process group of its own."""

    def __init__(self, owner: Owner, output: Output, launch: Launch, generation: int) -> None:
        self.token = secrets.token_urlsafe(18)
        self.arn, self.generation, self.output = launch.arn, generation, output
        self.ready = self.ended = False
        self.gone = asyncio.Event()
        self._owner, self._launch = owner, launch
        self._is_debugged = launch.debug is not None
        self._event: Invocation | None = None
        self._asking: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pid = 0
        # The bootstrap writes a byte here when the handler begins with an event.
        self._begun, self._begins = os.pipe()
        os.set_blocking(self._begun, False)

    async def start(self, runtime_api: str) -> None:
        """Start the process; it asks for its events at `runtime_api`."""
        loop = asyncio.get_running_loop()
        if not self._is_debugged:
            self._timer = loop.call_later(_LONGEST_START, self._start_takes_too_long)
        try:
            transport, _ = await loop.subprocess_exec(
                lambda: _Pipes(self),
                *(
                    sys.executable,
                    "-u",
                    "-X",
                    "utf8",
                    *(_FOR_DEBUGPY if self._is_debugged else ()),
                    _BOOTSTRAP,
                    json.dumps(self._launch.plan() | {"begins": self._begins}),
                ),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self._launch.folder,
                env=dict(self._launch.environ) | {"AWS_LAMBDA_RUNTIME_API": runtime_api},
                start_new_session=True,
                pass_fds=(self._begins,),
            )
        except OSError as error:
            self._fail_start(InvocationFailure("The function's process could not be started.", str(error)))
            os.close(self._begun)
            self._leave()
            return
        finally:
            os.close(self._begins)
        self._pid = transport.get_pid()
        if self.ended:
            self._kill_group()

    def give(self, invocation: Invocation) -> None:
        """Run this event next."""
        self._event = invocation
        if self._asking is not None and not self._asking.done():
            self._asking.set_result(None)

    def is_dead(self) -> bool:
        """True when the process has ended, even if nobody has been told yet."""
        if self.ended:
            return True
        if not self._pid or not hasattr(os, "waitid"):  # It may ask for its first event before asyncio is done.
            return False
        try:
            return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    async def next(self) -> Invocation | None:
        """The event to run, once there is one; None when the worker has been ended meanwhile."""
        if self.ended:  # It asked before it was killed.
            return None
        if not self.ready:
            self.ready = True
            self._stop_timer()
        self._asking = asyncio.get_running_loop().create_future()
        self._owner.is_idle(self)
        if self._event is None:
            await self._asking
        self._asking = None
        if self._event is None or self.ended:
            return None
        timeout = _NO_TIMEOUT if self._is_debugged else self._launch.timeout
        self._event.deadline_ms = int((time.time() + timeout) * 1000)
        if not self._is_debugged:
            self._timer = asyncio.get_running_loop().call_later(timeout, self._take_too_long)
        return self._event

    def answer(self, request_id: str, body: bytes) -> bool:
        """Take the handler's result; False when it is not the event that runs."""
        event = self._finish(request_id)
        if event is not None:
            event.answer(body)
        return event is not None

    def report(self, request_id: str, report: object) -> bool:
        """Take what the handler raised; False when it is not the event that runs."""
        event = self._finish(request_id)
        if event is not None:
            event.fail(Raised.from_report(report))
        return event is not None

    def report_start(self, report: object) -> None:
        """Take why the handler could not be imported."""
        self._fail_start(Raised.from_report(report, importing=True))

    def take_debugger(self, told: Any) -> None:
        """Take where the process waits for a debugger."""
        if self._is_debugged and not self.ended:
            self._owner.can_be_debugged(self, int(told["port"]), str(told["secret"]))

    def end(self) -> None:
        """Kill the process and all its children now."""
        if not self.ended:
            self.ended = True
            self._stop_timer()
            self._kill_group()
            if self._asking is not None and not self._asking.done():
                self._asking.set_result(None)

    def exited(self, code: int) -> None:
        """Take notice that the process is gone; its children go too."""
        expected = self.ended
        self.end()
        self._kill_group()
        event, self._event = self._event, None
        began = self._handler_began()
        os.close(self._begun)
        if event is not None and not began and not event.taken_back:
            event.taken_back = True
            self._owner.take_back(event)
        elif event is not None:
            event.fail(Exited(code))
        elif not self.ready and not expected:
            self._owner.has_not_started(self, Exited(code, importing=True))
        self._leave()

    def _leave(self) -> None:
        self.gone.set()
        self._owner.has_ended(self)

    def _finish(self, request_id: str) -> Invocation | None:
        event = self._event
        if event is None or event.id != request_id:
            return None
        self._event = None
        self._stop_timer()
        self._handler_began()
        return event

    def _handler_began(self) -> bool:
        """True when the handler has begun with the event; asked once for each."""
        try:
            return os.read(self._begun, 16) != b""
        except BlockingIOError:
            return False

    def _take_too_long(self) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.fail(TimedOut(self._launch.timeout))
        self.end()

    def _start_takes_too_long(self) -> None:
        self._fail_start(InvocationFailure(f"The handler was not imported within {_LONGEST_START:.0f} seconds."))

    def _fail_start(self, failure: InvocationFailure) -> None:
        if not self.ready and not self.ended:
            self.end()
            self._owner.has_not_started(self, failure)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _kill_group(self) -> None:
        if self._pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)


class _Pipes(asyncio.SubprocessProtocol):
    """Hands what asyncio tells about a process on to its worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)  # noqa: S101 - asyncio's types are wider
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - asyncio's signature
        self._worker.output.feed(data)

    def process_exited(self) -> None:
        code = self._transport.get_returncode() if self._transport is not None else None
        self._worker.exited(code if code is not None else 0)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._worker.output.flush()


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
