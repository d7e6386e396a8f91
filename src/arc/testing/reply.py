"""Read a handler's result as AWS does. Each event format reads other keys of the result and ignores the rest.

Sources: the developer guides of API Gateway ("Working with AWS Lambda proxy integrations for HTTP APIs", "Set up Lambda
proxy integrations" for REST APIs), Lambda ("Function URLs") and Elastic Load Balancing ("Lambda functions as targets").
"""

from __future__ import annotations

import json
from base64 import b64decode

from arc.http.events import Alb, PayloadV1, PayloadV2, shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_LEAST_STATUS, _MOST_STATUS = 100, 599


class Answer:
    """The response that AWS sends: `status`, `headers` as pairs with names in lower case, and `body`."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


def read_result(result: object, event: dict[str, Any]) -> Answer:
    """Return the response to `event` for a handler's `result`.

    Raises `AssertionError`, with the reason, for a result that AWS replaces by a response with status 500 or 502.
    """
    __tracebackhide__ = True
    try:
        result = json.loads(json.dumps(result))
    except (TypeError, ValueError) as error:
        raise _InvalidResult(f"is not JSON ({error})") from error
    shape = shape_of(event)
    if isinstance(shape, PayloadV2) and not (isinstance(result, dict) and "statusCode" in result):
        text = result if isinstance(result, str) else json.dumps(result)
        return Answer(200, [("content-type", "application/json")], _encoded(text))
    if not isinstance(result, dict):
        raise _InvalidResult(f"is of type {type(result).__name__}; return a dict with 'statusCode'")
    headers = [(name.lower(), value) for name, value in _headers(result, shape)]
    return Answer(_status(result), headers, _body(result))


class _InvalidResult(AssertionError):
    def __init__(self, fault: str) -> None:
        super().__init__(f"The handler's result {fault}. AWS would send an error response instead.")


def _headers(result: dict[str, Any], shape: object) -> Iterator[tuple[str, str]]:
    single = [(name, _text(name, value)) for name, value in _typed(result, "headers", dict).items()]
    if isinstance(shape, Alb):
        yield from _repeated(result) if "multiValueHeaders" in shape.event else single
        return
    # All but payload format 2.0 merge both, and send a pair that is in both once.
    repeated = [] if isinstance(shape, PayloadV2) else list(_repeated(result))
    pairs = {(name.lower(), value) for name, value in repeated}
    yield from ((name, value) for name, value in single if (name.lower(), value) not in pairs)
    yield from repeated
    if not isinstance(shape, PayloadV1):
        yield from (("set-cookie", _text("cookies", cookie)) for cookie in _typed(result, "cookies", list))


def _repeated(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    fields: dict[str, Any] = _typed(result, "multiValueHeaders", dict)
    for name in fields:
        yield from ((name, _text(name, value)) for value in _typed(fields, name, list))


def _typed(values: dict[str, Any], key: str, kind: type) -> Any:
    value = values.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise _InvalidResult(f"has a {key!r} of type {type(value).__name__}; return a {kind.__name__}")
    return value


def _text(name: str, value: object) -> str:
    """Return a header's value as text. Numbers and booleans are written as JSON."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if not isinstance(value, str):
        raise _InvalidResult(f"has a value of type {type(value).__name__} under {name!r}; return a str")
    return value


def _status(result: dict[str, Any]) -> int:
    status = result.get("statusCode")
    if isinstance(status, str) and len(status) == 3 and status.isascii() and status.isdigit():  # noqa: PLR2004
        status = int(status)
    if isinstance(status, float) and status.is_integer():
        status = int(status)
    if isinstance(status, bool) or not isinstance(status, int) or not _LEAST_STATUS <= status <= _MOST_STATUS:
        raise _InvalidResult(f"has the 'statusCode' {status!r}; return a number from {_LEAST_STATUS} to {_MOST_STATUS}")
    return status


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise _InvalidResult(f"has a 'body' of type {type(body).__name__}; return a str: for JSON, json.dumps(…)")
    if not result.get("isBase64Encoded"):
        return _encoded(body)
    try:
        return b64decode(body, validate=True)
    except ValueError:
        raise _InvalidResult("has 'isBase64Encoded', but its 'body' is not base64") from None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
