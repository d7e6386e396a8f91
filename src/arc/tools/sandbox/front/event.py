"""Converts an HTTP request to an event in API Gateway's payload format 2.0.

Header names are in lower case, repeated headers and parameters are joined by commas, cookies are in `cookies` only,
and empty fields are absent. The path is percent-decoded; only `rawQueryString` is unchanged.
Source: "Working with AWS Lambda proxy integrations for HTTP APIs" in the API Gateway developer guide.
"""

from __future__ import annotations

import base64
import contextlib
import re
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory import Route
    from arc.tools.sandbox.asgi import Scope

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# API Gateway encodes all other bodies as base64, even HTML forms; `parse_body` of Architect's libraries relies on it.
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")
_TEXT_SUFFIXES = ("+json", "+xml")
# Headers of a connection (RFC 9110 §7.6.1), and others that Architect's sandbox omits.
_HOP_BY_HOP = frozenset(
    (
        *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"),
        *("te", "trailer", "transfer-encoding", "upgrade", "expect"),
    )
)
_TRACE = re.compile(r"(?:[\x21-\x3a\x3c-\x7e]+;)*Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;[\x21-\x7e]*)?")
_HTTP_PORT = 80
_LONGEST_TRACE = 500  # characters


def make_event(scope: Scope, body: bytes, route: Route, parameters: Mapping[str, str], now: float) -> dict[str, Any]:
    """Return the event for a request that matches `route` with these path parameters; `now` is seconds since 1970."""
    headers, cookies = _headers(scope["headers"])
    client, server = scope.get("client"), scope.get("server")
    address = client[0] if client else "127.0.0.1"
    _add_gateway_headers(headers, address, server[1] if server else None, now)
    path = scope["path"]
    query = scope["query_string"].decode("latin-1")
    host = headers.get("host", "localhost")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.route_key,
        "rawPath": path,
        "rawQueryString": query,
    }
    if cookies:
        event["cookies"] = cookies
    event["headers"] = headers
    if query:
        event["queryStringParameters"] = _query(query)
    event["requestContext"] = {
        "accountId": "123456789012",
        "apiId": "sandbox",
        "domainName": host,
        "domainPrefix": host.split(".", 1)[0].split(":", 1)[0],
        "http": {
            "method": scope["method"],
            "path": path,
            "protocol": f"HTTP/{scope['http_version']}",
            "sourceIp": address,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": str(uuid.uuid4()),
        "routeKey": route.route_key,
        "stage": "$default",
        "time": _time(now),
        "timeEpoch": int(now * 1000),
    }
    if parameters:
        event["pathParameters"] = dict(parameters)
    _add_body(event, body, headers)
    return event


def _headers(raw: list[tuple[bytes, bytes]]) -> tuple[dict[str, str], list[str]]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), _text(value_bytes)
        if name == "cookie":
            cookies.extend(pair for part in value.split(";") if (pair := part.strip()))
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    for name in (*_HOP_BY_HOP, *named):
        headers.pop(name, None)
    return headers, cookies


def _add_gateway_headers(headers: dict[str, str], address: str, port: int | None, now: float) -> None:
    """Add the headers that API Gateway adds. A tunnel in front of the sandbox may have added some of them."""
    sent = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{sent}, {address}" if sent else address
    headers.setdefault("x-forwarded-port", str(port or _HTTP_PORT))
    headers.setdefault("x-forwarded-proto", "http")
    trace = headers.get("x-amzn-trace-id", "")
    if len(trace) > _LONGEST_TRACE or not _TRACE.fullmatch(trace):
        headers["x-amzn-trace-id"] = f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]}"


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _query(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace"):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _add_body(event: dict[str, Any], body: bytes, headers: Mapping[str, str]) -> None:
    event["isBase64Encoded"] = False
    if not body:
        return
    if _is_text(headers.get("content-type", "")) and "content-encoding" not in headers:
        with contextlib.suppress(UnicodeDecodeError):
            event["body"] = body.decode()
            return
    event["body"] = base64.b64encode(body).decode()
    event["isBase64Encoded"] = True


def _is_text(content_type: str) -> bool:
    media = content_type.split(";", 1)[0].strip().lower()
    return media.startswith(_TEXT) or media.endswith(_TEXT_SUFFIXES)


def _time(now: float) -> str:
    at = time.gmtime(now)
    month = _MONTHS[at.tm_mon - 1]  # The names of strftime depend on the locale.
    return time.strftime(f"%d/{month}/%Y:%H:%M:%S +0000", at)
