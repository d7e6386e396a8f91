"""`arc.events`, `arc.queues` and `arc.ws` in functions in Architect's sandbox."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines import environ_of, free_port
from tests.test_ws import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEROP = Path(__file__).parent
PAYLOAD = {"to": "ada@example.org", "text": "grüße"}
SECONDS = 30
APP = """
@app
messages

@aws
runtime python3.13

@http
post /sign-up

@events
mail

@queues
jobs

@ws
"""
SIGN_UP = f"""
import json, arc

def handler(event, context):
    answers = [arc.events.publish("mail", {PAYLOAD!r}), arc.queues.publish("jobs", [{PAYLOAD!r}])]
    for module in (arc.events, arc.queues):
        try:
            module.publish("nonesuch", 1)
        except TypeError as error:
            answers.append(str(error))
    return {{"statusCode": 200, "body": json.dumps(answers)}}
"""
RECEIVE = """
import arc, json, os, pathlib

def handler(event, context):
    file = pathlib.Path({file!r})
    file.with_suffix(".part").write_text(json.dumps(arc.{kind}.parse(event)))
    file.with_suffix(".part").rename(file)
"""
GREET = f"""
import arc

def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    arc.ws.send(connection, {PAYLOAD!r})
    arc.ws.send(connection, arc.ws.info(connection)["ConnectedAt"].year)
    arc.ws.close(connection)
    return {{"statusCode": 200}}
"""
ACCEPT = "def handler(event, context):\n    return {'statusCode': 200}\n"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The folder of an app with an event, a queue and a socket, whose functions write their payloads beside it."""
    files = {
        "app.arc": APP,
        "src/http/post-sign_up/lambda.py": SIGN_UP,
        "src/events/mail/lambda.py": RECEIVE.format(kind="events", file=str(tmp_path / "events.json")),
        "src/queues/jobs/lambda.py": RECEIVE.format(kind="queues", file=str(tmp_path / "queues.json")),
        "src/ws/connect/lambda.py": ACCEPT,
        "src/ws/disconnect/lambda.py": ACCEPT,
        "src/ws/default/lambda.py": GREET,
    }
    for name, text in files.items():
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / name).write_text(text)
    return tmp_path / "app"


@contextmanager
def served(library: str, app: Path) -> Iterator[int]:
    """The port of Architect's sandbox of an app."""
    port, events, internal = free_port(), free_port(), free_port()
    environ = {
        **environ_of("http://127.0.0.1:9", app.parent),
        "ARC_ENV": "testing",
        "ARC_EVENTS_PORT": str(events),
        "ARC_INTERNAL_PORT": str(internal),
    }
    command = [library, str(INTEROP / "sandbox.js"), str(app), str(port)]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert any(line == "ready\n" for line in process.stdout)
            yield port
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def arrived(file: Path) -> object:
    """The text that a function has written."""
    end = time.monotonic() + SECONDS
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return json.loads(file.read_text())


def test_architects_sandbox_delivers_messages(library: str, app: Path) -> None:
    """The functions of the event and the queue parse the payloads, and an unknown name is an error."""
    with served(library, app) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request("POST", "/sign-up")
        answers = json.loads(connection.getresponse().read())
        connection.close()
        assert answers[:2] == ["ok", "ok"]
        assert [answer.partition(" Write ")[0] for answer in answers[2:]] == [
            f"Unknown {thing} 'nonesuch'. The sandbox does not have it." for thing in ("event", "queue")
        ]
        assert arrived(app.parent / "events.json") == PAYLOAD
        assert arrived(app.parent / "queues.json") == [PAYLOAD]


def test_architects_sandbox_sends_to_its_sockets(library: str, app: Path) -> None:
    """A client receives messages until the function closes the connection."""
    with served(library, app) as port, connected(port, "/") as client:
        client.say("{}")
        assert json.loads(client.hear() or "") == PAYLOAD
        assert json.loads(client.hear() or "") > 2000
        assert client.hear() is None
