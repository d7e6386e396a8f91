"""With orjson (the extra `speed`), the same data is stored and the same data is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sessions.any_change import lines
from tests.sessions.speeds import ORJSON


def outcomes(seed: int, count: int, *path: Path) -> list[str]:
    """Return the lines of `any_change` from an interpreter with `path`."""
    arguments = [sys.executable, "-m", "tests.sessions.any_change", str(seed), str(count)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, Path.cwd())))}
    run = subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@settings(max_examples=settings().max_examples // 10 or 1)
@given(st.integers(0, 2**32))
def test_random_changes_have_the_same_results_with_orjson(seed: int) -> None:
    """A thousand changes have the same data afterwards, the same cookies and the same refusals."""
    assert (ORJSON / "orjson").is_dir(), f"{ORJSON} is missing: make setup-test"
    without, with_it = outcomes(seed, 1_000), outcomes(seed, 1_000, ORJSON)
    assert (without[0], with_it[0]) == ("without", "with orjson")
    assert len(without) > 1_000
    assert with_it[1:] == without[1:]


@pytest.mark.parametrize("words", ["TypeError: session", "SessionTooLarge", "-> True {", "-> False {"])
def test_the_compared_changes_have_every_result(words: str) -> None:
    """Some are stored, some change nothing, and some are refused."""
    assert any(words in line for line in lines(7, 3_000))
