"""A sandbox whose app gets tables while a command with `--local` is using the local cloud."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.tools.sandbox.apps import says
from tests.tools.sandbox.cloud import TABLES, dynamodb, environ_of, port_of, write_tables
from tests.tools.sandbox.commands import command, write, written
from tests.tools.sandbox.running import running, starting

if TYPE_CHECKING:
    from pathlib import Path

TAKEN = "A command with --local is using the app's local cloud (process {}). The tables are created when it ends."


def test_command_starts_a_cloud_beside_a_sandbox_without_tables(tmp_path: Path) -> None:
    """The sandbox keeps running without one."""
    with running(write_tables(tmp_path, tables="")) as sandbox, command(tmp_path) as one:
        write(one.said("url"), "kept")
        one.finish()
        one.said("ended")
        assert "AWS_ENDPOINT_URL_DYNAMODB" not in environ_of(sandbox)


def test_new_tables_are_created_after_a_running_command(tmp_path: Path) -> None:
    """They have the same data; the app answers in the meantime, and the reason is printed once."""
    write_tables(tmp_path, {"get /": says("here")}, tables="")
    with running(tmp_path) as sandbox:
        assert sandbox.get("/").text == "here"
        with command(tmp_path) as one:
            write(one.said("url"), "kept")
            with (tmp_path / "app.arc").open("a", encoding="utf-8") as manifest:
                manifest.write(TABLES)
            sandbox.get("/")
            sandbox.wait_for("A command with --local is using the app's local cloud")
            assert sandbox.get("/").text == "here"
            one.finish()
            one.said("ended")
        sandbox.wait_for("app.arc is valid again")
        assert dynamodb(sandbox).list_tables()["TableNames"] == ["testapp-testing-products", "testapp-testing-session"]
        assert written(f"http://127.0.0.1:{port_of(sandbox)}") == ["kept"]
        assert sandbox.output.count(TAKEN.format(one.process.pid)) == 1
        assert "Warning" not in sandbox.output


def test_starting_sandbox_waits_for_a_running_command(tmp_path: Path) -> None:
    """The reason is printed even with `--quiet`."""
    write_tables(tmp_path)
    with command(tmp_path) as one:
        write(one.said("url"), "kept")
        with starting(tmp_path, "quiet") as sandbox:
            sandbox.wait_for("The tables are created when it ends")
            one.finish()
            one.said("ended")
            sandbox.listens()
            assert sandbox.output.startswith(TAKEN.format(one.process.pid))
            assert written(f"http://127.0.0.1:{port_of(sandbox)}") == ["kept"]
            sandbox.stop()


def test_waiting_sandbox_can_be_interrupted(tmp_path: Path) -> None:
    """It leaves nothing behind, and the command's cloud keeps running."""
    write_tables(tmp_path)
    with command(tmp_path) as one:
        url = one.said("url")
        with starting(tmp_path) as sandbox:
            sandbox.wait_for("The tables are created when it ends")
            assert sandbox.stop(signal.SIGINT) != 0
        write(url, "kept")
        one.finish()
        one.said("ended")
