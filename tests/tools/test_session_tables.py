"""What is said about the table that sessions are to live in."""

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
    """The variables of testing."""
    return inventory.env.get("testing", {})


def warnings(inventory: Inventory) -> list[str]:
    """What is said about the store that testing chooses."""
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
def test_either_variable_chooses_the_store(tmp_path: Path, env: str, store: str) -> None:
    """An empty one is none."""
    assert chosen_store(variables_of(app(tmp_path, env))) == store


def test_the_preferences_choose_the_store_too(tmp_path: Path) -> None:
    """Where there is no .env."""
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
def test_a_good_table_is_not_spoken_of(tmp_path: Path, name: str) -> None:
    """Under either of its names."""
    assert warnings(app(tmp_path, f"SESSION_TABLE_NAME={name}")) == []


def test_a_table_for_something_else_is_not_spoken_of(tmp_path: Path) -> None:
    """Sessions in the cookie need no table."""
    assert warnings(app(tmp_path, "", "id *String")) == []


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("_idx *String", "ended sessions stay in the table 'session' for ever: it has no TTL on '_ttl'."),
        (
            "_idx *String\n  until TTL",
            "ended sessions stay in the table 'session' for ever: its TTL is on 'until', not on '_ttl'.",
        ),
        ("id *String\n  _ttl TTL", "the table 'session' cannot hold sessions: its key is not '_idx *String'."),
        ("_idx *Number\n  _ttl TTL", "the table 'session' cannot hold sessions: its key is not '_idx *String'."),
        ("_idx *String\n  at **Number", "the table 'session' cannot hold sessions: its key is not '_idx *String'."),
    ],
)
def test_a_table_that_will_not_do_is_named_with_the_lines_that_mend_it(tmp_path: Path, table: str, told: str) -> None:
    """One warning, the worst."""
    assert warnings(app(tmp_path, table=table)) == [f"{told} {LINES}"]


@pytest.mark.parametrize(("name", "written"), [("other", "other"), ("testapp-testing-other", "other")])
def test_a_table_that_is_not_declared_is_named(tmp_path: Path, name: str, written: str) -> None:
    """With the manifest's name of it in the lines to write."""
    (warning,) = warnings(app(tmp_path, f"SESSION_TABLE_NAME={name}"))
    assert warning == (
        f"sessions are to live in the table {name!r}, which is not in app.arc. {LINES.replace('session', written)}"
    )


def test_a_table_with_the_key_of_sessions_needs_its_ttl(tmp_path: Path) -> None:
    """Whether it is chosen yet or not; other tables do not."""
    (told,) = ttl_warnings(app(tmp_path, "", "_idx *String"))
    assert told.startswith("ended sessions stay in the table 'session' for ever: it has no TTL on '_ttl'.")
    assert ttl_warnings(app(tmp_path, "")) == []
    assert ttl_warnings(app(tmp_path, "", "id *String")) == []


def test_a_table_that_a_stack_has_named_is_known(tmp_path: Path) -> None:
    """By the name that it has there."""
    inventory = app(tmp_path)
    variables = {"SESSION_TABLE_NAME": "TestappStaging-SessionTable-1A2B"}
    assert store_warnings(inventory, "staging", variables)
    assert store_warnings(inventory, "staging", variables, {"session": "TestappStaging-SessionTable-1A2B"}) == []
