"""Responses: what API Gateway (payload format 2.0) sends for a handler's result, and pages and JSON for failures."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from html import escape
from typing import Any

from arc.tools.sandbox.functions.failures import InvocationFailure

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# API Gateway sets these itself.
_GATEWAY_HEADERS = frozenset(
    ("connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
)
_ARCHITECT = frozenset(
    ("html", "css", "js", "text", "json", "xml", "location", "cookie", "cookies", "session", "cors", "compression")
) | {"cache_control", "cacheControl", "status_code"}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: #1d2430; background: #f5f6f8 }
main { max-width: 60rem; margin: 3rem auto; padding: 0 1.5rem }
p.route { color: #667085; margin: 0 } h1 { font-size: 1.5rem; margin: .25rem 0 1rem }
p.detail { white-space: pre-wrap; overflow-wrap: anywhere }
pre { background: #1d2430; color: #e8ecf2; padding: 1rem 1.25rem; border-radius: .5rem; overflow-x: auto;
  font: 13px/1.5 ui-monospace, monospace }
"""


@dataclass(frozen=True)
class Reply:
    """A response. `hint` is a message for the developer about a probable mistake in the handler."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    hint: str = ""


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
    hint = ""
    if isinstance(value, dict) and (keys := _architect_keys(value)):
        hint = (
            f"The handler returned {', '.join(map(repr, keys))} without 'statusCode', which Lambda serves as plain "
            "JSON. Decorate the handler with @arc.http.handler, or end it with: return arc.http.res(req, {…})"
        )
    return Reply(200, [(b"content-type", b"application/json")], body, hint)


def _architect_keys(value: dict[str, Any]) -> list[str]:
    def is_architect(key: str, item: object) -> bool:
        if key in ("status", "code"):
            return isinstance(item, int)
        return key in _ARCHITECT or (key == "type" and isinstance(item, str) and "/" in item)

    return [key for key, item in value.items() if is_architect(key, item)]


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


def failure_reply(route: str, failure: InvocationFailure, accept: str) -> Reply:
    """Return the response for a failure in `route`: a page if the Accept header names HTML, JSON otherwise."""
    if not wants_html(accept):
        return message_reply(failure.status, failure.message)
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]
    return Reply(failure.status, headers, failure_page(route, failure))


def failure_page(route: str, failure: InvocationFailure) -> bytes:
    """Return the page for a failure in `route`, with the traceback if there is one."""
    traceback = f"<pre>{escape(failure.traceback)}</pre>" if failure.traceback else ""
    detail = f'<p class="detail">{escape(failure.detail)}</p>' if failure.detail else ""
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{failure.status} · {escape(route)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>\n'
        f'<main><p class="route">{failure.status} · {escape(route)}</p><h1>{escape(failure.title)}</h1>'
        f"{detail}{traceback}</main></html>\n"
    ).encode("utf-8", "replace")


def wants_html(accept: str) -> bool:
    """Return True for an Accept header that names HTML, as a browser's does for a page."""
    types = (part.split(";", 1)[0].strip().lower() for part in accept.split(","))
    return any(media in ("text/html", "application/xhtml+xml") for media in types)
