"""`arc secret rotate` killed at each of its calls: the same command, run again, ends what was begun."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cloud_faults import Fault, FaultyCloud, Kill
from tests.engines import Engine
from tests.tools.env.rotating import FALLBACKS, OLD, OLDER, SECRET, Rotating, is_change

STRIPES = 4  # tests that share the calls, so that they may run at once
LEAST_CHANGES = 9


def killed(
    rotating: Rotating, faulty: FaultyCloud, number: int, counted: Callable[[str], bool], *, after: bool
) -> bool:
    """Kill the command at the call of that number among those `counted`; False when it made fewer."""
    kill = Kill(number, after=after)
    numbers = itertools.count(1)

    def plan(name: str, _number: int) -> Fault:
        return kill(name, next(numbers)) if counted(name) else None

    faulty.begin(plan)
    with rotating.operator.start("secret", "rotate", "staging") as process:
        kill.aim(process)
        _, complaint = process.communicate(timeout=120)
    assert kill.fired or process.returncode == 0, complaint
    return kill.fired


@pytest.mark.parametrize("first", range(1, STRIPES + 1))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_rotation_killed_at_each_call_is_ended(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, first: int, *, after: bool
) -> None:
    """Before and after each call that changes something: no secret is lost, and just one is new.

    Around a call that changes nothing all is as after the change before it.
    """
    rotating = Rotating(cloud, tmp_path, {SECRET: OLD, FALLBACKS: json.dumps([OLDER])})
    rotating.operator.environ = faulty.environ(tmp_path)
    known = [OLD, OLDER]
    for number in itertools.count(first, STRIPES):
        fired = killed(rotating, faulty, number, is_change, after=after)
        rotating.check(*known)
        noted = rotating.noted()
        if noted is not None or rotating.in_ssm()[SECRET] == known[0]:  # else it was killed when all was done
            rotating.rotate(None)
        ((secret, fallbacks),) = rotating.everywhere()
        assert secret not in {None, *known}
        assert noted is None or secret == noted["secret"]
        assert fallbacks == (*known, secret)
        assert rotating.noted() is None
        assert (rotating.noted("rotated") or {})["at"] > 0
        known.insert(0, secret or "")
        if not fired:
            break
    assert number > LEAST_CHANGES


def test_the_first_secret_killed_at_each_call_is_given(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """An environment that had none has one everywhere at the end."""
    rotating = Rotating(cloud, tmp_path)
    rotating.operator.environ = faulty.environ(tmp_path)
    for number in itertools.count(1):
        fired = killed(rotating, faulty, number, is_change, after=True)
        noted = rotating.noted()
        rotating.rotate(None) if noted is not None else None
        ((secret, fallbacks),) = rotating.everywhere()
        assert secret
        assert noted is None or secret == noted["secret"]
        assert fallbacks == ()
        if not fired:
            break
        rotating = Rotating(cloud, tmp_path)
        rotating.operator.environ = faulty.environ(tmp_path)
    assert number > 4


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_retiring_killed_at_each_change_is_ended(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, *, after: bool
) -> None:
    """No function keeps an old secret."""
    for number in itertools.count(1):
        rotating = Rotating(cloud, tmp_path, {SECRET: OLD, "ARC_SESSION_TTL": "1"})
        rotating.operator.environ = faulty.environ(tmp_path)
        rotating.rotate()
        kill = Kill(number, after=after)
        numbers = itertools.count(1)

        def plan(name: str, _number: int, kill: Kill = kill, numbers: itertools.count[int] = numbers) -> Fault:
            return kill(name, next(numbers)) if is_change(name) else None

        faulty.begin(plan)
        with rotating.operator.start("secret", "rotate", "staging", "--retire") as process:
            kill.aim(process)
            process.communicate(timeout=120)
        rotating.time += 1
        rotating.retire()
        ((_, fallbacks),) = rotating.everywhere()
        assert fallbacks == ()
        assert rotating.noted("rotated") is None
        if not kill.fired:
            break
    assert number > 4
