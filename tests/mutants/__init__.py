"""Mutation testing: `make mutants`."""

from __future__ import annotations

import os


def variables() -> dict[str, str]:
    """Return the variables with which a test's child process runs the mutant; none outside of `make mutants`."""
    names = ("MUTANTS_REACHED", "MUTANT_UNDER_TEST", "PYTHONPATH")
    return {name: os.environ[name] for name in names if name in os.environ} if names[1] in os.environ else {}
