"""A function: its files, its workers, and the queue of events."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from arc.inventory.places import shell_path
from arc.tools.sandbox.functions import changes
from arc.tools.sandbox.functions.debugging import Debuggee
from arc.tools.sandbox.functions.failures import InvocationFailure, NoHandler, NotPython
from arc.tools.sandbox.functions.worker import Worker
from arc.tools.sandbox.terminal import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from arc.tools.sandbox.functions.changes import Fingerprint
    from arc.tools.sandbox.functions.launch import Launch
    from arc.tools.sandbox.functions.runtime_api import RuntimeApi
    from arc.tools.sandbox.functions.worker import Invocation
    from arc.tools.sandbox.terminal import Terminal

_ENDED = "The sandbox was stopped."
_MOST_WORKERS = 4
_GROW_AFTER = 0.025  # seconds that an event waits for a busy worker before another one is started
_RETRY_QUIET = 0.15  # seconds without a change after which a failed start is repeated
_START_QUIET = 0.1  # seconds without a change after which a new worker is used; its start takes half of that
_RECENT = 2.0  # seconds after a change during which a half-written file may cause a failed start
_MANY_FILES, _SCAN_INTERVAL = 2000, 0.05  # a larger folder is scanned at most every so many seconds
_PATIENCE = 5.0  # seconds that an event waits while files keep changing, before it runs on outdated code


class Function:
    """Runs events, each on the newest code that was saved when it arrived.

    Idle workers are used last in, first out, so that sequential requests reach the same warm process. `on_change` is
    called when a file of the function has changed, before its workers are replaced.
    """

    def __init__(self, launch: Launch, terminal: Terminal, api: RuntimeApi, on_change: Callable[[], None]) -> None:
        self.launch = launch
        self._terminal, self._api, self._on_change = terminal, api, on_change
        self._files, self._scanned_at = self._scan(), 0.0
        self._generation, self._changed_at = 0, time.monotonic()
        self._workers: set[Worker] = set()
        self._starting: set[Worker] = set()
        self._idle: list[Worker] = []
        self._waiting: deque[Invocation] = deque()
        self._growth: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling = self._confirming = self._closed = False
        self._debuggees: dict[Worker, Debuggee] = {}
        if launch.debug is not None:
            launch.debug.wake = self.wake

    async def run(self, invocation: Invocation) -> bytes:
        """Return the handler's result for this event, as JSON. Raises `InvocationFailure`."""
        if self._closed:
            raise InvocationFailure(_ENDED)
        self.refresh()
        self._waiting.append(invocation)
        self._dispatch()
        return await invocation.result

    def refresh(self) -> bool:
        """Return True if files have changed since the workers were started, and replace the workers."""
        now = time.monotonic()
        if len(self._files) > _MANY_FILES and now - self._scanned_at < _SCAN_INTERVAL:
            return False
        self._scanned_at = now
        files = self._scan()
        if files == self._files:
            return False
        self._files = files
        self._on_change()
        self.renew()
        return True

    def update(self, launch: Launch) -> None:
        """Use `launch` from now on, and replace the workers if it differs."""
        if launch != self.launch:
            self.launch = launch
            self._files = self._scan()
            self.renew()

    def warm(self) -> None:
        """Replace outdated workers before the next request."""
        used = any(not worker.ended for worker in self._workers)
        if self.refresh() and used and not self._settling:
            self._start()

    def wake(self) -> None:
        """Start a worker if there is none, for an editor to attach to."""
        if all(worker.ended for worker in self._workers):
            self._start()

    async def close(self) -> None:
        """Kill every worker and wait until the processes have ended."""
        self._closed = True
        self.renew()
        for worker in list(self._workers):
            worker.end()
        await asyncio.gather(*(worker.gone.wait() for worker in list(self._workers)))
        for invocation in self._waiting:  # Including events that a killed worker had not started with.
            invocation.fail(InvocationFailure(_ENDED))
        self._waiting.clear()

    def on_idle(self, worker: Worker) -> None:
        """Use a worker that waits for an event."""
        if worker.ended:
            return
        if worker in self._starting:
            self.refresh()  # The worker may have read a half-written file.
            rest = changes.newest(self._files) + _START_QUIET - time.time()
            if 0 < rest <= _START_QUIET and worker.generation == self._generation:
                asyncio.get_running_loop().call_later(rest, self.on_idle, worker)
                return
            self._starting.discard(worker)
        if worker.generation == self._generation:
            worker.output.release()
            self._confirming = False
            self._idle.append(worker)
        elif self._is_impatient():
            worker.output.release()
            worker.assign(self._waiting.popleft())
        else:
            worker.end()
        self._dispatch()

    def on_end(self, worker: Worker) -> None:
        """Forget a worker whose process and its children are gone."""
        self._workers.discard(worker)
        self._starting.discard(worker)
        self._api.forget(worker)
        if self.launch.debug is not None:
            self.launch.debug.withdraw(self._debuggees.pop(worker, None))
        if worker in self._idle:
            self._idle.remove(worker)
        self._dispatch()

    def requeue(self, invocation: Invocation) -> None:
        """Requeue an event whose worker ended before the handler started."""
        self._waiting.appendleft(invocation)

    def on_debugger(self, worker: Worker, port: int, secret: str) -> None:
        """Offer editors a worker that waits for a debugger on `port` and requires `secret`."""
        if self.launch.debug is not None:
            debuggee = Debuggee(port, secret, lambda: worker.generation != self._generation and not self._closed)
            self._debuggees[worker] = debuggee
            self.launch.debug.offer(debuggee)

    def on_failed_start(self, worker: Worker, failure: InvocationFailure) -> None:
        """Handle a worker that has ended before it fetched an event."""
        self._starting.discard(worker)
        self._handle_failure(failure, worker)

    def _scan(self) -> Fingerprint:
        return changes.fingerprint_folders(self.launch.folders)

    def renew(self) -> None:
        """Retire all workers: idle and starting ones now, busy ones after their event."""
        self._generation += 1
        self._changed_at = time.monotonic()
        self._confirming = False
        for worker in self._idle:
            worker.end()
        self._idle.clear()
        if not self._is_impatient():
            for worker in self._starting:
                worker.output.discard()
                worker.end()
            self._starting.clear()

    def _is_impatient(self) -> bool:
        """Return True if an event has waited so long that it runs on outdated code."""
        if not self._waiting or self.launch.debug is not None:  # A debugged worker waits for a person.
            return False
        return time.monotonic() - self._waiting[0].since > _PATIENCE

    def _dispatch(self) -> None:
        while self._waiting and self._idle:
            worker = self._idle.pop()
            if not worker.is_dead():
                worker.assign(self._waiting.popleft())
        if self._waiting and not self._starting and not self._settling:
            self._grow()

    def _grow(self) -> None:
        fresh = sum(not worker.ended and worker.generation == self._generation for worker in self._workers)
        if not fresh:
            self._start()
        elif self.launch.debug is None and fresh < _MOST_WORKERS and self._growth is None:
            wait = max(0.0, self._waiting[0].since + _GROW_AFTER - time.monotonic())
            self._growth = asyncio.get_running_loop().call_later(wait, self._grow_now)

    def _grow_now(self) -> None:
        self._growth = None
        if not self._waiting or self._starting or self._settling:
            return
        if time.monotonic() - self._waiting[0].since >= _GROW_AFTER:
            self._start()
        else:
            self._dispatch()

    def _start(self) -> None:
        if self._closed:
            return
        launch = self.launch
        if launch.other_language:
            self._handle_failure(NotPython(launch.route, launch.other_language, launch.default_handler), None)
            return
        if launch.module is None:
            self._handle_failure(NoHandler(launch.route, launch.default_handler, shell_path(launch.root)), None)
            return
        output = Output(self._terminal, launch.route)
        if launch.debug is None:
            output.hold()
        worker = Worker(self, output, launch, self._generation)
        self._workers.add(worker)
        self._starting.add(worker)
        self._spawn(worker.start(self._api.admit(worker)))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _handle_failure(self, failure: InvocationFailure, worker: Worker | None) -> None:
        """Try a failed start again if a half-written file may have caused it; otherwise fail the waiting events."""
        outdated = worker is not None and worker.generation != self._generation
        recent = time.monotonic() - self._changed_at < _RECENT
        if self.refresh() or outdated:
            self._dispatch()
        elif recent and not self._confirming and self.launch.debug is None:  # The editor would have to attach again.
            self._settling = True
            self._spawn(self._settle())
        else:
            self._confirming = False
            if worker is not None:
                worker.output.release()
            waiting, self._waiting = self._waiting, deque()
            for invocation in waiting:
                invocation.fail(failure)

    async def _settle(self) -> None:
        """Wait until no file has changed for a moment, then start a worker once more."""
        failed_at = time.monotonic()
        while True:
            self.refresh()
            rest = max(failed_at, self._changed_at) + _RETRY_QUIET - time.monotonic()
            if rest <= 0:
                break
            await asyncio.sleep(rest)
        self._settling, self._confirming = False, True
        self._dispatch()
