"""What another tool set in functions, and SSM does not know, is shown and kept, unless it is adopted or pruned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from arc import inventory as inventories
from arc.errors import ToolError
from arc.tools.cloud.cloud import local_cloud
from arc.tools.create import plan_environment
from arc.tools.env.change import Change, Outcome
from arc.tools.env.report import sentences
from arc.tools.env.verify import Verification
from arc.tools.secrets.rotation import Rotation
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
        """What `arc env staging` does."""
        change = Change(
            self.local, self.inventory, "staging", changes, adopt=adopt, prune=prune, show=self.shown.append
        )
        return change.run()

    def verify(self, *, adopt: bool = False, prune: bool = False) -> Outcome:
        """What `arc env verify staging` does."""
        verification = Verification(self.local, self.inventory, "staging", adopt=adopt, prune=prune)
        verification.look(lambda _done, _of: None)
        return verification.mend(lambda _done, _of: None, self.shown.append)

    def rotate(self) -> None:
        """What `arc secret rotate staging` does."""
        Rotation(self.local, self.inventory, "staging", self.shown.append, self.shown.append).rotate()

    def create(self, *, adopt: bool = False, prune: bool = False) -> list[str]:
        """What `arc create staging` does; what it leaves undone."""
        plan = plan_environment(self.local, self.inventory, "staging", adopt=adopt, prune=prune)
        self.shown += [step.action for step in plan.steps] + list(plan.notes)
        for step in plan.steps:
            step.do()
        return list(plan.left)

    def theirs(self, name: str = "GetIndex") -> dict[str, str]:
        """Their variables that a function has."""
        return {key: value for key, value in self.functions.variables(name).items() if key in THEIRS}


@pytest.fixture
def app(cloud: Engine, tmp_path: Path) -> App:
    """Such an app."""
    return App(cloud, tmp_path)


KEEPING: list[tuple[str, Callable[[App], object]]] = [
    ("env", lambda app: app.change({"GREETING": "hello"})),
    ("verify", App.verify),
    ("create", App.create),
]


@pytest.mark.parametrize("act", [one[1] for one in KEEPING], ids=[one[0] for one in KEEPING])
def test_what_only_functions_have_is_kept(app: App, act: Callable[[App], object]) -> None:
    """No command deletes a value that exists nowhere else."""
    act(app)
    assert app.theirs("GetIndex") == THEIRS
    assert app.theirs("PostLogin") == THEIRS


def test_a_rotation_keeps_what_only_functions_have(app: App) -> None:
    """It changes secrets alone, and their old one still opens sessions."""
    app.rotate()
    kept = {name: value for name, value in THEIRS.items() if name != "ARC_APP_SECRET"}
    assert {name: app.theirs()[name] for name in kept} == kept
    assert SECRET in app.functions.variables("GetIndex")["ARC_APP_SECRET_FALLBACKS"]
    assert any("Only functions have" in text and "DATABASE_URL" in text for text in app.shown)


def test_a_change_names_what_it_keeps_and_how_to_decide(app: App) -> None:
    """The names, never the values, with both ways out."""
    told = "\n".join(sentences(app.change({"GREETING": "hello"})))
    assert "DATABASE_URL" in told
    assert "--adopt" in told
    assert "--prune" in told
    assert "hunter2" not in told


def test_verify_reports_it_as_surplus(app: App) -> None:
    """With `--check` the functions are out of sync until it is decided."""
    outcome = Verification(app.local, app.inventory, "staging").look(lambda _done, _of: None)
    assert not outcome.in_step
    assert {state.drift.surplus for state in outcome.states} == {tuple(sorted(THEIRS))}
    assert app.verify().in_step


def test_adopting_takes_it_into_ssm(app: App) -> None:
    """Every function has it afterwards, and the environment too."""
    app.functions.set_variables({**app.functions.variables("PostLogin"), "ONLY_ONE": "1"}, "PostLogin")
    outcome = app.change({"GREETING": "hello"}, adopt=True)
    taken = {name: value for name, value in THEIRS.items() if name != "ARC_SESSION_TABLE_NAME"}
    assert parameters(app.cloud, app.name) == {**taken, "ONLY_ONE": "1", "GREETING": "hello"}
    assert app.functions.variables("GetIndex")["ONLY_ONE"] == "1"
    assert app.theirs() == THEIRS
    assert outcome.adopted == (*sorted(taken)[:3], "ONLY_ONE", "SESSION_TABLE_NAME")
    assert app.verify().states[0].drift.surplus == ()


def test_values_that_differ_between_functions_are_not_adopted(app: App) -> None:
    """One of them would be lost; the message names the variable and shows no value."""
    app.functions.set_variables({**app.functions.variables("PostLogin"), "DATABASE_URL": "another"}, "PostLogin")
    with pytest.raises(ToolError, match="DATABASE_URL") as refused:
        app.change({}, adopt=True)
    assert "hunter2" not in str(refused.value)
    assert parameters(app.cloud, app.name) == {}


def test_pruning_shows_it_before_it_is_removed(app: App, faulty: FaultyCloud) -> None:
    """Names with masked values, also when the removal itself then fails."""
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


def test_a_variable_that_is_removed_by_name_goes(app: App) -> None:
    """Naming it is enough; the others stay."""
    app.change({"DATABASE_URL": None})
    assert app.theirs() == {name: value for name, value in THEIRS.items() if name != "DATABASE_URL"}
    app.change({"SESSION_TABLE_NAME": None})
    assert app.theirs()["ARC_SESSION_TABLE_NAME"] == "jwe"


def test_create_makes_no_secret_beside_one_that_functions_have(app: App) -> None:
    """A new one would end every session; what to do is in the sentence."""
    (left,) = app.create()
    assert "arc create staging --adopt" in left
    assert any("Only functions have" in note and "DATABASE_URL" in note for note in app.shown)
    assert "ARC_APP_SECRET" not in parameters(app.cloud, app.name)


@pytest.mark.parametrize("act", [App.verify, App.create], ids=["verify", "create"])
def test_every_command_adopts(app: App, act: Callable[..., object]) -> None:
    """The environment has their secret and variables afterwards, and the functions still do."""
    act(app, adopt=True)
    taken = {name: value for name, value in THEIRS.items() if name != "ARC_SESSION_TABLE_NAME"}
    assert parameters(app.cloud, app.name) == taken
    assert app.theirs() == THEIRS


@pytest.mark.parametrize("act", [App.verify, App.create], ids=["verify", "create"])
def test_every_command_prunes_what_it_has_shown(app: App, act: Callable[..., object]) -> None:
    """Names first, then they go."""
    act(app, prune=True)
    assert all(name in "\n".join(app.shown) for name in THEIRS)
    assert "hunter2" not in "\n".join(app.shown)
    assert "DATABASE_URL" not in app.theirs()
    assert app.theirs().get("ARC_APP_SECRET") != SECRET


def test_a_value_that_differs_is_shown_before_it_is_replaced(app: App) -> None:
    """A function's own value exists nowhere else; the variable that is being set needs no word."""
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


def test_verify_does_not_call_for_a_secret_that_functions_have(app: App) -> None:
    """Sessions work there; the environment only does not know the secret."""
    notes = Verification(app.local, app.inventory, "staging").look(lambda _done, _of: None).notes
    assert not any("no session can be used" in note for note in notes)
