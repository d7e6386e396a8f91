"""Where the local cloud's data lies, and that one process at a time has it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from arc.errors import ToolError
from arc.tools.sandbox.cloud.state import (
    COMMAND,
    FOLDER,
    SANDBOX,
    CloudAddress,
    StateTaken,
    passing_state,
    read_address,
    take_state,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_data_lies_in_the_app_and_is_never_committed(tmp_path: Path) -> None:
    """Its folder tells git so itself, and others on the machine cannot look inside."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    state = take_state(tmp_path, SANDBOX)
    (state.folder / "dynamodb.json").write_text("{}")
    (state.scratch / "code.zip").write_text("")
    CloudAddress(1, 2, "token").write(tmp_path / FOLDER)
    state.close()
    status = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"], cwd=tmp_path, capture_output=True, check=True
    )
    assert status.stdout == b""
    assert (tmp_path / FOLDER).stat().st_mode & 0o077 == 0
    assert (tmp_path / FOLDER / "cloud.json").stat().st_mode & 0o077 == 0


def test_the_data_is_there_again(tmp_path: Path) -> None:
    """Unless a fresh beginning is asked for."""
    first = take_state(tmp_path, SANDBOX)
    (first.folder / "dynamodb.json").write_text("{}")
    first.close()
    second = take_state(tmp_path, COMMAND)
    assert [file.name for file in second.folder.iterdir()] == ["dynamodb.json"]
    second.close()
    third = take_state(tmp_path, SANDBOX, fresh=True)
    assert list(third.folder.iterdir()) == []
    third.close()


def test_what_a_killed_cloud_left_behind_goes(tmp_path: Path) -> None:
    """The code of its functions, and the address at which nobody answers any more."""
    killed = subprocess.run([sys.executable, "-c", _IS_KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert read_address(tmp_path / FOLDER) == CloudAddress(1, 2, "token")
    following = take_state(tmp_path, COMMAND)
    assert list(following.scratch.iterdir()) == []
    assert read_address(tmp_path / FOLDER) is None
    following.close()


_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from arc.tools.sandbox.cloud.state import CloudAddress
from arc.tools.sandbox.cloud.state import take_state

state = take_state(Path(sys.argv[1]), "sandbox")
(state.scratch / "code").mkdir()
(state.scratch / "code" / "handler.py").write_text("")
CloudAddress(1, 2, "token").write(state.home)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (SANDBOX, "another sandbox of this app has its tables"),
        (
            COMMAND,
            "A command with --local has the app's local cloud (process {}): the tables are made when it has ended.",
        ),
    ],
)
def test_one_process_has_it(tmp_path: Path, by: str, told: str) -> None:
    """Others hear which kind it is, and touch nothing, not even for a fresh beginning."""
    first = take_state(tmp_path, by)
    (first.folder / "dynamodb.json").write_text("{}")
    (first.scratch / "code.zip").write_text("")
    CloudAddress(1, 2, "token").write(tmp_path / FOLDER)
    for _ in range(2):
        with pytest.raises(StateTaken) as raised:
            take_state(tmp_path, SANDBOX, fresh=True)
        assert raised.value.by == by
        assert str(raised.value) == told.format(os.getpid())
    assert (first.folder / "dynamodb.json").exists()
    assert (first.scratch / "code.zip").exists()
    assert read_address(tmp_path / FOLDER) == CloudAddress(1, 2, "token")
    first.close()
    take_state(tmp_path, COMMAND).close()


def test_a_passing_one_is_empty_and_goes() -> None:
    """For a second sandbox, and for an app that cannot be written to."""
    state = passing_state()
    assert state.home is None
    for folder in (state.folder, state.scratch):
        assert list(folder.iterdir()) == []
        (folder / "dynamodb.json").write_text("{}")
    state.close()
    assert not state.folder.exists()
    assert not state.scratch.exists()


def test_a_cloud_that_still_saves_is_waited_for(tmp_path: Path) -> None:
    """The sandbox was killed and its cloud has not ended yet: the next one begins when it has."""
    killed = take_state(tmp_path, SANDBOX)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=killed.descriptors
    ) as cloud:
        killed.close()
        with subprocess.Popen(
            [sys.executable, "-c", _TAKES_IT, str(tmp_path)], stdout=subprocess.PIPE, env=dict(os.environ)
        ) as following:
            assert following.stdout is not None
            assert following.stdout.readline() == b"begins\n"
            assert cloud.stdin is not None
            cloud.stdin.close()
            cloud.wait()
            assert following.stdout.readline() == b"has it\n"


_TAKES_IT = (
    "import sys; from pathlib import Path; from arc.tools.sandbox.cloud.state import take_state; "
    "print('begins', flush=True); take_state(Path(sys.argv[1]), 'sandbox'); print('has it', flush=True)"
)


def test_an_app_that_cannot_be_written_to_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Which names the file."""
    (tmp_path / FOLDER).write_text("a file in the way")
    with pytest.raises(OSError, match=FOLDER):
        take_state(tmp_path, SANDBOX)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"port": "1", "process": 2, "token": "t"}', '{"port": 1, "process": 2}', "\udcff"]
)
def test_an_address_that_nobody_wrote_is_none(tmp_path: Path, content: str) -> None:
    """A torn or foreign file stops no command."""
    (tmp_path / "cloud.json").write_bytes(content.encode(errors="surrogateescape"))
    assert read_address(tmp_path) is None


def test_data_outside_the_app_is_not_used(tmp_path: Path) -> None:
    """A link in place of the folder could lead to files that a fresh start would delete."""
    app, outside = tmp_path / "app", tmp_path / "outside"
    app.mkdir()
    (outside / "data").mkdir(parents=True)
    (app / ".arc-sandbox").symlink_to(outside)
    with pytest.raises(ToolError, match=r"\.arc-sandbox leads out of the app"):
        take_state(app, COMMAND, fresh=True)
    assert [file.name for file in outside.iterdir()] == ["data"]
