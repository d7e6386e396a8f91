"""A boto3 session whose calls never leave the process: answers of services that the tests' cloud does not give."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.awsrequest import AWSResponse, HeadersDict

from tests.cloud_calls import Reply, call_name

# A call of each service, by its name: the service and the operation as boto3 knows them, and a request.
CALLS: dict[str, tuple[str, str, dict[str, str]]] = {
    "ssm.PutParameter": ("ssm", "put_parameter", {"Name": "/shop/staging/K", "Value": "v", "Type": "String"}),
    "lambda.ListFunctions": ("lambda", "list_functions", {}),
    "tagging.GetResources": ("resourcegroupstaggingapi", "get_resources", {}),
    "cloudformation.ListStackResources": ("cloudformation", "list_stack_resources", {"StackName": "ShopStaging"}),
    "dynamodb.ListTables": ("dynamodb", "list_tables", {}),
}
Answer = Callable[[str, dict[str, Any]], Reply]


class Answering:
    """What each call is answered with: `answer(name, body)`, names as in `ssm.PutParameter`.

    A body is what JSON, or a query without any, says. `session` is real, with all that boto3 does before a request
    goes out and after an answer has come in. `calls` are the names and the bodies of those that came.
    """

    def __init__(self, answer: Answer, region: str = "us-east-1") -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.session = boto3.session.Session(
            aws_access_key_id="dummy", aws_secret_access_key="dummy", region_name=region
        )
        self.session.events.register("before-send", self._answer)
        self._reply = answer

    @property
    def names(self) -> list[str]:
        """The names of the calls that came."""
        return [name for name, _ in self.calls]

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        headers = Message()
        for name, value in request.headers.items():
            headers[name] = value.decode() if isinstance(value, bytes) else str(value)
        name = call_name(request.method, urlsplit(request.url).path, headers, body)
        content = json.loads(body) if body[:1] == b"{" else dict(parse_qsl(urlsplit(request.url).query))
        self.calls.append((name, content))
        reply = self._reply(name, content)
        return AWSResponse(request.url, reply.status, HeadersDict(reply.headers), _Raw(reply.body))


class _Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]


def told(content: dict[str, Any]) -> Reply:
    """A service's answer."""
    headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", "of-the-tests")]
    return Reply(200, headers, json.dumps(content).encode())


def refused(code: str, message: str, status: int = 400) -> Reply:
    """A service that speaks JSON says no."""
    body = json.dumps({"__type": code, "message": message})
    return Reply(status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)], body.encode())


def refused_in_xml(code: str, message: str, status: int = 400) -> Reply:
    """CloudFormation says no."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Reply(status, [("Content-Type", "text/xml")], body.encode())
