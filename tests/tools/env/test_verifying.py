"""`arc env verify` finds functions that are out of sync, and updates them."""

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
    """An app in staging that is in sync, and methods that change it by hand."""

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
        """Return the drift of each function that `verify --check` reports as out of sync."""
        done = self.operator.arc("env", "verify", "staging", "--check", "--json")
        assert done.stderr.count("Traceback") == 0, done.stderr

        found = json.loads(done.stdout)["environments"]["staging"]["functions"]
        for report in found.values():
            assert report.pop("kept", []) == report["surplus"]
        away = {name: report for name, report in found.items() if not report.pop("in_step")}
        assert done.returncode == (1 if away else 0)
        return {
            name.rpartition("-")[2]: {kind: names for kind, names in report.items() if names}
            for name, report in away.items()
        }

    def are_in_sync(self) -> bool:
        """Return True when every function has exactly the desired variables."""
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
    """Return an app that is in sync."""
    return App(cloud, tmp_path)


def new_function(app: App) -> None:
    """Deploy one more function, without the environment's variables."""
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
def test_each_kind_of_drift_is_found_and_repaired(
    app: App, by_hand: Callable[[App], None], found: dict[str, dict[str, list[str]]]
) -> None:
    """`--check` exits with 1 and changes nothing; after `verify --prune` it exits with 0."""
    assert app.check() == {}
    by_hand(app)
    assert app.check() == found
    assert app.check() == found
    app.operator.does("env", "verify", "staging", "--prune")
    assert app.check() == {}
    assert app.are_in_sync()


def test_reserved_variables_are_kept(app: App) -> None:
    """What deployment or another tool has set under a reserved name is not drift."""
    app.set_variable("ARC_WSS_URL", "wss://example.org")
    app.set_variable("NODE_ENV", "staging")
    assert app.check() == {}
    app.set_variable("GREETING", "x")
    app.operator.does("env", "verify", "staging")
    assert app.functions.variables("GetIndex")["ARC_WSS_URL"] == "wss://example.org"
    assert app.functions.variables("GetIndex")["NODE_ENV"] == "staging"


def test_a_name_that_lambda_refuses_is_reported_and_left_out(app: App) -> None:
    """Another tool has set it in SSM; functions still get the other variables."""
    app.set_parameter("1st", "x")
    app.set_parameter("GREETING", "hi")
    done = app.operator.arc("env", "verify", "staging")
    assert done.returncode == 0, done.stderr
    assert "1st is set in staging but left out of its functions" in done.stderr
    assert app.functions.variables("GetIndex")["GREETING"] == "hi"
    assert "1st" not in app.functions.variables("GetIndex")


def test_a_function_of_another_app_is_reported_and_left_alone(app: App) -> None:
    """Its tags name the app, and its own variables another one."""
    app.set_variable("ARC_APP_NAME", "elsewhere")
    app.set_variable("GREETING", "theirs")
    done = app.operator.arc("env", "verify", "staging")
    assert "Ignored " in done.stderr
    assert "ARC_APP_NAME=elsewhere" in done.stderr
    assert app.functions.variables("GetIndex")["GREETING"] == "theirs"


def test_both_environments_are_verified(app: App) -> None:
    """Without a name, in staging and production; the exit code is 1 if one of them is out of sync."""
    deploy(app.cloud, app.name, "production", ["GetIndex"], variables={"SURPLUS": "1"})
    checked = app.operator.arc("env", "verify", "--check")
    assert checked.returncode == 1
    assert "All functions in staging are in sync (2)." in checked.stdout
    assert "1 of 1 functions in production are out of sync." in checked.stdout
    assert "Only functions have SURPLUS" in app.operator.does("env", "verify")
    assert app.operator.arc("env", "verify", "--check").returncode == 1
    synced = app.operator.does("env", "verify", "--prune")
    assert "Removed from functions, because production does not set them: SURPLUS." in synced
    assert app.operator.arc("env", "verify", "--check").returncode == 0


def test_verify_prints_no_values(app: App) -> None:
    """It prints only names."""
    app.set_variable("GREETING", "hunter2hunter2")
    for words in (["--check"], [], ["--check"]):
        done = app.operator.arc("env", "verify", "staging", *words)
        assert "hunter2" not in done.stdout + done.stderr
        assert VARIABLES["ARC_APP_SECRET"] not in done.stdout + done.stderr


def test_a_fault_that_breaks_sessions_is_reported(app: App) -> None:
    """A secret that the runtime refuses was set with another tool."""
    app.set_parameter("ARC_APP_SECRET", "short")
    done = app.operator.arc("env", "verify", "staging")
    assert "Sessions in staging do not work: ARC_APP_SECRET has 5 characters" in done.stderr
