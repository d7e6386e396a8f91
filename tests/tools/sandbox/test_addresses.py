"""Where the sandbox listens and its tables answer."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from arc.errors import ToolError
from arc.inventory.preferences import SandboxPreferences
from arc.tools.sandbox.addresses import Addresses, find_addresses, find_host, is_quiet
from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.cloud import environ_of, port_of, write_tables
from tests.tools.sandbox.running import failed_start, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines import Engine

NOTHING = SandboxPreferences()


@pytest.mark.parametrize(
    ("port", "preferences", "environ", "expected"),
    [
        (None, NOTHING, {}, Addresses()),
        (None, NOTHING, {"PORT": "3000"}, Addresses(3000, "PORT")),
        (None, NOTHING, {"PORT": "3000", "ARC_HTTP_PORT": "4000"}, Addresses(4000, "ARC_HTTP_PORT")),
        (None, SandboxPreferences(http_port=5000), {"ARC_HTTP_PORT": "4000"}, Addresses(5000, "the preferences")),
        (0, SandboxPreferences(http_port=5000), {"PORT": "3000"}, Addresses(0)),
        (None, NOTHING, {"ARC_TABLES_PORT": "8000"}, Addresses(tables=8000)),
        (None, SandboxPreferences(tables_port=9000), {"ARC_TABLES_PORT": "8000"}, Addresses(tables=9000)),
        (None, NOTHING, {"ARC_TABLES_PORT": "8000", "ARC_DB_EXTERNAL": "1"}, Addresses(tables=8000, is_external=True)),
        (None, SandboxPreferences(None, 8000, external_db=True), {}, Addresses(tables=8000, is_external=True)),
        (None, NOTHING, {"ARC_DB_EXTERNAL": "false", "PORT": ""}, Addresses()),
    ],
)
def test_options_come_before_preferences_and_those_before_variables(
    port: int | None, preferences: SandboxPreferences, environ: dict[str, str], expected: Addresses
) -> None:
    """ARC_HTTP_PORT comes before PORT, as in Architect."""
    assert find_addresses(port, preferences, environ) == expected


@pytest.mark.parametrize("name", ["PORT", "ARC_HTTP_PORT", "ARC_TABLES_PORT"])
@pytest.mark.parametrize("value", ["many", "0", "-1", "70000", "²", "3000 "])
def test_a_variable_that_is_no_port_is_refused(name: str, value: str) -> None:
    """By name, with what it is and what it can be."""
    with pytest.raises(ToolError) as refused:
        find_addresses(None, NOTHING, {name: value})
    assert str(refused.value) == (
        f"The variable {name} is {value!r}, which is not a port. Use a number from 1 to 65535."
    )


def test_an_external_database_needs_its_port() -> None:
    """The error says both places where it can be set."""
    with pytest.raises(ToolError, match=r"Set ARC_TABLES_PORT, or write into preferences\.arc, below @sandbox: ports"):
        find_addresses(None, NOTHING, {"ARC_DB_EXTERNAL": "true"})


def test_a_host_and_quiet_may_be_variables() -> None:
    """As in Architect, `false` is no."""
    assert (find_host({"ARC_HOST": "0.0.0.0"}), find_host({"ARC_HOST": ""}), find_host({})) == (["0.0.0.0"], [], [])  # noqa: S104
    assert is_quiet({"ARC_QUIET": "1"})
    assert is_quiet({"QUIET": "true"})
    assert not is_quiet({"ARC_QUIET": "false"})
    assert not is_quiet({})


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_the_port_of_a_variable_is_taken_and_none_else(tmp_path: Path) -> None:
    """The sandbox does not warn that functions do not see it; a port in use is an error that names its source."""
    write_app(tmp_path, {"get /": says("x")})
    port = str(free_port())
    with running(tmp_path, port="any", environ={"ARC_HTTP_PORT": port}) as sandbox:
        assert str(sandbox.port) == port
        assert "ARC_HTTP_PORT" not in sandbox.output
        (tmp_path / "prefs.arc").write_text(f"@sandbox\nports\n  http {port}\n")
        with (
            pytest.raises(AssertionError, match=f"Port {port}, from the preferences, is taken"),
            running(tmp_path, port="any"),
        ):
            pass


def test_the_tables_answer_at_the_port_that_is_chosen(tmp_path: Path) -> None:
    """One that is taken is an error."""
    port = free_port()
    write_tables(tmp_path, files={"prefs.arc": f"@sandbox\nports\n  tables {port}\n"})
    with running(tmp_path) as sandbox:
        assert port_of(sandbox) == port
        done = failed_start(tmp_path)
        assert done.returncode != 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert f"Port {port}, where the tables are to answer, is taken." in failed_start(tmp_path).stderr


def test_an_external_database_has_the_tables(tmp_path: Path, dynalite: Engine) -> None:
    """They are made in it and filled from the file that the preferences name; no local cloud is started."""
    rows = '{"products": [{"id": "a", "at": 1}]}'
    preferences = "@sandbox\nexternal-db true\nseed-data data/rows.json\n"
    files = {"data/rows.json": rows, "prefs.arc": preferences}
    write_tables(tmp_path, files=files)
    with running(tmp_path, environ={"ARC_TABLES_PORT": str(dynalite.port)}) as sandbox:
        assert f"The tables are in the external database at http://127.0.0.1:{dynalite.port}" in sandbox.output
        assert "products begins with 1 row of data/rows.json" in sandbox.output
        warning = "The external database cannot let the table testapp-testing-session expire items by _ttl."
        assert f"Warning: {warning}" in sandbox.output
        assert environ_of(sandbox)["AWS_ENDPOINT_URL_DYNAMODB"] == f"http://127.0.0.1:{dynalite.port}"
        names = dynalite.client().list_tables()["TableNames"]
        assert {"testapp-testing-session", "testapp-testing-products"} <= set(names)
    assert not (tmp_path / ".arc-sandbox").exists()
    done = failed_start(tmp_path, environ={"ARC_TABLES_PORT": str(free_port())})
    assert "where the external database should be. Start it, or leave out external-db" in done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("seed.js", "seed.js is not read, because it is JavaScript. Write its rows as JSON into sandbox-seed.json."),
        ("../rows.json", "../rows.json (seed-data) is not read, because it is not below the app's folder."),
        ("nowhere.json", "There is no file nowhere.json, which seed-data names."),
    ],
    ids=["JavaScript", "outside", "missing"],
)
@pytest.mark.sampled(1)
def test_a_file_of_rows_that_cannot_be_read_is_a_warning(name: str, says: str, tmp_path: Path) -> None:
    """The app runs, with the rows of sandbox-seed.json."""
    files = {"prefs.arc": f"@sandbox\nseed-data {name}\n", "sandbox-seed.json": '{"products": [{"id": "a", "at": 1}]}'}
    with running(write_tables(tmp_path, files=files)) as sandbox:
        assert f"Warning: {says}" in sandbox.output
        assert "products begins with 1 row of sandbox-seed.json" in sandbox.output


def test_a_verbose_sandbox_has_a_line_for_each_request(tmp_path: Path) -> None:
    """With status and time; also for a request that no route answers."""
    with running(write_app(tmp_path, {"get /": says("x")}), "verbose") as sandbox:
        sandbox.get("/")
        sandbox.wait_for(r"get / \| 200 in \d+ ms")
        sandbox.get("/nowhere")
        sandbox.wait_for(r"get /nowhere \| 404 in \d+ ms")
