"""Where the local cloud's data lies, and that one sandbox at a time has it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from arc.tools.sandbox.cloud_state import FOLDER, CloudState

if TYPE_CHECKING:
    from pathlib import Path


def test_the_data_lies_in_the_app_and_is_never_committed(tmp_path: Path) -> None:
    """Its folder tells git so itself, and others on the machine cannot look inside."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    state = CloudState(tmp_path)
    (state.folder / "dynamodb.json").write_text("{}")
    state.close()
    status = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"], cwd=tmp_path, capture_output=True, check=True
    )
    assert status.stdout == b""
    assert (tmp_path / FOLDER).stat().st_mode & 0o077 == 0


def test_the_data_is_there_again(tmp_path: Path) -> None:
    """Unless a fresh beginning is asked for; what a killed cloud left beside it goes."""
    first = CloudState(tmp_path)
    assert first.is_kept
    for name in ("dynamodb.json", "ministack-4711.pid"):
        (first.folder / name).write_text("{}")
    first.close()
    second = CloudState(tmp_path)
    assert [file.name for file in second.folder.iterdir()] == ["dynamodb.json"]
    second.close()
    third = CloudState(tmp_path, fresh=True)
    assert third.is_kept
    assert list(third.folder.iterdir()) == []
    third.close()


def test_a_second_sandbox_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    """Even a fresh one touches nothing of the first, and its folder goes with it."""
    first = CloudState(tmp_path)
    (first.folder / "dynamodb.json").write_text("{}")
    second = CloudState(tmp_path, fresh=True)
    assert not second.is_kept
    assert second.reason == "another sandbox of this app has its tables"
    assert list(second.folder.iterdir()) == []
    (second.folder / "dynamodb.json").write_text("{}")
    second.close()
    assert not second.folder.exists()
    assert (first.folder / "dynamodb.json").exists()
    first.close()


def test_a_cloud_that_still_saves_is_waited_for(tmp_path: Path) -> None:
    """The sandbox was killed and its cloud has not ended yet: the next one begins when it has."""
    killed = CloudState(tmp_path)
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
            assert following.stdout.readline() == b"True\n"


_TAKES_IT = (
    "import sys; from pathlib import Path; from arc.tools.sandbox.cloud_state import CloudState; "
    "print('begins', flush=True); print(CloudState(Path(sys.argv[1])).is_kept, flush=True)"
)


def test_an_app_that_cannot_be_written_to_has_tables_all_the_same(tmp_path: Path) -> None:
    """For as long as the sandbox runs; the reason is said."""
    (tmp_path / FOLDER).write_text("a file in the way")
    state = CloudState(tmp_path)
    assert not state.is_kept
    assert FOLDER in state.reason
    assert state.folder.is_dir()
    state.close()
    assert not state.folder.exists()
