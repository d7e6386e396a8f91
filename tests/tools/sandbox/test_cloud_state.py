"""The local cloud's data, and the lock that one process at a time holds on it."""

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
    read_address,
    take_state,
    temporary_state,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_data_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    """Its folder has a .gitignore, and other users cannot read it."""
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


def test_data_is_kept_between_runs(tmp_path: Path) -> None:
    """A fresh start deletes it."""
    first = take_state(tmp_path, SANDBOX)
    (first.folder / "dynamodb.json").write_text("{}")
    first.close()
    second = take_state(tmp_path, COMMAND)
    assert [file.name for file in second.folder.iterdir()] == ["dynamodb.json"]
    second.close()
    third = take_state(tmp_path, SANDBOX, fresh=True)
    assert list(third.folder.iterdir()) == []
    third.close()


def test_remains_of_a_killed_cloud_are_deleted(tmp_path: Path) -> None:
    """These are the code of its functions, and its address."""
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
    ("by", "message"),
    [
        (SANDBOX, "Another sandbox is using this app's tables."),
        (
            COMMAND,
            "A command with --local is using the app's local cloud (process {}). The tables are created when it ends.",
        ),
    ],
)
def test_one_process_at_a_time_has_the_data(tmp_path: Path, by: str, message: str) -> None:
    """The error says which kind of process has it, and even a fresh start changes nothing."""
    first = take_state(tmp_path, by)
    (first.folder / "dynamodb.json").write_text("{}")
    (first.scratch / "code.zip").write_text("")
    CloudAddress(1, 2, "token").write(tmp_path / FOLDER)
    for _ in range(2):
        with pytest.raises(StateTaken) as raised:
            take_state(tmp_path, SANDBOX, fresh=True)
        assert raised.value.by == by
        assert str(raised.value) == message.format(os.getpid())
    assert (first.folder / "dynamodb.json").exists()
    assert (first.scratch / "code.zip").exists()
    assert read_address(tmp_path / FOLDER) == CloudAddress(1, 2, "token")
    first.close()
    take_state(tmp_path, COMMAND).close()


def test_temporary_state_is_empty_and_deleted_at_the_end() -> None:
    """It is for a second sandbox, and for an app that is not writable."""
    state = temporary_state()
    assert state.home is None
    for folder in (state.folder, state.scratch):
        assert list(folder.iterdir()) == []
        (folder / "dynamodb.json").write_text("{}")
    state.close()
    assert not state.folder.exists()
    assert not state.scratch.exists()


def test_next_process_waits_until_the_cloud_has_saved(tmp_path: Path) -> None:
    """The sandbox was killed, and its cloud is still running."""
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


def test_unwritable_app_raises_oserror(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / FOLDER).write_text("a file in the way")
    with pytest.raises(OSError, match=FOLDER):
        take_state(tmp_path, SANDBOX)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"port": "1", "process": 2, "token": "t"}', '{"port": 1, "process": 2}', "\udcff"]
)
def test_invalid_address_file_is_ignored(tmp_path: Path, content: str) -> None:
    """A command continues without it."""
    (tmp_path / "cloud.json").write_bytes(content.encode(errors="surrogateescape"))
    assert read_address(tmp_path) is None


def test_link_out_of_the_app_is_refused(tmp_path: Path) -> None:
    """A fresh start could otherwise delete files outside of the app."""
    app, outside = tmp_path / "app", tmp_path / "outside"
    app.mkdir()
    (outside / "data").mkdir(parents=True)
    (app / ".arc-sandbox").symlink_to(outside)
    with pytest.raises(ToolError, match=r"\.arc-sandbox leads out of the app"):
        take_state(app, COMMAND, fresh=True)
    assert [file.name for file in outside.iterdir()] == ["data"]
