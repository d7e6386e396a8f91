"""Commands with `--local`: each finds the local cloud that runs, or starts it, and none ends it under another."""

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

WAITS = "A command still uses the local cloud, which ends after it. Ctrl-C ends it now."


def cloud_process(owner: int) -> int:
    """The local cloud that a process has started, once it is there."""
    end = time.monotonic() + PATIENCE
    while True:
        found = [child for child in children_of(owner) if is_cloud(child)]
        if found:
            return found[0]
        assert time.monotonic() < end


def test_a_command_alone_starts_it_and_ends_it(tmp_path: Path) -> None:
    """What it has written is there for the next one."""
    with command(tmp_path) as first:
        url = first.said("url")
        address = tmp_path / FOLDER / "cloud.json"
        told = json.loads(address.read_text())
        assert url == f"http://127.0.0.1:{told['port']}"
        assert told["process"] == first.process.pid
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


def test_two_at_once_work_on_one_cloud(tmp_path: Path) -> None:
    """Whoever started it ends it when the other one has finished, and says so."""
    with command(tmp_path) as first, command(tmp_path) as second:
        url = first.said("url") if _starts(tmp_path, first.process.pid) else second.said("url")
        starter, guest = (first, second) if _starts(tmp_path, first.process.pid) else (second, first)
        assert guest.said("url") == url
        cloud = cloud_process(starter.process.pid)
        starter.finish()
        assert starter.said("told") == WAITS
        write(url, "late")
        guest.finish()
        guest.said("ended")
        starter.said("ended")
        assert ends(cloud)
    with command(tmp_path) as third:
        assert written(third.said("url")) == ["late"]


def _starts(root: Path, process: int) -> bool:
    """True when the cloud of the app, once it runs, is this process's."""
    address = root / FOLDER / "cloud.json"
    end = time.monotonic() + PATIENCE
    while not address.exists():
        assert time.monotonic() < end
        time.sleep(0.005)
    return bool(json.loads(address.read_text())["process"] == process)


def test_many_in_a_row_and_at_once_lose_nothing(tmp_path: Path) -> None:
    """They begin while others end: each waits for what is saved, or joins what runs."""
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


def test_a_command_beside_a_sandbox_uses_its_cloud(tmp_path: Path) -> None:
    """The sandbox ends when the command has finished."""
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


def test_a_second_interrupt_ends_the_sandbox_at_once(tmp_path: Path) -> None:
    """Its rows are saved all the same."""
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
def test_an_owner_that_is_killed_stands_in_nobodys_way(tmp_path: Path, number: int) -> None:
    """The next one waits until its cloud has saved, and has a cloud of its own."""
    with command(tmp_path) as killed:
        url = killed.said("url")
        write(url, "kept")
        killed.process.send_signal(number)
        killed.process.wait(PATIENCE)
        with command(tmp_path) as following:
            own = following.said("url")
            assert own != url
            assert written(own) == ["kept"]


def test_a_guest_that_is_killed_is_not_waited_for(tmp_path: Path) -> None:
    """It uses the cloud no longer."""
    with command(tmp_path) as owner:
        url = owner.said("url")
        with command(tmp_path) as guest:
            assert guest.said("url") == url
            owner.finish()
            owner.said("told")
            guest.process.kill()
            owner.said("ended")


def test_a_cloud_that_has_died_is_not_waited_for_long(tmp_path: Path) -> None:
    """The owner is named, who has to end first."""
    with running(write_tables(tmp_path)) as sandbox:
        os.kill(cloud_of(sandbox), signal.SIGKILL)
        sandbox.wait_for("has ended with -9")
        with command(tmp_path, "0.5") as refused:
            told = refused.said("error")
    assert told == (
        f"The app's local cloud belongs to the process {sandbox.process.pid}, and does not answer. "
        "End that process, then run the command again."
    )


def test_another_cloud_at_the_address_is_not_taken_for_it(tmp_path: Path) -> None:
    """The token tells them apart."""
    with running(write_tables(tmp_path)) as sandbox:
        address = tmp_path / FOLDER / "cloud.json"
        told = json.loads(address.read_text())
        address.write_text(json.dumps({**told, "token": "another"}))
        with command(tmp_path, "0.5") as refused:
            assert "does not answer" in refused.said("error")
        address.write_text(json.dumps(told))
        with command(tmp_path) as one:
            assert one.said("url") == f"http://127.0.0.1:{port_of(sandbox)}"


def test_an_interrupt_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    """At several moments of the start."""
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


def test_an_interrupt_while_it_runs_ends_it_in_order(tmp_path: Path) -> None:
    """Once or twice: what was written is saved."""
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


def test_an_interrupted_guest_leaves_the_cloud_running(tmp_path: Path) -> None:
    """It belongs to the other one."""
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


def test_what_a_command_needs_is_told_where_it_is_missing(tmp_path: Path) -> None:
    """And nothing is written there."""
    with (
        pytest.raises(ToolError, match=r"--local needs a local cloud .*: pip install 'arc-sessions\[local\]'"),
        open_local_cloud(tmp_path, told=print, installed=lambda: False),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_app_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    """What a command sets there would be gone at once."""
    (tmp_path / FOLDER).write_text("a file in the way")
    with (
        pytest.raises(ToolError, match=rf"{FOLDER} cannot be used \(File exists\)"),
        open_local_cloud(tmp_path, told=print),
    ):
        pass
