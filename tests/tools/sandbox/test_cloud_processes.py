"""The local cloud's process beside a running sandbox, and a sandbox without ministack."""

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
    """Return an environment in which `python -S` finds every package except ministack."""
    folder.mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if not package.name.startswith("ministack"):
            (folder / package.name).symlink_to(package)
    return {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{folder}"}


def test_all_processes_listen_on_loopback_only(tmp_path: Path) -> None:
    """This holds for the sandbox, the cloud and the workers."""
    with running(write_tables(tmp_path)) as sandbox:
        environ_of(sandbox)
        processes = [sandbox.process.pid, *children_of(sandbox.process.pid)]
        assert len(processes) >= 3
        found = {address for process in processes for address in listening_addresses(process)}
    assert len(found) >= 3
    assert {address.rpartition(":")[0] for address in found} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.sampled(1)
def test_cloud_ends_with_the_sandbox(tmp_path: Path, number: int) -> None:
    """Nothing is printed, whatever ends the sandbox."""
    with running(write_tables(tmp_path)) as sandbox:
        before = sandbox.output
        cloud = cloud_of(sandbox)
        sandbox.stop(number)
        assert ends(cloud)
        assert sandbox.output == before


def test_cloud_ends_when_tables_cannot_be_created(tmp_path: Path) -> None:
    """A failed start leaves no process behind and releases the data."""
    write_tables(tmp_path, files={"sandbox-seed.json": '{"nobody": []}'})
    failed = failed_start(tmp_path)
    assert failed.returncode == 1
    assert "sandbox-seed.json: unknown table 'nobody'" in failed.stderr
    assert _using(tmp_path) == []
    (tmp_path / "sandbox-seed.json").unlink()
    with running(tmp_path) as sandbox:
        assert "nother sandbox" not in sandbox.output


def _using(folder: Path) -> list[str]:
    """Return the files below a folder that any process has open, such as the lock of a local cloud."""
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [path for path in found if path.startswith(f"{folder}{os.sep}")]


def test_death_of_the_cloud_is_reported_at_once(tmp_path: Path) -> None:
    """The app keeps running."""
    with running(write_tables(tmp_path, {"get /": says("still here")})) as sandbox:
        os.kill(cloud_of(sandbox), signal.SIGKILL)
        sandbox.wait_for(r"The local cloud \(ministack\) ended with exit code -9\. .*restart the sandbox")
        assert sandbox.get("/").text == "still here"


def test_without_ministack_the_app_runs_with_a_warning(tmp_path: Path) -> None:
    """Sessions in the sealed cookie need no table."""
    app = write_tables(tmp_path / "app")
    with running(app, environ=without_ministack(tmp_path / "packages"), python=(sys.executable, "-S")) as sandbox:
        assert sandbox.output.count(NEEDED) == 1
        assert f"Warning: The app runs without its tables. To create them, run: {NEEDED} (" in sandbox.output
        assert environ_of(sandbox)["ARC_SESSION_TABLE_NAME"] == "jwe"


@pytest.mark.parametrize("name", ["SESSION_TABLE_NAME", "ARC_SESSION_TABLE_NAME"])
def test_without_ministack_sessions_in_a_table_are_an_error(tmp_path: Path, name: str) -> None:
    """The message says what to install."""
    app = write_tables(tmp_path / "app", files={".env": f"{name}=session\n"})
    failed = failed_start(app, "-S", environ=without_ministack(tmp_path / "packages"))
    assert failed.returncode == 1
    assert failed.stderr.endswith(
        f"ToolError: Sessions are stored in the table 'session', which requires a local cloud: {NEEDED}\n"
    )
