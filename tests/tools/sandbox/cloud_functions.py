"""A function in a local cloud, and requests as programs and browsers send them to the cloud."""

from __future__ import annotations

import http.client
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from tests.engines import client_of
from tests.tools.sandbox.running import PATIENCE, Answer

ROLE = "arn:aws:iam::000000000000:role/shop"
TELLS = """
import json, os

def handler(event, context):
    result = {"path": event.get("rawPath"), "environ": dict(os.environ), "process": os.getpid()}
    return {"statusCode": 200, "body": json.dumps(result)}
"""


def make_function(url: str, name: str = "shop", source: str = TELLS) -> str:
    """Create a function with the handler in `source`, and return its ARN."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", source)
    made: str = client_of(url, "lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="handler.handler",
        Timeout=900,
        Code={"ZipFile": buffer.getvalue()},
    )["FunctionArn"]
    return made


def make_api(url: str, arn: str) -> str:
    """Create an HTTP API that sends all requests to a function, and return its host."""
    api = client_of(url, "apigatewayv2")
    made: str = api.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    target = api.create_integration(
        ApiId=made, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    for route in ("GET /", "ANY /{proxy+}"):
        api.create_route(ApiId=made, RouteKey=route, Target=f"integrations/{target}")
    api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
    return f"{made}.execute-api.localhost"


def invoked(url: str, name: str = "shop") -> Any:
    """Invoke a function with the handler above, and return its result."""
    answer = client_of(url, "lambda").invoke(FunctionName=name, Payload=b"{}")
    return json.loads(json.loads(answer["Payload"].read())["body"])


def functions(url: str) -> list[str]:
    """Return the names of the existing functions."""
    return [one["FunctionName"] for one in client_of(url, "lambda").list_functions()["Functions"]]


def ask(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """Return a cloud's response to a request; the default `Host` is 127.0.0.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, dict(headers or {}))
        reply = connection.getresponse()
        return Answer(reply.status, [(name.lower(), value) for name, value in reply.getheaders()], reply.read())
    finally:
        connection.close()
