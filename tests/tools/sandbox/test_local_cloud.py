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
from arc.tools.sandbox.cloud.local_cloud import LocalCloud, answers, is_installed
from arc.tools.sandbox.cloud.state import passing_state
from tests.engines import client_of
from tests.tools.sandbox.running import PATIENCE, ends, listening_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SERVED = (
    ("dynamodb", "list_tables"),
    ("dynamodbstreams", "list_streams"),
    ("ssm", "describe_parameters"),
    ("lambda", "list_functions"),
    ("apigatewayv2", "get_apis"),
    ("cloudformation", "describe_stacks"),
    ("resourcegroupstaggingapi", "get_resources"),
    ("iam", "list_roles"),
)
_STRANGER = """
import http.server, os

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"edition": "light"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_): pass

with http.server.HTTPServer(("127.0.0.1", int(os.environ["GATEWAY_PORT"])), Health) as server:
    for _ in range(3):
        server.handle_request()
print("asked 3 times")
raise SystemExit(7)
"""


@contextmanager
def running_cloud() -> Iterator[tuple[LocalCloud, queue.Queue[str]]]:
    """A cloud, and what it says when it ends by itself."""
    said: queue.Queue[str] = queue.Queue()
    state = passing_state()
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


def refused(python: str) -> str:
    """Why a cloud does not start with this interpreter."""
    state = passing_state()
    try:
        with pytest.raises(ToolError) as raised:
            LocalCloud(state, print, python=python)
    finally:
        state.close()
    return str(raised.value)


def test_it_is_found_without_being_imported() -> None:
    """In a process of its own: asking costs nothing."""
    code = (
        "import sys; from arc.tools.sandbox.cloud.local_cloud import is_installed; "
        "print(is_installed(), 'ministack' in sys.modules, 'boto3' in sys.modules)"
    )
    answered = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answered.stdout == "True False False\n"
    assert is_installed()


def test_it_listens_on_loopback_alone() -> None:
    """On one port."""
    with running_cloud() as (cloud, _):
        assert listening_addresses(cloud.process_id) == {f"127.0.0.1:{cloud.port}"}


def test_it_answers_for_the_services_of_an_app_alone() -> None:
    """Others would be ways in that nobody needs."""
    with running_cloud() as (cloud, _):
        for service, operation in _SERVED:
            assert getattr(client_of(cloud.url, service), operation)()["ResponseMetadata"]["HTTPStatusCode"] == 200
        for service, operation in (("s3", "list_buckets"), ("sqs", "list_queues"), ("events", "list_rules")):
            client = client_of(cloud.url, service)
            with pytest.raises(client.exceptions.ClientError):
                getattr(client, operation)()


def test_it_is_known_by_its_token() -> None:
    """Which is another one for each cloud."""
    with running_cloud() as (one, _), running_cloud() as (other, _):
        assert answers(one.port, one.token)
        assert answers(other.port, other.token)
        assert not answers(one.port, other.token)
    assert not answers(one.port, one.token)


def test_another_cloud_at_its_port_is_not_taken_for_it(tmp_path: Path) -> None:
    """It may have won the free port in between: what answers there has no token, or another."""
    stranger = tmp_path / "stranger.py"
    stranger.write_text(_STRANGER)
    told = refused(interpreter(tmp_path, f'exec "{sys.executable}" "{stranger}"'))
    assert told.startswith("The local cloud (ministack) has ended with 7. Its last words:\n  asked 3 times")


def test_closing_it_ends_it_and_says_nothing() -> None:
    """That is how it is meant to end."""
    with running_cloud() as (cloud, said):
        assert cloud.failure is None
    assert ends(cloud.process_id)
    assert said.empty()


def test_it_says_that_it_was_killed() -> None:
    """Once, with what to do."""
    with running_cloud() as (cloud, said):
        os.kill(cloud.process_id, signal.SIGKILL)
        told = said.get(timeout=PATIENCE)
        assert told.startswith(
            "The local cloud (ministack) has ended with -9: the tables are gone until you start the sandbox again."
        )
        assert cloud.failure is not None
    assert said.empty()


def test_an_interpreter_without_it_is_told_with_the_last_lines(tmp_path: Path) -> None:
    """And how it is installed."""
    told = refused(interpreter(tmp_path, f'exec "{sys.executable}" -S "$@"'))
    assert told.startswith("The local cloud (ministack) has ended with 1. Its last words:\n")
    assert "No module named 'ministack'" in told
    assert told.endswith("If it is damaged, install it again: pip install 'arc-sessions[local]'")


def test_only_the_last_lines_are_told(tmp_path: Path) -> None:
    """However much it says."""
    told = refused(interpreter(tmp_path, "seq 1 5000; exit 3"))
    assert told.startswith("The local cloud (ministack) has ended with 3. Its last words:\n  4989\n  4990\n")
    assert "\n  5000\n" in told
    assert refused(interpreter(tmp_path, "exit 4")).startswith(
        "The local cloud (ministack) has ended with 4. Its last words: Nothing."
    )


def test_nothing_of_the_shell_reaches_it_but_what_a_process_needs(tmp_path: Path) -> None:
    """Neither credentials nor variables that would open ports."""
    state = passing_state()
    python = interpreter(tmp_path, "env | grep -E '^(AWS_|USE_SSL|SERVICES|HOME|LAMBDA_|DOCKER_)' | sort; exit 1")
    shell = {"PATH": os.environ["PATH"], "HOME": "/h", "AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "real"}
    shell |= {"USE_SSL": "1", "SERVICES": "s3", "LAMBDA_EXECUTOR": "docker", "DOCKER_HOST": "tcp://127.0.0.1:2375"}
    with pytest.raises(ToolError) as raised:
        LocalCloud(state, print, environ=shell, python=python)
    state.close()
    assert re.findall(r"^  (.+?)=(.+)$", str(raised.value), re.MULTILINE) == [
        ("AWS_ACCESS_KEY_ID", "dummy"),
        ("AWS_CONFIG_FILE", os.devnull),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_SECRET_ACCESS_KEY", "dummy"),
        ("AWS_SHARED_CREDENTIALS_FILE", os.devnull),
        ("DOCKER_HOST", f"unix://{state.scratch / 'none'}"),
        ("HOME", "/h"),
        ("LAMBDA_EXECUTOR", "local"),
        ("SERVICES", "dynamodb,dynamodbstreams,ssm,lambda,apigateway,cloudformation,tagging,iam"),
    ]
