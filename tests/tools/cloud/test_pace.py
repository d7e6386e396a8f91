"""The limit of calls: ten in any second, for all threads together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.tools.cloud.cloud import Pace
from tests.tools.cloud.clock import Clock

PER_SECOND = 10
ROUNDING = 1e-6


def most_in_a_second(turns: list[float]) -> int:
    """The largest number of turns between any of them and a second later."""
    return max(sum(start <= turn < start + 1 - ROUNDING for turn in turns) for start in turns)


@given(
    idle=st.lists(st.floats(0, 2), min_size=1, max_size=60),
    late=st.floats(0, 0.5),
)
def test_no_second_has_more_than_ten_turns(idle: list[float], late: float) -> None:
    """This holds however the calls arrive, and however late a sleeper wakes."""
    clock = Clock(late=late)
    pace = Pace(PER_SECOND, clock=clock, sleep=clock.sleep)
    turns = []
    for seconds in idle:
        clock.now += seconds
        pace.wait()
        turns.append(clock.now)
    assert most_in_a_second(turns) <= PER_SECOND
    assert all(later - earlier > 1 / PER_SECOND - ROUNDING for earlier, later in pairwise(turns))


def test_turns_after_a_rest_do_not_wait() -> None:
    """Only an early call waits, and no longer than necessary."""
    clock = Clock()
    pace = Pace(PER_SECOND, clock=clock, sleep=clock.sleep)
    pace.wait()
    clock.now += 0.1
    pace.wait()
    assert clock.sleeps == []
    clock.now += 0.04
    pace.wait()
    assert clock.sleeps == [pytest.approx(0.06)]


def test_idle_time_is_not_saved() -> None:
    """After a minute without calls, eleven at once still take a second."""
    clock = Clock()
    pace = Pace(PER_SECOND, clock=clock, sleep=clock.sleep)
    pace.wait()
    clock.now += 60
    start = clock.now
    for _ in range(11):
        pace.wait()
    assert clock.now - start == pytest.approx(1)


def test_threads_share_the_turns() -> None:
    """Forty turns of eight threads take as long as forty of one."""
    clock = Clock()
    turns: list[float] = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        turns.append(clock.now)

    pace = Pace(PER_SECOND, clock=clock, sleep=sleep)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pace.wait(), range(40)))
    assert len(turns) == 39
    assert clock.now == pytest.approx(1000 + 3.9)
    assert most_in_a_second([1000.0, *turns]) == PER_SECOND


def test_interrupted_sleep_loses_only_its_turn() -> None:
    """The next caller gets it, at the same time."""
    clock = Clock()
    interrupted = [True]

    def sleep(seconds: float) -> None:
        if interrupted.pop():
            raise KeyboardInterrupt
        clock.sleep(seconds)

    pace = Pace(PER_SECOND, clock=clock, sleep=sleep)
    pace.wait()
    with pytest.raises(KeyboardInterrupt):
        pace.wait()
    interrupted.append(False)
    pace.wait()
    assert clock.now == pytest.approx(1000.1)
