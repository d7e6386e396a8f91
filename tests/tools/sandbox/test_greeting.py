"""The messages that the sandbox prints when it starts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.running import running, starting

if TYPE_CHECKING:
    from pathlib import Path


def test_ignored_settings_of_the_shell_are_reported(tmp_path: Path) -> None:
    """Their values, which may be secrets, are not printed."""
    write_app(tmp_path, {"get /": says("x")})
    with running(tmp_path, environ={"ARC_APP_SECRET": "hidden-value"}) as sandbox:
        assert "functions do not see this shell's ARC_APP_SECRET." in sandbox.output
        assert "Add it to the app's .env, or pass it: --env ARC_APP_SECRET\n" in sandbox.output
        assert "hidden-value" not in sandbox.output


def test_no_warning_suggests_passing_a_reserved_variable(tmp_path: Path) -> None:
    """Architect's users have ARC_ENV in their shell, and `--env ARC_ENV` is refused."""
    write_app(tmp_path, {"get /": says("x")})
    with running(tmp_path, environ={"ARC_ENV": "staging", "ARC_LOCAL": "1"}) as sandbox:
        assert "functions do not see this shell's ARC_ENV: the sandbox sets what they see.\n" in sandbox.output
        assert "Add it to the app's .env, or pass it: --env ARC_LOCAL\n" in sandbox.output


@pytest.mark.parametrize("other", ["3.13", "3.14"])
def test_different_python_runtime_is_reported_once(tmp_path: Path, other: str) -> None:
    """A default runtime is not compared."""
    write_app(tmp_path, {"get /": says("x"), "post /": says("x")})
    with (tmp_path / "app.arc").open("a") as manifest:
        manifest.write(f"\n@aws\nruntime python{other}\n")
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    warning = f"Warning: functions use the runtime python{other}, but the sandbox runs them on Python {here}."
    with running(tmp_path) as sandbox:
        assert sandbox.output.count(warning) == (other != here)


@pytest.mark.parametrize(("chosen", "place"), [("", "the sealed cookie"), ("SESSION_TABLE_NAME=session\n", "session")])
def test_tables_and_session_store_are_printed(tmp_path: Path, chosen: str, place: str) -> None:
    """Tables have the names that they have in DynamoDB."""
    write_app(tmp_path, {"get /": says("x")}, {".env": chosen} if chosen else {})
    with (tmp_path / "app.arc").open("a") as manifest:
        manifest.write("\n@tables\nsession\n  _idx *String\n  _ttl TTL\n")
    with running(tmp_path) as sandbox:
        assert f"tables: testapp-testing-session (sessions are stored in {place})" in sandbox.output
        assert "Warning" not in sandbox.output


def test_missing_handler_is_reported_with_the_command(tmp_path: Path) -> None:
    """The start and the page show the whole `arc init` command."""
    write_app(tmp_path, {"get /": says("x")})
    (tmp_path / "src/http/get-index/handler.py").unlink()
    with running(tmp_path) as sandbox:
        assert f"no handler yet (run arc init {tmp_path})" in sandbox.output
        assert f"run: arc init {tmp_path}" in sandbox.get("/", accept="text/html").text


@pytest.mark.parametrize("name", ["sandbox-seed.js", "sandbox-seed.mjs", "sandbox-seed.cjs"])
def test_seed_file_in_javascript_is_a_warning(tmp_path: Path, name: str) -> None:
    """Architect's sandbox runs it."""
    write_app(tmp_path, {"get /": says("x")}, {name: "module.exports = {}\n"})
    with running(tmp_path) as sandbox:
        assert (
            f"Warning: {name} is ignored because it is JavaScript. "
            "Write its rows as JSON to sandbox-seed.json.\n" in sandbox.output
        )


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ((), "http://testapp.localhost:{}"),
        (("host=0.0.0.0",), "http://testapp.localhost:{}"),
        (("host=127.0.0.2",), "http://127.0.0.2:{}"),
    ],
)
def test_address_for_a_browser_comes_first(tmp_path: Path, options: tuple[str, ...], first: str) -> None:
    """The app's own host, because browsers send cookies to all ports of a host (RFC 6265 §8.5)."""
    write_app(tmp_path, {"get /": says("here")})
    with starting(tmp_path, *options) as sandbox:
        sandbox.port = int(sandbox.wait_for(r"listens on http://[0-9.]+:(\d+)")[1])
        address = first.format(sandbox.port)
        assert sandbox.output.startswith(f"Open {address}  (press Ctrl-C to stop)\n")
        if "testapp" in address:
            assert sandbox.request("GET", "/", headers={"host": f"testapp.localhost:{sandbox.port}"}).text == "here"


@pytest.mark.parametrize("quiet", [False, True])
def test_ignored_environment_of_the_app_is_reported(tmp_path: Path, *, quiet: bool) -> None:
    """Functions run in testing whatever `.env` says, and one line says so; a later change of it too."""
    write_app(tmp_path, {"get /": says("x")}, {".env": "ARC_ENV=production\nARC_APP_NAME=other\n"})
    with running(tmp_path, *(["quiet"] * quiet)) as sandbox:
        line = "Warning: ARC_ENV=production in .env is ignored: functions run with ARC_ENV=testing here.\n"
        assert (line in sandbox.output) != quiet
        assert (
            "Warning: ARC_APP_NAME in .env is ignored: the sandbox sets what functions see." in sandbox.output
        ) != quiet
        (tmp_path / ".env").write_text("ARC_ENV=staging\n")
        sandbox.get("/")
        sandbox.wait_for("Warning: ARC_ENV=staging in .env is ignored")


def test_environment_testing_is_no_warning(tmp_path: Path) -> None:
    """It is what functions get anyway."""
    write_app(tmp_path, {"get /": says("x")}, {".env": "ARC_ENV=testing\n"})
    with running(tmp_path) as sandbox:
        assert "ignored" not in sandbox.output


def test_misspelled_variable_in_the_env_file_is_a_warning(tmp_path: Path) -> None:
    """Nothing reads it."""
    write_app(tmp_path, {"get /": says("x")}, {".env": "ARC_SESSION_TLL=5\nGREETING=hello\n"})
    with running(tmp_path) as sandbox:
        assert (
            "Warning: Unknown variable 'ARC_SESSION_TLL', which nothing reads. Did you mean 'ARC_SESSION_TTL'?\n"
            in sandbox.output
        )


def test_misspelled_variable_is_a_warning_while_the_sandbox_runs(tmp_path: Path) -> None:
    """A new line in `.env` is checked as the lines at the start are."""
    write_app(tmp_path, {"get /": says("x")})
    with running(tmp_path) as sandbox:
        (tmp_path / ".env").write_text("SESION_TABLE_NAME=session\n")
        sandbox.get("/")
        sandbox.wait_for("Warning: Unknown variable 'SESION_TABLE_NAME', which nothing reads. Did you mean 'SESSION_T")


def test_app_without_routes_is_a_warning(tmp_path: Path) -> None:
    """It says what to write."""
    (tmp_path / "app.arc").write_text("@app\ntestapp\n")
    with running(tmp_path) as sandbox:
        assert "Warning: the app has no routes. Write @http into the manifest, and below it: get /\n" in sandbox.output


@pytest.mark.parametrize("name", ["get_index", "get-indx", "get-index.py"])
def test_code_in_a_folder_of_no_route_is_a_warning(tmp_path: Path, name: str) -> None:
    """The route that was probably meant has no folder; the folders of other routes are none."""
    write_app(tmp_path, {"get /": says("x"), "get /about": says("x")})
    (tmp_path / "src/http/get-index").rename(tmp_path / "src/http" / name)
    with running(tmp_path) as sandbox:
        assert f"Warning: src/http/{name} belongs to no route. The folder of get / is src/http/get-index.\n" in (
            sandbox.output
        )
        assert sandbox.output.count("belongs to no route") == 1


def test_handler_in_a_file_with_another_name_is_reported(tmp_path: Path) -> None:
    """`arc init` would write a second file beside it."""
    write_app(tmp_path, {"get /": says("x")})
    (tmp_path / "src/http/get-index/handler.py").rename(tmp_path / "src/http/get-index/main.py")
    with running(tmp_path) as sandbox:
        assert "src/http/get-index: no handler.py (only main.py)\n" in sandbox.output
