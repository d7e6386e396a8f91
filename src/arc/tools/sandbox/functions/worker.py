"""A worker: the process that runs a function's handler, and its invocations."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arc.tools.sandbox.functions.failures import Exited, InvocationFailure, Raised, TimedOut
from arc.tools.sandbox.functions.missing_module import missing_module_advice

if TYPE_CHECKING:
    from arc.tools.sandbox.functions.function import Function
    from arc.tools.sandbox.functions.launch import Launch
    from arc.tools.sandbox.terminal import Output


_BOOTSTRAP = str(Path(__file__).parent / "bootstrap")
_START_TIMEOUT = 30.0  # seconds to import a handler
_PIPE = 65_536  # bytes
_DEBUG_TIMEOUT = 86_400  # seconds; what a handler in a debugger sees as its remaining time
_DEBUG_OPTIONS = ("-X", "frozen_modules=off")  # debugpy warns that it may miss breakpoints in frozen modules


class Invocation:
    """An event as JSON, and the future of its result.

    `id` is the request id, `trace` the X-Ray trace header, `since` the monotonic time of its arrival in seconds.
    `report` is what `arc.http.development` reports about it, empty without a report.
    """

    __slots__ = ("body", "deadline_ms", "id", "report", "requeued", "result", "since", "trace")

    def __init__(self, body: bytes, request_id: str, trace: str) -> None:
        self.body, self.id, self.trace = body, request_id, trace
        self.since = time.monotonic()
        self.deadline_ms = 0
        self.requeued = False
        self.report: dict[str, Any] = {}
        self.result: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def answer(self, body: bytes) -> None:
        """Set the handler's result, as JSON."""
        if not self.result.done():
            self.result.set_result(body)

    def fail(self, failure: InvocationFailure) -> None:
        """Set the failure in place of a result."""
        if not self.result.done():
            self.result.set_exception(failure)


class Worker:
    """A process, in its own process group, that runs the handler of `function` for one event at a time."""

    def __init__(self, function: Function, output: Output, launch: Launch, generation: int) -> None:
        self.token = secrets.token_urlsafe(18)
        self.arn, self.generation, self.output = launch.arn, generation, output
        self.ready = self.ended = False
        self.gone = asyncio.Event()
        self._function, self._launch = function, launch
        self._is_debugged = launch.debug is not None
        self._event: Invocation | None = None
        self._next: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pid = 0
        # The bootstrap writes a byte to this pipe when the handler starts with an event, and a report when it ends.
        self._signals, self._signaling = os.pipe()
        os.set_blocking(self._signals, False)

    async def start(self, runtime_api: str) -> None:
        """Start the process, which fetches its events from `runtime_api`."""
        loop = asyncio.get_running_loop()
        if not self._is_debugged:
            self._timer = loop.call_later(_START_TIMEOUT, self._start_times_out)
        options = ("-u", "-X", "utf8", *(_DEBUG_OPTIONS if self._is_debugged else ()))
        try:
            transport, _ = await loop.subprocess_exec(
                lambda: _Pipes(self),
                *(sys.executable, *options, _BOOTSTRAP, json.dumps(self._launch.plan() | {"signals": self._signaling})),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self._launch.folder,
                env=dict(self._launch.environ) | {"AWS_LAMBDA_RUNTIME_API": runtime_api},
                start_new_session=True,
                pass_fds=(self._signaling,),
            )
        except OSError as error:
            self.fail_start(InvocationFailure("The function's process could not be started.", str(error)))
            self._leave()
            return
        finally:
            os.close(self._signaling)
        self._pid = transport.get_pid()
        if self.ended:
            self._kill_group()

    def assign(self, invocation: Invocation) -> None:
        """Run this event next."""
        self._event = invocation
        self._wake()

    def is_dead(self) -> bool:
        """Return True if the process has ended, even if asyncio has not noticed yet."""
        if self.ended:
            return True
        if not self._pid or not hasattr(os, "waitid"):  # A worker may fetch an event before asyncio returns its pid.
            return False
        try:
            return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    async def next(self) -> Invocation | None:
        """Wait for an event and return it, or None if the worker is ended in the meantime."""
        if self.ended:  # The request arrived before the process was killed.
            return None
        if not self.ready:
            self.ready = True
            self._stop_timer()
        self._next = asyncio.get_running_loop().create_future()
        self._function.on_idle(self)
        if self._event is None:
            await self._next
        self._next = None
        if self._event is None or self.ended:
            return None
        timeout = _DEBUG_TIMEOUT if self._is_debugged else self._launch.timeout
        self._event.deadline_ms = int((time.time() + timeout) * 1000)
        if not self._is_debugged:
            self._timer = asyncio.get_running_loop().call_later(timeout, self._time_out)
        return self._event

    def finish(self, request_id: str) -> Invocation | None:
        """Return the running event, which the handler has finished, or None if another one or none is running."""
        event = self._event
        if event is None or event.id != request_id:
            return None
        self._event = None
        self._stop_timer()
        event.report.update(_parse_report(self._read_signals()))
        return event

    def raised(self, report: Any, *, importing: bool = False) -> Raised:
        """Return the failure for an error report of awslambdaric, and print what to do about a missing module."""
        failure = Raised.from_report(report, importing=importing)
        advice = missing_module_advice(report, self._launch)
        if advice:
            failure.detail += f"\n{advice}"
            self.output.feed(f"{advice}\n".encode())
        return failure

    def fail_start(self, failure: InvocationFailure) -> None:
        """End a worker that has not fetched an event yet, because of `failure`."""
        if not self.ready and not self.ended:
            self.end()
            self._function.on_failed_start(self, failure)

    def report_debugger(self, report: Any) -> None:
        """Accept the report of where the process waits for a debugger."""
        if self._is_debugged and not self.ended:
            self._function.on_debugger(self, int(report["port"]), str(report["secret"]))

    def end(self) -> None:
        """Kill the process and all its children."""
        if not self.ended:
            self.ended = True
            self._stop_timer()
            self._kill_group()
            self._wake()

    def on_exit(self, code: int) -> None:
        """Handle the exit of the process, and kill its children."""
        expected = self.ended
        self.end()
        self._kill_group()
        event, self._event = self._event, None
        began = self._read_signals() != b""
        if event is not None and not began and not event.requeued:
            event.requeued = True
            self._function.requeue(event)
        elif event is not None:
            event.fail(Exited(code))
        elif not self.ready and not expected:
            self._function.on_failed_start(self, Exited(code, importing=True))
        self._leave()

    def _leave(self) -> None:
        os.close(self._signals)
        self.gone.set()
        self._function.on_end(self)

    def _wake(self) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(None)

    def _read_signals(self) -> bytes:
        """Empty the pipe; return nothing if the handler has not started with an event."""
        try:
            return os.read(self._signals, _PIPE)
        except BlockingIOError:
            return b""

    def _time_out(self) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.fail(TimedOut(self._launch.timeout))
        self.end()

    def _start_times_out(self) -> None:
        self.fail_start(InvocationFailure(f"The handler was not imported within {_START_TIMEOUT:.0f} seconds."))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _kill_group(self) -> None:
        if self._pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)


def _parse_report(signals: bytes) -> dict[str, Any]:
    """Return the report about an event, empty if the function does not use this package."""
    try:
        report = json.loads(signals.lstrip(b"."))
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


class _Pipes(asyncio.SubprocessProtocol):
    """Passes asyncio's notifications about a process to its worker."""

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
        self._worker.on_exit(code or 0)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._worker.output.flush()
