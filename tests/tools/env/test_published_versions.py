"""Reports list the aliases that point to published versions with old variables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cloud_faults import FaultyCloud, on
from tests.deployed import deploy
from tests.engines import Engine, fresh_app
from tests.tools.env.publishing import Publisher
from tests.tools.operator import Operator

VARIABLES = {"ARC_APP_SECRET": "a secret of the tests, long enough", "GREETING": "hello"}
ADVICE = "Publish the functions again and move the aliases."


class App:
    """An app in staging that is in sync; the alias `live` of one of its two functions points to a version."""

    def __init__(self, cloud: Engine, folder: Path) -> None:
        self.name = fresh_app()
        self.operator = Operator(folder / self.name, self.name, cloud.environ(folder))
        self.functions = deploy(cloud, self.name, names=["GetIndex", "PostLogin"], variables=VARIABLES)
        for name, value in VARIABLES.items():
            path = f"/{self.name}/staging/{name}"
            cloud.client("ssm").put_parameter(Name=path, Value=value, Type="SecureString")
        self.publisher = Publisher(self.functions)
        self.publish()

    def publish(self) -> None:
        """Publish the function and move the alias."""
        self.publisher.lead(self.publisher.publish())

    def line(self, differs: str = "(differs: GREETING)", version: str = "1") -> str:
        """Return the line about the version."""
        return f"  {self.publisher.name}: alias live points to version {version} {differs}\n"


@pytest.fixture
def app(cloud: Engine, tmp_path: Path) -> App:
    """Return an app that is in sync."""
    return App(cloud, tmp_path)


def test_an_alias_of_a_version_in_sync_is_not_reported(app: App) -> None:
    """Nor is an alias of the function itself, or a version without an alias."""
    app.publisher.lead("$LATEST", alias="newest")
    assert "in sync (2)" in app.operator.does("env", "verify", "staging", "--check")
    app.operator.does("env", "staging", "GREETING", "hi")
    app.publish()
    assert "in sync (2)" in app.operator.does("env", "verify", "staging", "--check")


def test_a_change_reports_outdated_aliases(app: App) -> None:
    """The change is made anyway, because publishing is the next step."""
    done = app.operator.arc("env", "staging", "GREETING", "hi")
    assert done.returncode == 0
    assert app.line() + ADVICE in done.stdout
    report = app.operator.json("env", "staging", "FURTHER", "more")
    assert report["aliases"] == [
        {
            "function": app.publisher.name,
            "alias": "live",
            "version": "1",
            "missing": ["FURTHER"],
            "differs": ["GREETING"],
            "surplus": [],
        }
    ]


@pytest.mark.parametrize("words", [("--check",), ()], ids=["check", "sync"])
def test_verify_exits_with_1_until_the_alias_is_moved(app: App, words: tuple[str, ...]) -> None:
    """Updating functions changes no published version."""
    app.operator.does("env", "staging", "GREETING", "hi")
    for _ in range(2):
        done = app.operator.arc("env", "verify", "staging", *words)
        assert (done.returncode, done.stderr) == (1, "")
        assert app.line() + ADVICE in done.stdout
    done = app.operator.arc("env", "verify", "staging", "--json", *words)
    assert done.returncode == 1
    found = json.loads(done.stdout)["environments"]["staging"]
    assert all(one["in_step"] for one in found["functions"].values())
    assert [(one["alias"], one["version"], one["differs"]) for one in found["aliases"]] == [("live", "1", ["GREETING"])]
    app.publish()
    app.operator.does("env", "verify", "staging", *words)


def test_a_version_is_compared_with_the_desired_variables(app: App) -> None:
    """Also while the function itself is out of sync; the report names each difference, and no value."""
    own = app.functions.variables("GetIndex")
    app.functions.set_variables({**own, "ODD": "kept-by-nobody", "GREETING": "hi"}, "GetIndex")
    app.publish()
    app.functions.set_variables({key: value for key, value in own.items() if key != "GREETING"}, "GetIndex")
    done = app.operator.arc("env", "verify", "staging", "--check")
    assert app.line("(differs: GREETING; surplus: ODD)", "2") in done.stdout
    assert "kept-by-nobody" not in done.stdout


def test_create_reports_outdated_aliases(app: App) -> None:
    """They are among its warnings, because it cannot publish."""
    app.operator.does("env", "staging", "GREETING", "hi")
    done = app.operator.arc("create", "staging", "--dry-run")
    assert app.line().rstrip() in done.stderr


def test_a_missing_permission_to_list_aliases_is_reported(app: App, faulty: FaultyCloud) -> None:
    """The rest of the report is complete."""
    faulty.begin(on("lambda.ListAliases", "denied", times=100))
    app.operator.environ["AWS_ENDPOINT_URL"] = faulty.url
    done = app.operator.arc("env", "verify", "staging", "--check")
    assert done.returncode == 0
    assert "Cannot check whether aliases point to versions with old variables." in done.stderr
    assert "ListAliases" in done.stderr
