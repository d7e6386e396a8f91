"""Variables that only functions have are shown and kept, unless they are adopted or pruned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from arc import inventory as inventories
from arc.errors import ToolError
from arc.tools.cloud.cloud import local_cloud
from arc.tools.create import plan_environment
from arc.tools.env.change import Outcome, VariablesChange
from arc.tools.env.report import change_summary
from arc.tools.env.verify import Verification
from arc.tools.secrets.rotation import Rotation
from arc.tools.secrets.sealers import Secrets
from tests.cloud_faults import FaultyCloud, on
from tests.deployed import Deployed, deploy
from tests.engines import Engine, fresh_app
from tests.tools.operator import Operator, parameters

SECRET = "a secret that another tool has set"
THEIRS = {
    "ARC_APP_SECRET": SECRET,
    "SESSION_TABLE_NAME": "their-sessions",
    "ARC_SESSION_TABLE_NAME": "their-sessions",
    "DATABASE_URL": "postgres://hunter2",
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper",
}


class App:
    """An app in staging whose functions another tool deployed with variables."""

    def __init__(self, cloud: Engine, folder: Path) -> None:
        self.cloud, self.name = cloud, fresh_app()
        self.inventory = inventories.read(Operator(folder / self.name, self.name, {}).folder, environ={})
        self.functions: Deployed = deploy(cloud, self.name, names=["GetIndex", "PostLogin"], variables=THEIRS)
        self.local = local_cloud(cloud.url, "us-east-1")
        self.shown: list[str] = []

    def change(self, changes: dict[str, str | None], *, adopt: bool = False, prune: bool = False) -> Outcome:
        """Change variables as `arc env staging` does."""
        change = VariablesChange(
            self.local, self.inventory, "staging", changes, adopt=adopt, prune=prune, warn=self.shown.append
        )
        return change.run()

    def verify(self, *, adopt: bool = False, prune: bool = False) -> Outcome:
        """Sync as `arc env verify staging` does."""
        verification = Verification(self.local, self.inventory, "staging", adopt=adopt, prune=prune)
        verification.inspect(lambda _done, _of: None)
        return verification.sync(lambda _done, _of: None, self.shown.append)

    def rotate(self) -> None:
        """Rotate as `arc secret rotate staging` does."""
        Rotation(Secrets(self.local, self.inventory, "staging", self.shown.append, self.shown.append)).rotate()

    def create(self, *, adopt: bool = False, prune: bool = False) -> list[str]:
        """Create as `arc create staging` does, and return what it leaves undone."""
        plan = plan_environment(self.local, self.inventory, "staging", adopt=adopt, prune=prune)
        self.shown += [step.action for step in plan.steps] + list(plan.notes)
        for step in plan.steps:
            step.do()
        return list(plan.left)

    def theirs(self, name: str = "GetIndex") -> dict[str, str]:
        """Return the other tool's variables that a function has."""
        return {key: value for key, value in self.functions.variables(name).items() if key in THEIRS}


@pytest.fixture
def app(cloud: Engine, tmp_path: Path) -> App:
    """Return such an app."""
    return App(cloud, tmp_path)


KEEPING: list[tuple[str, Callable[[App], object]]] = [
    ("env", lambda app: app.change({"GREETING": "hello"})),
    ("verify", App.verify),
    ("create", App.create),
]


@pytest.mark.parametrize("act", [one[1] for one in KEEPING], ids=[one[0] for one in KEEPING])
def test_variables_that_only_functions_have_are_kept(app: App, act: Callable[[App], object]) -> None:
    """No command deletes a value that exists nowhere else."""
    act(app)
    assert app.theirs("GetIndex") == THEIRS
    assert app.theirs("PostLogin") == THEIRS


def test_a_rotation_keeps_variables_that_only_functions_have(app: App) -> None:
    """It changes only secrets, and the old one of the functions still opens sessions."""
    app.rotate()
    kept = {name: value for name, value in THEIRS.items() if name != "ARC_APP_SECRET"}
    assert {name: app.theirs()[name] for name in kept} == kept
    assert SECRET in app.functions.variables("GetIndex")["ARC_APP_SECRET_FALLBACKS"]
    assert any("Only functions have" in text and "DATABASE_URL" in text for text in app.shown)


def test_a_change_reports_what_it_keeps(app: App) -> None:
    """The message has the names and both options, and no values."""
    report = change_summary(app.change({"GREETING": "hello"}))
    assert "DATABASE_URL" in report
    assert "--adopt" in report
    assert "--prune" in report
    assert "hunter2" not in report


def test_verify_reports_kept_variables_as_surplus(app: App) -> None:
    """With `--check` the functions are out of sync until one is chosen."""
    outcome = Verification(app.local, app.inventory, "staging").inspect(lambda _done, _of: None)
    assert not outcome.in_sync
    assert {state.drift.surplus for state in outcome.states} == {tuple(sorted(THEIRS))}
    assert app.verify().in_sync


def test_adopt_copies_variables_to_ssm(app: App) -> None:
    """The environment and every function have them."""
    app.functions.set_variables({**app.functions.variables("PostLogin"), "ONLY_ONE": "1"}, "PostLogin")
    outcome = app.change({"GREETING": "hello"}, adopt=True)
    taken = {name: value for name, value in THEIRS.items() if name != "ARC_SESSION_TABLE_NAME"}
    assert parameters(app.cloud, app.name) == {**taken, "ONLY_ONE": "1", "GREETING": "hello"}
    assert app.functions.variables("GetIndex")["ONLY_ONE"] == "1"
    assert app.theirs() == THEIRS
    assert outcome.adopted == (*sorted(taken)[:3], "ONLY_ONE", "SESSION_TABLE_NAME")
    assert app.verify().states[0].drift.surplus == ()


def test_values_that_differ_between_functions_are_not_adopted(app: App) -> None:
    """One of them would be lost; the message has the name and no value."""
    app.functions.set_variables({**app.functions.variables("PostLogin"), "DATABASE_URL": "another"}, "PostLogin")
    with pytest.raises(ToolError, match="DATABASE_URL") as refused:
        app.change({}, adopt=True)
    assert "hunter2" not in str(refused.value)
    assert parameters(app.cloud, app.name) == {}


def test_prune_shows_masked_values_first(app: App, faulty: FaultyCloud) -> None:
    """Also when the removal itself then fails."""
    app.local = local_cloud(faulty.url, "us-east-1")
    faulty.begin(on("lambda.UpdateFunctionConfiguration", "error", first=1, times=100))
    app.change({}, prune=True)
    shown = "\n".join(app.shown)
    assert all(name in shown for name in THEIRS)
    assert "DATABASE_URL=********" in shown
    assert "hunter2" not in shown
    assert app.theirs() == THEIRS
    faulty.begin(lambda _name, _number: None)
    app.change({}, prune=True)
    assert app.theirs() == {"ARC_SESSION_TABLE_NAME": "jwe"}


def test_a_variable_can_be_removed_by_name(app: App) -> None:
    """The others are kept."""
    app.change({"DATABASE_URL": None})
    assert app.theirs() == {name: value for name, value in THEIRS.items() if name != "DATABASE_URL"}
    app.change({"SESSION_TABLE_NAME": None})
    assert app.theirs()["ARC_SESSION_TABLE_NAME"] == "jwe"


def test_create_sets_no_secret_where_functions_have_one(app: App) -> None:
    """A new one would end every session; the message says what to do."""
    (left,) = app.create()
    assert "arc create staging --adopt" in left
    assert any("Only functions have" in note and "DATABASE_URL" in note for note in app.shown)
    assert "ARC_APP_SECRET" not in parameters(app.cloud, app.name)


@pytest.mark.parametrize("act", [App.verify, App.create], ids=["verify", "create"])
def test_every_command_adopts(app: App, act: Callable[..., object]) -> None:
    """The environment and the functions have the secret and the variables."""
    act(app, adopt=True)
    taken = {name: value for name, value in THEIRS.items() if name != "ARC_SESSION_TABLE_NAME"}
    assert parameters(app.cloud, app.name) == taken
    assert app.theirs() == THEIRS


@pytest.mark.parametrize("act", [App.verify, App.create], ids=["verify", "create"])
def test_every_command_shows_what_it_prunes(app: App, act: Callable[..., object]) -> None:
    """The names are shown before the removal."""
    act(app, prune=True)
    assert all(name in "\n".join(app.shown) for name in THEIRS)
    assert "hunter2" not in "\n".join(app.shown)
    assert "DATABASE_URL" not in app.theirs()
    assert app.theirs().get("ARC_APP_SECRET") != SECRET


def test_a_value_that_differs_is_shown_before_it_is_replaced(app: App) -> None:
    """A function's own value exists nowhere else; the variable that is being set is not shown."""
    app.change({"GREETING": "hello"})
    app.functions.set_variables({**app.functions.variables("GetIndex"), "GREETING": "hunter2 by hand"}, "GetIndex")
    app.shown.clear()
    app.change({"OTHER": "1"})
    shown = "\n".join(app.shown)
    assert "GREETING=********" in shown
    assert "PostLogin" not in shown
    assert "hunter2" not in shown
    assert app.functions.variables("GetIndex")["GREETING"] == "hello"
    app.shown.clear()
    app.change({"GREETING": "hi"})
    assert app.shown == []


def test_verify_requires_no_secret_where_functions_have_one(app: App) -> None:
    """Sessions work there, although SSM does not have the secret."""
    notes = Verification(app.local, app.inventory, "staging").inspect(lambda _done, _of: None).notes
    assert not any("no session can be used" in note for note in notes)
