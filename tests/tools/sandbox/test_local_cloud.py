"""The local cloud's process: how it starts, how it ends, and what is said when it does so by itself."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from arc.errors import ToolError
from arc.tools.sandbox.cloud_state import CloudState
from arc.tools.sandbox.local_cloud import LocalCloud, is_installed
from tests.engines import client_of
from tests.tools.sandbox.running import PATIENCE, ends, listening_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running_cloud(folder: Path) -> Iterator[tuple[LocalCloud, queue.Queue[str]]]:
    """A cloud, and what it says when it ends by itself."""
    said: queue.Queue[str] = queue.Queue()
    state = CloudState(folder)
    cloud = LocalCloud(state, said.put)
    try:
        yield cloud, said
    finally:
        cloud.close()
        state.close()


def interpreter(folder: Path, script: str) -> str:
    """Something that is started as an interpreter is, and does what `script` says."""
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def refused(folder: Path, python: str) -> str:
    """Why a cloud does not start with this interpreter."""
    state = CloudState(folder)
    try:
        with pytest.raises(ToolError) as raised:
            LocalCloud(state, print, python=python)
    finally:
        state.close()
    return str(raised.value)


def test_it_is_found_without_being_imported() -> None:
    """In a process of its own: asking costs nothing."""
    code = (
        "import sys; from arc.tools.sandbox.local_cloud import is_installed; "
        "print(is_installed(), 'ministack' in sys.modules, 'boto3' in sys.modules)"
    )
    answered = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answered.stdout == "True False False\n"
    assert is_installed()


def test_it_listens_on_loopback_alone(tmp_path: Path) -> None:
    """On one port."""
    with running_cloud(tmp_path) as (cloud, _):
        assert listening_addresses(cloud.process_id) == {f"127.0.0.1:{cloud.port}"}


def test_it_answers_for_tables_and_parameters_alone(tmp_path: Path) -> None:
    """What runs code is not there: a web page may send requests to this machine."""
    with running_cloud(tmp_path) as (cloud, _):
        assert client_of(cloud.url, "dynamodb").list_tables()["TableNames"] == []
        client = client_of(cloud.url, "lambda")
        with pytest.raises(client.exceptions.ClientError):
            client.list_functions()


def test_closing_it_ends_it_and_says_nothing(tmp_path: Path) -> None:
    """That is how it is meant to end."""
    with running_cloud(tmp_path) as (cloud, said):
        assert cloud.failure is None
    assert ends(cloud.process_id)
    assert said.empty()


def test_it_says_that_it_was_killed(tmp_path: Path) -> None:
    """Once, with what to do."""
    with running_cloud(tmp_path) as (cloud, said):
        os.kill(cloud.process_id, signal.SIGKILL)
        told = said.get(timeout=PATIENCE)
        assert told.startswith(
            "The local cloud (ministack) has ended with -9: the tables are gone until you start the sandbox again."
        )
        assert cloud.failure is not None
    assert said.empty()


def test_an_interpreter_without_it_is_told_with_the_last_lines(tmp_path: Path) -> None:
    """And how it is installed."""
    told = refused(tmp_path, interpreter(tmp_path, f'exec "{sys.executable}" -S "$@"'))
    assert told.startswith("The local cloud (ministack) has ended with 1. Its last words:\n")
    assert "No module named ministack" in told
    assert told.endswith("If it is damaged, install it again: pip install 'arc-sessions[local]'")


def test_only_the_last_lines_are_told(tmp_path: Path) -> None:
    """However much it says."""
    told = refused(tmp_path, interpreter(tmp_path, "seq 1 5000; exit 3"))
    assert told.startswith("The local cloud (ministack) has ended with 3. Its last words:\n  4989\n  4990\n")
    assert "\n  5000\n" in told
    assert refused(tmp_path, interpreter(tmp_path, "exit 4")).startswith(
        "The local cloud (ministack) has ended with 4. Its last words: Nothing."
    )


def test_nothing_of_the_shell_reaches_it_but_what_a_process_needs(tmp_path: Path) -> None:
    """Neither credentials nor variables that would open ports."""
    state = CloudState(tmp_path)
    python = interpreter(tmp_path, "env | grep -E '^(AWS_|USE_SSL|SERVICES|HOME)' | sort; exit 1")
    shell = {"PATH": os.environ["PATH"], "AWS_PROFILE": "work", "USE_SSL": "1", "SERVICES": "lambda", "HOME": "/h"}
    with pytest.raises(ToolError) as raised:
        LocalCloud(state, print, environ=shell, python=python)
    state.close()
    assert re.findall(r"^  (.+)=(.+)$", str(raised.value), re.MULTILINE) == [
        ("AWS_ACCESS_KEY_ID", "dummy"),
        ("AWS_SECRET_ACCESS_KEY", "dummy"),
        ("HOME", "/h"),
        ("SERVICES", "dynamodb,dynamodbstreams,ssm"),
    ]
