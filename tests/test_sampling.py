"""A test marked `sampled` runs some of its cases, which change daily. The summary lists what did not run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sampling import select_sample

ROOT = Path(__file__).parents[1]
FILE = "tests/sessions/test_any_schedule.py"
CASES = {str(number) for number in range(100)}


def pytest_output(*words: str) -> str:
    """The output of pytest with these arguments."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300).stdout


@pytest.mark.parametrize(
    "words", [("-n", "0", "--collect-only"), ("-n", "2", "-k", "nothing_is_called_so")], ids=["one", "several"]
)
@pytest.mark.sampled(1)
def test_summary_lists_omitted_exhaustive_tests(words: tuple[str, ...]) -> None:
    """It also names the command that runs them, with one process and with several."""
    summary = pytest_output(FILE, *words)
    assert f"\n{FILE}::" in summary
    assert "make test-exhaustive" in summary


def test_summary_of_a_complete_run_lists_nothing() -> None:
    """A run that selects exhaustive tests has no list."""
    summary = pytest_output(FILE, "-n", "0", "--collect-only", "-m", "exhaustive or not exhaustive")
    assert "make test-exhaustive" not in summary


@pytest.mark.sampled(2, always=["3-4"])
@pytest.mark.parametrize("first", range(3, 6))
@pytest.mark.parametrize("second", [3, 4, pytest.param(5, marks=pytest.mark.exhaustive)])
def test_sampled_example(first: int, second: int) -> None:
    """An example of a sampled test for the tests below."""
    assert first in range(3, 6)
    assert second in range(3, 6)


def collected(*words: str) -> list[str]:
    """The lines of pytest when it collects the example."""
    test = f"tests/{Path(__file__).name}::{test_sampled_example.__name__}"
    lines = pytest_output("-n0", "--collect-only", *words, test).splitlines()
    return [line.removeprefix(test) for line in lines]


def test_sample_and_other_cases_are_complete() -> None:
    """The summary names the sample, and the seed that selects the same sample in another run."""
    sample = collected("--sample-seed=any")
    others = collected("--sample-seed=any", "-m", "exhaustive")
    cases = [{line for line in lines if line.startswith("[")} for lines in (sample, others)]
    assert [len(some) for some in cases] == [3, 6]
    assert len(cases[0] | cases[1]) == 9
    assert "[3-4]" in cases[0]
    assert not any(line.startswith("[5-") for line in cases[0])
    prefix = ": all of 9 cases except "
    (summary,) = (line for line in sample if line.startswith(prefix))
    assert {f"[{case}]" for case in summary.removeprefix(prefix).split(", ")} == cases[0]
    assert any("--sample-seed=any" in line for line in sample)


def test_samples_change_daily() -> None:
    """Every case is selected on some days, and those in `always` on every day."""
    days = [select_sample(CASES, f"2030-01-{day}", 5, [7]) for day in range(200)]
    assert all("7" in day and len(day) == 6 for day in days)
    assert set().union(*days) == CASES
    assert select_sample(CASES, "2030-01-1", 5, [7]) == days[1]


def test_small_tests_run_all_cases() -> None:
    """All cases run if there are fewer than a sample has, as when one is named on the command line."""
    assert select_sample({"1"}, "any", 5, ["7"]) == {"1"}
