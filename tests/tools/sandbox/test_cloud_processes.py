"""The local cloud beside a running sandbox: its sockets, its end, and what is said without it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.tools.sandbox.apps import says
from tests.tools.sandbox.cloud import cloud_of, environ_of, write_tables
from tests.tools.sandbox.running import ROOT, children_of, ends, failed_start, listening_addresses, running

NEEDED = "pip install 'arc-sessions[local]'"


def without_ministack(folder: Path) -> dict[str, str]:
    """An environment in which `python -S` finds every package but ministack."""
    folder.mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if not package.name.startswith("ministack"):
            (folder / package.name).symlink_to(package)
    return {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{folder}"}


def test_nothing_listens_beyond_loopback(tmp_path: Path) -> None:
    """Neither the sandbox nor the cloud nor a worker, while all of them run."""
    with running(write_tables(tmp_path)) as sandbox:
        environ_of(sandbox)
        processes = [sandbox.process.pid, *children_of(sandbox.process.pid)]
        assert len(processes) >= 3
        found = {address for process in processes for address in listening_addresses(process)}
    assert len(found) >= 3
    assert {address.rpartition(":")[0] for address in found} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.sampled(1)
def test_the_cloud_ends_with_the_sandbox(tmp_path: Path, number: int) -> None:
    """However that ends, and without a word."""
    with running(write_tables(tmp_path)) as sandbox:
        before = sandbox.output
        cloud = cloud_of(sandbox)
        sandbox.stop(number)
        assert ends(cloud)
        assert sandbox.output == before


def test_the_cloud_ends_when_the_tables_cannot_be_made(tmp_path: Path) -> None:
    """An error at the start leaves no process behind, and the data free for the next one."""
    write_tables(tmp_path, files={"sandbox-seed.json": '{"nobody": []}'})
    failed = failed_start(tmp_path)
    assert failed.returncode == 1
    assert "sandbox-seed.json has rows for a table 'nobody'" in failed.stderr
    assert _using(tmp_path) == []
    (tmp_path / "sandbox-seed.json").unlink()
    with running(tmp_path) as sandbox:
        assert "another sandbox" not in sandbox.output


def _using(folder: Path) -> list[str]:
    """The files below a folder that processes have open, as a local cloud has the lock on its data."""
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [path for path in found if path.startswith(f"{folder}{os.sep}")]


def test_a_cloud_that_dies_is_told_and_the_app_goes_on(tmp_path: Path) -> None:
    """At once, not at the next change of the manifest."""
    with running(write_tables(tmp_path, {"get /": says("still here")})) as sandbox:
        os.kill(cloud_of(sandbox), signal.SIGKILL)
        sandbox.wait_for(r"The local cloud \(ministack\) has ended with -9: .*start the sandbox again")
        assert sandbox.get("/").text == "still here"


def test_without_ministack_the_app_runs_with_one_sentence(tmp_path: Path) -> None:
    """Where sessions live in the cookie, nothing of theirs is missing."""
    app = write_tables(tmp_path / "app")
    with running(app, environ=without_ministack(tmp_path / "packages"), python=(sys.executable, "-S")) as sandbox:
        assert sandbox.output.count(NEEDED) == 1
        assert f"Warning: the app runs without its tables, which need: {NEEDED}\n" in sandbox.output
        assert environ_of(sandbox)["ARC_SESSION_TABLE_NAME"] == "jwe"


@pytest.mark.parametrize("name", ["SESSION_TABLE_NAME", "ARC_SESSION_TABLE_NAME"])
def test_without_ministack_sessions_in_a_table_are_refused(tmp_path: Path, name: str) -> None:
    """The same words, and no sandbox whose every page fails."""
    app = write_tables(tmp_path / "app", files={".env": f"{name}=session\n"})
    failed = failed_start(app, "-S", environ=without_ministack(tmp_path / "packages"))
    assert failed.returncode == 1
    assert failed.stderr.endswith(
        f"ToolError: Sessions are to live in the table 'session', and tables here need: {NEEDED}\n"
    )
