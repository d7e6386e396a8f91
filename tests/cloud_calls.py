"""Calls to AWS on the wire: their names, and the refusals of their services."""

from __future__ import annotations

import functools
import json
import re
from email.message import Message
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from botocore.session import get_session

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_XML = frozenset(("cloudformation", "iam", "sts"))
_UNDER_WAY = "The operation cannot be performed at this time. An update is in progress for resource: a function"
_PENDING = "The operation cannot be performed at this time. The function is currently in the following state: Pending"
REFUSALS = {
    "throttle": {
        "lambda": (429, "TooManyRequestsException", "Rate exceeded"),
        "tagging": (400, "ThrottledException", "Rate exceeded"),
        "cloudformation": (400, "Throttling", "Rate exceeded"),
        "s3": (503, "SlowDown", "Reduce your request rate"),
        "": (400, "ThrottlingException", "Rate exceeded"),
    },
    "conflict": {
        "lambda": (409, "ResourceConflictException", _UNDER_WAY),
        "ssm": (400, "TooManyUpdates", "There are concurrent updates for a resource"),
        "": (400, "ResourceInUseException", "The resource is in use"),
    },
    "pending": {"": (409, "ResourceConflictException", _PENDING)},
    "expired": {"": (400, "ExpiredTokenException", "The security token included in the request is expired")},
    "denied": {"": (403, "AccessDeniedException", "User: shop is not authorized to perform this")},
    "error": {"": (500, "InternalServerError", "An internal error occurred")},
}


class Reply(NamedTuple):
    """A response of a service."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def call_name(method: str, path: str, headers: Message[str, str], body: bytes) -> str:
    """The service and the operation of a call, such as `lambda.Invoke`, or its method and path if unknown."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    service = scope[1] if scope else "unsigned"
    plain = urlsplit(path).path
    if target := headers.get("X-Amz-Target"):
        return f"{service}.{target.rpartition('.')[2]}"
    if service in _XML:
        return f"{service}.{parse_qs(body.decode())['Action'][0]}"
    for verb, pattern, operation in _operations() if service == "lambda" else ():
        if verb == method and pattern.fullmatch(plain):
            return f"{service}.{operation}"
    return f"{service}.{method} {plain}"


def refusal(word: str, name: str) -> Reply:
    """The refusal `word`, one of `REFUSALS`, by the service of the call `name`."""
    service = name.partition(".")[0]
    known = REFUSALS[word]
    status, code, message = known.get(service, known[""])
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>"
        return Reply(status, [("Content-Type", "application/xml")], body.encode())
    if service in _XML:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body = f"<ErrorResponse>{error}</ErrorResponse>"
        return Reply(status, [("Content-Type", "text/xml")], body.encode())
    body = json.dumps({"__type": code, "message": message})
    return Reply(status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)], body.encode())


@functools.cache
def _operations() -> list[tuple[str, re.Pattern[str], str]]:
    """Lambda's operations with their methods and paths, from boto3's model."""
    model = get_session().get_service_model("lambda")
    found = []
    for operation in model.operation_names:
        called = model.operation_model(operation).http
        path = re.sub(r"\{[^}]+\}", "[^/]+", called["requestUri"].partition("?")[0].rstrip("/"))
        found.append((called["method"], re.compile(path + "/?"), operation))
    return found
