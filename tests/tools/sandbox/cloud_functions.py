"""A function in a local cloud, and requests to the cloud as programs and browsers send them."""

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
    told = {"path": event.get("rawPath"), "environ": dict(os.environ), "process": os.getpid()}
    return {"statusCode": 200, "body": json.dumps(told)}
"""


def make_function(url: str, name: str = "shop", source: str = TELLS) -> str:
    """The ARN of a new function with the handler in `source`."""
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
    """The host of a new HTTP API, all of whose requests go to a function."""
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
    """What a function of the handler above tells."""
    answer = client_of(url, "lambda").invoke(FunctionName=name, Payload=b"{}")
    return json.loads(json.loads(answer["Payload"].read())["body"])


def functions(url: str) -> list[str]:
    """The names of the functions that are there."""
    return [one["FunctionName"] for one in client_of(url, "lambda").list_functions()["Functions"]]


def ask(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """The answer of a cloud to one request; without `Host` among the `headers` it is 127.0.0.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, dict(headers or {}))
        reply = connection.getresponse()
        return Answer(reply.status, [(name.lower(), value) for name, value in reply.getheaders()], reply.read())
    finally:
        connection.close()
