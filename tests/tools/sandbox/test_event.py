"""The conversion of a request to an event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.inventory import read
from arc.tools.sandbox.front.event import make_event
from tests.tools.sandbox.apps import says, write_app

if TYPE_CHECKING:
    from arc.inventory import Route

NOW = 1_795_417_200.25  # 2026-11-23 07:00:00.25 UTC


def scope_of(**changes: Any) -> dict[str, Any]:
    """Return the ASGI scope of a GET."""
    scope = {
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"host", b"localhost:3333")],
        "client": ("127.0.0.1", 50000),
    }
    return scope | changes


@pytest.fixture(scope="module")
def route(tmp_path_factory: pytest.TempPathFactory) -> Route:
    """The route `get /`."""
    return read(write_app(tmp_path_factory.mktemp("event"), {"get /": says("x")})).routes[0]


def test_time_has_api_gateways_formats(route: Route) -> None:
    """These are the common log format, and milliseconds."""
    context = make_event(scope_of(), b"", route, {}, NOW)["requestContext"]
    assert (context["time"], context["timeEpoch"]) == ("23/Nov/2026:07:00:00 +0000", 1_795_417_200_250)


def test_event_of_a_minimal_request_has_all_keys(route: Route) -> None:
    """Handlers may rely on the host, the user agent and the address."""
    event = make_event(scope_of(headers=[], client=None), b"", route, {}, NOW)
    http = event["requestContext"]["http"]
    assert (http["sourceIp"], http["userAgent"], event["requestContext"]["domainName"]) == (
        "127.0.0.1",
        "",
        "localhost",
    )


@pytest.mark.parametrize(
    ("content_type", "encoded"),
    [
        (b"application/json", False),
        (b"application/json; charset=utf-8", False),
        (b"application/problem+json", False),
        (b"image/svg+xml", False),
        (b"text/html", False),
        (b"multipart/form-data; boundary=x", True),
        (b"application/octet-stream", True),
        (b"", True),
    ],
)
def test_content_type_decides_whether_a_body_is_text(route: Route, content_type: bytes, encoded: bool) -> None:
    """The rules are those of API Gateway."""
    event = make_event(scope_of(headers=[(b"content-type", content_type)]), b"{}", route, {}, NOW)
    assert event["isBase64Encoded"] is encoded


def test_compressed_body_is_binary(route: Route) -> None:
    """The content type is ignored."""
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    assert make_event(scope_of(headers=headers), b"abc", route, {}, NOW)["isBase64Encoded"] is True


def test_cookie_headers_are_split_and_empty_cookies_dropped(route: Route) -> None:
    """There may be several headers, extra spaces and empty parts."""
    headers = [(b"cookie", b"a=1;  b=2; ;"), (b"cookie", b"c=x=y")]
    assert make_event(scope_of(headers=headers), b"", route, {}, NOW)["cookies"] == ["a=1", "b=2", "c=x=y"]
    assert "cookies" not in make_event(scope_of(headers=[(b"cookie", b"")]), b"", route, {}, NOW)


TRACE = f"Root=1-{int(NOW):08x}-"


def test_gateway_headers_are_added(route: Route) -> None:
    """They are the client's address, the port, the protocol, and a trace id that starts with the time."""
    headers = make_event(scope_of(server=("127.0.0.1", 3333)), b"", route, {}, NOW)["headers"]
    trace = headers.pop("x-amzn-trace-id")
    assert headers == {
        "host": "localhost:3333",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-port": "3333",
        "x-forwarded-proto": "http",
    }
    assert trace.startswith(TRACE)
    assert len(trace) == len(TRACE) + 24


def test_headers_of_a_tunnel_are_kept(route: Route) -> None:
    """The client's address is appended to those that the tunnel has added."""
    sent = {
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "x-amzn-trace-id": "Self=1-a;Root=1-67891233-abcdef012345678912345678;Sampled=1",
    }
    pairs = [(name.encode(), value.encode()) for name, value in sent.items()]
    headers = make_event(scope_of(headers=pairs), b"", route, {}, NOW)["headers"]
    assert headers == sent | {"x-forwarded-for": "203.0.113.9, 127.0.0.1"}


@pytest.mark.parametrize("sent", [b"", b"Root=1", b"Root=1-67891233-abcdef012345678912345678\r\nx: y", b"x" * 600])
def test_invalid_trace_header_is_replaced(route: Route, sent: bytes) -> None:
    """The trace id is sent in a header of the Runtime API."""
    headers = make_event(scope_of(headers=[(b"x-amzn-trace-id", sent)]), b"", route, {}, NOW)["headers"]
    assert headers["x-amzn-trace-id"].startswith(TRACE)


def test_hop_by_hop_headers_are_dropped(route: Route) -> None:
    """These are the headers in RFC 9110 and those that the Connection header names."""
    names = (
        *(b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect", b"x-own"),
    )
    pairs = [(b"connection", b"Upgrade, X-Own"), *((name, b"x") for name in names), (b"x-other", b"1")]
    headers = make_event(scope_of(headers=pairs), b"", route, {}, NOW)["headers"]
    assert [name for name in headers if not name.startswith(("x-forwarded", "x-amzn"))] == ["x-other"]


@given(
    headers=st.lists(st.tuples(st.binary(min_size=1, max_size=8), st.binary(max_size=20)), max_size=5),
    query=st.binary(max_size=40),
    body=st.binary(max_size=40),
)
def test_any_request_becomes_a_json_event(
    route: Route, headers: list[tuple[bytes, bytes]], query: bytes, body: bytes
) -> None:
    """The request consists of arbitrary bytes."""
    event = make_event(scope_of(headers=headers, query_string=query), body, route, {}, NOW)
    assert all(isinstance(value, str) for value in event["headers"].values())
    assert ("body" in event) == bool(body)
    json.dumps(event).encode()
