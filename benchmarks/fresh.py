"""The time that programs take in a fresh interpreter, minus that of an empty program."""

from __future__ import annotations

import subprocess
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.environments import ROOT, BenchmarkError, Environment
from benchmarks.results import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUNDS = 15


class Program(NamedTuple):
    """A candidate's program, with more variables; the time of the program `empty` is subtracted from its time."""

    name: str
    environment: Environment
    code: str
    variables: Mapping[str, str] = {}
    empty: str = "pass"


def start_times(what: str, programs: Sequence[Program], on_progress: Callable[[str], None]) -> list[Row]:
    """Return a row for each program, in milliseconds; every round runs each program once.

    Raises `BenchmarkError` if a program fails.
    """
    empty = {_baseline(one): Program("an empty interpreter", one.environment, one.empty) for one in programs}
    everything = {**empty, **{one.name: one for one in programs}}
    samples: dict[str, list[float]] = {name: [] for name in everything}
    for number in range(ROUNDS + 1):
        for name, program in everything.items():
            on_progress(f"round {number} of {ROUNDS}: {program.name}" if number else f"warming up {program.name}")
            elapsed = _milliseconds(program)
            if number:  # The first run may write bytecode.
                samples[name].append(elapsed)
    return [
        Row(
            what,
            one.name,
            median(samples[one.name]) - median(samples[_baseline(one)]),
            min(samples[one.name]) - min(samples[_baseline(one)]),
        )
        for one in programs
    ]


def _baseline(program: Program) -> str:
    """Return the key of the empty program that `program` is compared with."""
    return f"{program.environment.python} -c {program.empty}"


def _milliseconds(program: Program) -> float:
    """Return the time of one run by the clock."""
    command = [program.environment.python, "-c", program.code]
    variables = program.environment.variables(**program.variables)
    start = time.perf_counter()
    done = subprocess.run(
        command, env=variables, cwd=ROOT, check=False, capture_output=True, text=True, process_group=0
    )
    elapsed = (time.perf_counter() - start) * 1e3
    if done.returncode != 0:
        raise BenchmarkError(f"The first response of {program.name} failed:\n{done.stderr}")
    return elapsed
