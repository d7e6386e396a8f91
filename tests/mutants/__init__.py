"""Mutation testing: `make mutants`."""

from __future__ import annotations

import os


def variables() -> dict[str, str]:
    """What a process that a test starts needs to run the mutant too; nothing outside of `make mutants`."""
    names = ("MUTANTS_REACHED", "MUTANT_UNDER_TEST", "PYTHONPATH")
    return {name: os.environ[name] for name in names if name in os.environ} if names[1] in os.environ else {}
