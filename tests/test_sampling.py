"""A test that is marked `sampled` runs some of its cases, others every day, unless all are asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sampling import choose

ROOT = Path(__file__).parents[1]
CASES = {str(number) for number in range(100)}


@pytest.mark.sampled(2, always=["3-4"])
@pytest.mark.parametrize("first", range(3, 6))
@pytest.mark.parametrize("second", [3, 4, pytest.param(5, marks=pytest.mark.exhaustive)])
def test_of_which_a_sample_is_run(first: int, second: int) -> None:
    """Every case of it is as good as any."""
    assert first in range(3, 6)
    assert second in range(3, 6)


def collected(*words: str) -> list[str]:
    """What pytest says when it collects that test."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", "--collect-only", *words]
    test = f"tests/{Path(__file__).name}::{test_of_which_a_sample_is_run.__name__}"
    run = subprocess.run([*command, test], cwd=ROOT, check=True, capture_output=True, text=True, timeout=300)
    return [line.removeprefix(test) for line in run.stdout.splitlines()]


def test_sample_and_the_others_are_all_cases() -> None:
    """The summary names the sample and its seed, with which another run has the same one."""
    sample = collected("--sample-seed=any")
    others = collected("--sample-seed=any", "-m", "exhaustive")
    cases = [{line for line in lines if line.startswith("[")} for lines in (sample, others)]
    assert [len(some) for some in cases] == [3, 6]
    assert len(cases[0] | cases[1]) == 9
    assert "[3-4]" in cases[0]
    assert not any(line.startswith("[5-") for line in cases[0])
    (named,) = (line for line in sample if line.startswith(": of 9 cases all but "))
    assert {f"[{case}]" for case in named.removeprefix(": of 9 cases all but ").split(", ")} == cases[0]
    assert any("--sample-seed=any" in line for line in sample)


def test_samples_differ_from_day_to_day() -> None:
    """Each case comes, and the most telling ones come always."""
    days = [choose(CASES, f"2030-01-{day}", 5, [7]) for day in range(200)]
    assert all("7" in day and len(day) == 6 for day in days)
    assert set().union(*days) == CASES
    assert choose(CASES, "2030-01-1", 5, [7]) == days[1]


def test_fewer_cases_than_a_sample_are_all_run() -> None:
    """As when one is named on the command line."""
    assert choose({"1"}, "any", 5, ["7"]) == {"1"}
