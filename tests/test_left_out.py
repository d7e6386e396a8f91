"""The summary of a run names the exhaustive tests that it left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILE = "tests/sessions/test_any_schedule.py"


def said(*words: str) -> str:
    """What pytest says of a file with exhaustive tests, none of which is run here."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", FILE, *words]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300).stdout


@pytest.mark.parametrize(
    "words", [("-n", "0", "--collect-only"), ("-n", "2", "-k", "nothing_is_called_so")], ids=["one", "several"]
)
@pytest.mark.sampled(1)
def test_exhaustive_tests_that_are_left_out_are_named(words: tuple[str, ...]) -> None:
    """With the command that runs them, from one process and from several."""
    summary = said(*words)
    assert f"\n{FILE}::" in summary
    assert "make test-exhaustive" in summary


def test_nothing_is_named_where_they_are_not_left_out() -> None:
    """A run that selects exhaustive tests has nothing to name."""
    assert "make test-exhaustive" not in said("-n", "0", "--collect-only", "-m", "exhaustive or not exhaustive")
