"""What the sandbox says when it starts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.running import running, starting

if TYPE_CHECKING:
    from pathlib import Path


def test_settings_of_the_shell_have_no_effect_and_are_named(tmp_path: Path) -> None:
    """Without their values, which may be secrets."""
    write_app(tmp_path, {"get /": says("x")})
    with running(tmp_path, environ={"ARC_APP_SECRET": "hidden-value"}) as sandbox:
        assert "functions do not see this shell's ARC_APP_SECRET." in sandbox.output
        assert "Put it into the app's .env, or pass it: --env ARC_APP_SECRET\n" in sandbox.output
        assert "hidden-value" not in sandbox.output


def test_variables_that_the_sandbox_sets_are_not_to_be_passed(tmp_path: Path) -> None:
    """Architect's users have ARC_ENV in their shell; `--env ARC_ENV` is refused, so no warning advises it."""
    write_app(tmp_path, {"get /": says("x")})
    with running(tmp_path, environ={"ARC_ENV": "staging", "ARC_LOCAL": "1"}) as sandbox:
        assert "functions do not see this shell's ARC_ENV: the sandbox sets what they see.\n" in sandbox.output
        assert "Put it into the app's .env, or pass it: --env ARC_LOCAL\n" in sandbox.output


@pytest.mark.parametrize("other", ["3.13", "3.14"])
def test_a_runtime_that_is_not_the_sandboxs_python_is_said(tmp_path: Path, other: str) -> None:
    """Once for all functions that have it; a runtime that nobody chose is not compared."""
    write_app(tmp_path, {"get /": says("x"), "post /": says("x")})
    with (tmp_path / "app.arc").open("a") as manifest:
        manifest.write(f"\n@aws\nruntime python{other}\n")
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    warning = f"Warning: functions have the runtime python{other}; the sandbox runs them on Python {here}."
    with running(tmp_path) as sandbox:
        assert sandbox.output.count(warning) == (other != here)


@pytest.mark.parametrize(("chosen", "place"), [("", "the sealed cookie"), ("SESSION_TABLE_NAME=session\n", "session")])
def test_the_tables_and_the_place_of_sessions_are_said(tmp_path: Path, chosen: str, place: str) -> None:
    """By the names that they have in DynamoDB."""
    write_app(tmp_path, {"get /": says("x")}, {".env": chosen} if chosen else {})
    with (tmp_path / "app.arc").open("a") as manifest:
        manifest.write("\n@tables\nsession\n  _idx *String\n  _ttl TTL\n")
    with running(tmp_path) as sandbox:
        assert f"tables: testapp-testing-session (sessions live in {place})" in sandbox.output
        assert "Warning" not in sandbox.output


def test_a_missing_handler_names_the_folder_to_run_arc_init_on(tmp_path: Path) -> None:
    """Greeting and page give the whole command, wherever the sandbox was started."""
    write_app(tmp_path, {"get /": says("x")})
    (tmp_path / "src/http/get-index/handler.py").unlink()
    with running(tmp_path) as sandbox:
        assert f"no handler yet (arc init {tmp_path} writes it)" in sandbox.output
        assert f"run: arc init {tmp_path}" in sandbox.get("/", accept="text/html").text


@pytest.mark.parametrize("name", ["sandbox-seed.js", "sandbox-seed.mjs", "sandbox-seed.cjs"])
def test_rows_in_javascript_are_named_as_not_read(tmp_path: Path, name: str) -> None:
    """Architect's sandbox runs them; here they would be missed in silence."""
    write_app(tmp_path, {"get /": says("x")}, {name: "module.exports = {}\n"})
    with running(tmp_path) as sandbox:
        assert (
            f"Warning: {name} is not read, because it is JavaScript. "
            "Write its rows as JSON into sandbox-seed.json.\n" in sandbox.output
        )


@pytest.mark.parametrize(("options", "printed"), [((), True), (("host=0.0.0.0",), True), (("host=127.0.0.2",), False)])
def test_a_browser_is_sent_to_a_host_of_the_apps_own(
    tmp_path: Path, options: tuple[str, ...], *, printed: bool
) -> None:
    """Cookies do not tell ports apart (RFC 6265 §8.5): on one host two apps would read each other's session."""
    write_app(tmp_path, {"get /": says("here")})
    with starting(tmp_path, *options) as sandbox:
        port = sandbox.wait_for(r"listens on http://[0-9.]+:(\d+).*Ctrl-C")[1]
        assert (f", in a browser http://testapp.localhost:{port}  (" in sandbox.output) == printed
        sandbox.port = int(port)
        if printed:
            assert sandbox.request("GET", "/", headers={"host": f"testapp.localhost:{port}"}).text == "here"
