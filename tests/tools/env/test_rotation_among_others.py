"""A rotation loses no secret to concurrent changes, to other rotations, or to stale values from SSM."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arc.errors import ToolError
from tests.cloud_calls import Reply
from tests.cloud_faults import Fault, FaultyCloud, Plan, afterwards, faulty_cloud, on
from tests.deployed import deploy
from tests.engines import Engine
from tests.tools.env.rotating import FALLBACKS, FUNCTIONS, NEW, OLD, OLDER, SECRET, Rotating, change, watched

BEFORE = {SECRET: OLD, FALLBACKS: json.dumps([OLDER])}
AFTER = {(NEW, (OLD, OLDER, NEW))}
REFUSAL = (
    "A rotation of the secret in staging is in progress. Finish it with `arc secret rotate staging`, or use --force, "
    "which may sign visitors out. Nothing was changed."
)
STRIDE = 18  # from one moment that a case tries to its next; together the cases try every moment
THEIRS = "a secret that another operator sets while ours is rotated"
each_moment = pytest.mark.parametrize("first", range(1, STRIDE + 1))


def meanwhile(number: int, act: Callable[[], object], done: list[int]) -> Plan:
    """Return a plan that calls `act` after the call to SSM of that number, and appends the number to `done`."""
    numbers = itertools.count(1)

    def other() -> None:
        done.append(number)
        act()

    def plan(name: str, _number: int) -> Fault:
        return afterwards(other) if name.startswith("ssm.") and next(numbers) == number else None

    return plan


@pytest.mark.sampled(1)
@each_moment
def test_a_rotation_during_another(cloud: Engine, faulty: FaultyCloud, tmp_path: Path, first: int) -> None:
    """One operator joins the rotation of the other, or starts one before or after it."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    made = 2
    for number in itertools.count(first, STRIDE):
        done: list[int] = []
        faulty.begin(watched(rotating, OLD, OLDER, plan=meanwhile(number, lambda: rotating.rotate(None), done)))
        rotating.rotate(None, url=faulty.url)
        rotating.check(OLD, OLDER)
        ((secret, fallbacks),) = rotating.everywhere()
        assert fallbacks[-1] == secret
        assert len(set(fallbacks)) - made in ((1, 2) if done else (1,))
        made = len(set(fallbacks))
        assert rotating.noted() is None
        if not done:
            break
    assert number > 15


def test_second_rotation_joins_one_in_progress(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """Another process saves its secret between our read and our write: its secret becomes the new one."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    theirs: list[str] = []
    with faulty_cloud(cloud) as failing:
        failing.begin(on("lambda.UpdateFunctionConfiguration", "error", times=100))

        def other(before: bool) -> None:
            if before:
                with pytest.raises(ToolError, match="out of sync"):
                    rotating.rotate(None, url=failing.url)
                theirs.append((rotating.noted() or {})["secret"])

        faulty.begin(watched(rotating, OLD, OLDER, plan=on("ssm.PutParameter", other)))
        rotating.rotate(None, url=faulty.url)
    assert rotating.everywhere() == {(theirs[0], (OLD, OLDER, theirs[0]))}
    assert "Continuing the rotation that is in progress in staging." in rotating.said


@pytest.mark.sampled(1)
@pytest.mark.parametrize("first", range(1, 7))
def test_two_rotations_during_another(cloud: Engine, faulty: FaultyCloud, tmp_path: Path, first: int) -> None:
    """Another process finishes ours and starts one more: our run stops, and undoes nothing."""
    stopped = 0
    for number in itertools.count(first, 6):
        rotating = Rotating(cloud, tmp_path, BEFORE, functions=["GetIndex"])
        done: list[int] = []

        def other(rotating: Rotating = rotating) -> None:
            rotating.rotate(None)
            rotating.rotate(THEIRS)

        faulty.begin(watched(rotating, OLD, OLDER, plan=meanwhile(number, other, done)))
        try:
            rotating.rotate(None, url=faulty.url)
        except ToolError as error:
            stopped += "Another process has finished the rotation" in str(error)
            assert rotating.secrets("GetIndex")[0] == THEIRS
        rotating.check(OLD, OLDER)
        if not done:
            break
    assert stopped > 1


@pytest.mark.parametrize("times", [2, pytest.param(5, marks=pytest.mark.exhaustive)])
def test_concurrent_rotations(cloud: Engine, faulty: FaultyCloud, tmp_path: Path, times: int) -> None:
    """Three operators start one at the same time, again and again."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    faulty.begin(watched(rotating, OLD, OLDER))
    ends: list[str] = []

    def operate() -> None:
        try:
            rotating.rotate(None, url=faulty.url)
        except ToolError as error:
            ends.append(str(error))
        else:
            ends.append("")

    for _ in range(times):
        threads = [threading.Thread(target=operate) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ((secret, fallbacks),) = rotating.everywhere()
        assert fallbacks[-1] == secret
        rotating.check(OLD, OLDER)
        assert rotating.noted() is None
    assert len(ends) == 3 * times
    assert {end.partition(", and")[0] for end in ends} <= {"", "Another process has finished the rotation"}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("first", range(1, STRIDE // 2 + 1))
@pytest.mark.parametrize(
    ("theirs", "otherwise"),
    [({SECRET: THEIRS}, r"replacing it ends every session: .*arc secret rotate staging"), ({FALLBACKS: None}, None)],
    ids=["another secret", "no fallbacks"],
)
def test_arc_env_sets_no_secrets_during_a_rotation(
    cloud: Engine,
    faulty: FaultyCloud,
    tmp_path: Path,
    theirs: dict[str, str | None],
    otherwise: str | None,
    first: int,
) -> None:
    """`arc env` refuses to; before and after, it makes the change if that signs no one out."""
    refused = 0
    for number in itertools.count(first, STRIDE // 2):
        rotating = Rotating(cloud, tmp_path, BEFORE, functions=["GetIndex"])
        done: list[int] = []
        complaints: list[str] = []

        def other(rotating: Rotating = rotating, complaints: list[str] = complaints) -> None:
            try:
                change(rotating, theirs)
            except ToolError as error:
                complaints.append(str(error))

        faulty.begin(meanwhile(number, other, done))
        rotating.rotate(url=faulty.url)
        ((secret, fallbacks),) = rotating.everywhere()
        if complaints == [REFUSAL]:
            refused += 1
        elif otherwise and done:
            assert re.search(otherwise, complaints[0])
        if complaints:
            assert (secret, fallbacks) == (NEW, (OLD, OLDER, NEW))
        if not done:
            break
    assert refused > 0


@pytest.mark.sampled(1)
@each_moment
def test_a_variable_set_during_a_rotation_reaches_every_function(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, first: int
) -> None:
    """Any variable except the secrets."""
    for number in itertools.count(first, STRIDE):
        rotating = Rotating(cloud, tmp_path, BEFORE)
        done: list[int] = []

        def other(rotating: Rotating = rotating) -> None:
            change(rotating, {"GREETING": "hello"})

        faulty.begin(watched(rotating, OLD, OLDER, plan=meanwhile(number, other, done)))
        rotating.rotate(url=faulty.url)
        assert rotating.everywhere() == AFTER
        if not done:
            break
        assert [rotating.functions.variables(name).get("GREETING") for name in FUNCTIONS] == ["hello"] * 2
    assert number > 15


@pytest.mark.sampled(1)
@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_change_during_a_rotation_restores_no_old_secret(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, first: int
) -> None:
    """A whole rotation takes place during the change, which continues with what it has read before."""
    for number in itertools.count(first, 3):
        rotating = Rotating(cloud, tmp_path, BEFORE)
        done: list[int] = []
        faulty.begin(watched(rotating, OLD, OLDER, plan=meanwhile(number, rotating.rotate, done)))
        change(rotating, {"GREETING": "hello"}, faulty.url)
        rotating.check(OLD, OLDER)
        if not done:
            break
        assert rotating.everywhere() == AFTER
    assert number > 4


@pytest.mark.sampled(1)
@each_moment
def test_a_function_deployed_during_a_rotation_is_updated(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, first: int
) -> None:
    """It has old variables, and appears at each call at which the rotation still looks for functions."""
    for number in itertools.count(first, STRIDE):
        rotating = Rotating(cloud, tmp_path, BEFORE, functions=["GetIndex"])
        done: list[int] = []

        def other(rotating: Rotating = rotating, done: list[int] = done) -> None:
            done.append(len(faulty.calls))
            rotating.functions.functions |= deploy(cloud, rotating.app, names=["GetLate"], variables=BEFORE).functions

        faulty.begin(meanwhile(number, other, done))
        rotating.rotate(url=faulty.url)
        if not done:
            break
        if "lambda.ListFunctions" in faulty.calls[done[-1] :]:
            assert rotating.everywhere() == AFTER
    assert number > 15


def test_a_function_deployed_before_the_second_phase_accepts_the_new_secret(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path
) -> None:
    """No function seals with the new secret before this one accepts it."""
    rotating = Rotating(cloud, tmp_path, BEFORE)

    def other() -> None:
        late = deploy(cloud, rotating.app, names=["GetLate"], variables=BEFORE)
        rotating.functions.functions |= late.functions

    updates = itertools.count(1)

    def plan(name: str, _number: int) -> Fault:
        is_last = name == "lambda.UpdateFunctionConfiguration" and next(updates) == len(FUNCTIONS)
        return afterwards(other) if is_last else None

    faulty.begin(watched(rotating, OLD, OLDER, plan=plan))
    rotating.rotate(url=faulty.url)
    assert rotating.everywhere() == AFTER
    assert "GetLate" in rotating.functions.functions


class ForgetfulCloud(FaultyCloud):
    """A cloud whose SSM returns the previous values for `late` more reads after each change."""

    late = 2

    def __init__(self, cloud: Engine, *, strict: bool = True) -> None:
        super().__init__(cloud, strict=strict)
        self._replies: dict[bytes, Reply] = {}
        self._left: dict[bytes, int] = {}
        self._one = threading.Lock()

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
        """The cloud's own answer, or the one of before."""
        operation = dict(headers).get("X-Amz-Target", "").rpartition(".")[2]
        if not operation.startswith("GetParameter"):
            if operation.endswith("Parameter"):
                with self._one:
                    self._left = dict.fromkeys(self._replies, self.late)
            return super().forward(method, path, headers, body)
        with self._one:
            if self._left.get(body, 0) > 0:
                self._left[body] -= 1
            else:
                self._replies[body] = super().forward(method, path, headers, body)
            return self._replies[body]


@pytest.fixture
def forgetful(cloud: Engine) -> Iterator[ForgetfulCloud]:
    """Such a cloud."""
    with faulty_cloud(cloud, kind=ForgetfulCloud) as server:
        assert isinstance(server, ForgetfulCloud)
        yield server


def test_stale_values_from_ssm_end_no_session(cloud: Engine, forgetful: ForgetfulCloud, tmp_path: Path) -> None:
    """SSM is read until it returns what was written."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    forgetful.begin(watched(rotating, OLD, OLDER))
    rotating.rotate(url=forgetful.url)
    assert rotating.everywhere() == AFTER
    assert rotating.said[0].startswith("1 of 2")


def test_a_value_that_ssm_never_returns_pauses_the_rotation(
    cloud: Engine, forgetful: ForgetfulCloud, tmp_path: Path
) -> None:
    """The same command finishes it later."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    forgetful.late = 1000
    forgetful.begin(watched(rotating, OLD, OLDER))
    with pytest.raises(ToolError, match="SSM still returns old values of ARC_APP_SECRET_FALLBACKS in staging"):
        rotating.rotate(url=forgetful.url)
    assert (rotating.noted() or {})["secret"] == NEW
    rotating.rotate(None)
    assert rotating.everywhere() == AFTER
