"""The test browser reads a handler's result as AWS does for the same event."""

from __future__ import annotations

from typing import Any

import pytest

from arc.testing import Browser, Page, alb, function_url, payload_v1, payload_v2


def http_api_v1(*args: Any, **options: Any) -> dict[str, Any]:
    """An HTTP API's event in payload format 1.0."""
    return payload_v1(*args, rest=False, **options)


def alb_multi(*args: Any, **options: Any) -> dict[str, Any]:
    """A load balancer's event with multi-value headers."""
    return alb(*args, multi=True, **options)


def unknown(*args: Any, **options: Any) -> dict[str, Any]:
    """An event of no known format."""
    return {"path": "/"}


EVERY = (payload_v2, function_url, payload_v1, http_api_v1, alb, alb_multi, unknown)
every = pytest.mark.parametrize("event", EVERY, ids=lambda event: event.__name__)


def response(result: object, event: Any = payload_v2) -> Page:
    """The page for a handler's result."""
    return Browser(lambda *_: result, event=event).get("/")


@every
@pytest.mark.parametrize("key", ["cookies", "headers", "multiValueHeaders"])
def test_cookies_are_read_where_aws_reads_them(event: Any, key: str) -> None:
    """Each event format has its own keys, and cookies under another key never reach a browser."""
    cookies = ["a=1; Path=/", "b=2; Path=/"]
    keys = {"cookies": cookies, "headers": {"set-cookie": cookies[0]}, "multiValueHeaders": {"Set-Cookie": cookies}}
    read = {
        "payload_v2": ("cookies", "headers"),
        "function_url": ("cookies", "headers"),
        "payload_v1": ("headers", "multiValueHeaders"),
        "http_api_v1": ("headers", "multiValueHeaders"),
        "alb": ("headers",),
        "alb_multi": ("multiValueHeaders",),
        "unknown": ("cookies", "headers", "multiValueHeaders"),
    }[event.__name__]
    browser = Browser(lambda *_: {"statusCode": 200, key: keys[key]}, event=event)
    page = browser.get("/")
    many = 0 if key not in read else 1 if key == "headers" else 2
    assert (len(page.set_cookies), len(browser.jar)) == (many, many)


def test_rest_api_merges_both_kinds_of_headers() -> None:
    """A name may be in both, and a value that is in both is sent once."""
    reply = {"statusCode": 200, "headers": {"a": "1", "b": "2"}, "multiValueHeaders": {"A": ["1", "3"]}}
    assert dict(response(reply, payload_v1).headers) == {"b": "2", "a": "1, 3"}


@pytest.mark.parametrize("event", [payload_v2, function_url])
@pytest.mark.parametrize(
    ("result", "text"), [({"message": "hi"}, '{"message": "hi"}'), ("hi", "hi"), ([1], "[1]"), (None, "null")]
)
def test_payload_2_accepts_any_result_as_the_body(event: Any, result: object, text: str) -> None:
    """Without a statusCode the result is the body, text unchanged and other values as JSON."""
    page = response(result, event)
    assert (page.status, page.text, page.headers["Content-Type"]) == (200, text, "application/json")


@every
def test_status_of_digits_and_null_body_are_accepted(event: Any) -> None:
    """AWS accepts both, and a header may be a number or a boolean."""
    headers = {"x-number": 5, "x-flag": True}
    more = {"multiValueHeaders": {name: [value] for name, value in headers.items()}, "headers": headers}
    page = response({"statusCode": "201", "body": None, **more}, event)
    assert (page.status, page.text, page.headers["X-Number"], page.headers["x-flag"]) == (201, "", "5", "true")


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ({"statusCode": "teapot"}, "'statusCode' 'teapot'"),
        ({"statusCode": 99}, "'statusCode' 99"),
        ({"statusCode": True}, "'statusCode' True"),
        ({"statusCode": 200, "body": {"a": 1}}, "'body' of type dict; return a str"),
        ({"statusCode": 200, "body": "€", "isBase64Encoded": True}, "not base64"),
        ({"statusCode": 200, "headers": []}, "'headers' of type list; return a dict"),
        ({"statusCode": 200, "headers": {"a": None}}, "type NoneType under 'a'"),
        ({"statusCode": 200, "cookies": "a=1"}, "'cookies' of type str; return a list"),
        ({"statusCode": 200, "cookies": [{}]}, "type dict under 'cookies'"),
        ({"statusCode": 200, "body": b"x"}, "is not JSON"),
        (object(), "is not JSON"),
    ],
)
def test_invalid_result_raises_with_the_reason(result: object, says: str) -> None:
    """AWS would send a 500 or 502."""
    with pytest.raises(AssertionError) as caught:
        response(result)
    assert says in str(caught.value)


@pytest.mark.parametrize("event", [payload_v1, http_api_v1, alb, alb_multi])
@pytest.mark.parametrize("result", [{"message": "hi"}, "hi", None])
def test_other_formats_require_a_status(event: Any, result: object) -> None:
    """Only payload format 2.0 accepts any result."""
    with pytest.raises(AssertionError, match="statusCode"):
        response(result, event)
