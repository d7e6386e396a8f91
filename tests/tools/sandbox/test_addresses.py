"""The configuration of the sandbox's ports and hosts."""

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
def test_precedence_of_options_preferences_and_variables(
    port: int | None, preferences: SandboxPreferences, environ: dict[str, str], expected: Addresses
) -> None:
    """ARC_HTTP_PORT takes precedence over PORT, as in Architect."""
    assert find_addresses(port, preferences, environ) == expected


@pytest.mark.parametrize("name", ["PORT", "ARC_HTTP_PORT", "ARC_TABLES_PORT"])
@pytest.mark.parametrize("value", ["many", "0", "-1", "70000", "²", "3000 "])
def test_invalid_port_in_a_variable_is_an_error(name: str, value: str) -> None:
    """The message quotes the variable's name and value, and gives the valid range."""
    with pytest.raises(ToolError) as refused:
        find_addresses(None, NOTHING, {name: value})
    assert str(refused.value) == f"Invalid port {value!r} in the variable {name}. Use a number from 1 to 65535."


def test_external_database_without_a_port_is_an_error() -> None:
    """The message names both places where the port can be set."""
    with pytest.raises(
        ToolError,
        match=r"Set ARC_TABLES_PORT, or add `tables 8000` to `ports` in the @sandbox section of preferences\.arc",
    ):
        find_addresses(None, NOTHING, {"ARC_DB_EXTERNAL": "true"})


def test_variables_for_host_and_quiet() -> None:
    """As in Architect, the value `false` switches a variable off."""
    assert (find_host({"ARC_HOST": "0.0.0.0"}), find_host({"ARC_HOST": ""}), find_host({})) == (["0.0.0.0"], [], [])  # noqa: S104
    assert is_quiet({"ARC_QUIET": "1"})
    assert is_quiet({"QUIET": "true"})
    assert not is_quiet({"ARC_QUIET": "false"})
    assert not is_quiet({})


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_port_of_a_variable_is_used_or_reported_as_in_use(tmp_path: Path) -> None:
    """The sandbox does not warn that functions ignore the variable; an error names the port's source."""
    write_app(tmp_path, {"get /": says("x")})
    port = str(free_port())
    with running(tmp_path, port="any", environ={"ARC_HTTP_PORT": port}) as sandbox:
        assert str(sandbox.port) == port
        assert "ARC_HTTP_PORT" not in sandbox.output
        (tmp_path / "prefs.arc").write_text(f"@sandbox\nports\n  http {port}\n")
        with (
            pytest.raises(AssertionError, match=f"Port {port}, set in the preferences, is in use"),
            running(tmp_path, port="any"),
        ):
            pass


def test_tables_use_the_configured_port(tmp_path: Path) -> None:
    """A port that is in use is an error."""
    port = free_port()
    write_tables(tmp_path, files={"prefs.arc": f"@sandbox\nports\n  tables {port}\n"})
    with running(tmp_path) as sandbox:
        assert port_of(sandbox) == port
        done = failed_start(tmp_path)
        assert done.returncode != 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert f"Port {port}, configured for the tables, is in use." in failed_start(tmp_path).stderr


def test_external_database_gets_the_tables(tmp_path: Path, dynalite: Engine) -> None:
    """They are created and filled from the file in the preferences, and no local cloud is started."""
    rows = '{"products": [{"id": "a", "at": 1}]}'
    preferences = "@sandbox\nexternal-db true\nseed-data data/rows.json\n"
    files = {"data/rows.json": rows, "prefs.arc": preferences}
    write_tables(tmp_path, files=files)
    with running(tmp_path, environ={"ARC_TABLES_PORT": str(dynalite.port)}) as sandbox:
        assert f"Using the external database at http://127.0.0.1:{dynalite.port}" in sandbox.output
        assert "Added 1 row from data/rows.json to products" in sandbox.output
        warning = "The external database cannot set the TTL attribute of the table testapp-testing-session to _ttl."
        assert f"Warning: {warning}" in sandbox.output
        assert environ_of(sandbox)["AWS_ENDPOINT_URL_DYNAMODB"] == f"http://127.0.0.1:{dynalite.port}"
        names = dynalite.client().list_tables()["TableNames"]
        assert {"testapp-testing-session", "testapp-testing-products"} <= set(names)
    assert not (tmp_path / ".arc-sandbox").exists()
    done = failed_start(tmp_path, environ={"ARC_TABLES_PORT": str(free_port())})
    assert "does not answer. Start it, or remove external-db" in done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("seed.js", "seed.js is ignored because it is JavaScript. Write its rows as JSON to sandbox-seed.json."),
        ("../rows.json", "../rows.json (seed-data) is ignored because it is outside the app's folder."),
        ("nowhere.json", "The seed-data file nowhere.json does not exist."),
    ],
    ids=["JavaScript", "outside", "missing"],
)
@pytest.mark.sampled(1)
def test_unusable_seed_file_is_a_warning(name: str, says: str, tmp_path: Path) -> None:
    """The app runs with the rows of sandbox-seed.json."""
    files = {"prefs.arc": f"@sandbox\nseed-data {name}\n", "sandbox-seed.json": '{"products": [{"id": "a", "at": 1}]}'}
    with running(write_tables(tmp_path, files=files)) as sandbox:
        assert f"Warning: {says}" in sandbox.output
        assert "Added 1 row from sandbox-seed.json to products" in sandbox.output


def test_verbose_prints_a_line_for_each_request(tmp_path: Path) -> None:
    """The line has the status and the duration, even if no route matches, and `quiet` does not turn it off."""
    with running(write_app(tmp_path, {"get /": says("x")}), "verbose", "quiet") as sandbox:
        sandbox.get("/")
        sandbox.wait_for(r"  GET     / +200 +\d+ ms\n")
        sandbox.get("/nowhere")
        sandbox.wait_for(r"  GET     /nowhere +404 +\d+ ms\n")
