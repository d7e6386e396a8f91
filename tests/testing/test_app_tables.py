"""`App(…, tables=True)`: the manifest's tables in a local cloud, empty for each App."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import arc
from arc.errors import ConfigurationError, ToolError
from arc.testing import App, Clock
from tests.tools.sandbox.apps import write_app

TABLES = """
@tables
notes
  id *String

session
  _idx *String
  _ttl TTL
"""
NOTES = """
    import arc

    @arc.http.handler
    def handler(req):
        table = arc.tables.table("notes")
        if req.method == "POST":
            table.put_item(Item={"id": req.form["id"]})
        visits = req.session.increment("visits")
        return {"json": [sorted(row["id"] for row in table.scan()["Items"]), visits, arc.tables.name("notes")]}
"""


def app_with_tables(folder: Path, seeds: object = None) -> Path:
    """An app that stores notes and sessions in tables."""
    write_app(folder, {"any /": NOTES}, {".env": "SESSION_TABLE_NAME=session\n"})
    with (folder / "app.arc").open("a") as manifest:
        manifest.write(TABLES)
    if seeds is not None:
        (folder / "sandbox-seed.json").write_text(json.dumps(seeds))
    return folder


def test_tables_are_real_and_empty_for_each_app(tmp_path: Path) -> None:
    """Rows and sessions are kept within an App, and the next one finds none of them."""
    path = app_with_tables(tmp_path)
    for _ in range(2):
        with App(path, tables=True) as app:
            browser = app.browser()
            assert browser.get("/").json == [[], 1, "testapp-testing-notes"]
            assert browser.post("/", {"id": "a"}).json[:2] == [["a"], 2]
            assert app.browser().get("/").json[:2] == [["a"], 1]
            assert len(browser.jar.get("_idx") or "") < 100
    assert not (tmp_path / ".arc-sandbox").exists()


def test_test_uses_a_table_inside_the_app(tmp_path: Path) -> None:
    """It prepares rows for a handler, and finds what the handler has stored."""
    with App(app_with_tables(tmp_path), tables=True) as app:
        with app.inside():
            arc.tables.table("notes").put_item(Item={"id": "prepared"})
        assert app.browser().post("/", {"id": "sent"}).json[0] == ["prepared", "sent"]
        with app.inside():
            assert arc.tables.table("notes").scan()["Count"] == 2


def test_two_apps_at_once_have_tables_of_their_own(tmp_path: Path) -> None:
    """Even two Apps of one folder do not share rows."""
    path = app_with_tables(tmp_path)
    with App(path, tables=True) as one, App(path, tables=True) as two:
        one.browser().post("/", {"id": "a"})
        two.browser().post("/", {"id": "b"})
        assert [app.browser().get("/").json[0] for app in (one, two)] == [["a"], ["b"]]


def test_rows_do_not_expire_by_the_machines_clock(tmp_path: Path) -> None:
    """A session of a test that runs in the past is found, and the cloud deletes no row by itself."""
    clock = Clock(1_000_000_000)
    with App(app_with_tables(tmp_path), tables=True, clock=clock) as app:
        browser = app.browser()
        browser.get("/")
        clock.forward(days=6)
        assert browser.get("/").json[1] == 2
        with app.inside():
            table = arc.tables.table("session")
            ttl = table.meta.client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
        assert ttl["TimeToLiveStatus"] == "DISABLED"
        clock.forward(days=8)
        assert browser.get("/").json[1] == 1


def test_rows_of_the_seed_file_are_there(tmp_path: Path) -> None:
    """As in the sandbox, `sandbox-seed.json` fills the empty tables."""
    with App(app_with_tables(tmp_path, {"notes": [{"id": "seed"}]}), tables=True) as app:
        assert app.browser().get("/").json[0] == ["seed"]


def test_fault_in_the_seed_file_is_an_error(tmp_path: Path) -> None:
    """The message names the row, and the cloud is free for the next App."""
    path = app_with_tables(tmp_path, {"notes": [{"name": "no key"}]})
    for _ in range(2):
        with pytest.raises(ToolError, match=r"^sandbox-seed\.json: row 1 of notes lacks the key 'id'\."):
            App(path, tables=True)


def test_problem_of_the_session_table_is_a_warning(tmp_path: Path) -> None:
    """A table that the manifest does not declare cannot store sessions."""
    path = app_with_tables(tmp_path)
    (path / "app.arc").write_text((path / "app.arc").read_text().partition("session")[0])
    with pytest.warns(UserWarning, match="session"):
        App(path, tables=True).close()


def test_app_without_tables_says_how_to_get_them(tmp_path: Path) -> None:
    """A handler that uses a table raises an error with that note."""
    with App(app_with_tables(tmp_path)) as app, pytest.raises(ConfigurationError) as raised:
        app.browser().get("/")
    assert raised.value.__notes__ == ["This App has no tables. Open it with App(…, tables=True)."]
