"""A handler's result as the HTTP response that API Gateway (payload format 2.0) makes of it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from arc.tools.sandbox.front.failures import Malformed

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# The connection is API Gateway's own; so is the length of what it sends.
_OWN = frozenset(("connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))
_ARCHITECT = frozenset(
    ("html", "css", "js", "text", "json", "xml", "location", "cookie", "cookies", "session", "cors", "compression")
) | {"cache_control", "cacheControl", "status_code"}


@dataclass(frozen=True)
class Reply:
    """Status, header fields and body, ready to be sent. `hint` says what a bare handler probably forgot."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    hint: str = ""


def make_reply(result: bytes) -> Reply:
    """The response for a handler's result, given as JSON. Raises `Malformed` with the reason."""
    try:
        value = json.loads(result)
    except ValueError:
        raise Malformed("It is not JSON.") from None
    if not isinstance(value, dict) or "statusCode" not in value:
        return _inferred(value, result)
    status = _status(value["statusCode"])
    headers = _headers(value.get("headers"))
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"text/plain;charset=UTF-8"))
    headers.extend((b"set-cookie", _field("cookies", cookie)) for cookie in _cookies(value.get("cookies")))
    return Reply(status, headers, _body(value.get("body"), encoded=value.get("isBase64Encoded")))


def _inferred(value: object, result: bytes) -> Reply:
    """A result without `statusCode` is the body itself: a string as it is, anything else as JSON."""
    body = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else result
    hint = ""
    if isinstance(value, dict) and (keys := _architect_keys(value)):
        hint = (
            f"The handler returned {', '.join(repr(key) for key in keys)} without 'statusCode': Lambda serves "
            "that as plain JSON. Put @arc.http.handler above the handler, or end it with: "
            "return arc.http.res(req, {…})"
        )
    return Reply(200, [(b"content-type", b"application/json")], body, hint)


def _architect_keys(value: dict[str, Any]) -> list[str]:
    def is_ours(key: str, item: object) -> bool:
        if key in ("status", "code"):
            return isinstance(item, int)
        return key in _ARCHITECT or (key == "type" and isinstance(item, str) and "/" in item)

    return [key for key, item in value.items() if is_ours(key, item)]


def _status(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
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
        raise Malformed(f"'headers' is {_kind(value)}. Return a dict of names and values.")
    headers = []
    for name, item in value.items():
        if not _NAME.match(name):
            raise Malformed(f"The header name {name!r} has characters that HTTP does not allow.")
        if name.lower() not in _OWN:
            headers.append((name.lower().encode(), _field(name, item)))
    return headers


def _cookies(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"'cookies' is {_kind(value)}. Return a list of strings, one for each Set-Cookie.")
    return value


def _field(name: str, value: object) -> bytes:
    """A header's value as bytes: strings, and numbers and booleans as JSON writes them."""
    if isinstance(value, (bool, int, float)):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise Malformed(f"The value of {name!r} is {_kind(value)}. Return a string.")
    if _CONTROL.search(value):
        raise Malformed(f"The value of {name!r} has a line break or a control character in it.")
    return value.encode("utf-8", "replace")


def _body(value: object, *, encoded: object) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str):
        raise Malformed(f"'body' is {_kind(value)}. Return a string: for JSON, json.dumps(…).")
    if encoded not in (True, False, None):
        raise Malformed(f"'isBase64Encoded' is {encoded!r}. Return true or false.")
    if not encoded:
        return value.encode("utf-8", "replace")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("'isBase64Encoded' is true, but 'body' is not base64.") from None


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number")
