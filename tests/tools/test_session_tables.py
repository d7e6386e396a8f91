"""Warnings about the table that stores sessions."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from arc.inventory import read
from arc.tools.session_tables import chosen_store, store_warnings, ttl_warnings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arc.inventory import Inventory

LINES = "Write:\n  @tables\n  session\n    _idx *String\n    _ttl TTL"
GOOD = "_idx *String\n  _ttl TTL"


def app(folder: Path, env: str = "SESSION_TABLE_NAME=session", table: str = GOOD) -> Inventory:
    """An app with one table called session."""
    (folder / "app.arc").write_text(f"@app\ntestapp\n@http\nget /\n@tables\nsession\n  {table}\n", encoding="utf-8")
    (folder / ".env").write_text(f"{env}\n", encoding="utf-8")
    return read(folder, home=folder / "nowhere")


def variables_of(inventory: Inventory) -> Mapping[str, str]:
    """Return the variables of testing."""
    return inventory.env.get("testing", {})


def warnings(inventory: Inventory) -> list[str]:
    """Return the warnings about the store that testing selects."""
    return store_warnings(inventory, "testing", variables_of(inventory))


@pytest.mark.parametrize(
    ("env", "store"),
    [
        ("", "jwe"),
        ("SESSION_TABLE_NAME=jwe", "jwe"),
        ("SESSION_TABLE_NAME=session", "session"),
        ("ARC_SESSION_TABLE_NAME=testapp-testing-session", "testapp-testing-session"),
        ("SESSION_TABLE_NAME=", "jwe"),
        ("ARC_SESSION_TABLE_NAME=\nSESSION_TABLE_NAME=session", "session"),
    ],
)
def test_either_variable_selects_the_store(tmp_path: Path, env: str, store: str) -> None:
    """An empty value has no effect."""
    assert chosen_store(variables_of(app(tmp_path, env))) == store


def test_preferences_select_the_store(tmp_path: Path) -> None:
    """They apply where there is no .env."""
    inventory = app(tmp_path)
    (tmp_path / ".env").unlink()
    (tmp_path / "preferences.arc").write_text(
        dedent("""
            @env
            testing
              SESSION_TABLE_NAME session
            """)
    )
    assert chosen_store(variables_of(read(inventory.root, home=tmp_path / "nowhere"))) == "session"


@pytest.mark.parametrize("name", ["session", "testapp-testing-session", "jwe"])
def test_suitable_table_causes_no_warning(tmp_path: Path, name: str) -> None:
    """Either of its names may be used."""
    assert warnings(app(tmp_path, f"SESSION_TABLE_NAME={name}")) == []


def test_other_tables_cause_no_warning(tmp_path: Path) -> None:
    """Sessions in the sealed cookie need no table."""
    assert warnings(app(tmp_path, "", "id *String")) == []


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("_idx *String", "Ended sessions stay in the table 'session' forever: it has no TTL attribute '_ttl'."),
        (
            "_idx *String\n  until TTL",
            "Ended sessions stay in the table 'session' forever: its TTL attribute is 'until', not '_ttl'.",
        ),
        ("id *String\n  _ttl TTL", "The table 'session' cannot store sessions: its key is not '_idx *String'."),
        ("_idx *Number\n  _ttl TTL", "The table 'session' cannot store sessions: its key is not '_idx *String'."),
        ("_idx *String\n  at **Number", "The table 'session' cannot store sessions: its key is not '_idx *String'."),
    ],
)
def test_unsuitable_table_causes_one_warning(tmp_path: Path, table: str, told: str) -> None:
    """It is about the worst problem, and has the lines that fix it."""
    assert warnings(app(tmp_path, table=table)) == [f"{told} {LINES}"]


@pytest.mark.parametrize(("name", "written"), [("other", "other"), ("testapp-testing-other", "other")])
def test_undeclared_table_causes_a_warning(tmp_path: Path, name: str, written: str) -> None:
    """The lines to write have the manifest's name of the table."""
    (warning,) = warnings(app(tmp_path, f"SESSION_TABLE_NAME={name}"))
    assert warning == (f"app.arc does not declare the session table {name!r}. {LINES.replace('session', written)}")


@pytest.mark.parametrize("name", ["sesjon", "Sessions", "testapp-testing-sesjon"])
def test_misspelled_table_has_a_suggestion(tmp_path: Path, name: str) -> None:
    """The declared table is named instead of the lines that would declare another one."""
    (warning,) = warnings(app(tmp_path, f"SESSION_TABLE_NAME={name}"))
    assert warning == (
        f"app.arc does not declare the session table {name!r}. Did you mean 'session'? Set SESSION_TABLE_NAME to it."
    )


def test_table_with_the_key_of_sessions_needs_a_ttl(tmp_path: Path) -> None:
    """This holds whether or not it is selected; other tables need none."""
    (told,) = ttl_warnings(app(tmp_path, "", "_idx *String"))
    assert told.startswith("Ended sessions stay in the table 'session' forever: it has no TTL attribute '_ttl'.")
    assert ttl_warnings(app(tmp_path, "")) == []
    assert ttl_warnings(app(tmp_path, "", "id *String")) == []


def test_table_named_by_a_stack_is_recognized(tmp_path: Path) -> None:
    """Its physical name differs from the usual one."""
    inventory = app(tmp_path)
    variables = {"SESSION_TABLE_NAME": "TestappStaging-SessionTable-1A2B"}
    assert store_warnings(inventory, "staging", variables)
    assert store_warnings(inventory, "staging", variables, {"session": "TestappStaging-SessionTable-1A2B"}) == []
