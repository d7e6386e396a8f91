"""Results of handlers that are sent otherwise than they were meant."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import arc
from arc.http.misread import misread, undecorated
from arc.sessions import lifecycle
from arc.testing import Browser, payload_v1, payload_v2
from tests.sessions.making import Made

MISTAKES = [
    (({"html": "x"}, 404), "a tuple, which is sent as a JSON list with status 200. Return {'html': …, 'status': 404}."),
    (({"message": "x"}, 404), "Return {'json': …, 'status': 404}."),
    (("Not found", 404), "Return {'text': …, 'status': 404}."),
    (("<h1>Hi", 201, {"x-a": "1"}), "Return {'html': …, 'status': 201, 'headers': {…}}."),
    (("x", {"x-a": "1"}), "Return {'text': …, 'headers': {…}}."),
    ("hello", "a str, which is sent as JSON, in quotes. Return {'text': …}."),
    (" <p>hello", "Return {'html': …}."),
    ('{"a": 1}', "a str of JSON, which is sent as a JSON string. Return the data: {'json': data}."),
    (404, "the number 404, which is sent as JSON. Return {'status': 404}."),
    ({"redirect": "/"}, "'redirect' is not a response key, so the handler's dict is sent as JSON. Did you mean 'loc"),
    ({"redirect": "/", "flash": "x"}, "Did you mean 'location'?"),
    ({"htm": "<p>"}, "Did you mean 'html'? If it is data, return {'json': {…}}."),
    ({"HTML": "<p>"}, "Did you mean 'html'?"),
    ({"htlm": "<p>"}, "Did you mean 'html'?"),
    ({"tetx": "x", "status": 404}, "Did you mean 'text'?"),
    ({"Location": "/"}, "Did you mean 'location'?"),
    ({"html": "x", "json": {}}, "several bodies, and only 'html' is sent. Remove 'json'."),
    ({"text": "x", "body": "y", "xml": "z"}, "only 'text' is sent. Remove 'xml' and 'body'."),
    ({"status": 404, "message": "x"}, "'message' is not a response key, so it is not sent. Return data under 'json'"),
    ({"status": 404, "error": "x", "id": 1}, "'error', 'id' are not response keys, so they are not sent."),
    ({"html": "x", "header": {"a": "1"}}, "'header' is not a response key, so it is not sent. Did you mean 'headers'?"),
    ({"html": "x", "content_type": "text/html"}, "Did you mean 'type'?"),
    ({"html": "x", "statuscode": 404}, "Did you mean 'statusCode'?"),
    ({"text": "a note", "id": 3}, "To send all of it as JSON, with 'text', return: {'json': {…}}."),
    ({"location": "/", "status": 200}, "do not follow a 'location' with status 200. Return status 303, or none."),
    ({"body": "<h1>Hi"}, "'body' is sent as application/json because the response has no 'type'. Return {'html': …}."),
    ({"statusCode": 200, "body": "hi"}, "Return {'text': …}."),
]
FINE: list[object] = [
    None,
    "",
    {},
    b"bytes",
    [1, 404],
    (1, 2),
    ("a", "b"),
    7,
    True,
    {"message": "plain JSON"},
    {"url": "/", "title": "x"},
    {"texts": ["x"], "next": "/a"},
    {"test": "x"},
    {"header": {"a": 1}, "data": []},
    {"html": "x", "status": 404, "headers": {"x-a": "1"}, "cookies": []},
    {"html": None, "json": {}},
    {"location": "/"},
    {"location": "/a", "status": 201},
    {"body": "[1]"},
    {"body": "x", "type": "text/plain"},
    {"body": "x", "headers": {"Content-Type": "text/plain"}},
    {"body": "eA==", "isBase64Encoded": True},
    {"json": {"redirect": "/"}},
    {"session": {}},
    {1: "x"},
]


@pytest.mark.parametrize(("result", "expected"), MISTAKES)
def test_mistake_is_named_with_the_form_that_was_meant(result: object, expected: str) -> None:
    """There is one message for each mistake."""
    messages = misread(result, v2=True)
    assert len(messages) == 1
    assert expected in messages[0]


@pytest.mark.parametrize("result", FINE)
def test_ordinary_results_have_no_message(result: object) -> None:
    """Data that only resembles a response is sent as it is."""
    assert misread(result, v2=True) == []


def test_architects_other_keys_alone_are_json_only_in_payload_2() -> None:
    """`type` alone makes a response under a REST API, and JSON under an HTTP API."""
    assert misread({"type": "text/css", "colour": 1}, v2=True) == []
    assert "'colour' is not a response key" in misread({"type": "text/css", "colour": 1}, v2=False)[0]


@pytest.mark.parametrize("result", [{"html": "x"}, {"location": "/"}, {"status": 404}, {"type": "a/b", "body": "x"}])
def test_architects_keys_without_the_decorator_are_named(result: object) -> None:
    """Lambda serves them as JSON."""
    assert "Decorate the handler with @arc.http.handler" in undecorated(result)


@pytest.mark.parametrize(
    "result", [{"statusCode": 200, "html": "x"}, {"status": "ok"}, {"message": "x"}, ["html"], None]
)
def test_json_of_a_bare_handler_has_no_message(result: object) -> None:
    """Similar data gets none."""
    assert undecorated(result) == ""


@pytest.mark.parametrize("event", [payload_v2, payload_v1])
def test_browser_of_tests_warns_at_the_line_of_the_test(event: Any) -> None:
    """The response is unchanged."""
    visitor = Browser(arc.http.handler(manager=Made().manager)(lambda _req: ({"html": "x"}, 404)), event=event)
    with pytest.warns(UserWarning, match="Return {'html': …, 'status': 404}") as caught:
        page = visitor.get("/")
    assert (page.status, page.json) == (200, [{"html": "x"}, 404])
    assert [warning.filename for warning in caught] == [__file__]


def test_browser_of_tests_warns_of_a_missing_decorator() -> None:
    """The response is JSON, as on Lambda."""
    with pytest.warns(UserWarning, match=r"@arc\.http\.handler") as caught:
        page = Browser(lambda _event, _context: {"html": "x"}).get("/")
    assert page.json == {"html": "x"}
    assert [warning.filename for warning in caught] == [__file__]


def test_response_made_by_hand_is_checked_too() -> None:
    """`arc.http.res` formats as the decorator does."""
    with pytest.warns(UserWarning, match="Did you mean 'html'"):
        Browser(lambda event, _context: arc.http.res(event, {"htm": "x"})).get("/")


def test_handler_that_is_called_directly_warns_of_nothing() -> None:
    """A deployed function checks no result, also after a test browser was used in the same process."""
    handler = arc.http.handler(manager=Made().manager)(lambda _req: "text")
    with pytest.warns(UserWarning, match="a str"):
        Browser(handler).get("/")
    assert lifecycle.observer is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert handler(payload_v2(), None)["body"] == '"text"'
