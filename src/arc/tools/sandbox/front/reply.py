"""Responses: what API Gateway (payload format 2.0) sends for a handler's result, and its messages in JSON."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace

from arc.http.misread import undecorated
from arc.tools.sandbox.functions.failures import InvocationFailure

_DIGITS = re.compile(r"[0-9]{1,9}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# API Gateway sets these itself.
_GATEWAY_HEADERS = frozenset(
    ("connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
)


@dataclass(frozen=True)
class Reply:
    """A response. `hint` is a message for the developer about a probable mistake in the handler.

    `session` says in a few words what became of the session, empty if it was not used.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    hint: str = ""
    session: str = ""

    def header(self, name: bytes) -> bytes:
        """Return the first value of a header, empty if it is absent."""
        return next((value for key, value in self.headers if key == name), b"")

    def with_headers(self, *pairs: tuple[bytes, bytes]) -> Reply:
        """Return the response with these headers in place of the ones of the same names."""
        names = {name for name, _ in pairs}
        return replace(self, headers=[*(pair for pair in self.headers if pair[0] not in names), *pairs])


class Malformed(InvocationFailure):
    """The handler's result cannot be converted to a response."""

    status = 502

    def __init__(self, reason: str) -> None:
        super().__init__("The handler's result is not a valid HTTP response.", reason)


def make_reply(result: bytes) -> Reply:
    """Return the response for a handler's result, which is JSON. Raises `Malformed` with the reason."""
    try:
        value = json.loads(result)
    except ValueError:
        raise Malformed("The result is not JSON.") from None
    if not isinstance(value, dict) or "statusCode" not in value:
        return _inferred(value, result)
    status = _status(value["statusCode"])
    headers = _headers(value.get("headers"))
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"text/plain;charset=UTF-8"))
    headers.extend((b"set-cookie", _field("cookies", cookie)) for cookie in _cookies(value.get("cookies")))
    return Reply(status, headers, _body(value.get("body"), encoded=value.get("isBase64Encoded")))


def _inferred(value: object, result: bytes) -> Reply:
    """Return a response with the result as its body, as API Gateway does for one without `statusCode`."""
    body = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else result
    return Reply(200, [(b"content-type", b"application/json")], body, undecorated(value))


def _status(value: object) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:  # noqa: PLR2004
        raise Malformed(f"'statusCode' is {value!r}. Return a number from 200 to 599.")
    return value


def _headers(value: object) -> list[tuple[bytes, bytes]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        raise Malformed(f"'headers' is {_kind(value)}. Return a dict.")
    headers = []
    for name, item in value.items():
        if not _NAME.match(name):
            raise Malformed(f"Invalid header name {name!r}. Use letters, digits and hyphens.")
        if name.lower() not in _GATEWAY_HEADERS:
            headers.append((name.lower().encode(), _field(name, item)))
    return headers


def _cookies(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"'cookies' is {_kind(value)}. Return a list of strings, one for each Set-Cookie.")
    return value


def _field(name: str, value: object) -> bytes:
    """Return a header's value as bytes. Numbers and booleans are formatted as in JSON."""
    if isinstance(value, (bool, int, float)):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise Malformed(f"The value of {name!r} is {_kind(value)}. Return a string.")
    if _CONTROL.search(value):
        raise Malformed(f"The value of {name!r} contains a line break or another control character. Remove it.")
    return value.encode("utf-8", "replace")


def _body(value: object, *, encoded: object) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str):
        raise Malformed(f"'body' is {_kind(value)}. Return a string; for JSON, use json.dumps(…).")
    if encoded not in (True, False, None):
        raise Malformed(f"'isBase64Encoded' is {encoded!r}. Return true or false.")
    if not encoded:
        return value.encode("utf-8", "replace")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("'isBase64Encoded' is true, but 'body' is not valid base64.") from None


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number")


def message_reply(status: int, message: str) -> Reply:
    """Return a response with a message in JSON, as API Gateway formats it."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return Reply(status, [(b"content-type", b"application/json")], body)
