"""Run a daily sample of large parametrized tests, and list the exhaustive tests that did not run."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARIES = pytest.StashKey[dict[str, str]]()
_OMITTED = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the seed of samples."""
    parser.addoption("--sample-seed", help="the seed of the samples; default: today's date in UTC")


def pytest_configure(config: pytest.Config) -> None:
    """Set the seed once for all processes of a run."""
    config.option.sample_seed = config.option.sample_seed or datetime.now(UTC).date().isoformat()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Mark the cases of a test marked `sampled(count, always=(id, ...))` as exhaustive unless they are in the sample.

    A sample has `count` cases and those in `always`, without cases that are marked as exhaustive themselves.
    """
    tests = defaultdict[str, list[pytest.Function]](list)
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("sampled"):
            tests[_test(item)].append(item)
    config.stash[_SUMMARIES] = {test: _mark(test, cases, config.option.sample_seed) for test, cases in tests.items()}


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Record exhaustive tests that do not run. A sampled test is recorded with its sample."""
    for item in items:
        if item.get_closest_marker("exhaustive"):
            summary = item.config.stash[_SUMMARIES].get(_test(item), item.nodeid)
            item.config.stash.setdefault(_OMITTED, set()).add(summary)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the omitted tests from a worker process to the main process."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        omitted = session.config.stash.setdefault(_OMITTED, set())
        output["omitted"] = list(omitted)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Receive the omitted tests from a worker process."""
    output: dict[str, Any] = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(_OMITTED, set()).update(output.get("omitted", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the exhaustive tests that did not run, and the commands that run them."""
    omitted = _omitted(config)
    if omitted:
        terminalreporter.section("exhaustive tests that did not run")
        terminalreporter.line("\n".join(omitted))
        examples = settings().max_examples
        terminalreporter.line(f"Properties ran with {examples} examples each, or with a multiple of it")
        terminalreporter.line(f"Samples were selected with --sample-seed={config.option.sample_seed}")
        terminalreporter.line("Run only these: make test-exhaustive. Run every test: make test-all")


def _omitted(config: pytest.Config) -> list[str]:
    """The exhaustive tests that did not run so far. For several cases of one test, their number."""
    tests = defaultdict[str, list[str]](list)
    for omitted in config.stash.setdefault(_OMITTED, set()):
        tests[omitted if ": all of " in omitted else omitted.partition("[")[0]].append(omitted)
    return sorted(cases[0] if len(cases) == 1 else f"{test}: {len(cases)} cases" for test, cases in tests.items())


def _mark(test: str, cases: Sequence[pytest.Function], seed: str) -> str:
    marker = cases[0].get_closest_marker("sampled")
    assert marker is not None
    candidates = {_case(case) for case in cases if case.get_closest_marker("exhaustive") is None}
    sample = select_sample(candidates, seed + test, *marker.args, **marker.kwargs)
    for case in cases:
        if _case(case) not in sample:
            case.add_marker("exhaustive")
    return (
        f"{test}: all of {len(cases)} cases except {', '.join(_case(case) for case in cases if _case(case) in sample)}"
    )


def select_sample(cases: set[str], seed: str, count: int, always: Sequence[Any] = ()) -> set[str]:
    """Return `count` of the `cases`, and those in `always`.

    The order of two cases depends only on these two and the seed.
    """
    fixed = cases & {str(case) for case in always}
    others = sorted(cases - fixed, key=lambda case: hashlib.sha256(f"{seed} {case}".encode()).digest())
    return fixed | set(others[:count])


def _case(item: pytest.Function) -> str:
    return item.callspec.id


def _test(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]
