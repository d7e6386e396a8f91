"""`arc deploy`, `destroy`, `logs` and `open` as commands: what is refused, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import Engine, fresh_app
from tests.tools.operator import TABLES, Operator


@pytest.fixture
def operator(tmp_path: Path, cloud: Engine) -> Operator:
    """Somebody with an app that has two routes and a table, and is not deployed."""
    app = fresh_app()
    return Operator(tmp_path / app, app, cloud.environ(tmp_path), more=TABLES)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["deploy", "prod"], 2, "production"),
        (["deploy", "testing"], 2, "Choose"),
        (["destroy"], 2, "Missing argument 'ENVIRONMENT'"),
        (["logs", "testing"], 2, "Choose"),
        (["logs", "staging", "--since", "soon"], 1, "Unknown duration 'soon'."),
        (["logs", "staging", "get", "/nope"], 1, "Unknown route 'get /nope'. Choose get /, post /login."),
        (["open", "staging"], 1, "is not deployed to staging. Run: arc deploy staging"),
        (["package"], 2, "arc deploy --dry-run"),
    ],
)
def test_wrong_words_are_refused(operator: Operator, words: list[str], code: int, message: str) -> None:
    """Each with what to write or do instead."""
    done = operator.arc(*words)
    assert done.returncode == code
    assert message in done.stderr


def test_missing_tables_are_named_with_the_command_that_makes_them(operator: Operator) -> None:
    """Nothing is deployed without them."""
    done = operator.arc("deploy")
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"Missing table: {operator.name}-staging-session. Run `arc create staging`, or deploy with --create. "
        "Nothing was deployed.\n"
    )


def test_destroying_asks_for_the_apps_name(operator: Operator) -> None:
    """Another answer deletes nothing; an app that is not deployed has nothing to delete."""
    done = operator.arc("destroy", "staging", given="yes\n")
    assert done.returncode == 1
    assert f"'yes' is not '{operator.name}'. Nothing was deleted." in done.stderr
    assert "is not deployed to staging" in operator.does("destroy", "staging", given=f"{operator.name}\n")


@pytest.mark.parametrize("command", ["deploy", "destroy", "logs", "open"])
def test_each_command_has_help(operator: Operator, command: str) -> None:
    """What it does comes first."""
    assert f"Usage: arc {command}" in operator.does(command, "--help")
