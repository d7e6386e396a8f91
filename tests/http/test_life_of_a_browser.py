"""Random browser histories on every store: no one is signed in or out without asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.http.lives import Lives

if TYPE_CHECKING:
    from tests.engines import Engine


def run(engine: Engine | None, runs: int, *, sealed: bool = False) -> None:
    """Run `runs` histories."""
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


def test_s26_history_with_a_sealed_cookie() -> None:
    """A request without overlap changes only what it asked for, and the last of overlapping responses wins."""
    run(None, 50, sealed=True)


def test_s26_history_in_memory() -> None:
    """No late response signs a visitor in again, and no other request signs the visitor out."""
    run(None, 75)


def test_s26_history_on_dynamodb(ministack: Engine) -> None:
    """The same is true on DynamoDB."""
    run(ministack, 10)


@pytest.mark.exhaustive
@pytest.mark.parametrize("sealed", [True, False])
def test_s26_hundreds_of_histories(*, sealed: bool) -> None:
    """Five hundred histories with a sealed cookie and in memory."""
    run(None, 500, sealed=sealed)


@pytest.mark.exhaustive
def test_s26_a_hundred_histories_on_dynamodb(ministack: Engine) -> None:
    """A hundred histories on DynamoDB."""
    run(ministack, 100)
