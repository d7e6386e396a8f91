"""`arc.ws`: messages to connected clients, through API Gateway and in a sandbox."""

from __future__ import annotations

import base64
import io
import json
import logging
import secrets
import socket
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import arc
from arc.service_map import service_map
from arc.settings import Settings
from tests.architect_sandbox import CONNECTED_AT, architect_sandbox, sandbox_environ
from tests.deployed import ROLE
from tests.engines import AWS, fresh_app
from tests.test_services import fresh_stack, put, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engines import Engine

PAYLOAD = {"text": "grüße", "items": [1, None]}
# `print`: the local cloud waits for a line of a silent function.
WHO_AM_I = """
def handler(event, context):
    print("asked")
    return {"statusCode": 200, "body": event["requestContext"]["connectionId"]}
"""
USE = f"""
import arc, os
connection = os.environ["CONNECTION"]
arc.ws.send(connection, {PAYLOAD!r})
print(arc.ws.info(connection)["ResponseMetadata"]["HTTPStatusCode"])
arc.ws.close(connection)
try:
    arc.ws.send(connection, 1)
except arc.ws.api().exceptions.GoneException:
    print("gone")
"""


def socket_api(cloud: Engine) -> str:
    """The address of a new socket API that sends a client the id of its connection."""
    packed, name = io.BytesIO(), f"{fresh_app()}-WhoAmI"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", WHO_AM_I)
    code = {"ZipFile": packed.getvalue()}
    cloud.create_function(name, Runtime="python3.13", Handler="handler.handler", Role=ROLE, Code=code)
    cloud.look("lambda").get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    arn = cloud.look("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    gateway = cloud.client("apigatewayv2")
    api = gateway.create_api(Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    integration = gateway.create_integration(ApiId=api["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=arn)
    target = f"integrations/{integration['IntegrationId']}"
    gateway.create_route(
        ApiId=api["ApiId"], RouteKey="$default", Target=target, RouteResponseSelectionExpression="$default"
    )
    gateway.create_stage(ApiId=api["ApiId"], StageName="staging")
    return f"/_aws/execute-api/{api['ApiId']}/staging"


class Client:
    """A web socket client for short messages (RFC 6455)."""

    def __init__(self, connection: socket.socket, port: int, path: str) -> None:
        self._file = connection.makefile("rwb")
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade", "Upgrade: websocket"]
        self._write("\r\n".join([*lines, f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]).encode())
        assert self._file.readline().startswith(b"HTTP/1.1 101 ")
        while self._file.readline().strip():
            pass

    def say(self, text: str) -> None:
        """Send a message, masked with zeros."""
        self._write(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode())

    def hear(self) -> str | None:
        """The next message, None when the connection is closed."""
        while True:
            first, length = self._file.read(2)
            assert length < 126
            content = self._file.read(length)
            if first & 0x0F == 8:
                return None
            if first == 0x81:
                return content.decode()

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._file.flush()


@contextmanager
def connected(port: int, path: str) -> Iterator[Client]:
    """A client of the socket at `path` on this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        yield Client(connection, port, path)


def on_aws(url: str, **more: str) -> dict[str, str]:
    """The environment of a deployed function of an app with sockets."""
    return {**AWS, "ARC_ENV": "staging", "ARC_STACK_NAME": "Chat", "ARC_WSS_URL": url, **more}


def test_message_reaches_the_client_of_a_socket(cloud: Engine) -> None:
    """It arrives as JSON, the connection is found and closed, and then the client is gone."""
    path = socket_api(cloud)
    with connected(cloud.port, path) as client:
        client.say("{}")
        connection = client.hear()
        assert connection is not None
        output = run(USE, on_aws(f"ws://127.0.0.1:{cloud.port}{path}", CONNECTION=connection))
        message = client.hear()
        assert message is not None
        assert json.loads(message) == PAYLOAD
        assert client.hear() is None
    assert output == "200\ngone\n"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (
            "wss://a.execute-api.eu-west-1.amazonaws.com/staging",
            "https://a.execute-api.eu-west-1.amazonaws.com/staging",
        ),
        ("ws://localhost:3333", "http://localhost:3333"),
        ("https://a.example/staging", "https://a.example/staging"),
    ],
)
def test_api_has_the_address_of_the_socket(url: str, endpoint: str) -> None:
    """The scheme is that of HTTP, and boto3's client is created once."""
    code = "import arc; print(arc.ws.api().meta.endpoint_url, arc.ws.api() is arc.ws.api())"
    assert run(code, on_aws(url)) == f"{endpoint} True\n"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "ARC_WSS_URL is not set"),
        ({"ARC_WSS_URL": "example.org"}, "ARC_WSS_URL is 'example.org', which is not the address of a socket"),
        ({"ARC_WSS_URL": "wss://"}, "ARC_WSS_URL is 'wss://', which is not the address of a socket"),
        ({"ARC_WSS_URL": "ftp://a"}, "ARC_WSS_URL is 'ftp://a', which is not the address of a socket"),
    ],
)
def test_missing_or_invalid_address_is_reported(environ: dict[str, str], message: str) -> None:
    """The message names the variable and shows a valid one."""
    for call in (arc.ws.api, lambda environ: arc.ws.send("a", 1, environ=environ)):
        with pytest.raises(arc.ConfigurationError, match=rf"^{message}.*ARC_WSS_URL=wss://\w+\.execute-api"):
            call(environ={**AWS, "ARC_ENV": "production", **environ})


def test_architects_sandbox_manages_connections() -> None:
    """Calls go to its internal port, with Architect's names of the arguments."""
    with architect_sandbox(connections=("abc-1",)) as sandbox:
        environ = sandbox_environ(http=3333, _arc=sandbox.port)
        assert arc.ws.send(id="abc-1", payload=PAYLOAD, environ=environ)["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert arc.ws.info(id="abc-1", environ=environ)["ConnectedAt"].isoformat().startswith(CONNECTED_AT[:19])
        assert arc.ws.close(id="abc-1", environ=environ)["ResponseMetadata"]["HTTPStatusCode"] == 200
        with pytest.raises(arc.ws.api(environ=environ).exceptions.GoneException):
            arc.ws.send("gone", PAYLOAD, environ=environ)
    path = "/_arc/ws/@connections/abc-1"
    assert [call for call in sandbox.calls if "gone" not in call[1]] == [
        ("POST", path, PAYLOAD),
        ("GET", path, None),
        ("DELETE", path, None),
    ]


def test_ports_are_read_from_the_service_map(ministack: Engine) -> None:
    """A process without ARC_SANDBOX uses the ports in the map."""
    environ = {"ARC_ENV": "testing", "ARC_STACK_NAME": fresh_stack()}
    with architect_sandbox(connections=("abc",)) as sandbox:
        ports = json.dumps({"http": 3333, "_arc": sandbox.port})
        put(ministack, **{f"{environ['ARC_STACK_NAME']}__ARC_SANDBOX__ports": ports})
        service_map(Settings.from_env(environ), client=ministack.client("ssm"))
        arc.ws.send("abc", 1, environ=environ)
    assert sandbox.calls == [("POST", "/_arc/ws/@connections/abc", 1)]


def test_sandbox_without_sockets_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    """The functions return None, and the handler continues."""
    environ = sandbox_environ(http=3333, _arc=3333)
    with caplog.at_level(logging.WARNING, logger="arc.ws"):
        calls: list[Any] = [arc.ws.send("a", PAYLOAD, environ=environ) for _ in range(3)]
        calls += [arc.ws.close("a", environ=environ), arc.ws.info("a", environ=environ)]
    assert calls == [None] * 5
    assert [record.getMessage() for record in caplog.records if record.name == "arc.ws"] == [
        f"The sandbox does not run @ws yet: arc.ws.{name} did nothing." for name in ("send", "close", "info")
    ]
    with pytest.raises(TypeError, match="not JSON serializable"):
        arc.ws.send("a", {1}, environ=environ)


def test_sandbox_without_an_internal_port_is_reported() -> None:
    """No client is created, and the message lists the ports."""
    with pytest.raises(arc.ConfigurationError, match=r"no port '_arc', where sockets are managed \(found: http\)"):
        arc.ws.api(environ=sandbox_environ(http=3333))
