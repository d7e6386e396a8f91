"""`arc env verify` finds whatever was changed by hand, and mends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deployed import Deployed, deploy
from tests.engines import Engine, fresh_app
from tests.tools.operator import Operator, parameters

VARIABLES = {"ARC_APP_SECRET": "a secret of the tests, long enough", "GREETING": "hello"}
NAMES = ["GetIndex", "PostLogin"]


class App:
    """An app in staging, all in step, with what changes it by hand."""

    def __init__(self, cloud: Engine, folder: Path) -> None:
        self.cloud, self.name = cloud, fresh_app()
        self.operator = Operator(folder / self.name, self.name, cloud.environ(folder))
        self.functions = deploy(cloud, self.name, "staging", NAMES, variables=VARIABLES)
        self.ssm, self.function = cloud.client("ssm"), cloud.client("lambda")
        for name, value in VARIABLES.items():
            self.set_parameter(name, value)

    def set_parameter(self, name: str, value: str) -> None:
        """Write into SSM past the tools."""
        self.ssm.put_parameter(Name=f"/{self.name}/staging/{name}", Value=value, Type="SecureString", Overwrite=True)

    def set_variable(self, name: str, value: str | None) -> None:
        """Change a variable of one function past the tools."""
        own = self.functions.variables("GetIndex")
        changed = {key: text for key, text in {**own, name: value}.items() if text is not None}
        self.functions.set_variables(changed, "GetIndex")

    def check(self) -> dict[str, dict[str, list[str]]]:
        """What `verify --check` finds of each function that is not in step."""
        done = self.operator.arc("env", "verify", "staging", "--check", "--json")
        assert done.stderr.count("Traceback") == 0, done.stderr

        found = json.loads(done.stdout)["environments"]["staging"]["functions"]
        for told in found.values():
            assert told.pop("kept", []) == told["surplus"]
        away = {name: told for name, told in found.items() if not told.pop("in_step")}
        assert done.returncode == (1 if away else 0)
        return {
            name.rpartition("-")[2]: {kind: names for kind, names in told.items() if names}
            for name, told in away.items()
        }

    def are_in_step(self) -> bool:
        """True when every function has just the variables that it is to have."""
        return all(
            {
                name: value
                for name, value in self.functions.variables(each).items()
                if name[:4] != "ARC_" or "SECRET" in name
            }
            == parameters(self.cloud, self.name)
            for each in NAMES
        )


@pytest.fixture
def app(cloud: Engine, tmp_path: Path) -> App:
    """An app in step."""
    return App(cloud, tmp_path)


def new_function(app: App) -> None:
    """Somebody deploys one more function, without variables of the user's."""
    app.functions = Deployed(
        app.cloud,
        app.name,
        "staging",
        {**app.functions.functions, **deploy(app.cloud, app.name, names=["GetNew"]).functions},
    )


DRIFTS: list[tuple[str, Callable[[App], None], dict[str, dict[str, list[str]]]]] = [
    (
        "a value changed in SSM",
        lambda app: app.set_parameter("GREETING", "hi"),
        {name: {"differs": ["GREETING"]} for name in NAMES},
    ),
    (
        "a variable added to SSM",
        lambda app: app.set_parameter("MORE", "1"),
        {name: {"missing": ["MORE"]} for name in NAMES},
    ),
    (
        "a variable removed from SSM",
        lambda app: app.ssm.delete_parameter(Name=f"/{app.name}/staging/GREETING"),
        {name: {"surplus": ["GREETING"]} for name in NAMES},
    ),
    (
        "a value changed in a function",
        lambda app: app.set_variable("GREETING", "x"),
        {"GetIndex": {"differs": ["GREETING"]}},
    ),
    (
        "a variable removed from a function",
        lambda app: app.set_variable("ARC_APP_SECRET", None),
        {"GetIndex": {"missing": ["ARC_APP_SECRET"]}},
    ),
    (
        "a variable added to a function",
        lambda app: app.set_variable("EXTRA", "1"),
        {"GetIndex": {"surplus": ["EXTRA"]}},
    ),
    (
        "another store in a function",
        lambda app: app.set_variable("ARC_SESSION_TABLE_NAME", "x"),
        {"GetIndex": {"surplus": ["ARC_SESSION_TABLE_NAME"]}},
    ),
    (
        "no store in a function",
        lambda app: app.set_variable("ARC_SESSION_TABLE_NAME", None),
        {"GetIndex": {"missing": ["ARC_SESSION_TABLE_NAME"]}},
    ),
    (
        "no environment in a tagged function",
        lambda app: app.set_variable("ARC_ENV", None),
        {"GetIndex": {"missing": ["ARC_ENV"]}},
    ),
    (
        "every variable of a tagged function gone",
        lambda app: app.functions.set_variables({}, "GetIndex"),
        {"GetIndex": {"missing": ["ARC_APP_NAME", "ARC_APP_SECRET", "ARC_ENV", "ARC_SESSION_TABLE_NAME", "GREETING"]}},
    ),
    ("a function added", new_function, {"GetNew": {"missing": ["ARC_APP_SECRET", "GREETING"]}}),
]


@pytest.mark.parametrize(("by_hand", "found"), [drift[1:] for drift in DRIFTS], ids=[drift[0] for drift in DRIFTS])
@pytest.mark.sampled(2)
def test_each_kind_of_drift_is_found_and_mended(
    app: App, by_hand: Callable[[App], None], found: dict[str, dict[str, list[str]]]
) -> None:
    """`--check` ends with 1 and touches nothing; `verify --prune` mends it; then `--check` ends with 0."""
    assert app.check() == {}
    by_hand(app)
    assert app.check() == found
    assert app.check() == found
    app.operator.does("env", "verify", "staging", "--prune")
    assert app.check() == {}
    assert app.are_in_step()


def test_reserved_variables_are_kept(app: App) -> None:
    """What deployment or somebody else has set under a reserved name is no drift."""
    app.set_variable("ARC_WSS_URL", "wss://example.org")
    app.set_variable("NODE_ENV", "staging")
    assert app.check() == {}
    app.set_variable("GREETING", "x")
    app.operator.does("env", "verify", "staging")
    assert app.functions.variables("GetIndex")["ARC_WSS_URL"] == "wss://example.org"
    assert app.functions.variables("GetIndex")["NODE_ENV"] == "staging"


def test_a_name_that_lambda_refuses_is_told_and_left_out(app: App) -> None:
    """Another tool has put it into SSM; it does not keep the functions from the others."""
    app.set_parameter("1st", "x")
    app.set_parameter("GREETING", "hi")
    done = app.operator.arc("env", "verify", "staging")
    assert done.returncode == 0, done.stderr
    assert "1st is set in staging and left out of its functions" in done.stderr
    assert app.functions.variables("GetIndex")["GREETING"] == "hi"
    assert "1st" not in app.functions.variables("GetIndex")


def test_a_function_of_another_app_is_told_and_left_alone(app: App) -> None:
    """Its tags say that it is the app's, its own variables say otherwise."""
    app.set_variable("ARC_APP_NAME", "elsewhere")
    app.set_variable("GREETING", "theirs")
    done = app.operator.arc("env", "verify", "staging")
    assert "Ignored " in done.stderr
    assert "ARC_APP_NAME=elsewhere" in done.stderr
    assert app.functions.variables("GetIndex")["GREETING"] == "theirs"


def test_both_environments_are_verified(app: App) -> None:
    """Without a name: staging and production, and 1 when one of them is not in step."""
    deploy(app.cloud, app.name, "production", ["GetIndex"], variables={"SURPLUS": "1"})
    checked = app.operator.arc("env", "verify", "--check")
    assert checked.returncode == 1
    assert "Every function of staging is in step (2)." in checked.stdout
    assert "1 of 1 functions of production are not in step." in checked.stdout
    assert "Only functions have SURPLUS" in app.operator.does("env", "verify")
    assert app.operator.arc("env", "verify", "--check").returncode == 1
    mended = app.operator.does("env", "verify", "--prune")
    assert "Taken from functions, because production does not set them: SURPLUS." in mended
    assert app.operator.arc("env", "verify", "--check").returncode == 0


def test_the_table_masks_values(app: App) -> None:
    """Names are told, never values."""
    app.set_variable("GREETING", "hunter2hunter2")
    for words in (["--check"], [], ["--check"]):
        done = app.operator.arc("env", "verify", "staging", *words)
        assert "hunter2" not in done.stdout + done.stderr
        assert VARIABLES["ARC_APP_SECRET"] not in done.stdout + done.stderr


def test_a_fault_that_keeps_functions_from_sessions_is_told(app: App) -> None:
    """A secret that the runtime refuses, put there past the tools."""
    app.set_parameter("ARC_APP_SECRET", "short")
    done = app.operator.arc("env", "verify", "staging")
    assert "Functions in staging cannot keep sessions: ARC_APP_SECRET has 5 characters" in done.stderr
