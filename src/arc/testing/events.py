"""Complete HTTP events for tests, one function for each format. Equal arguments return equal events.

Every function takes `method` and `path` first, then options by name:

- `path` is percent-encoded, as a browser sends it. An HTTP API's event contains it decoded, every other event encoded.
- `query`: a query string as a user types it, a mapping or pairs, not percent-encoded. A list repeats its field.
- `headers`: a mapping of names to values.
- `cookies`: a mapping, or `name=value` strings as a browser sends them.
- One of `body` (str or bytes), `form` (a mapping or pairs) and `json` (anything but None). Content type and length are
  set unless they are in `headers`.
- `params`: the path parameters. `route`: the route, such as `"/users/{id}"`.
- `source_ip`, `request_id`, and `time` in Unix seconds.

The values of fields may be numbers. True, False and None become `true`, `false` and an empty text.
"""

from __future__ import annotations

import json as _json
from base64 import b64encode
from time import gmtime
from urllib.parse import parse_qsl, quote_plus, unquote, urlencode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypedDict, Unpack

    Fields = Mapping[str, object] | Iterable[tuple[str, object]]
    Cookies = Mapping[str, str] | Iterable[str]

    class Parts(TypedDict, total=False):
        """The parts of a request in every format."""

        query: Fields | str
        headers: Mapping[str, str] | None
        cookies: Cookies
        body: str | bytes | None
        form: Fields | None
        json: object
        source_ip: str


NOW = 1_800_000_000
REQUEST_ID = "3f1c8a52-6f0e-4d9b-9a67-0c5b2e7d1f48"
SOURCE_IP = "203.0.113.7"
_ACCOUNT = "123456789012"
_API, _URL = "a1b2c3d4e5", "k3j9h2g7f5d1s8a6q4w0e2r7t5y3u1i9"
_API_HOST = f"{_API}.execute-api.us-east-1.amazonaws.com"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")  # what AWS leaves as text


def payload_v2(
    method: str = "GET",
    path: str = "/",
    *,
    params: Mapping[str, str] | None = None,
    route: str | None = None,
    request_id: str = REQUEST_ID,
    time: float = NOW,
    **parts: Unpack[Parts],
) -> dict[str, Any]:
    """Return an HTTP API's event in payload format 2.0 (AWS, "AWS Lambda proxy integrations for HTTP APIs")."""
    path = unquote(path)
    event = _version_2(
        _Request(_API_HOST, method, **parts), path, f"{method.upper()} {route or path}", request_id, time
    )
    event["requestContext"]["apiId"] = _API
    if params:
        event["pathParameters"] = dict(params)
    return event


def function_url(
    method: str = "GET",
    path: str = "/",
    *,
    request_id: str = REQUEST_ID,
    time: float = NOW,
    **parts: Unpack[Parts],
) -> dict[str, Any]:
    """Return a Lambda function URL's event: payload format 2.0 with one route for everything."""
    request = _Request(f"{_URL}.lambda-url.us-east-1.on.aws", method, **parts)
    event = _version_2(request, path, "$default", request_id, time)
    event["requestContext"] |= {"accountId": "anonymous", "apiId": _URL}
    return event


def payload_v1(
    method: str = "GET",
    path: str = "/",
    *,
    params: Mapping[str, str] | None = None,
    route: str | None = None,
    rest: bool = True,
    request_id: str = REQUEST_ID,
    time: float = NOW,
    **parts: Unpack[Parts],
) -> dict[str, Any]:
    """Return a REST API's event in its stage `production`, or with `rest=False` an HTTP API's in payload format 1.0."""
    request = _Request(_API_HOST, method, **parts)
    headers, fields, stage = request.headers_with_cookies(), request.fields(), "production" if rest else "$default"
    path = path if rest else unquote(path)
    return {
        **({} if rest else {"version": "1.0"}),
        "resource": route or path,
        "path": path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(fields) or None,
        "multiValueQueryStringParameters": _lists(fields) or None,
        "requestContext": {
            **request.context(request_id),
            "apiId": _API,
            "extendedRequestId": "Zx1vRGQpoAMFa2w=",
            "httpMethod": request.method,
            "identity": {"sourceIp": request.source_ip, "userAgent": headers.get("user-agent")},
            "path": f"/{stage}{path}" if rest else path,
            "protocol": "HTTP/1.1",
            "requestTime": _log_time(time),
            "requestTimeEpoch": int(time * 1000),
            "resourceId": "q8w2e4" if rest else f"{request.method} {route or path}",
            "resourcePath": route or path,
            "stage": stage,
        },
        "pathParameters": dict(params) if params else None,
        "stageVariables": None,
        "body": request.text,
        "isBase64Encoded": request.is_base64,
    }


def alb(method: str = "GET", path: str = "/", *, multi: bool = False, **parts: Unpack[Parts]) -> dict[str, Any]:
    """Return an Application Load Balancer's event, with `multi` as if multi-value headers were switched on.

    A load balancer leaves the query's fields percent-encoded, and sends an absent body as "".
    """
    request = _Request("app-1234567890.us-east-1.elb.amazonaws.com", method, **parts)
    forwarded = {"x-forwarded-for": request.source_ip, "x-forwarded-port": "443", "x-forwarded-proto": "https"}
    headers, fields = {**forwarded, **request.headers_with_cookies()}, _encoded_fields(request.query)
    group = f"arn:aws:elasticloadbalancing:us-east-1:{_ACCOUNT}:targetgroup/app/49e9d65c45c6791a"
    values: dict[str, Any] = {"queryStringParameters": dict(fields), "headers": headers}
    if multi:
        lists = {name: [value] for name, value in headers.items()}
        values = {"multiValueQueryStringParameters": _lists(fields), "multiValueHeaders": lists}
    return {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": request.method,
        "path": path,
        **values,
        "body": request.text or "",
        "isBase64Encoded": request.is_base64,
    }


def vpc_lattice(
    method: str = "GET", path: str = "/", *, version: int = 2, time: float = NOW, **parts: Unpack[Parts]
) -> dict[str, Any]:
    """Return VPC Lattice's event in `version` 2, or in the earlier version 1."""
    request = _Request("app-0a40eebed65f8d69c.7d67968.vpc-lattice-svcs.us-east-1.on.aws", method, **parts)
    headers, fields = {"x-forwarded-for": request.source_ip, **request.headers_with_cookies()}, request.fields()
    if version == 1:
        return {
            "raw_path": path + (f"?{urlencode(fields)}" if fields else ""),
            "method": request.method,
            "headers": headers,
            "query_string_parameters": dict(fields),
            "body": request.text or "",
            "is_base64_encoded": request.is_base64,
        }
    owner = f"arn:aws:vpc-lattice:us-east-1:{_ACCOUNT}"
    return {
        "version": "2.0",
        "path": path,
        "method": request.method,
        "headers": {name: [value] for name, value in headers.items()},
        "queryStringParameters": _lists(fields),
        "body": request.text or "",
        "isBase64Encoded": request.is_base64,
        "requestContext": {
            "serviceNetworkArn": f"{owner}:servicenetwork/sn-0bf3f2882e9cc805a",
            "serviceArn": f"{owner}:service/svc-0a40eebed65f8d69c",
            "targetGroupArn": f"{owner}:targetgroup/tg-6d0ecf831eec9f09",
            "identity": {"sourceVpcArn": f"arn:aws:ec2:us-east-1:{_ACCOUNT}:vpc/vpc-0b8276c84697e7339"},
            "region": "us-east-1",
            "timeEpoch": str(int(time * 1_000_000)),
        },
    }


class _Request:
    """The parts of a request that every format has.

    `headers` are in lower case, with the body's type and length. `text` is the body as the event contains it.
    """

    def __init__(
        self,
        host: str,
        method: str,
        *,
        query: Fields | str = (),
        headers: Mapping[str, str] | None = None,
        cookies: Cookies = (),
        body: str | bytes | None = None,
        form: Fields | None = None,
        json: object = None,
        source_ip: str = SOURCE_IP,
    ) -> None:
        if sum(one is not None for one in (body, form, json)) > 1:
            raise TypeError("An event has one body. Pass only one of body, form and json.")
        self.method, self.query, self.source_ip = method.upper(), query, source_ip
        pairs = cookies.items() if hasattr(cookies, "items") else None
        self.cookies = list(cookies) if pairs is None else [f"{name}={value}" for name, value in pairs]
        self.headers = {"host": host, **{name.lower(): str(value) for name, value in (headers or {}).items()}}
        if form is not None:
            body = urlencode(_fields(form))
            self.headers.setdefault("content-type", "application/x-www-form-urlencoded")
        elif json is not None:
            body = _json.dumps(json)
            self.headers.setdefault("content-type", "application/json")
        raw = body.encode() if isinstance(body, str) else body
        if raw:
            self.headers.setdefault("content-length", str(len(raw)))
        self.text, self.is_base64 = self._encode(raw)

    def _encode(self, raw: bytes | None) -> tuple[str | None, bool]:
        """Return the body for an event and whether it is base64, as all but plain text of known types is."""
        headers = self.headers
        if not raw:
            return None, False
        if "content-encoding" not in headers and headers.get("content-type", "").lower().startswith(_TEXT):
            try:
                return raw.decode(), False
            except UnicodeDecodeError:
                pass
        return b64encode(raw).decode("ascii"), True

    def headers_with_cookies(self) -> dict[str, str]:
        """Return the headers with a Cookie header, for a format without a list of cookies."""
        return {**self.headers, "cookie": "; ".join(self.cookies)} if self.cookies else self.headers

    def fields(self) -> list[tuple[str, str]]:
        """Return the fields of the query."""
        return _fields(self.query)

    def context(self, request_id: str) -> dict[str, Any]:
        """Return what API Gateway's contexts have in common."""
        host = self.headers["host"]
        domain = {"domainName": host, "domainPrefix": host.partition(".")[0]}
        return {"accountId": _ACCOUNT, **domain, "requestId": request_id}


def _version_2(request: _Request, path: str, route: str, request_id: str, time: float) -> dict[str, Any]:
    """Return what the events of HTTP APIs and function URLs have in common."""
    fields, query = request.fields(), request.query
    event: dict[str, Any] = {"version": "2.0", "routeKey": route, "rawPath": path}
    event["rawQueryString"] = query if isinstance(query, str) else urlencode(fields)
    if request.cookies:
        event["cookies"] = request.cookies
    event["headers"] = request.headers
    if fields:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in _lists(fields).items()}
    event["requestContext"] = {
        **request.context(request_id),
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "routeKey": route,
        "stage": "$default",
        "time": _log_time(time),
        "timeEpoch": int(time * 1000),
    }
    event["isBase64Encoded"] = request.is_base64
    if request.text is not None:
        event["body"] = request.text
    return event


def _fields(fields: Fields | str) -> list[tuple[str, str]]:
    if isinstance(fields, str):
        return parse_qsl(fields, keep_blank_values=True)
    items: Iterable[tuple[str, Any]] = fields.items() if hasattr(fields, "items") else fields
    return [
        (str(name), field_text(name, one))
        for name, value in items
        for one in (value if isinstance(value, list | tuple) else [value])
    ]


def field_text(name: str, value: object) -> str:
    """Return the value of a form's or a query's field as it is sent. Raises `TypeError`."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, int | float) or hasattr(value, "as_tuple"):  # a Decimal
        return str(value)
    raise TypeError(f"The field {name!r} has a value of type {type(value).__name__}. Pass text, a number, or a list.")


def _encoded_fields(query: Fields | str) -> list[tuple[str, str]]:
    """Return the fields of a query percent-encoded, as a browser sends them."""
    if not isinstance(query, str):
        return [(quote_plus(name), quote_plus(value)) for name, value in _fields(query)]
    parts = (part.partition("=") for part in query.split("&") if part)
    return [(name, value) for name, _, value in parts]


def _lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists


def _log_time(time: float) -> str:
    """Return a time in the format of API Gateway's access logs: `15/Jan/2027:08:00:00 +0000`."""
    at = gmtime(time)
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{clock} +0000"
