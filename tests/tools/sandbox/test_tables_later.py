"""A sandbox whose app gets tables while a command with `--local` has the app's local cloud."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.tools.sandbox.apps import says
from tests.tools.sandbox.cloud import TABLES, dynamodb, environ_of, port_of, write_tables
from tests.tools.sandbox.commands import command, write, written
from tests.tools.sandbox.running import running, starting

if TYPE_CHECKING:
    from pathlib import Path

TAKEN = "A command with --local has the app's local cloud (process {}): the tables are made when it has ended."


def test_a_command_has_a_cloud_beside_a_sandbox_without_tables(tmp_path: Path) -> None:
    """The sandbox starts none, and goes on."""
    with running(write_tables(tmp_path, tables="")) as sandbox, command(tmp_path) as one:
        write(one.said("url"), "kept")
        one.finish()
        one.said("ended")
        assert "AWS_ENDPOINT_URL_DYNAMODB" not in environ_of(sandbox)


def test_tables_that_come_while_a_command_works_are_made_after_it(tmp_path: Path) -> None:
    """On the same data; the app answers meanwhile, and the reason is told once."""
    write_tables(tmp_path, {"get /": says("here")}, tables="")
    with running(tmp_path) as sandbox:
        assert sandbox.get("/").text == "here"
        with command(tmp_path) as one:
            write(one.said("url"), "kept")
            with (tmp_path / "app.arc").open("a", encoding="utf-8") as manifest:
                manifest.write(TABLES)
            sandbox.get("/")
            sandbox.wait_for("A command with --local has the app's local cloud")
            assert sandbox.get("/").text == "here"
            one.finish()
            one.said("ended")
        sandbox.wait_for("app.arc is good again")
        assert dynamodb(sandbox).list_tables()["TableNames"] == ["testapp-testing-products", "testapp-testing-session"]
        assert written(f"http://127.0.0.1:{port_of(sandbox)}") == ["kept"]
        assert sandbox.output.count(TAKEN.format(one.process.pid)) == 1
        assert "Warning" not in sandbox.output


def test_a_sandbox_that_starts_while_a_command_works_waits_for_it(tmp_path: Path) -> None:
    """And says so, even when it is to be quiet."""
    write_tables(tmp_path)
    with command(tmp_path) as one:
        write(one.said("url"), "kept")
        with starting(tmp_path, "quiet") as sandbox:
            sandbox.wait_for("the tables are made when it has ended")
            one.finish()
            one.said("ended")
            sandbox.listens()
            assert sandbox.output.startswith(TAKEN.format(one.process.pid))
            assert written(f"http://127.0.0.1:{port_of(sandbox)}") == ["kept"]
            sandbox.stop()


def test_a_sandbox_that_waits_can_be_interrupted(tmp_path: Path) -> None:
    """It leaves nothing behind, and the command's cloud alone."""
    write_tables(tmp_path)
    with command(tmp_path) as one:
        url = one.said("url")
        with starting(tmp_path) as sandbox:
            sandbox.wait_for("the tables are made when it has ended")
            assert sandbox.stop(signal.SIGINT) != 0
        write(url, "kept")
        one.finish()
        one.said("ended")
