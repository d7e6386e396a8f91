"""`arc env` killed at each of its calls: the same command, run again, completes the work."""

from __future__ import annotations

import itertools
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from arc import inventory as inventories
from arc.errors import ToolError
from arc.tools.env.change import VariablesChange
from tests.cloud_faults import Death, FaultyCloud, Kill, MortalCloud, on
from tests.deployed import Deployed, deploy
from tests.engines import Engine, fresh_app
from tests.tools.operator import Operator, parameters
from tests.tools.pauses import quick_cloud, short

FUNCTIONS = ["GetIndex", "PostLogin"]
STRIDE = 3  # from one call that a case is killed at to its next; together the cases are killed at every call
each_call = pytest.mark.parametrize("first", range(1, STRIDE + 1))


def seen(functions: Deployed, name: str) -> list[str | None]:
    """Return the value of a variable in each function."""
    return [functions.variables(function).get(name) for function in FUNCTIONS]


def killed(operator: Operator, url: str, number: int, changes: dict[str, str | None], *, after: bool) -> bool:
    """Change variables as `arc env` does, and die at the call of that number; False if it ended before that."""
    cloud = MortalCloud(url, number, after=after)
    with suppress(Death):
        VariablesChange(cloud, inventories.read(operator.folder, environ={}), "staging", changes, sleep=short).run()
    return cloud.dead


def changed(operator: Operator, cloud: Engine, changes: dict[str, str | None]) -> None:
    """Change variables as `arc env` does."""
    inventory = inventories.read(operator.folder, environ={})
    assert VariablesChange(quick_cloud(cloud.url), inventory, "staging", changes, sleep=short).run().in_sync


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@each_call
@pytest.mark.sampled(1)
def test_the_next_run_completes_a_killed_change(cloud: Engine, tmp_path: Path, first: int, *, after: bool) -> None:
    """Whether the last call took effect or not, the next run sets the value in every function."""
    app = fresh_app()
    operator = Operator(tmp_path / app, app, {})
    functions = deploy(cloud, app, names=FUNCTIONS)
    for number in itertools.count(first, STRIDE):
        value = f"value-{number}"
        if not killed(operator, cloud.url, number, {"GREETING": value}, after=after):
            break
        changed(operator, cloud, {"GREETING": value})
        assert seen(functions, "GREETING") == [value] * 2
        assert parameters(cloud, app) == {"GREETING": value}
    assert number > 12


@each_call
@pytest.mark.sampled(1)
def test_the_next_run_completes_a_killed_removal(cloud: Engine, tmp_path: Path, first: int) -> None:
    """Also when SSM no longer has the variable, and only functions do."""
    app = fresh_app()
    operator = Operator(tmp_path / app, app, {})
    functions = deploy(cloud, app, names=FUNCTIONS)
    for number in itertools.count(first, STRIDE):
        changed(operator, cloud, {"GREETING": "hello"})
        if not killed(operator, cloud.url, number, {"GREETING": None}, after=number % 2 == 0):
            break
        complaint = ""
        try:
            changed(operator, cloud, {"GREETING": None})
        except ToolError as error:  # it was killed when all was done, or all but one call that was under way
            complaint = str(error)
        assert complaint in {"", "GREETING is not set in staging. staging has no variables. Nothing was changed."}
        assert seen(functions, "GREETING") == [None] * 2
        assert parameters(cloud, app) == {}
    assert number > 12


@pytest.mark.parametrize("number", [3, 8])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.sampled(1)
def test_a_killed_process_leaves_the_same_state(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, number: int, *, after: bool
) -> None:
    """SIGKILL leaves SSM and functions as the simulated death does, and the next run completes the work."""
    left = []
    for real in (True, False):
        app = fresh_app()
        operator = Operator(tmp_path / app, app, faulty.environ(tmp_path))
        functions = deploy(cloud, app, names=FUNCTIONS)
        if real:
            kill = Kill(number, after=after)
            faulty.begin(kill)
            with operator.start("env", "staging", "GREETING", "hello") as process:
                kill.aim(process)
                process.communicate(timeout=60)
            assert kill.fired
        else:
            assert killed(operator, cloud.url, number, {"GREETING": "hello"}, after=after)
        left.append((seen(functions, "GREETING"), parameters(cloud, app)))
        changed(operator, cloud, {"GREETING": "hello"})
        assert seen(functions, "GREETING") == ["hello"] * 2
    assert left[0] == left[1]


def test_verify_completes_a_killed_change(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """SSM has the variable and no function does, and `verify` updates them."""
    app = fresh_app()
    operator = Operator(tmp_path / app, app, faulty.environ(tmp_path))
    functions = deploy(cloud, app, names=FUNCTIONS)
    kill = Kill(1, after=True)
    faulty.begin(lambda name, _number: kill(name, 1) if name == "ssm.PutParameter" else None)
    with operator.start("env", "staging", "GREETING", "hello") as process:
        kill.aim(process)
        process.communicate(timeout=60)
    assert kill.fired
    faulty.begin(lambda _name, _number: None)
    assert seen(functions, "GREETING") == [None] * 2
    assert operator.arc("env", "verify", "staging", "--check").returncode == 1
    operator.does("env", "verify", "staging")
    assert seen(functions, "GREETING") == ["hello"] * 2
    assert operator.arc("env", "verify", "staging", "--check").returncode == 0


@pytest.mark.parametrize("call", ["ssm.GetParametersByPath", "ssm.PutParameter", "lambda.UpdateFunctionConfiguration"])
def test_an_interrupt_exits_with_130(cloud: Engine, faulty: FaultyCloud, tmp_path: Path, call: str) -> None:
    """There is no traceback, and the next run completes the work."""
    app = fresh_app()
    operator = Operator(tmp_path / app, app, faulty.environ(tmp_path))
    functions = deploy(cloud, app, names=FUNCTIONS)
    aimed = threading.Event()

    def interrupt(before: bool) -> None:
        assert aimed.wait(30)
        if before:
            process.send_signal(signal.SIGINT)

    faulty.begin(on(call, interrupt))
    with operator.start("env", "staging", "GREETING", "hello") as process:
        aimed.set()
        output, complaint = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "")
    assert "Traceback" not in complaint
    changed(operator, cloud, {"GREETING": "hello"})
    assert seen(functions, "GREETING") == ["hello"] * 2
