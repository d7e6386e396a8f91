"""A version that an alias leads to keeps the variables that it was published with: every report tells of it."""

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
    """An app in staging, all in step; the alias `live` of one of its two functions leads to a version."""

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
        """What is said of the version."""
        return f"  {self.publisher.name}: the alias live leads to version {version} {differs}\n"


@pytest.fixture
def app(cloud: Engine, tmp_path: Path) -> App:
    """An app in step."""
    return App(cloud, tmp_path)


def test_an_alias_of_what_is_in_step_is_in_step(app: App) -> None:
    """So is one of the function itself, and a version that no alias leads to counts for nothing."""
    app.publisher.lead("$LATEST", alias="newest")
    assert "in step (2)" in app.operator.does("env", "verify", "staging", "--check")
    app.operator.does("env", "staging", "GREETING", "hi")
    app.publish()
    assert "in step (2)" in app.operator.does("env", "verify", "staging", "--check")


def test_a_change_tells_which_aliases_do_not_have_it(app: App) -> None:
    """It is done all the same: publishing is the next step."""
    done = app.operator.arc("env", "staging", "GREETING", "hi")
    assert done.returncode == 0
    assert app.line() + ADVICE in done.stdout
    told = app.operator.json("env", "staging", "FURTHER", "more")
    assert told["aliases"] == [
        {
            "function": app.publisher.name,
            "alias": "live",
            "version": "1",
            "missing": ["FURTHER"],
            "differs": ["GREETING"],
            "surplus": [],
        }
    ]


@pytest.mark.parametrize("words", [("--check",), ()], ids=["looking", "mending"])
def test_verify_tells_it_until_the_alias_is_moved(app: App, words: tuple[str, ...]) -> None:
    """It ends with 1; mending reaches no version."""
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


def test_a_version_is_compared_with_what_its_function_is_to_have(app: App) -> None:
    """Also while the function itself is not in step; every way to differ is named, no value is."""
    own = app.functions.variables("GetIndex")
    app.functions.set_variables({**own, "ODD": "kept-by-nobody", "GREETING": "hi"}, "GetIndex")
    app.publish()
    app.functions.set_variables({key: value for key, value in own.items() if key != "GREETING"}, "GetIndex")
    done = app.operator.arc("env", "verify", "staging", "--check")
    assert app.line("(differs: GREETING; surplus: ODD)", "2") in done.stdout
    assert "kept-by-nobody" not in done.stdout


def test_create_tells_it(app: App) -> None:
    """Among its warnings: it cannot do it."""
    app.operator.does("env", "staging", "GREETING", "hi")
    done = app.operator.arc("create", "staging", "--dry-run")
    assert app.line().rstrip() in done.stderr


def test_who_may_not_see_aliases_is_told_so(app: App, faulty: FaultyCloud) -> None:
    """The rest of the report is as before."""
    faulty.begin(on("lambda.ListAliases", "denied", times=100))
    app.operator.environ["AWS_ENDPOINT_URL"] = faulty.url
    done = app.operator.arc("env", "verify", "staging", "--check")
    assert done.returncode == 0
    assert "Whether aliases lead to versions with old variables cannot be seen." in done.stderr
    assert "ListAliases" in done.stderr
