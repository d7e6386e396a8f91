"""Overlapping requests in any order: on each store with a server, the result is that of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from arc.sessions.stores.dynamodb.transport import ATTEMPTS
from tests.sessions.schedules import Schedules

if TYPE_CHECKING:
    from tests.engines import Engine


def run(engine: Engine | None, runs: int) -> None:
    """Run `runs` schedules."""
    table = None if engine is None else engine.table()

    class OnThisStore(Schedules):
        def __init__(self) -> None:
            super().__init__(engine, table)

    run_state_machine_as_test(
        OnThisStore,
        settings=settings(
            max_examples=runs, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_s37_any_schedule_on_memory() -> None:
    """Schedules on the memory store have the model's results."""
    run(None, 50)


def test_s37_any_schedule_on_dynamodb(ministack: Engine) -> None:
    """So do schedules on DynamoDB with lost responses and commits between the calls of another commit."""
    run(ministack, 30)


def test_s37_an_outage_after_an_earlier_commit_leaves_its_cookie(ministack: Engine) -> None:
    """The handler has stored the session by hand, so the response to the outage still carries that cookie."""
    machine = Schedules(ministack, ministack.table())
    machine.visitor([("insert", "m")], from_node=False)
    machine.begin(newest=0, handlers=[[]])
    machine.finish(pick=0, explicit=True, faults=[], goes_on=True)
    machine.go_on(pick=0, action=("insert", "m"))
    assert machine.requests[0].earlier
    machine.finish(pick=0, explicit=False, faults=[("lost", False)] * ATTEMPTS, goes_on=False)


@pytest.mark.exhaustive
def test_s37_thousands_of_schedules_on_memory() -> None:
    """Five thousand schedules on the memory store."""
    run(None, 5_000)


@pytest.mark.exhaustive
@pytest.mark.parametrize("half", [1, 2])
def test_s37_a_thousand_schedules_on_dynamodb(ministack: Engine, half: int) -> None:
    """A thousand schedules on DynamoDB, in two halves for two workers."""
    run(ministack.through("lean"), 500)


@pytest.mark.exhaustive
def test_s37_hundreds_of_schedules_through_boto3(ministack: Engine) -> None:
    """Two hundred schedules with boto3 as the transport."""
    run(ministack.through("boto3"), 200)
