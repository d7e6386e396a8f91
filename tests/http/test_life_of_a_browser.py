"""A browser's whole life in any order, on every store: nobody is signed in or out who did not ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.http.lives import Lives

if TYPE_CHECKING:
    from tests.engines import Engine


def run(engine: Engine | None, runs: int, *, sealed: bool = False) -> None:
    """Live `runs` lives."""
    table = None if engine is None else engine.table()

    class OnThisStore(Lives):
        def __init__(self) -> None:
            super().__init__(engine, table, sealed=sealed)

    run_state_machine_as_test(
        OnThisStore,
        settings=settings(
            max_examples=runs,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),  # the others explain failures for minutes
        ),
    )


def test_s26_a_life_with_a_sealed_cookie() -> None:
    """A request that nothing overlaps changes only what it asked for; of overlapping answers the later one stays."""
    run(None, 50, sealed=True)


def test_s26_a_life_on_memory() -> None:
    """No answer to an earlier request signs a visitor in again, and none that did not ask signs one out."""
    run(None, 75)


def test_s26_a_life_on_dynamodb(ministack: Engine) -> None:
    """The same on DynamoDB."""
    run(ministack, 10)


@pytest.mark.exhaustive
@pytest.mark.parametrize("sealed", [True, False])
def test_s26_thousands_of_lives(*, sealed: bool) -> None:
    """Two thousand lives with a sealed cookie, and on memory."""
    run(None, 2_000, sealed=sealed)


@pytest.mark.exhaustive
def test_s26_hundreds_of_lives_on_dynamodb(ministack: Engine) -> None:
    """Four hundred lives on DynamoDB."""
    run(ministack, 400)
