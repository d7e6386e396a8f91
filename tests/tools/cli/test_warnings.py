"""Every command shows the warnings of the files that it reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engines import Engine, fresh_app
from tests.tools.operator import TABLES, Operator

HIDDEN = "hunter2"
PREFERENCES = (
    "preferences.arc:3: The value of PASSWORD ends at the '#', where a comment begins. "
    "Put the whole value in quotes, or a space before the comment."
)
WARNINGS = [
    "app.arc:13: @plugin-x is not supported and has no effect.",
    PREFERENCES,
    "src/http/get-index/config.arc:1: @nothing has no effect in the configuration of a function. Use @aws or @arc.",
]
COMMANDS = [
    ("env",),
    ("env", "testing"),
    ("env", "testing", "GREETING", "hello"),
    ("env", "remove", "testing", "PASSWORD"),
    ("env", "staging", "GREETING", "hello"),
    ("env", "verify"),
    ("env", "verify", "staging", "--check"),
    ("create", "staging", "production"),
    ("create", "--dry-run"),
    ("secret", "rotate", "staging"),
    ("init",),
]
IN_JSON = [
    ("env",),
    ("env", "testing", "GREETING", "hello"),
    ("env", "staging", "GREETING", "hello"),
    ("env", "verify"),
    ("create", "staging", "--dry-run"),
]


@pytest.fixture
def operator(tmp_path: Path, cloud: Engine) -> Operator:
    """An operator whose manifest, preferences and function configuration each have a line with a warning."""
    app = fresh_app()
    made = Operator(tmp_path / app, app, cloud.environ(tmp_path), more=f"{TABLES}\n@plugin-x\nx\n")
    function = made.folder / "src/http/get-index"
    function.mkdir(parents=True)
    (function / "config.arc").write_text("@nothing\nx y\n")
    (function / "handler.py").write_text("def handler(event, context):\n    return {}\n")
    (made.folder / "preferences.arc").write_text(f"@env\ntesting\n  PASSWORD abc#{HIDDEN}\n")
    return made


def inventory_warnings(told: str) -> list[str]:
    """The warnings about a line of a file."""
    lines = [line.removeprefix("Warning: ") for line in told.splitlines() if line.startswith("Warning: ")]
    return sorted(line for line in lines if ".arc:" in line)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_shows_each_warning_once_on_standard_error(operator: Operator, words: tuple[str, ...]) -> None:
    """This does not depend on the number of environments."""
    done = operator.arc(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert inventory_warnings(done.stderr) == WARNINGS
    assert inventory_warnings(done.stdout) == []
    assert HIDDEN not in done.stdout + done.stderr


@pytest.mark.parametrize("words", IN_JSON, ids=" ".join)
def test_json_output_has_no_warnings(operator: Operator, words: tuple[str, ...]) -> None:
    """Standard output is one JSON document, and warnings are on standard error."""
    command, *rest = words
    done = operator.arc(command, "--json", *rest)
    assert done.returncode == 0, done.stdout + done.stderr
    assert inventory_warnings(done.stderr) == WARNINGS
    json.loads(done.stdout)
    assert not [warning for warning in WARNINGS if warning[:20] in done.stdout]


def test_warnings_precede_an_error(operator: Operator) -> None:
    """A faulty line may be its cause."""
    del operator.environ["AWS_ENDPOINT_URL"]
    done = operator.arc("env", "staging")
    assert done.returncode == 1
    assert inventory_warnings(done.stderr) == WARNINGS
    assert not done.stderr.splitlines()[-1].startswith("Warning: ")
