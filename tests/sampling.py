"""Samples of large parametrized tests, others every day, and a summary of the exhaustive tests that a run left out."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAMPLES = pytest.StashKey[dict[str, str]]()
_LEFT_OUT = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the seed, which another process of the same run takes over."""
    parser.addoption("--sample-seed", help="the seed of the samples; default: today's date in UTC")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed once for all processes of a run."""
    config.option.sample_seed = config.option.sample_seed or datetime.now(UTC).date().isoformat()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Mark as exhaustive what is not in the sample of a test marked `sampled(count, always=(id, ...))`.

    A sample has `count` cases besides those that are `always` in it, and none that is exhaustive anyway.
    """
    families = defaultdict[str, list[pytest.Function]](list)
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("sampled"):
            families[_family(item)].append(item)
    config.stash[_SAMPLES] = {
        family: _mark(family, members, config.option.sample_seed) for family, members in families.items()
    }


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Remember exhaustive tests that are not run; of a sampled one, all its cases and those that are run."""
    for item in items:
        if item.get_closest_marker("exhaustive"):
            item.config.stash.setdefault(_LEFT_OUT, set()).add(
                item.config.stash[_SAMPLES].get(_family(item), item.nodeid)
            )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Report them to the process that sums up, from one of several."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        left_out = session.config.stash.setdefault(_LEFT_OUT, set())
        output["left out"] = list(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what one of several processes reports."""
    output: dict[str, Any] = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(_LEFT_OUT, set()).update(output.get("left out", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the exhaustive tests that were left out, and the commands that run them."""
    left_out = _left_out(config)
    if left_out:
        terminalreporter.section("left out, of whose cases other tests try a sample")
        terminalreporter.line("\n".join(left_out))
        examples = settings().max_examples
        terminalreporter.line(f"Properties were tried on {examples} examples each, or on a multiple of it")
        terminalreporter.line(f"Samples were chosen with --sample-seed={config.option.sample_seed}")
        terminalreporter.line("These alone: make test-exhaustive. Every test: make test-all")


def _left_out(config: pytest.Config) -> list[str]:
    """The exhaustive tests that a run has left out so far; of several cases of one test, their number."""
    families = defaultdict[str, list[str]](list)
    for one in config.stash.setdefault(_LEFT_OUT, set()):
        families[one if ": of " in one else one.partition("[")[0]].append(one)
    return sorted(
        cases[0] if len(cases) == 1 else f"{family}: {len(cases)} cases" for family, cases in families.items()
    )


def _mark(family: str, members: Sequence[pytest.Function], seed: str) -> str:
    marker = members[0].get_closest_marker("sampled")
    assert marker is not None
    candidates = {_case(one) for one in members if one.get_closest_marker("exhaustive") is None}
    chosen = choose(candidates, seed + family, *marker.args, **marker.kwargs)
    for one in members:
        if _case(one) not in chosen:
            one.add_marker("exhaustive")
    ran = ", ".join(_case(one) for one in members if _case(one) in chosen)
    return f"{family}: of {len(members)} cases all but {ran}"


def choose(cases: set[str], seed: str, count: int, always: Sequence[Any] = ()) -> set[str]:
    """`count` of the `cases`, besides those of them that are `always` chosen.

    Whether one case comes before another depends on these and the seed alone.
    """
    telling = cases & {str(case) for case in always}
    others = sorted(cases - telling, key=lambda case: hashlib.sha256(f"{seed} {case}".encode()).digest())
    return telling | set(others[:count])


def _case(item: pytest.Function) -> str:
    return item.callspec.id


def _family(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]
