"""A route's function: its files, its workers, and the events that wait for one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from arc.tools.sandbox.front.failures import InvocationFailure, NoHandler, NotPython
from arc.tools.sandbox.functions import changes
from arc.tools.sandbox.functions.debugging import Debuggee
from arc.tools.sandbox.functions.worker import Worker
from arc.tools.sandbox.greeting import shown_root
from arc.tools.sandbox.terminal import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from arc.tools.sandbox.functions.changes import Fingerprint
    from arc.tools.sandbox.functions.runtime_api import RuntimeApi
    from arc.tools.sandbox.functions.worker import Invocation
    from arc.tools.sandbox.launch import Launch
    from arc.tools.sandbox.terminal import Terminal

_ENDED = "The sandbox was ended."
_MOST_WORKERS = 4
_GROW_AFTER = 0.025  # seconds an event waits for a busy worker before another one is started
_SETTLED = 0.15  # seconds without a change after which a file that could not be run counts as wholly written
_QUIET = 0.1  # seconds the same for one that can be run; starting a worker takes half of it anyway
_RECENT = 2.0  # seconds after a change in which a failing start may be due to a half-written file
_MANY, _SELDOM = 2000, 0.05  # a tree of so many files is looked through only every so many seconds
_PATIENCE = 5.0  # seconds an event waits while files keep changing; then it runs on code that is not the newest


class Function:
    """Runs the events of one route, each on the newest code saved when it arrives.

    Idle workers are used last in, first out, so that one warm process serves whoever comes one at a time.
    `changed` is called when a file of the function has changed, before its workers are replaced.
    """

    def __init__(self, launch: Launch, terminal: Terminal, api: RuntimeApi, changed: Callable[[], None]) -> None:
        self.launch = launch
        self._terminal, self._api, self._changed = terminal, api, changed
        self._files, self._looked_at = self._look(), 0.0
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
        """The handler's result for this event, as JSON. Raises `InvocationFailure`."""
        if self._closed:
            raise InvocationFailure(_ENDED)
        self.refresh()
        self._waiting.append(invocation)
        self._dispatch()
        return await invocation.result

    def refresh(self) -> bool:
        """Compare the files with those the workers run on; True when they have changed."""
        now = time.monotonic()
        if len(self._files) > _MANY and now - self._looked_at < _SELDOM:
            return False
        self._looked_at = now
        files = self._look()
        if files == self._files:
            return False
        self._files = files
        self._changed()
        self._renew()
        return True

    def update(self, launch: Launch) -> None:
        """Take what the app says now about how to start a worker."""
        if launch != self.launch:
            self.launch = launch
            self._files = self._look()
            self._renew()

    def warm(self) -> None:
        """Replace workers whose files have changed before somebody has to wait for it."""
        used = any(not worker.ended for worker in self._workers)
        if self.refresh() and used and not self._settling:
            self._start()

    def wake(self) -> None:
        """Start a process when there is none, for an editor that wants to attach to it."""
        if all(worker.ended for worker in self._workers):
            self._start()

    async def close(self) -> None:
        """Kill every worker and wait until the processes have gone."""
        self._closed = True
        self.retire()
        for worker in list(self._workers):
            worker.end()
        await asyncio.gather(*(worker.gone.wait() for worker in list(self._workers)))
        for invocation in self._waiting:  # Also events that a killed worker had not begun with.
            invocation.fail(InvocationFailure(_ENDED))
        self._waiting.clear()

    def retire(self) -> None:
        """End the workers, busy ones after their event: the route has gone from the manifest."""
        self._renew()

    def is_idle(self, worker: Worker) -> None:
        """See `worker.Owner`."""
        if worker in self._starting:
            self.refresh()  # What was saved since then may have been the other half of a file.
            rest = changes.newest(self._files) + _QUIET - time.time()
            if 0 < rest <= _QUIET and worker.generation == self._generation:
                asyncio.get_running_loop().call_later(rest, self._is_idle_still, worker)
                return
            self._starting.discard(worker)
        if worker.generation == self._generation:
            worker.output.release()
            self._confirming = False
            self._idle.append(worker)
        elif self._is_impatient():
            worker.output.release()
            worker.give(self._waiting.popleft())
        else:
            worker.end()
        self._dispatch()

    def _is_idle_still(self, worker: Worker) -> None:
        if not worker.ended:
            self.is_idle(worker)

    def has_ended(self, worker: Worker) -> None:
        """See `worker.Owner`."""
        self._forget(worker)
        self._dispatch()

    def take_back(self, invocation: Invocation) -> None:
        """See `worker.Owner`."""
        self._waiting.appendleft(invocation)

    def can_be_debugged(self, worker: Worker, port: int, secret: str) -> None:
        """See `worker.Owner`."""
        if self.launch.debug is not None:
            debuggee = Debuggee(port, secret, lambda: worker.generation != self._generation and not self._closed)
            self._debuggees[worker] = debuggee
            self.launch.debug.offer(debuggee)

    def has_not_started(self, worker: Worker, failure: InvocationFailure) -> None:
        """See `worker.Owner`."""
        self._starting.discard(worker)
        self._take_failure(failure, worker)

    def _look(self) -> Fingerprint:
        return changes.fingerprint_folders(self.launch.folders)

    def _renew(self) -> None:
        """Make all workers outdated: idle and starting ones end now, busy ones after their event."""
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
        """True when an event has waited so long that it had better run on code that is not the newest."""
        if not self._waiting or self.launch.debug is not None:  # There it waits for a person.
            return False
        return time.monotonic() - self._waiting[0].since > _PATIENCE

    def _dispatch(self) -> None:
        while self._waiting and self._idle:
            worker = self._idle.pop()
            if not worker.is_dead():
                worker.give(self._waiting.popleft())
        if self._waiting and not self._starting and not self._settling:
            self._grow()

    def _grow(self) -> None:
        fresh = sum(not worker.ended and worker.generation == self._generation for worker in self._workers)
        if not fresh:
            self._start()
        elif self.launch.debug is None and fresh < _MOST_WORKERS and self._growth is None:
            wait = max(0.0, self._waiting[0].since + _GROW_AFTER - time.monotonic())
            self._growth = asyncio.get_running_loop().call_later(wait, self._grow_for_the_waiting)

    def _grow_for_the_waiting(self) -> None:
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
            self._take_failure(NotPython(launch.route, launch.other_language, launch.wanted_file), None)
            return
        if launch.module is None:
            self._take_failure(NoHandler(launch.route, launch.wanted_file, shown_root(launch.root)), None)
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

    def _take_failure(self, failure: InvocationFailure, worker: Worker | None) -> None:
        """A start has failed: try again if that may be due to a file that is being written, else tell."""
        outdated = worker is not None and worker.generation != self._generation
        recent = time.monotonic() - self._changed_at < _RECENT
        if self.refresh() or outdated:
            self._dispatch()
        elif recent and not self._confirming and self.launch.debug is None:  # A person would have to attach again.
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
        """Wait until no file has changed for a moment, then start once more for those who wait."""
        failed_at = time.monotonic()
        while True:
            self.refresh()
            rest = max(failed_at, self._changed_at) + _SETTLED - time.monotonic()
            if rest <= 0:
                break
            await asyncio.sleep(rest)
        self._settling, self._confirming = False, True
        self._dispatch()

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._starting.discard(worker)
        self._api.forget(worker)
        if self.launch.debug is not None:
            self.launch.debug.withdraw(self._debuggees.pop(worker, None))
        if worker in self._idle:
            self._idle.remove(worker)
