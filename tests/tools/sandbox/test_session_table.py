"""What is said about the table that sessions are to live in."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from arc.inventory import read
from arc.tools.sandbox.session_table import chosen_store, session_warnings

if TYPE_CHECKING:
    from pathlib import Path

    from arc.inventory import Inventory

LINES = "Write:\n  @tables\n  session\n    _idx *String\n    _ttl TTL"
GOOD = "_idx *String\n  _ttl TTL"


def app(folder: Path, env: str = "SESSION_TABLE_NAME=session", table: str = GOOD) -> Inventory:
    """An app with one table called session."""
    (folder / "app.arc").write_text(f"@app\ntestapp\n@http\nget /\n@tables\nsession\n  {table}\n", encoding="utf-8")
    (folder / ".env").write_text(f"{env}\n", encoding="utf-8")
    return read(folder, home=folder / "nowhere")


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
    assert chosen_store(app(tmp_path, env)) == store


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
    assert chosen_store(read(inventory.root, home=tmp_path / "nowhere")) == "session"


@pytest.mark.parametrize("name", ["session", "testapp-testing-session", "jwe"])
def test_a_good_table_is_not_spoken_of(tmp_path: Path, name: str) -> None:
    """Under either of its names."""
    assert session_warnings(app(tmp_path, f"SESSION_TABLE_NAME={name}")) == []


def test_a_table_for_something_else_is_not_spoken_of(tmp_path: Path) -> None:
    """Sessions in the cookie need no table."""
    assert session_warnings(app(tmp_path, "", "id *String")) == []


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
    assert session_warnings(app(tmp_path, table=table)) == [f"{told} {LINES}"]


@pytest.mark.parametrize(("name", "written"), [("other", "other"), ("testapp-testing-other", "other")])
def test_a_table_that_is_not_declared_is_named(tmp_path: Path, name: str, written: str) -> None:
    """With the manifest's name of it in the lines to write."""
    (warning,) = session_warnings(app(tmp_path, f"SESSION_TABLE_NAME={name}"))
    assert warning == (
        f"sessions are to live in the table {name!r}, which is not in app.arc. {LINES.replace('session', written)}"
    )
