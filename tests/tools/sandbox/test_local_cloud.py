"""The local cloud's process: its start, its end, and the messages when it ends unexpectedly."""

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
from arc.tools.sandbox.cloud.state import temporary_state
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
    ("logs", "describe_log_groups"),
    ("s3", "list_buckets"),
    ("sts", "get_caller_identity"),
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
    """Yield a cloud, and the queue of its messages."""
    said: queue.Queue[str] = queue.Queue()
    state = temporary_state()
    cloud = LocalCloud(state, said.put)
    try:
        yield cloud, said
    finally:
        cloud.close()
        state.close()


def interpreter(folder: Path, script: str) -> str:
    """Write an executable that runs `script` in place of an interpreter, and return its path."""
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def refused(python: str) -> str:
    """Return the error when a cloud is started with this interpreter."""
    state = temporary_state()
    try:
        with pytest.raises(ToolError) as raised:
            LocalCloud(state, print, python=python)
    finally:
        state.close()
    return str(raised.value)


def test_is_installed_imports_neither_package() -> None:
    """The check runs in a separate process."""
    code = (
        "import sys; from arc.tools.sandbox.cloud.local_cloud import is_installed; "
        "print(is_installed(), 'ministack' in sys.modules, 'boto3' in sys.modules)"
    )
    answered = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answered.stdout == "True False False\n"
    assert is_installed()


def test_cloud_listens_on_one_loopback_port() -> None:
    """No other socket is open."""
    with running_cloud() as (cloud, _):
        assert listening_addresses(cloud.process_id) == {f"127.0.0.1:{cloud.port}"}


def test_cloud_provides_only_the_services_of_an_app() -> None:
    """Requests to other services fail."""
    with running_cloud() as (cloud, _):
        for service, operation in _SERVED:
            assert getattr(client_of(cloud.url, service), operation)()["ResponseMetadata"]["HTTPStatusCode"] == 200
        for service, operation in (("kinesis", "list_streams"), ("sqs", "list_queues"), ("events", "list_rules")):
            client = client_of(cloud.url, service)
            with pytest.raises(client.exceptions.ClientError):
                getattr(client, operation)()


def test_cloud_is_identified_by_its_token() -> None:
    """Each cloud has a different one."""
    with running_cloud() as (one, _), running_cloud() as (other, _):
        assert answers(one.port, one.token)
        assert answers(other.port, other.token)
        assert not answers(one.port, other.token)
    assert not answers(one.port, one.token)


def test_other_program_at_the_clouds_port_is_an_error(tmp_path: Path) -> None:
    """It may have bound the port first, and returns no token or a different one."""
    stranger = tmp_path / "stranger.py"
    stranger.write_text(_STRANGER)
    message = refused(interpreter(tmp_path, f'exec "{sys.executable}" "{stranger}"'))
    assert message.startswith("The local cloud (ministack) ended with exit code 7. Its last lines:\n  asked 3 times")


def test_closing_the_cloud_prints_nothing() -> None:
    """Its process ends."""
    with running_cloud() as (cloud, said):
        assert cloud.failure is None
    assert ends(cloud.process_id)
    assert said.empty()


def test_killed_cloud_is_reported_once() -> None:
    """The message says what to do."""
    with running_cloud() as (cloud, said):
        os.kill(cloud.process_id, signal.SIGKILL)
        message = said.get(timeout=PATIENCE)
        assert message.startswith(
            "The local cloud (ministack) ended with exit code -9. The tables are unavailable until you restart the"
        )
        assert cloud.failure is not None
    assert said.empty()


def test_failed_start_shows_the_last_lines(tmp_path: Path) -> None:
    """The message says how to reinstall ministack."""
    message = refused(interpreter(tmp_path, f'exec "{sys.executable}" -S "$@"'))
    assert message.startswith("The local cloud (ministack) ended with exit code 1. Its last lines:\n")
    assert "No module named 'ministack'" in message
    assert message.endswith("If the installation is damaged, reinstall it: pip install 'arc-sessions[local]'")


def test_failed_start_shows_only_the_last_lines(tmp_path: Path) -> None:
    """The cloud may print any number of lines, or none."""
    message = refused(interpreter(tmp_path, "seq 1 5000; exit 3"))
    assert message.startswith("The local cloud (ministack) ended with exit code 3. Its last lines:\n  4989\n  4990\n")
    assert "\n  5000\n" in message
    assert refused(interpreter(tmp_path, "exit 4")).startswith(
        "The local cloud (ministack) ended with exit code 4. It printed nothing."
    )


def test_cloud_inherits_only_a_few_shell_variables(tmp_path: Path) -> None:
    """It sees neither credentials nor variables that open ports."""
    state = temporary_state()
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
        ("SERVICES", "dynamodb,dynamodbstreams,ssm,lambda,apigateway,cloudformation,tagging,iam,s3,sts,logs"),
    ]
