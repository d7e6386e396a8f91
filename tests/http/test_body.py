"""`parse_body` behaves as in Architect's libraries."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arc
from arc.errors import ArcError, BadRequest
from arc.http.body import parse_body
from arc.http.request import Request
from arc.testing import alb, payload_v1, payload_v2
from tests.http.reading import event
from tests.sessions.making import Made


def request(kind: str | None, body: object, *, encoded: bool = False, header: str = "content-type") -> dict[str, Any]:
    """A bare event with a body of the content type `kind`."""
    if encoded:
        body = b64encode(str(body).encode()).decode()
    return {"headers": {header: kind} if kind else {}, "body": body, "isBase64Encoded": encoded}


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.api+json"])
def test_json_is_parsed(kind: str, encoded: bool) -> None:  # a parameter of the test
    """JSON becomes its value, as text and as base64."""
    assert parse_body(request(kind, '{"hi": ["é"]}', encoded=encoded)) == {"hi": ["é"]}


@pytest.mark.parametrize("header", ["content-type", "Content-Type", "CONTENT-TYPE"])
def test_content_type_ignores_case(header: str) -> None:
    """The name of the header and its value ignore case."""
    assert parse_body(request("Application/JSON", "[1]", header=header)) == [1]


@pytest.mark.parametrize(
    ("text", "value"), [("null", {}), ("false", {}), ("0", {}), ('""', {}), ("{}", {}), ("[]", [])]
)
def test_empty_json_values_become_a_dict(text: str, value: object) -> None:
    """Null, false, 0 and "" become `{}`, and an empty list stays a list (as in Node)."""
    assert parse_body(request("application/json", text)) == value


@pytest.mark.parametrize("encoded", [False, True])
def test_form_has_the_last_value_of_each_field(encoded: bool) -> None:  # a parameter of the test
    """Empty fields are included, and `getall` returns every value."""
    body = parse_body(request("application/x-www-form-urlencoded", "a=1&b=x+y%26&a=2&c=", encoded=encoded))
    assert body == {"a": "2", "b": "x y&", "c": ""}
    assert body.getall("a") == ["1", "2"]


@pytest.mark.parametrize("kind", ["text/plain", "text/xml", "application/xml; charset=utf-8"])
def test_base64_text_is_decoded(kind: str) -> None:
    """Base64-encoded text and XML become text."""
    assert parse_body(request(kind, "<é/>", encoded=True)) == "<é/>"


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/octet-stream"])
def test_binary_bodies_stay_base64(kind: str) -> None:
    """Multipart and binary bodies are under the key `base64`."""
    sent = request(kind, "abc", encoded=True)
    assert parse_body(sent) == {"base64": sent["body"]}


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "image/png", "text/csv"])
def test_unencoded_text_is_returned_unchanged(kind: str) -> None:
    """Without base64 only JSON and forms are parsed."""
    assert parse_body(request(kind, "a=1")) == "a=1"


@pytest.mark.parametrize("body", [None, "", {}, {"already": "parsed"}, [1]])
def test_bodies_of_other_types_are_returned_unchanged(body: object) -> None:
    """Absent, empty and parsed bodies are returned unchanged."""
    assert parse_body(request("application/json", body)) == body


def test_body_without_a_content_type_is_returned_unchanged() -> None:
    """A missing type, missing or null headers and a missing body are no errors."""
    assert parse_body(request(None, "{}")) == "{}"
    assert parse_body({"body": "{}"}) == "{}"
    assert parse_body({"body": "{}", "headers": None}) == "{}"
    assert parse_body({}) is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", "{"),
        ("application/json", "NaN"),
        ("application/json", "[" * 100_000),
        ("application/json", "9" * 5000),
        ("application/x-www-form-urlencoded", "a=%ff"),
        ("application/x-www-form-urlencoded", "&".join(["a=1"] * 10_001)),
    ],
)
def test_malformed_body_raises_bad_request(kind: str, body: str) -> None:
    """Callers of Architect's library catch it as `ValueError`."""
    with pytest.raises(ValueError, match=r"^Invalid request body encoding or invalid JSON: .*request's") as refusal:
        parse_body(request(kind, body))
    assert isinstance(refusal.value, BadRequest)
    assert isinstance(refusal.value, ArcError)
    assert refusal.value.status == 400


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("body", ["%%%", "/w=="])
def test_invalid_base64_and_utf8_raise_bad_request(kind: str, body: str) -> None:
    """Both raise the same exception as malformed JSON."""
    with pytest.raises(BadRequest, match=r"^Invalid request body encoding or invalid JSON: "):
        parse_body({"headers": {"content-type": kind}, "body": body, "isBase64Encoded": True})


@given(
    number=st.sampled_from(["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1.0E+400", f"1{'0' * 400}.0"]),
    path=st.lists(st.sampled_from(["list", "dict"]), max_size=5),
)
def test_s13_nonfinite_json_raises_bad_request(number: str, path: list[str]) -> None:
    """NaN and infinities are refused at any depth and in any notation, as in a session."""
    text = number
    for container in path:
        text = f"[1, {text}]" if container == "list" else f'{{"a": 1, "b": {text}}}'
    sent = payload_v2("POST", headers={"content-type": "application/json"}, body=text)
    with pytest.raises(BadRequest, match="not valid JSON"):
        _ = Request(sent, None, lambda: Made().manager).json
    with pytest.raises(BadRequest, match="not valid JSON"):
        parse_body(sent)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**40), 10**40))
def test_finite_numbers_are_read(number: float) -> None:
    """Numbers are read as Python writes them."""
    assert parse_body(payload_v2("POST", json=[number])) == [number]


def test_the_event_is_not_changed() -> None:
    """Parsing does not change the event."""
    sent = event("http_api_v2")
    assert parse_body(sent) == {"item": "blue pen", "count": "2", "note": ""}
    assert sent == event("http_api_v2")


def test_every_event_format_is_parsed() -> None:
    """`arc.http.parse_body` accepts the events of every format, and a handler's request."""
    for made in (payload_v2, payload_v1, alb):
        assert arc.http.parse_body(made("POST", form={"a": "1"})) == {"a": "1"}
        assert arc.http.parse_body(made("POST", json={"a": 1})) == {"a": 1}
    assert arc.http.parse_body(alb("POST", json={"a": 1}, multi=True)) == {"a": 1}
    echo = arc.http.handler(lambda req: {"text": str(arc.http.parse_body(req))})
    assert echo(payload_v2("POST", json={"a": 1}))["body"] == "{'a': 1}"


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        ("body", request("text/plain", "%%%", encoded=False) | {"isBase64Encoded": True}),
        ("json", request("application/json", "{")),
        ("form", request("multipart/form-data", "no boundary")),
        ("files", request("multipart/form-data", "no boundary")),
    ],
)
def test_the_error_of_a_part_follows_no_error_of_the_library(part: str, sent: dict[str, Any]) -> None:
    """The traceback has the fault of the request, and no AttributeError from inside the library."""
    with pytest.raises(BadRequest) as raised:
        getattr(Request(sent, None, lambda: Made().manager), part)
    error: BaseException | None = raised.value
    while error is not None:
        assert not isinstance(error, AttributeError)
        error = error.__context__
