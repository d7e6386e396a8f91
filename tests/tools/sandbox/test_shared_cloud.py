"""Commands with `--local`, which find a running local cloud or start one."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from arc.errors import ToolError
from arc.tools.sandbox.cloud.shared_cloud import open_local_cloud
from arc.tools.sandbox.cloud.state import FOLDER
from tests.tools.sandbox.cloud import cloud_of, is_cloud, port_of, put, write_tables
from tests.tools.sandbox.commands import command, write, written
from tests.tools.sandbox.running import PATIENCE, children_of, ends, running

if TYPE_CHECKING:
    from pathlib import Path

WAITS = "A command is still using the local cloud. Waiting for it; press Ctrl-C to stop the cloud now."


def cloud_process(owner: int) -> int:
    """Wait until a process has started a local cloud, and return the cloud's process id."""
    end = time.monotonic() + PATIENCE
    while True:
        found = [child for child in children_of(owner) if is_cloud(child)]
        if found:
            return found[0]
        assert time.monotonic() < end


def test_single_command_starts_and_stops_the_cloud(tmp_path: Path) -> None:
    """The next command finds its data."""
    with command(tmp_path) as first:
        url = first.said("url")
        address = tmp_path / FOLDER / "cloud.json"
        content = json.loads(address.read_text())
        assert url == f"http://127.0.0.1:{content['port']}"
        assert content["process"] == first.process.pid
        assert address.stat().st_mode & 0o777 == 0o600
        cloud = cloud_process(first.process.pid)
        write(url, "kept")
        first.finish()
        first.said("ended")
        first.ends()
        assert ends(cloud)
        assert not address.exists()
    with command(tmp_path) as second:
        assert written(second.said("url")) == ["kept"]


def test_simultaneous_commands_share_a_cloud(tmp_path: Path) -> None:
    """The one that started it waits for the other one and prints that."""
    with command(tmp_path) as first, command(tmp_path) as second:
        url = first.said("url") if _starts(tmp_path, first.process.pid) else second.said("url")
        starter, guest = (first, second) if _starts(tmp_path, first.process.pid) else (second, first)
        assert guest.said("url") == url
        cloud = cloud_process(starter.process.pid)
        starter.finish()
        assert starter.said("notice") == WAITS
        write(url, "late")
        guest.finish()
        guest.said("ended")
        starter.said("ended")
        assert ends(cloud)
    with command(tmp_path) as third:
        assert written(third.said("url")) == ["late"]


def _starts(root: Path, process: int) -> bool:
    """Wait until the app's cloud runs; return True if this process has started it."""
    address = root / FOLDER / "cloud.json"
    end = time.monotonic() + PATIENCE
    while not address.exists():
        assert time.monotonic() < end
        time.sleep(0.005)
    return bool(json.loads(address.read_text())["process"] == process)


def test_overlapping_commands_lose_no_data(tmp_path: Path) -> None:
    """Each one joins the running cloud, or waits until the previous one has saved."""
    names = [f"of-{number}" for number in range(8)]
    with ExitStack() as stack:
        commands = [stack.enter_context(command(tmp_path)) for _ in names[:4]]
        for number, name in enumerate(names):
            write(commands[number].said("url"), name)
            commands[number].finish()
            if len(commands) < len(names):
                commands.append(stack.enter_context(command(tmp_path)))
        for one in commands:
            one.process.wait(PATIENCE)
    with command(tmp_path) as last:
        assert written(last.said("url")) == names


def test_command_uses_the_cloud_of_a_sandbox(tmp_path: Path) -> None:
    """The sandbox ends after the command."""
    with running(write_tables(tmp_path)) as sandbox, command(tmp_path) as one:
        url = one.said("url")
        assert url == f"http://127.0.0.1:{port_of(sandbox)}"
        put(sandbox, "session", _idx="kept")
        sandbox.process.send_signal(signal.SIGINT)
        sandbox.wait_for(WAITS)
        write(url, "late")
        one.finish()
        one.said("ended")
        sandbox.stop()
    with running(tmp_path) as sandbox:
        assert written(f"http://127.0.0.1:{port_of(sandbox)}") == ["late"]


def test_second_interrupt_ends_the_sandbox_at_once(tmp_path: Path) -> None:
    """Its rows are saved."""
    with running(write_tables(tmp_path)) as sandbox, command(tmp_path) as one:
        write(one.said("url"), "kept")
        cloud = cloud_of(sandbox)
        sandbox.process.send_signal(signal.SIGINT)
        sandbox.wait_for(WAITS)
        sandbox.process.send_signal(signal.SIGINT)
        sandbox.process.wait(PATIENCE)
        assert ends(cloud)
        with command(tmp_path) as following:
            assert written(following.said("url")) == ["kept"]
            one.finish()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.sampled(1)
def test_command_after_a_killed_owner_starts_its_own_cloud(tmp_path: Path, number: int) -> None:
    """It waits until the old cloud has saved."""
    with command(tmp_path) as killed:
        url = killed.said("url")
        write(url, "kept")
        killed.process.send_signal(number)
        killed.process.wait(PATIENCE)
        with command(tmp_path) as following:
            own = following.said("url")
            assert own != url
            assert written(own) == ["kept"]


def test_owner_does_not_wait_for_a_killed_guest(tmp_path: Path) -> None:
    """The guest no longer uses the cloud."""
    with command(tmp_path) as owner:
        url = owner.said("url")
        with command(tmp_path) as guest:
            assert guest.said("url") == url
            owner.finish()
            owner.said("notice")
            guest.process.kill()
            owner.said("ended")


def test_dead_cloud_is_an_error_that_names_its_owner(tmp_path: Path) -> None:
    """The command waits only for a short time."""
    with running(write_tables(tmp_path)) as sandbox:
        os.kill(cloud_of(sandbox), signal.SIGKILL)
        sandbox.wait_for("ended with exit code -9")
        with command(tmp_path, "0.5") as refused:
            message = refused.said("error")
    assert message == (
        f"The app's local cloud, which process {sandbox.process.pid} has started, does not answer. "
        "Stop that process and run the command again."
    )


def test_cloud_with_another_token_is_not_used(tmp_path: Path) -> None:
    """The token identifies a cloud."""
    with running(write_tables(tmp_path)) as sandbox:
        address = tmp_path / FOLDER / "cloud.json"
        content = json.loads(address.read_text())
        address.write_text(json.dumps({**content, "token": "another"}))
        with command(tmp_path, "0.5") as refused:
            assert "does not answer" in refused.said("error")
        address.write_text(json.dumps(content))
        with command(tmp_path) as one:
            assert one.said("url") == f"http://127.0.0.1:{port_of(sandbox)}"


def test_interrupt_during_the_start_leaves_nothing(tmp_path: Path) -> None:
    """It arrives at several moments of the start."""
    for pause in (0.0, 0.01, 0.03, 0.06):
        with command(tmp_path) as interrupted:
            cloud = cloud_process(interrupted.process.pid)
            time.sleep(pause)
            interrupted.interrupt()
            interrupted.process.wait(PATIENCE)
            assert ends(cloud)
        assert not (tmp_path / FOLDER / "cloud.json").exists()
    with command(tmp_path) as following:
        write(following.said("url"), "works")


def test_interrupt_saves_the_data(tmp_path: Path) -> None:
    """This holds for one interrupt and for two."""
    for presses, kept in ((1, ["one"]), (2, ["one", "two"])):
        with command(tmp_path) as interrupted:
            write(interrupted.said("url"), kept[-1])
            cloud = cloud_process(interrupted.process.pid)
            for _ in range(presses):
                interrupted.interrupt()
                time.sleep(0.05)
            interrupted.process.wait(PATIENCE)
            assert ends(cloud)
        assert not (tmp_path / FOLDER / "cloud.json").exists()
        with command(tmp_path) as following:
            assert written(following.said("url")) == kept


def test_interrupted_guest_leaves_the_cloud_running(tmp_path: Path) -> None:
    """The cloud belongs to the other command."""
    with command(tmp_path) as owner:
        url = owner.said("url")
        with command(tmp_path) as guest:
            guest.said("url")
            guest.interrupt()
            guest.said("interrupted")
            guest.ends()
        write(url, "goes-on")
        owner.finish()
        owner.said("ended")


def test_missing_ministack_is_an_error(tmp_path: Path) -> None:
    """Nothing is written to the app."""
    with (
        pytest.raises(
            ToolError,
            match=r"--local requires a local cloud.* Run: pip install 'arc-sessions\[local\]'",
        ),
        open_local_cloud(tmp_path, notify=print, installed=lambda: False),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_unwritable_app_is_an_error(tmp_path: Path) -> None:
    """A command's changes would be lost at once."""
    (tmp_path / FOLDER).write_text("a file in the way")
    with (
        pytest.raises(ToolError, match=rf"Cannot write to .*{FOLDER}, where .*: File exists\."),
        open_local_cloud(tmp_path, notify=print),
    ):
        pass
