"""A pytest plugin that runs, for each mutant, the tests that reach its function, until one fails.

Tests are collected and run once without a mutant, which shows what each reaches and how long it takes. A fork of
that process then runs the tests of one mutant. Tests that fail without a mutant, such as those of the source's
structure, or a second time in a fork, are left out, and so are slow ones.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from coverage import Coverage
from hypothesis import Phase, settings
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

from tests.engines import Engine

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

ENOUGH = 90  # percent of a folder's mutants
SLOWEST = 2.0  # seconds that a test may take
ROUNDS = (0.0, 3.0, 12.0)  # seconds of tests for a mutant: few for each, more for those that these do not kill
EXAMPLES = 25  # of a property
FORKS = 2 * (os.cpu_count() or 1)  # at a time: many wait, for an answer or for a time limit

# Fixtures that a fork cannot have. A test that requests one by its name has that name in its own.
_AWAY = {"chromium", "cloud", "dynalite", "library", "node"}
_TIMED_OUT = -signal.SIGALRM

settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
)


class Run:
    """The tests that passed without a mutant, and the mutants that they killed."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session
        self.mutants: list[dict[str, Any]] = json.loads(Path("mutants.json").read_text(encoding="utf-8"))
        self.seconds: dict[pytest.Item, float] = {}
        self.breadth: Counter[pytest.Item] = Counter()
        self.reaching: dict[str, list[pytest.Item]] = defaultdict(list)
        self.on_line: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
        self.killers: dict[str, list[pytest.Item]] = defaultdict(list)
        self.engines: set[Engine] = set()
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a failure."""
        self.failed = self.failed or report.failed

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self) -> Generator[None, object, object]:
        """Remember the engines, which each fork asks through connections of its own."""
        value = yield
        if isinstance(value, Engine):
            self.engines.add(value)
        return value

    def passes(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        """Run a test and return True if it passes. Without a next test, session fixtures are kept."""
        self.failed = False
        for module in [module for name, module in sys.modules.items() if name.startswith("arc.")]:
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
        kept = following or cast("pytest.Item", self.session)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=kept)
        return not self.failed

    def measure(self) -> None:
        """Run every test without a mutant."""
        set_mutant_under_test("stats")
        elsewhere = Path("reached.txt").absolute()
        os.environ["MUTANTS_REACHED"] = str(elsewhere)
        items = [item for item in self.session.items if not _is_left_out(item)]
        coverage = Coverage(data_file=None, config_file=False, include=["src/arc/*"])
        coverage.start()
        apart = defaultdict(list)
        for number, (item, following) in enumerate(itertools.zip_longest(items, items[1:])):
            coverage.switch_context(str(number))
            state()._stats.clear()
            elsewhere.write_text("", encoding="utf-8")
            start = time.monotonic()
            passed = self.passes(item, following)
            self.seconds[item] = time.monotonic() - start
            if passed and self.seconds[item] < SLOWEST:
                reached = {*state()._stats, *elsewhere.read_text("utf-8").split()}
                self.breadth[item] = len(reached)
                for function in reached:
                    self.reaching[function].append(item)
                for function in reached - state()._stats:
                    apart[function].append(item)
        coverage.stop()
        self.locate(coverage, items, apart)
        del os.environ["MUTANTS_REACHED"]
        for item in self.unrepeatable():
            for tests in (*self.reaching.values(), *self.on_line.values()):
                if item in tests:
                    tests.remove(item)

    def locate(
        self, coverage: Coverage, items: list[pytest.Item], apart: Mapping[str, list[pytest.Item]]
    ) -> None:
        """Find the tests that run the line of a mutant; `apart` are tests that reach its function in other processes."""
        by_file = {file: coverage.get_data().contexts_by_lineno(str(Path(file).absolute())) for file in self.files()}
        good = {item for tests in self.reaching.values() for item in tests}
        for mutant in self.mutants:
            place = mutant["file"], mutant["line_in_copy"]
            if place not in self.on_line:
                numbers = by_file[place[0]].get(place[1], ())
                found = [items[int(number)] for number in numbers if number]
                self.on_line[place] = [item for item in found if item in good]
                if self.on_line[place]:
                    self.on_line[place] += apart.get(mutant["function"], [])

    def files(self) -> set[str]:
        """Return the files that have mutants."""
        return {mutant["file"] for mutant in self.mutants}

    def unrepeatable(self) -> set[pytest.Item]:
        """Return the tests that fail when they run a second time, in a fork without a mutant."""
        items = list(dict.fromkeys(item for tests in self.reaching.values() for item in tests))
        found = set()
        while items:
            process, reading = self.fork("", items)
            last = self.last(reading)
            if os.waitpid(process, 0)[1] == 0:
                break
            found.add(items[last])
            items = items[last + 1 :]
        return found

    def tests_of(self, mutant: dict[str, Any], since: float, until: float) -> list[pytest.Item]:
        """Return the tests for a mutant: first those that killed others of its function, then fast ones that reach little else."""
        items = self.on_line[mutant["file"], mutant["line_in_copy"]] or self.reaching[mutant["function"]]
        ordered = sorted(items, key=lambda item: (_on_engine(item), self.seconds[item] * self.breadth[item]))
        within = itertools.accumulate(self.seconds[item] for item in ordered)
        ordered = [item for item, seconds in zip(ordered, within, strict=True) if since <= seconds < until]
        return list(dict.fromkeys([*reversed(self.killers[mutant["function"]]), *ordered]))

    def fork(self, name: str, items: list[pytest.Item]) -> tuple[int, int]:
        """Run a mutant's tests in a process; return its id, and a pipe that ends with the number of the last test."""
        reading, writing = os.pipe()
        process = os.fork()
        if process:
            os.close(writing)
            return process, reading
        status = 1
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            for engine in self.engines:
                engine.start_over(os.getpid())
            set_mutant_under_test(name)
            for number, (item, following) in enumerate(itertools.zip_longest(items, items[1:])):
                os.write(writing, number.to_bytes(4))
                signal.setitimer(signal.ITIMER_REAL, 2 + 10 * self.seconds[item])
                if not self.passes(item, following):
                    break
            else:
                status = 0
        finally:
            os._exit(status)

    def last(self, reading: int) -> int:
        """Return the number of the last test that a finished fork ran."""
        with open(reading, "rb") as pipe:
            return int.from_bytes(pipe.read()[-4:])

    def judge(
        self, mutants: list[dict[str, Any]], since: float, until: float
    ) -> Iterator[tuple[dict[str, Any], str]]:
        """Return every mutant with its result: killed, timed out, survived or unreached."""
        running: dict[int, tuple[dict[str, Any], list[pytest.Item], int]] = {}
        waiting = list(reversed(mutants))
        while waiting or running:
            if waiting and len(running) < FORKS:
                mutant = waiting.pop()
                items = self.tests_of(mutant, since, until)
                if not items:
                    yield mutant, "survived" if self.reaching[mutant["function"]] else "unreached"
                    continue
                process, reading = self.fork(mutant["name"], items)
                running[process] = mutant, items, reading
                continue
            process, status = os.waitpid(-1, 0)
            if process not in running:
                continue
            mutant, items, reading = running.pop(process)
            last = self.last(reading)
            code = os.waitstatus_to_exitcode(status)
            if code != 0:
                killers = self.killers[mutant["function"]]
                with contextlib.suppress(ValueError):
                    killers.remove(items[last])
                killers.append(items[last])
            yield mutant, "survived" if code == 0 else "timed out" if code == _TIMED_OUT else "killed"


def pytest_configure() -> None:
    """Make properties fast and deterministic."""
    settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Limit properties with many examples."""
    for item in items:
        function = getattr(item, "obj", None)
        own = getattr(function, "_hypothesis_internal_use_settings", None)
        if own is not None and function is not None:
            few = settings(own, max_examples=min(own.max_examples, EXAMPLES), phases=settings().phases)
            getattr(function, "__func__", function)._hypothesis_internal_use_settings = few


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run the tests on every mutant, and print the survivors."""
    write = session.config.get_terminal_writer().line
    run = Run(session)
    session.config.pluginmanager.register(run)
    run.measure()
    failed = session.testsfailed
    write(f"\n{len(run.seconds)} tests, {failed} of them left out as they fail on a copy; {len(run.mutants)} mutants")
    gc.freeze()
    fates: dict[str, str] = {}
    try:
        for since, until in itertools.pairwise(ROUNDS):
            left = [mutant for mutant in run.mutants if not _is_killed(fates.get(mutant["name"], ""))]
            write(f"{len(left)} mutants, with up to {until:.0f} seconds of tests for each")
            for done, (mutant, fate) in enumerate(run.judge(left, since, until), start=1):
                fates[mutant["name"]] = fate
                if done % 100 == 0:
                    write(f"{done} of {len(left)}: {sum(map(_is_killed, fates.values()))} killed")
    except KeyboardInterrupt:
        write(f"\nInterrupted: {len(run.mutants) - len(fates)} mutants were not tried, and others not with every test")
    known = [(mutant, fates[mutant["name"]]) for mutant in run.mutants if mutant["name"] in fates]
    session.testsfailed = report(known, write)
    return True


def report(fates: list[tuple[dict[str, Any], str]], write: Any) -> int:
    """Print the table and the survivors; return the number of folders with too few killed mutants."""
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, fate in fates:
        file = mutant["file"]
        for group in (file, "/".join(Path(file).parts[:3]) + "/"):
            by_file[group][fate] += 1
    write(f"\n{'file':55} mutants killed survived score")
    low = 0
    for name, found in sorted(by_file.items(), key=lambda pair: (pair[0].endswith("/"), pair[0])):
        killed = found["killed"] + found["timed out"]
        score = 100 * killed / found.total()
        low += name.endswith("/") and score < ENOUGH
        write(f"{name:55} {found.total():7} {killed:6} {found.total() - killed:8} {score:4.1f}%")
    write("")
    for mutant, fate in sorted(fates, key=lambda pair: (pair[0]["file"], pair[0]["line"])):
        if not _is_killed(fate):
            write(line_of(mutant, fate))
    return low


def line_of(mutant: dict[str, Any], fate: str) -> str:
    """Return a survivor as a line."""
    function = mutant["function"].rpartition(".")[2].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    note = " (no test reaches it)" if fate == "unreached" else ""
    return f"{mutant['file']}:{mutant['line']} {function}: {mutant['before']} → {mutant['after']}{note}"


def _is_left_out(item: pytest.Item) -> bool:
    """Return True for a test that starts a slow process or runs many scenarios on an engine."""
    return bool(_AWAY & set(_fixtures(item))) or "dynalite" in item.name or item.name.endswith("_on_dynamodb")


def _is_killed(fate: str) -> bool:
    return fate in {"killed", "timed out"}


def _on_engine(item: pytest.Item) -> bool:
    return bool({"engine", "ministack"} & set(_fixtures(item))) or "dynamodb" in item.name


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))
