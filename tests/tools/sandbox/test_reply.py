"""The conversion of a handler's result to a response."""

from __future__ import annotations

import json

import pytest

from arc.tools.sandbox.front.reply import Malformed, make_reply


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"statusCode": "fine"}, "'statusCode' is 'fine'"),
        ({"statusCode": "9" * 5000}, "'statusCode' is '999"),
        ({"statusCode": None}, "'statusCode' is None"),
        ({"statusCode": True}, "'statusCode' is True"),
        ({"statusCode": 99}, "'statusCode' is 99"),
        ({"statusCode": 200.5}, "'statusCode' is 200.5"),
        ({"statusCode": 200, "headers": []}, "'headers' is a list"),
        ({"statusCode": 200, "headers": {"bad name": "x"}}, "'bad name'"),
        ({"statusCode": 200, "headers": {"": "x"}}, "header name ''"),
        ({"statusCode": 200, "headers": {"a": ["x"]}}, "'a' is a list"),
        ({"statusCode": 200, "headers": {"a": None}}, "'a' is null"),
        ({"statusCode": 200, "headers": {"a": "x\r\nset-cookie: y"}}, "line break"),
        ({"statusCode": 200, "cookies": "a=1"}, "'cookies' is a string"),
        ({"statusCode": 200, "cookies": [1, {}]}, "'cookies' is an object"),
        ({"statusCode": 200, "cookies": ["a=1\nb"]}, "line break"),
        ({"statusCode": 200, "body": {"a": 1}}, "'body' is an object"),
        ({"statusCode": 200, "body": 7}, "'body' is a number"),
        ({"statusCode": 200, "body": "#", "isBase64Encoded": True}, "not valid base64"),
        ({"statusCode": 200, "body": "", "isBase64Encoded": "yes"}, "'isBase64Encoded' is 'yes'"),
    ],
)
def test_malformed_result_is_refused_with_its_reason(result: object, reason: str) -> None:
    """The message names the key and the value."""
    with pytest.raises(Malformed) as refused:
        make_reply(json.dumps(result).encode())
    assert reason in refused.value.detail


def test_result_that_is_not_json_is_malformed() -> None:
    """A custom runtime could send it."""
    with pytest.raises(Malformed, match="not JSON"):
        make_reply(b"{")


@pytest.mark.parametrize("status", [201, "201", 201.0])
def test_status_may_be_a_number_or_digits(status: object) -> None:
    """API Gateway accepts both."""
    assert make_reply(json.dumps({"statusCode": status}).encode()).status == 201


def test_complete_result_becomes_a_response() -> None:
    """Header names are in lower case, cookies keep their order, and the content type is unchanged."""
    result = {"statusCode": 302, "headers": {"Location": "/é", "Content-Type": "text/html"}, "cookies": ["b", "a"]}
    reply = make_reply(json.dumps(result).encode())
    assert reply.headers == [
        (b"location", "/é".encode()),
        (b"content-type", b"text/html"),
        (b"set-cookie", b"b"),
        (b"set-cookie", b"a"),
    ]
    assert (reply.status, reply.body, reply.hint) == (302, b"", "")


@pytest.mark.parametrize(
    ("result", "hinted"),
    [
        ({"html": "x"}, True),
        ({"location": "/"}, True),
        ({"status": 404}, True),
        ({"type": "text/plain", "body": "x"}, True),
        ({"status": "ok"}, False),
        ({"type": "dog", "code": "A1"}, False),
        ({"message": "plain JSON"}, False),
        ({"statusCode": 200, "html": "x"}, False),
        (["html"], False),
        ("html", False),
    ],
)
def test_hint_is_only_for_architect_keys(result: object, hinted: bool) -> None:
    """Similar JSON gets none."""
    hint = make_reply(json.dumps(result).encode()).hint
    assert bool(hint) == hinted
    if hinted:
        assert "@arc.http.handler" in hint
