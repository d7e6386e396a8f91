"""Complete HTTP events for tests, one function per format; the same arguments give the same event.

All take `method` and `path` first, then by keyword:

- `query`: a mapping (a list as value repeats the field) or a list of pairs, not percent-encoded
- `headers`: a mapping of names to values
- `cookies`: a mapping, or a list of `name=value` strings, as a browser sends them
- one of `body` (str or bytes), `form` (a mapping or pairs) and `json` (anything but None); the content
  type of a form or JSON is set unless `headers` do
- `params`: the parameters of the route's path; `route`: the route, such as `"/users/{id}"`
- `source_ip`, `request_id`, and `time` in seconds since 1970
"""

from __future__ import annotations

import json as _json
from base64 import b64encode
from time import gmtime
from urllib.parse import quote_plus, urlencode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Fields = Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]]
    Cookies = Mapping[str, str] | Iterable[str]

NOW = 1_800_000_000
REQUEST_ID = "3f1c8a52-6f0e-4d9b-9a67-0c5b2e7d1f48"
_ACCOUNT = "123456789012"
_IP = "203.0.113.7"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")  # what an HTTP API leaves as text


def payload_v2(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    params: Mapping[str, str] | None = None,
    route: str | None = None,
    source_ip: str = _IP,
    request_id: str = REQUEST_ID,
    time: float = NOW,
) -> dict[str, Any]:
    """An HTTP API's event in payload format 2.0 (AWS, "AWS Lambda proxy integrations for HTTP APIs")."""
    sent, raw = _content(headers, body, form, json)
    sent = {"host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", **sent}
    event = _version_2(method, path, _pairs(query), sent, _cookies(cookies), raw)
    key = f"{method.upper()} {route or path}"
    event["routeKey"] = event["requestContext"]["routeKey"] = key
    event["requestContext"].update(_context_2(sent, "a1b2c3d4e5", source_ip, request_id, time))
    if params:
        event["pathParameters"] = dict(params)
    return event


def function_url(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    source_ip: str = _IP,
    request_id: str = REQUEST_ID,
    time: float = NOW,
) -> dict[str, Any]:
    """A Lambda function URL's event: payload format 2.0 with one route for everything."""
    sent, raw = _content(headers, body, form, json)
    api = "k3j9h2g7f5d1s8a6q4w0e2r7t5y3u1i9"
    sent = {"host": f"{api}.lambda-url.us-east-1.on.aws", **sent}
    event = _version_2(method, path, _pairs(query), sent, _cookies(cookies), raw)
    event["routeKey"] = event["requestContext"]["routeKey"] = "$default"
    event["requestContext"].update(_context_2(sent, api, source_ip, request_id, time))
    event["requestContext"]["accountId"] = "anonymous"
    return event


def payload_v1(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    params: Mapping[str, str] | None = None,
    route: str | None = None,
    rest: bool = True,
    stage: str | None = None,
    source_ip: str = _IP,
    request_id: str = REQUEST_ID,
    time: float = NOW,
) -> dict[str, Any]:
    """A REST API's event, or with `rest=False` an HTTP API's in payload format 1.0.

    `stage` is `production` for a REST API, whose `path` leaves it out, and `$default` for an HTTP API.
    """
    stage = stage or ("production" if rest else "$default")
    sent, raw = _content(headers, body, form, json)
    sent = {"Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", **sent}
    if pairs := _cookies(cookies):
        sent["Cookie"] = "; ".join(pairs)
    prefix = "" if stage == "$default" else f"/{stage}"
    fields = _pairs(query)
    event: dict[str, Any] = {} if rest else {"version": "1.0"}
    event |= {
        "resource": route or path,
        "path": path if rest else prefix + path,
        "httpMethod": method.upper(),
        "headers": sent or None,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": dict(fields) or None,
        "multiValueQueryStringParameters": _lists(fields) or None,
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": "a1b2c3d4e5",
            "domainName": _find(sent, "host"),
            "domainPrefix": _find(sent, "host").partition(".")[0],
            "extendedRequestId": "Zx1vRGQpoAMFa2w=",
            "httpMethod": method.upper(),
            "identity": {"sourceIp": source_ip, "userAgent": _find(sent, "user-agent") or None},
            "path": prefix + path,
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTime": _time(time),
            "requestTimeEpoch": int(time * 1000),
            "resourceId": "q8w2e4",
            "resourcePath": route or path,
            "stage": stage,
        },
        "pathParameters": dict(params) if params else None,
        "stageVariables": None,
    }
    event["body"], event["isBase64Encoded"] = _encoded(raw, sent)
    return event


def alb(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    multi: bool = False,
    source_ip: str = _IP,
) -> dict[str, Any]:
    """An Application Load Balancer's event; `multi` as if the target group had multi-value headers switched on.

    A load balancer leaves the query's fields percent-encoded, and sends an empty body as "".
    """
    sent, raw = _content(headers, body, form, json)
    sent = {"host": "app-1234567890.us-east-1.elb.amazonaws.com", **sent}
    if pairs := _cookies(cookies):
        sent["cookie"] = "; ".join(pairs)
    sent |= {"x-forwarded-for": source_ip, "x-forwarded-port": "443", "x-forwarded-proto": "https"}
    fields = [(quote_plus(name), quote_plus(value)) for name, value in _pairs(query)]
    group = f"arn:aws:elasticloadbalancing:us-east-1:{_ACCOUNT}:targetgroup/app/49e9d65c45c6791a"
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": method.upper(),
        "path": path,
    }
    if multi:
        event["multiValueQueryStringParameters"] = _lists(fields)
        event["multiValueHeaders"] = {name: [value] for name, value in sent.items()}
    else:
        event["queryStringParameters"] = dict(fields)
        event["headers"] = sent
    text, encoded = _encoded(raw, sent)
    event["body"], event["isBase64Encoded"] = text or "", encoded
    return event


def _version_2(
    method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], cookies: list[str], raw: bytes | None
) -> dict[str, Any]:
    lower = {name.lower(): value for name, value in headers.items()}
    event: dict[str, Any] = {"version": "2.0", "routeKey": "", "rawPath": path, "rawQueryString": urlencode(query)}
    if cookies:
        event["cookies"] = cookies
    event["headers"] = lower
    if query:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in _lists(query).items()}
    event["requestContext"] = {
        "http": {"method": method.upper(), "path": path, "userAgent": lower.get("user-agent", "")},
        "stage": "$default",
    }
    text, encoded = _encoded(raw, lower)
    if text is not None:
        event["body"] = text
    event["isBase64Encoded"] = encoded
    return event


def _context_2(headers: Mapping[str, str], api: str, source_ip: str, request_id: str, time: float) -> dict[str, Any]:
    return {
        "accountId": _ACCOUNT,
        "apiId": api,
        "domainName": _find(headers, "host"),
        "domainPrefix": _find(headers, "host").partition(".")[0],
        "requestId": request_id,
        "time": _time(time),
        "timeEpoch": int(time * 1000),
    }


def _content(
    headers: Mapping[str, str] | None, body: str | bytes | None, form: Fields | None, json: object
) -> tuple[dict[str, str], bytes | None]:
    """The headers with the content's type and length, and the body's bytes."""
    if sum(one is not None for one in (body, form, json)) > 1:
        raise TypeError("An event has one body: give one of body, form and json.")
    kind = ""
    if form is not None:
        body, kind = urlencode(_pairs(form)), "application/x-www-form-urlencoded"
    elif json is not None:
        body, kind = _json.dumps(json), "application/json"
    sent = dict(headers or {})
    if kind and not _find(sent, "content-type"):
        sent["content-type"] = kind
    raw = body.encode() if isinstance(body, str) else body
    if raw and not _find(sent, "content-length"):
        sent["content-length"] = str(len(raw))
    return sent, raw or None


def _encoded(raw: bytes | None, headers: Mapping[str, str]) -> tuple[str | None, bool]:
    """The body as an event holds it, and whether that is base64: so for all but the types known to be text."""
    if raw is None:
        return None, False
    if _find(headers, "content-type").lower().startswith(_TEXT):
        try:
            return raw.decode(), False
        except UnicodeDecodeError:
            pass
    return b64encode(raw).decode("ascii"), True


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    items: Iterable[tuple[str, Any]] = fields.items() if hasattr(fields, "items") else fields
    return [(name, one) for name, value in items for one in ([value] if isinstance(value, str) else value)]


def _lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists


def _cookies(cookies: Cookies) -> list[str]:
    if hasattr(cookies, "items"):
        return [f"{name}={value}" for name, value in cookies.items()]
    return list(cookies)


def _find(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _time(now: float) -> str:
    at = gmtime(now)
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{clock} +0000"
