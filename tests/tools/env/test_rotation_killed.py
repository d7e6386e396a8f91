"""`arc secret rotate` killed at each of its calls: the same command, run again, ends what was begun."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cloud_faults import Death, Fault, FaultyCloud, Kill, MortalCloud
from tests.engines import Engine
from tests.tools.env.rotating import FALLBACKS, OLD, OLDER, SECRET, Rotating, is_change

LEAST_CHANGES = 9
STRIDE = 3  # from one change that a case is killed at to its next; together the cases are killed at every change
each_change = pytest.mark.parametrize("first", range(1, STRIDE + 1))


def killed(rotating: Rotating, number: int, *, after: bool, retiring: bool = False) -> bool:
    """Kill the command at its change of that number; False when it made fewer."""
    cloud = MortalCloud(rotating.url, number, after=after, counted=is_change)
    with suppress(Death):
        rotating.retire(url=cloud) if retiring else rotating.rotate(None, url=cloud)
        assert not cloud.dead
    return cloud.dead


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@each_change
@pytest.mark.sampled(1)
def test_the_next_run_finishes_a_killed_rotation(cloud: Engine, tmp_path: Path, first: int, *, after: bool) -> None:
    """Before and after each call that changes something: no secret is lost, and just one is new.

    Around a call that changes nothing all is as after the change before it.
    """
    rotating = Rotating(cloud, tmp_path, {SECRET: OLD, FALLBACKS: json.dumps([OLDER])})
    known = [OLD, OLDER]
    for number in itertools.count(first, STRIDE):
        died = killed(rotating, number, after=after)
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
        if not died:
            break
    assert number > LEAST_CHANGES


@each_change
@pytest.mark.sampled(1)
def test_the_next_run_sets_a_first_secret(cloud: Engine, tmp_path: Path, first: int) -> None:
    """An environment that had no secret has one everywhere in the end."""
    for number in itertools.count(first, STRIDE):
        rotating = Rotating(cloud, tmp_path)
        died = killed(rotating, number, after=True)
        noted = rotating.noted()
        rotating.rotate(None) if noted is not None else None
        ((secret, fallbacks),) = rotating.everywhere()
        assert secret
        assert noted is None or secret == noted["secret"]
        assert fallbacks == ()
        if not died:
            break
    assert number > 4


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@each_change
@pytest.mark.sampled(1)
def test_the_next_run_finishes_a_killed_retirement(cloud: Engine, tmp_path: Path, first: int, *, after: bool) -> None:
    """No function keeps an old secret."""
    for number in itertools.count(first, STRIDE):
        rotating = Rotating(cloud, tmp_path, {SECRET: OLD, "ARC_SESSION_TTL": "1"})
        rotating.rotate()
        rotating.time += 1
        died = killed(rotating, number, after=after, retiring=True)
        rotating.retire()
        ((_, fallbacks),) = rotating.everywhere()
        assert fallbacks == ()
        assert rotating.noted("rotated") is None
        if not died:
            break
    assert number > 4


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.sampled(1)
def test_a_killed_process_leaves_the_same_state(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, number: int, *, after: bool
) -> None:
    """SIGKILL leaves functions, SSM and the memo as the simulated death does, and the next run completes the work."""
    real, here = (Rotating(cloud, tmp_path / name, {SECRET: OLD}) for name in ("real", "here"))
    real.operator.environ = faulty.environ(tmp_path)
    kill = Kill(number, after=after)
    numbers = itertools.count(1)

    def plan(name: str, _number: int) -> Fault:
        return kill(name, next(numbers)) if is_change(name) else None

    faulty.begin(plan)
    with real.operator.start("secret", "rotate", "staging") as process:
        kill.aim(process)
        process.communicate(timeout=120)
    assert kill.fired
    assert killed(here, number, after=after)
    assert left_by(real) == left_by(here)
    real.rotate(None)
    assert len(real.everywhere()) == 1
    assert real.noted() is None


def left_by(rotating: Rotating) -> tuple[object, ...]:
    """Return the progress of a rotation, with its new secret called new."""
    noted = rotating.noted() or {}

    def named(value: object) -> str:
        return json.dumps(value).replace(str(noted.get("secret")), "new")

    held = [named(rotating.secrets(name)) for name in sorted(rotating.functions.functions)]
    return (*held, named(sorted(rotating.in_ssm().items())), sorted(noted), sorted(rotating.noted("rotated") or {}))
