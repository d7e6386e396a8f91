"""A measured process: started once, then asked for measurements round by round.

The candidate calls `answer`, which prints the names of the operations, reads lines `OPERATION COUNT`, and answers each
with the nanoseconds of CPU time that one call took. CPU time does not include that of other processes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import repeat
from typing import TYPE_CHECKING, Self

from benchmarks.environments import ROOT, BenchmarkError, Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUNDS = 21
_SECONDS = 0.02  # the approximate length of one measurement
_WARM_UP = 50  # calls


def answer(operations: Mapping[str, Callable[[], object]]) -> None:
    """Answer the lines of standard input until it ends. The garbage collector runs as it does by default."""
    print(*operations, flush=True)
    for line in sys.stdin:
        name, count = line.split()
        call = operations[name]
        start = time.process_time_ns()
        for _ in repeat(None, int(count)):
            call()
        print((time.process_time_ns() - start) / int(count), flush=True)


class Process:
    """A candidate's process, `python -m MODULE WORDS`; leaving the `with` block ends it."""

    def __init__(
        self, name: str, environment: Environment, module: str, *words: str, variables: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [environment.python, "-m", module, *words],
            env=environment.variables(**(variables or {})),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,  # Ctrl-C reaches only the parent, which ends the candidates.
        )
        try:
            self.operations = self._line().split()
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def measure(self, operation: str, count: int) -> float:
        """Return the nanoseconds per call over `count` calls. Raises `BenchmarkError` if the process has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{operation} {count}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # The process has ended, which reading from it reports.
        return float(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"The process of {self.name} ended; its error is above.")
        return line

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


def interleave(
    processes: Sequence[Process], on_progress: Callable[[str], None], rounds: int = ROUNDS
) -> dict[tuple[str, str], list[float]]:
    """Measure every operation of every process once a round.

    Returns the nanoseconds per call of each round, by operation and process name. Raises `BenchmarkError`.
    """
    pairs = [
        (operation, process)
        for operation in dict.fromkeys(operation for process in processes for operation in process.operations)
        for process in processes
        if operation in process.operations
    ]
    counts = []
    for operation, process in pairs:
        on_progress(f"warming up {process.name}, {operation}")
        process.measure(operation, _WARM_UP)
        counts.append(max(1, round(_SECONDS * 1e9 / process.measure(operation, _WARM_UP))))
    samples: dict[tuple[str, str], list[float]] = {(operation, process.name): [] for operation, process in pairs}
    for number in range(rounds):
        for (operation, process), count in list(zip(pairs, counts, strict=True))[:: 1 if number % 2 else -1]:
            on_progress(f"round {number + 1} of {rounds}: {process.name}, {operation}")
            samples[operation, process.name].append(process.measure(operation, count))
    return samples
