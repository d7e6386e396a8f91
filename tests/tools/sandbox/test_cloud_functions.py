"""Functions in the local cloud: what they see of the developer's machine, and how they end."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from arc.tools.sandbox.cloud.local_cloud import LocalCloud
from arc.tools.sandbox.cloud.state import COMMAND, take_state, temporary_state
from tests.tools.sandbox.cloud_functions import ask, functions, invoked, make_api, make_function
from tests.tools.sandbox.commands import command
from tests.tools.sandbox.running import PATIENCE, ends

if TYPE_CHECKING:
    from pathlib import Path


SHELL = {
    "ARC_APP_SECRET": "real",
    "AWS_ACCESS_KEY_ID": "real",
    "AWS_PROFILE": "real",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "DATABASE_URL": "real",
    "DOCKER_HOST": "real",
    "LAMBDA_EXECUTOR": "docker",
    "LOG_LEVEL": "real",
    "PYTHONWARNINGS": "real",
}
HANGS = """
import os, signal, time
from pathlib import Path

def handler(event, context):
    {first}
    Path({file!r} + ".new").write_text(str(os.getpid()))
    os.replace({file!r} + ".new", {file!r})
    time.sleep(600)
"""


def test_functions_see_nothing_of_the_shell() -> None:
    """They see neither credentials of the shell or the home folder, nor the cloud's settings."""
    state = temporary_state()
    with contextlib.closing(state):
        cloud = LocalCloud(state, print, environ={**SHELL, "PATH": os.environ["PATH"], "HOME": "/home/ada"})
        with contextlib.closing(cloud):
            make_function(cloud.url)
            environ = invoked(cloud.url)["environ"]
    assert "real" not in environ.values()
    kept_out = ("ARC_APP_SECRET", "AWS_PROFILE", "DATABASE_URL", "LOG_LEVEL", "PYTHONWARNINGS")
    assert not environ.keys() & set(kept_out)
    assert environ["AWS_ENDPOINT_URL"] == cloud.url
    assert environ["AWS_CONFIG_FILE"] == environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert (environ["LAMBDA_EXECUTOR"], environ["DOCKER_HOST"]) == ("local", f"unix://{state.scratch / 'none'}")
    assert environ["TMPDIR"] == str(state.scratch)


def test_functions_are_kept_between_runs(tmp_path: Path) -> None:
    """Their code is kept, and temporary files of the previous run are deleted."""
    with command(tmp_path) as first:
        url = first.said("url")
        make_function(url)
        process = invoked(url)["process"]
        first.finish()
        first.said("ended")
        assert ends(process)
        assert list((tmp_path / ".arc-sandbox").glob("scratch*")) == []
    with command(tmp_path) as second:
        assert invoked(second.said("url"))["process"] != process


@pytest.mark.parametrize("first", ["pass", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"], ids=["asleep", "deaf"])
@pytest.mark.sampled(1)
def test_hanging_function_ends_with_the_cloud(tmp_path: Path, first: str) -> None:
    """It ends even if it ignores signals, and the cloud saves its data."""
    state = take_state(tmp_path, COMMAND)
    with contextlib.closing(state):
        cloud = LocalCloud(state, print)
        with contextlib.closing(cloud):
            function, asking = hanging(cloud.url, tmp_path / "process", first)
        assert ends(function)
        asking.join(PATIENCE)
        assert (state.folder / "lambda.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.sampled(1)
def test_hanging_function_ends_when_the_clouds_owner_is_killed(tmp_path: Path, number: int) -> None:
    """The cloud saves its data."""
    with command(tmp_path) as owner:
        url = owner.said("url")
        function, asking = hanging(url, tmp_path / "process")
        owner.process.send_signal(number)
        assert ends(function)
        asking.join(PATIENCE)
    with command(tmp_path) as following:
        assert functions(following.said("url")) == ["shop"]


def test_hanging_function_ends_when_the_cloud_is_killed(tmp_path: Path) -> None:
    """Another process kills the cloud."""
    state = temporary_state()
    with contextlib.closing(state):
        cloud = LocalCloud(state, print)
        with contextlib.closing(cloud):
            function, asking = hanging(cloud.url, tmp_path / "process")
            os.kill(cloud.process_id, signal.SIGKILL)
            assert ends(function)
            asking.join(PATIENCE)


def hanging(url: str, file: Path, first: str = "pass") -> tuple[int, threading.Thread]:
    """Start a function that hangs; yield its process id and the thread that invokes it."""
    port = int(url.rpartition(":")[2])
    host = make_api(url, make_function(url, source=HANGS.format(first=first, file=str(file))))

    def asks() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            ask(port, "GET", "/", {"Host": host})

    asking = threading.Thread(target=asks, daemon=True)
    asking.start()
    end = time.monotonic() + PATIENCE
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    return int(file.read_text()), asking
