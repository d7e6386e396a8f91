"""A developer's preferences and `.env` are read as Architect reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from arc.inventory import read
from arc.inventory.preferences import SandboxPreferences
from tests.inventory.writing import app, write

HOME = "@env\ntesting\n  A home\n  B home\nstaging\n  S home\n\n@sandbox\nseed-data rows.json\nports\n  http 4000\n"


@pytest.mark.parametrize("name", ["preferences.arc", "prefs.arc", ".preferences.arc", ".prefs.arc"])
def test_each_name_of_preferences_is_read(name: str, tmp_path: Path) -> None:
    """In the app's folder and in the home folder."""
    for place in ("app", "home"):
        write(tmp_path / place, **{name: f"@env\ntesting\n  A {place}\n"}, app__arc="@app\nmyapp\n")
    assert read(tmp_path / "app", home=tmp_path / "home").env == {"testing": {"A": "app"}}
    assert read(tmp_path / "app", home=tmp_path).env == {"testing": {"A": "app"}}
    (tmp_path / "app" / name).unlink()
    assert read(tmp_path / "app", home=tmp_path / "home").env == {"testing": {"A": "home"}}


def test_first_preferences_file_is_used(tmp_path: Path) -> None:
    """The order is Architect's; the others are not read."""
    names = ("preferences__arc", "prefs__arc", "__preferences__arc", "__prefs__arc")
    files = {name: f"@env\ntesting\n  A {place}\n" for place, name in enumerate(names)}
    assert app(tmp_path, **files).env == {"testing": {"A": "0"}}


@pytest.mark.parametrize(
    ("local", "env"),
    [
        ("@env\ntesting\n  A local\n", {"testing": {"A": "local"}}),
        ("@env\n", {}),
        ("@sandbox\n", {"testing": {"A": "home", "B": "home"}, "staging": {"S": "home"}}),
    ],
)
def test_env_of_the_app_replaces_env_of_the_home(local: str, env: dict[str, object], tmp_path: Path) -> None:
    """It replaces every environment, even if it is empty, as in Architect."""
    home = write(tmp_path / "home", prefs__arc=HOME)
    root = write(tmp_path / "app", app__arc="@app\nmyapp\n", prefs__arc=local)
    assert read(root, home=home).env == env


def test_sandbox_settings_of_the_app_override_the_home(tmp_path: Path) -> None:
    """Each setting is overridden separately; `ports` is one setting."""
    home = write(tmp_path / "home", prefs__arc=HOME)
    root = write(tmp_path / "app", app__arc="@app\nmyapp\n", prefs__arc="@sandbox\nports\n  tables 5000\n")
    assert read(root, home=home).sandbox == SandboxPreferences(tables_port=5000, seed_data="rows.json")


def test_several_words_are_one_value(tmp_path: Path) -> None:
    """The words may also be on separate lines."""
    text = "@env\ntesting\n  A two words # and a comment\n  B 00123 1.50\n  C\n    alone\n  D\n    one\n    below\n"
    assert app(tmp_path, prefs__arc=text).env["testing"] == {
        "A": "two words",
        "B": "00123 1.50",
        "C": "alone",
        "D": "one below",
    }


def test_an_unknown_environment_is_a_warning(tmp_path: Path) -> None:
    """It has no effect in Architect either."""
    inventory = app(tmp_path, prefs__arc="@env\nlocal\n  A 1\ntesting\n  B 2\n")
    assert inventory.env == {"testing": {"B": "2"}}
    (warning,) = inventory.warnings
    assert warning == (
        "prefs.arc:2: Unknown environment 'local' in @env, which has no effect. Choose testing, staging or production."
    )


SETTINGS = {
    "env staging": "'env' in @sandbox has no effect. The sandbox always uses the testing environment.",
    "livereload true": "'livereload' in @sandbox has no effect. Reload the page in the browser.",
    "useAWS true": "'useAWS' in @sandbox has no effect. The sandbox uses the tables of this machine.",
    "coldstart true": "'coldstart' in @sandbox has no effect. Functions start as fast as they can.",
    "something else": "'something' in @sandbox has no effect.",
    "port 4000": "'port' in @sandbox has no effect.",
    "external-db": "'external-db' in @sandbox has no effect.",
    "seed-data\n  a b": "'seed-data' in @sandbox has no effect.",
    "alone": "'alone' in @sandbox has no effect.",
    "ports 4000": "'ports' in @sandbox has no effect. Add an indented line below it, such as http 3333.",
    "ports\n  events 4444": "The port 'events' in @sandbox has no effect.",
    "ports\n  http many": "The port 'http' in @sandbox must be a number from 1 to 65535.",
    "ports\n    http 4000": "Some lines of @sandbox cannot be read and have no effect.",
    "{braces}": "Some lines of @sandbox cannot be read and have no effect.",
}


@pytest.mark.parametrize("text", SETTINGS)
def test_sandbox_setting_without_effect_is_a_warning(text: str, tmp_path: Path) -> None:
    """No setting is a fault, whatever its syntax."""
    inventory = app(tmp_path, prefs__arc=f"@sandbox\n{text}\n@env\ntesting\n  A b\n")
    assert inventory.env == {"testing": {"A": "b"}}
    assert [warning.partition(": ")[2] for warning in inventory.warnings] == [SETTINGS[text]]


def test_sandbox_settings_are_read(tmp_path: Path) -> None:
    """Settings that need no action cause no warning."""
    text = (
        "@sandbox\nports\n  http 4000\n  tables 5000\nexternal-db true\nseed-data rows.json\n"
        "no-hydrate true\ndelete-vendor false\n@create\nautocreate true\n"
    )
    inventory = app(tmp_path, prefs__arc=text)
    assert inventory.warnings == ()
    assert inventory.sandbox == SandboxPreferences(4000, 5000, external_db=True, seed_data="rows.json")


@pytest.mark.parametrize("pragma", ["sandbox-start", "sandbox-startup"])
def test_startup_commands_are_a_warning(pragma: str, tmp_path: Path) -> None:
    """They are not run, whatever their syntax."""
    inventory = app(tmp_path, prefs__arc=f"@{pragma}\necho {{hello}}\n  npx x\n")
    assert inventory.warnings == (f"prefs.arc:1: @{pragma} has no effect. Run its commands before `arc sandbox`.",)


HINT = "Begin with a letter, and use only letters, digits and '_'."


def test_invalid_names_in_env_file_are_ignored(tmp_path: Path) -> None:
    """A warning names each without its value; the others are read."""
    inventory = app(tmp_path, __env="A=1\nmy-key=hidden\nx.y=hidden\n1X=hidden\nB=2\n")
    assert inventory.env["testing"] == {"A": "1", "B": "2"}
    lines = ((2, "my-key"), (3, "x.y"), (4, "1X"))
    assert inventory.warnings == tuple(
        f".env:{line}: {name!r} is ignored: it is not a valid variable name. {HINT}" for line, name in lines
    )


def test_invalid_names_in_preferences_are_ignored(tmp_path: Path) -> None:
    """Architect accepts some of them, which Lambda would refuse. The warning shows no word of the line."""
    inventory = app(tmp_path, prefs__arc="@env\ntesting\n  A 1\n  _B hidden\n  2C hidden\n  my-key hidden\n")
    assert inventory.env["testing"] == {"A": "1"}
    assert inventory.warnings == tuple(
        f"prefs.arc:{line}: This line is ignored: its first word is not a valid variable name. {HINT}"
        for line in (4, 5, 6)
    )


def test_value_cut_off_by_a_comment_is_a_warning(tmp_path: Path) -> None:
    """In `.env` the value would continue. The warning does not show the value."""
    preferences = (
        "@env\ntesting\n  PASSWORD hid#den\n  B hidden # a comment\n  C 'hid#den'\nstaging # x\n  D 'hidden'#hidden\n"
    )
    inventory = app(tmp_path, prefs__arc=preferences)
    assert inventory.env["testing"] == {"PASSWORD": "hid", "B": "hidden", "C": "hid#den"}
    assert inventory.warnings == tuple(
        f"prefs.arc:{line}: The value of {name} ends at the '#', where a comment begins. "
        "Put the whole value in quotes, or a space before the comment."
        for line, name in ((3, "PASSWORD"),)
    )
