"""`arc create` killed at each of its calls: the same command, run again, completes the work."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from pathlib import Path

import pytest

from arc import inventory as inventories
from arc.tools.cloud.cloud import Cloud
from arc.tools.create import plan_environment
from tests.cloud_faults import Death, FaultyCloud, Kill, MortalCloud, on
from tests.deployed import deploy
from tests.engines import Engine, fresh_app
from tests.tools.cli.test_create import MORE, described, wanted
from tests.tools.operator import TABLES, Operator, parameters
from tests.tools.pauses import quick_cloud


@pytest.fixture
def operator(tmp_path: Path, faulty: FaultyCloud) -> Operator:
    """An operator of a new app with two tables."""
    app = fresh_app()
    return Operator(tmp_path / app, app, faulty.environ(tmp_path), more=MORE)


def complete(app: Operator, cloud: Cloud) -> None:
    """Take the steps of `arc create staging` in this process."""
    inventory = inventories.read(app.folder, environ={})
    for step in plan_environment(cloud, inventory, "staging").steps:
        step.do()


def killed(app: Operator, url: str, number: int, *, after: bool) -> bool:
    """Do the same, but die at the call of that number; return False when there were fewer calls."""
    cloud = MortalCloud(url, number, after=after)
    with suppress(Death):
        complete(app, cloud)
    return cloud.dead


def another(operator: Operator, name: str) -> Operator:
    """Return the operator of a similar app that has only a session table."""
    app = f"{operator.name}-{name}"
    return Operator(operator.folder.parent / app, app, operator.environ, more=TABLES)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.sampled(1)
def test_next_run_completes_one_killed_at_any_call(operator: Operator, cloud: Engine, *, after: bool) -> None:
    """Each app is killed one call later than the one before."""
    for number in itertools.count(1):
        app = another(operator, str(number))
        died = killed(app, cloud.url, number, after=after)
        secret = parameters(cloud, app.name).get("ARC_APP_SECRET")
        complete(app, quick_cloud(cloud.url))
        session = wanted(app, "staging")["staging-session"]
        assert described(cloud, app) == {"staging-session": session}
        assert parameters(cloud, app.name)["ARC_APP_SECRET"] == (
            secret or parameters(cloud, app.name)["ARC_APP_SECRET"]
        )
        if not died:
            break
    assert number > 8


@pytest.mark.parametrize("number", [4, 7])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.sampled(1)
def test_sigkill_leaves_the_same_state(
    operator: Operator, cloud: Engine, faulty: FaultyCloud, number: int, *, after: bool
) -> None:
    """SIGKILL leaves the same tables and variables as a simulated death, and the next run completes them."""
    real, here = another(operator, "real"), another(operator, "here")
    kill = Kill(number, after=after)
    faulty.begin(kill)
    with real.start("create", "staging") as process:
        kill.aim(process)
        process.communicate(timeout=60)
    assert kill.fired
    assert killed(here, cloud.url, number, after=after)
    assert left_by(cloud, real) == left_by(cloud, here)
    complete(real, quick_cloud(cloud.url))
    assert list(described(cloud, real)) == ["staging-session"]
    assert list(parameters(cloud, real.name)) == ["ARC_APP_SECRET"]


def left_by(cloud: Engine, app: Operator) -> tuple[str, list[str]]:
    """Return an app's tables, without its name, and the names of its variables."""
    return json.dumps(described(cloud, app)).replace(app.name, "app"), sorted(parameters(cloud, app.name))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.sampled(1)
def test_functions_get_the_secret_after_a_killed_run(
    operator: Operator, cloud: Engine, faulty: FaultyCloud, *, after: bool
) -> None:
    """Killed between the secret and the functions: the next run syncs them."""
    functions = deploy(cloud, operator.name, "staging", ["GetIndex"])
    kill = Kill(0, after=after)
    faulty.begin(on("ssm.PutParameter" if after else "lambda.UpdateFunctionConfiguration", kill("", kill.number)))
    with operator.start("create", "staging") as process:
        kill.aim(process)
        process.communicate(timeout=60)
    assert kill.fired
    secret = parameters(cloud, operator.name)["ARC_APP_SECRET"]
    assert "ARC_APP_SECRET" not in functions.variables("GetIndex")
    faulty.begin(lambda _name, _number: None)
    done = operator.does("create", "staging")
    name = functions.functions["GetIndex"]
    assert f"  sync the functions of staging: {name} has no ARC_APP_SECRET\n" in done
    assert functions.variables("GetIndex")["ARC_APP_SECRET"] == secret
    assert operator.does("create", "staging") == "\nstaging\n  up to date\n\nNothing was changed.\n"
