"""Complete HTTP events for tests, one function for each format; the same arguments give the same event.

All take `method` and `path` first, then by keyword:

- `path` is percent-encoded, as a browser sends it; an HTTP API's event has it decoded, every other as it came
- `query`: a query string as it is typed, or a mapping (a list as value repeats the field) or pairs, not
  percent-encoded
- `headers`: a mapping of names to values
- `cookies`: a mapping, or `name=value` strings as a browser sends them
- one of `body` (str or bytes), `form` (a mapping or pairs) and `json` (anything but None); content type
  and length are set unless `headers` do
- `params`: the parameters of the route's path; `route`: the route, such as `"/users/{id}"`
- values of fields may be numbers; True, False and None are `true`, `false` and nothing
- `source_ip`, `request_id`, and `time` in seconds since 1970
"""

from __future__ import annotations

import json as _json
from base64 import b64encode
from time import gmtime
from urllib.parse import parse_qsl, quote_plus, unquote, urlencode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Fields = Mapping[str, object] | Iterable[tuple[str, object]]
    Cookies = Mapping[str, str] | Iterable[str]

NOW = 1_800_000_000
REQUEST_ID = "3f1c8a52-6f0e-4d9b-9a67-0c5b2e7d1f48"
SOURCE_IP = "203.0.113.7"
_ACCOUNT = "123456789012"
_API, _URL = "a1b2c3d4e5", "k3j9h2g7f5d1s8a6q4w0e2r7t5y3u1i9"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")  # what AWS leaves as text


def payload_v2(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields | str = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    params: Mapping[str, str] | None = None,
    route: str | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str = REQUEST_ID,
    time: float = NOW,
) -> dict[str, Any]:
    """An HTTP API's event in payload format 2.0 (AWS, "AWS Lambda proxy integrations for HTTP APIs")."""
    sent, raw = _sent(f"{_API}.execute-api.us-east-1.amazonaws.com", headers, body, form, json)
    path = unquote(path)
    event = _version_2(method, path, query, sent, _cookies(cookies), raw)
    event["routeKey"] = f"{method.upper()} {route or path}"
    if params:
        event["pathParameters"] = dict(params)
    event["requestContext"] |= {
        **_context(sent, request_id),
        **_now(time),
        "apiId": _API,
        "routeKey": event["routeKey"],
    }
    event["requestContext"]["http"]["sourceIp"] = source_ip
    return event


def function_url(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields | str = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    source_ip: str = SOURCE_IP,
    request_id: str = REQUEST_ID,
    time: float = NOW,
) -> dict[str, Any]:
    """A Lambda function URL's event: payload format 2.0 with one route for everything."""
    sent, raw = _sent(f"{_URL}.lambda-url.us-east-1.on.aws", headers, body, form, json)
    event = _version_2(method, path, query, sent, _cookies(cookies), raw)
    event["routeKey"] = "$default"
    event["requestContext"] |= {
        **_context(sent, request_id),
        **_now(time),
        "accountId": "anonymous",
        "apiId": _URL,
        "routeKey": "$default",
    }
    event["requestContext"]["http"]["sourceIp"] = source_ip
    return event


def payload_v1(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields | str = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    params: Mapping[str, str] | None = None,
    route: str | None = None,
    rest: bool = True,
    source_ip: str = SOURCE_IP,
    request_id: str = REQUEST_ID,
    time: float = NOW,
) -> dict[str, Any]:
    """A REST API's event in its stage `production`, or with `rest=False` an HTTP API's in payload format 1.0."""
    sent, raw = _sent(f"{_API}.execute-api.us-east-1.amazonaws.com", headers, body, form, json)
    fields, stage = _pairs(query), "production" if rest else "$default"
    path = path if rest else unquote(path)
    if pairs := _cookies(cookies):
        sent["cookie"] = "; ".join(pairs)
    text, encoded = _encoded(sent, raw)
    return {
        **({} if rest else {"version": "1.0"}),
        "resource": route or path,
        "path": path,
        "httpMethod": method.upper(),
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": dict(fields) or None,
        "multiValueQueryStringParameters": _lists(fields) or None,
        "requestContext": {
            **_context(sent, request_id),
            "apiId": _API,
            "extendedRequestId": "Zx1vRGQpoAMFa2w=",
            "httpMethod": method.upper(),
            "identity": {"sourceIp": source_ip, "userAgent": sent.get("user-agent")},
            "path": f"/{stage}{path}" if rest else path,
            "protocol": "HTTP/1.1",
            "requestTime": _time(time),
            "requestTimeEpoch": int(time * 1000),
            "resourceId": "q8w2e4" if rest else f"{method.upper()} {route or path}",
            "resourcePath": route or path,
            "stage": stage,
        },
        "pathParameters": dict(params) if params else None,
        "stageVariables": None,
        "body": text,
        "isBase64Encoded": encoded,
    }


def alb(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields | str = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    multi: bool = False,
    source_ip: str = SOURCE_IP,
) -> dict[str, Any]:
    """An Application Load Balancer's event; `multi` as if the target group had multi-value headers switched on.

    A load balancer leaves the query's fields percent-encoded, and sends an empty body as "".
    """
    sent, raw = _sent("app-1234567890.us-east-1.elb.amazonaws.com", headers, body, form, json)
    if pairs := _cookies(cookies):
        sent["cookie"] = "; ".join(pairs)
    sent = {"x-forwarded-for": source_ip, "x-forwarded-port": "443", "x-forwarded-proto": "https", **sent}
    fields = _sent_pairs(query)
    group = f"arn:aws:elasticloadbalancing:us-east-1:{_ACCOUNT}:targetgroup/app/49e9d65c45c6791a"
    text, encoded = _encoded(sent, raw)
    parts: dict[str, Any] = {"queryStringParameters": dict(fields), "headers": sent}
    if multi:
        lists = {name: [value] for name, value in sent.items()}
        parts = {"multiValueQueryStringParameters": _lists(fields), "multiValueHeaders": lists}
    return {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": method.upper(),
        "path": path,
        **parts,
        "body": text or "",
        "isBase64Encoded": encoded,
    }


def vpc_lattice(
    method: str = "GET",
    path: str = "/",
    *,
    query: Fields = (),
    headers: Mapping[str, str] | None = None,
    cookies: Cookies = (),
    body: str | bytes | None = None,
    form: Fields | None = None,
    json: object = None,
    version: int = 2,
    source_ip: str = SOURCE_IP,
    time: float = NOW,
) -> dict[str, Any]:
    """VPC Lattice's event in `version` 2, or with `version=1` in the one that came before."""
    sent, raw = _sent("app-0a40eebed65f8d69c.7d67968.vpc-lattice-svcs.us-east-1.on.aws", headers, body, form, json)
    if pairs := _cookies(cookies):
        sent["cookie"] = "; ".join(pairs)
    sent = {"x-forwarded-for": source_ip, **sent}
    fields = _pairs(query)
    text, encoded = _encoded(sent, raw)
    if version == 1:
        return {
            "raw_path": path + (f"?{urlencode(fields)}" if fields else ""),
            "method": method.upper(),
            "headers": sent,
            "query_string_parameters": dict(fields),
            "body": text or "",
            "is_base64_encoded": encoded,
        }
    owner = f"arn:aws:vpc-lattice:us-east-1:{_ACCOUNT}"
    return {
        "version": "2.0",
        "path": path,
        "method": method.upper(),
        "headers": {name: [value] for name, value in sent.items()},
        "queryStringParameters": _lists(fields),
        "body": text or "",
        "isBase64Encoded": encoded,
        "requestContext": {
            "serviceNetworkArn": f"{owner}:servicenetwork/sn-0bf3f2882e9cc805a",
            "serviceArn": f"{owner}:service/svc-0a40eebed65f8d69c",
            "targetGroupArn": f"{owner}:targetgroup/tg-6d0ecf831eec9f09",
            "identity": {"sourceVpcArn": f"arn:aws:ec2:us-east-1:{_ACCOUNT}:vpc/vpc-0b8276c84697e7339"},
            "region": "us-east-1",
            "timeEpoch": str(int(time * 1_000_000)),
        },
    }


def _version_2(
    method: str, path: str, query: Fields | str, sent: dict[str, str], cookies: list[str], raw: bytes | None
) -> dict[str, Any]:
    """What API Gateway and function URLs have in common; `routeKey` and the context are the caller's to finish."""
    fields = _pairs(query)
    typed = query if isinstance(query, str) else urlencode(fields)
    event: dict[str, Any] = {"version": "2.0", "routeKey": "", "rawPath": path, "rawQueryString": typed}
    if cookies:
        event["cookies"] = cookies
    event["headers"] = sent
    if fields:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in _lists(fields).items()}
    http = {"method": method.upper(), "path": path, "protocol": "HTTP/1.1", "userAgent": sent.get("user-agent", "")}
    event["requestContext"] = {"http": http, "stage": "$default"}
    text, event["isBase64Encoded"] = _encoded(sent, raw)
    if text is not None:
        event["body"] = text
    return event


def _context(sent: Mapping[str, str], request_id: str) -> dict[str, Any]:
    return {
        "accountId": _ACCOUNT,
        "domainName": sent["host"],
        "domainPrefix": sent["host"].partition(".")[0],
        "requestId": request_id,
    }


def _now(time: float) -> dict[str, Any]:
    return {"time": _time(time), "timeEpoch": int(time * 1000)}


def _sent(
    host: str, headers: Mapping[str, str] | None, body: str | bytes | None, form: Fields | None, json: object
) -> tuple[dict[str, str], bytes | None]:
    """The headers, in lower case and with the body's type and length; the body's bytes."""
    if sum(one is not None for one in (body, form, json)) > 1:
        raise TypeError("An event has one body: give one of body, form and json.")
    sent = {"host": host, **{name.lower(): str(value) for name, value in (headers or {}).items()}}
    if form is not None:
        body = urlencode(_pairs(form))
        sent.setdefault("content-type", "application/x-www-form-urlencoded")
    elif json is not None:
        body = _json.dumps(json)
        sent.setdefault("content-type", "application/json")
    raw = body.encode() if isinstance(body, str) else body
    if raw:
        sent.setdefault("content-length", str(len(raw)))
    return sent, raw or None


def _encoded(sent: Mapping[str, str], raw: bytes | None) -> tuple[str | None, bool]:
    """The body as an event holds it, and whether that is base64: so for all but plain text of known types."""
    if raw is None:
        return None, False
    if "content-encoding" not in sent and sent.get("content-type", "").lower().startswith(_TEXT):
        try:
            return raw.decode(), False
        except UnicodeDecodeError:
            pass
    return b64encode(raw).decode("ascii"), True


def _pairs(fields: Fields | str) -> list[tuple[str, str]]:
    if isinstance(fields, str):
        return parse_qsl(fields, keep_blank_values=True)
    items: Iterable[tuple[str, Any]] = fields.items() if hasattr(fields, "items") else fields
    return [
        (str(name), _value(name, one))
        for name, value in items
        for one in (value if isinstance(value, list | tuple) else [value])
    ]


def _value(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, int | float) or hasattr(value, "as_tuple"):  # a Decimal
        return str(value)
    raise TypeError(f"The field {name!r} has a value of type {type(value).__name__}. Give text, a number, or a list.")


def _sent_pairs(query: Fields | str) -> list[tuple[str, str]]:
    """The fields of a query as they are sent, percent-encoded."""
    if not isinstance(query, str):
        return [(quote_plus(name), quote_plus(value)) for name, value in _pairs(query)]
    parts = (part.partition("=") for part in query.split("&") if part)
    return [(name, value) for name, _, value in parts]


def _lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists


def _cookies(cookies: Cookies) -> list[str]:
    if hasattr(cookies, "items"):
        return [f"{name}={value}" for name, value in cookies.items()]
    return list(cookies)


def _time(now: float) -> str:
    at = gmtime(now)
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{clock} +0000"
