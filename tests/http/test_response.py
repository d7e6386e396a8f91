"""A handler's result is formatted as in Architect's libraries."""

from __future__ import annotations

import copy
import gzip
import json
import logging
import re
from base64 import b64decode, b64encode
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import BadRequest
from arc.http.response import PreparedResponse
from arc.http.result import Response
from arc.http.shape import Shape
from tests.http.reading import FORMATS, format_response, shape

UNCACHED = "no-cache, no-store, must-revalidate, max-age=0, s-maxage=0"
DAY = "max-age=86400"
BROWSERS_DAY = "private, max-age=86400"
JSON = "application/json; charset=utf8"
BARE, V2 = shape("bare"), shape("function_url")
GZIP = shape("function_url", headers={"accept-encoding": "gzip"})


def formatted(result: object, on: Shape = V2) -> dict[str, Any]:
    """The response for `result` on an event of payload format 2.0 that accepts no compression."""
    return format_response(result, on)


@pytest.mark.parametrize(
    ("result", "kind", "body", "cache"),
    [
        ({"html": "<p>é"}, "text/html; charset=utf8", "<p>é", UNCACHED),
        ({"css": "a{}"}, "text/css; charset=utf8", "a{}", DAY),
        ({"js": "1"}, "text/javascript; charset=utf8", "1", DAY),
        ({"text": "hi"}, "text/plain; charset=utf8", "hi", BROWSERS_DAY),
        ({"xml": "<a/>"}, "application/xml; charset=utf8", "<a/>", BROWSERS_DAY),
        ({"json": {"a": [1, "é"]}}, JSON, '{"a":[1,"é"]}', UNCACHED),
        ({"json": []}, JSON, "[]", UNCACHED),
        ({"json": {}}, JSON, "{}", UNCACHED),
        ({"json": 0}, JSON, "0", UNCACHED),
        ({"json": False}, JSON, "false", UNCACHED),
        ({"json": None}, JSON, "null", UNCACHED),
        ({"json": None, "html": None, "body": ""}, JSON, "null", UNCACHED),
        ({"json": None, "body": "x"}, JSON, "x", UNCACHED),
        ({"json": None, "html": ""}, "text/html; charset=utf8", "", UNCACHED),
        ({"html": ""}, "text/html; charset=utf8", "", UNCACHED),
        ({"html": "", "body": "x"}, JSON, "x", UNCACHED),
        ({"html": "y", "body": "x"}, "text/html; charset=utf8", "y", UNCACHED),
        ({"text": "x", "html": "y"}, "text/html; charset=utf8", "y", UNCACHED),
        ({"body": "x"}, JSON, "x", UNCACHED),
        ({"body": None}, JSON, "", UNCACHED),
        ({"body": "x", "type": "text/plain"}, "text/plain", "x", BROWSERS_DAY),
        ({"body": "x", "type": "image/svg+xml"}, "image/svg+xml", "x", BROWSERS_DAY),
        ({"body": "x", "type": "Application/JavaScript"}, "Application/JavaScript", "x", DAY),
        ({"body": "{}", "type": "application/vnd.api+json"}, "application/vnd.api+json", "{}", UNCACHED),
        ({"headers": {}}, JSON, "", UNCACHED),
        ({"headers": None, "body": "x"}, JSON, "x", UNCACHED),
    ],
)
@pytest.mark.parametrize("on", [BARE, V2, shape("rest_v1", multiValueHeaders={})], ids=["bare", "2.0", "rest"])
def test_body_type_and_default_cache(on: Shape, result: object, kind: str, body: str, cache: str) -> None:
    """Each body key has its type, and each type its default Cache-Control, in every format."""
    reply = formatted(result, on)
    reply["headers"].pop("vary", None)
    assert reply == {
        "headers": {"content-type": kind, "cache-control": cache},
        "statusCode": 200,
        "body": body,
    }


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ({"body": "x", "headers": {"content-type": "text/html"}}, "text/html"),
        ({"body": "x", "headers": {"Content-Type": "text/html"}}, "text/html"),
        ({"body": "x", "type": "text/css", "headers": {"Content-Type": "text/html"}}, "text/css"),
        ({"body": "x", "type": "text/css", "headers": {"content-type": "text/html"}}, "text/html"),
        ({"html": "x", "headers": {"content-type": "image/svg+xml"}}, "image/svg+xml"),
        ({"html": "x", "type": "text/css"}, "text/html; charset=utf8"),
    ],
)
def test_precedence_of_content_types(result: object, kind: str) -> None:
    """A lower-case header, then the body's key, then `type`, then the header in another case."""
    assert [value for name, value in formatted(result)["headers"].items() if name.lower() == "content-type"] == [kind]


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ({"status": 404}, 404),
        ({"code": 404}, 404),
        ({"statusCode": 404}, 404),
        ({"status_code": 404, "body": ""}, 404),
        ({"status": 0, "code": 201}, 201),
        ({"status": None, "statusCode": 204}, 204),
        ({"status": HTTPStatus.GONE}, 410),
        ({"status": "404"}, 404),
        ({"status": 599}, 599),
        ({"status": 100}, 100),
        ({"location": "/"}, 302),
        ({"location": "/", "status": 301}, 301),
        ({"location": "/", "statusCode": 303}, 303),
        ({"location": "", "body": "x"}, 200),
        ({"location": False, "body": "x"}, 200),
    ],
)
def test_status(result: object, status: int) -> None:
    """Of four keys the first that is set counts, and the result is an int."""
    given_status = formatted(result)["statusCode"]
    assert given_status == status
    assert type(given_status) is int


def test_redirect_is_not_cached() -> None:
    """`location` becomes a header, and no CDN stores the response, whatever its type."""
    reply = formatted({"location": "/e?a=1", "type": "text/plain"})
    assert reply["headers"] == {"content-type": "text/plain", "cache-control": UNCACHED, "location": "/e?a=1"}
    assert formatted({"location": "/", "headers": {"Location": "/other"}})["headers"]["location"] == "/"


@pytest.mark.parametrize("key", ["location", "headers", "multiValueHeaders"])
@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/suche?q=käse", "/suche?q=k%C3%A4se"),
        ("/my file", "/my%20file"),
        (" /a\tb ", "/a%09b"),
        ("/日本#出", "/%E6%97%A5%E6%9C%AC#%E5%87%BA"),
        ("/a%20b?signature=a%2Fb&n=1+2", "/a%20b?signature=a%2Fb&n=1+2"),
        ("https://[::1]:8080/a;b=c,d?e=f@g#h", "https://[::1]:8080/a;b=c,d?e=f@g#h"),
        ("/100%", "/100%25"),
        ("/100%&x=%zz", "/100%25&x=%25zz"),
        ("/\\evil.example", "/%5Cevil.example"),
    ],
)
def test_location_is_percent_encoded(key: str, location: str, sent: str) -> None:
    """A Location is a URI reference (RFC 9110 §10.2.2), and existing escapes are kept."""
    given = {"location": location, "headers": {"Location": location}, "multiValueHeaders": {"Location": [location]}}
    headers = formatted({"status": 303, key: given[key]})["headers"]
    assert {value for name, value in headers.items() if name.lower() == "location"} == {sent}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_any_location_is_encoded_once(location: str) -> None:
    """Only characters of RFC 3986 are sent, and encoding the result again changes nothing."""
    sent = formatted({"status": 303, "location": f"/{location}"})["headers"]["location"]
    assert re.fullmatch(r"(?:[\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", sent, re.ASCII)
    assert formatted({"status": 303, "location": sent})["headers"]["location"] == sent
    assert unquote(sent) == unquote(re.sub("%(?![0-9A-Fa-f]{2})", "%25", f"/{location}".strip(" ")))


@pytest.mark.parametrize(
    "result",
    [
        {"cacheControl": "max-age=5"},
        {"cache_control": "max-age=5"},
        {"headers": {"cache-control": "max-age=5"}},
        {"headers": {"Cache-Control": "max-age=5"}},
        {"headers": {"CACHE-CONTROL": "max-age=5"}},
        {"headers": {"Cache-Control": "max-age=1", "cache-control": "max-age=5"}},
        {"headers": {"Cache-Control": "max-age=5", "cache-control": ""}},
        {"headers": {"Cache-Control": "max-age=1"}, "cacheControl": "max-age=5"},
        {"multiValueHeaders": {"Cache-Control": ["max-age=5"]}},
    ],
)
def test_explicit_cache_control_is_sent(result: dict[str, Any]) -> None:
    """One header in lower case is sent, and the response key takes precedence over the header."""
    reply = formatted({**result, "html": "x"})
    assert [name for name in reply["headers"] if name.lower() == "cache-control"] == ["cache-control"]
    assert reply["headers"]["cache-control"] == "max-age=5"


def test_custom_headers_keep_their_spelling() -> None:
    """Only headers that the formatter sets are in lower case."""
    reply = formatted({"text": "x", "headers": {"X-Count": 5, "X-Ratio": 0.5, "X-On": True, "Content-Encoding": "zz"}})
    assert reply["headers"] == {
        "content-type": "text/plain; charset=utf8",
        "X-Count": "5",
        "X-Ratio": "0.5",
        "X-On": "true",
        "content-encoding": "zz",
        "cache-control": BROWSERS_DAY,
    }


def test_tabs_and_letters_of_every_script_are_allowed() -> None:
    """Only characters that could end a header or that proxies refuse are invalid."""
    reply = formatted({"text": "x", "headers": {"x-a": "a\tb é \u200b \u05d0"}})
    assert reply["headers"]["x-a"] == "a\tb é \u200b \u05d0"
    with pytest.raises(ValueError, match="x-a"):
        formatted({"text": "x", "headers": {"x-a": "\x7f"}})


def test_cors_true_allows_every_origin() -> None:
    """`cors: True` sets one header."""
    for headers in ({}, {"Access-Control-Allow-Origin": "https://a.example"}):
        sent = formatted({"cors": True, "json": 1, "headers": headers})["headers"]
        assert [value for name, value in sent.items() if name.lower() == "access-control-allow-origin"] == ["*"]
    assert "access-control-allow-origin" not in formatted({"cors": False, "json": 1})["headers"]
    assert formatted({"cors": "*", "json": 1}) == formatted({"cors": True, "json": 1})


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:3333", "capacitor://localhost"])
def test_cors_with_an_origin_allows_cookies(origin: str) -> None:
    """Browsers send cookies only if the origin is named and credentials are allowed (Fetch §3.3)."""
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "false", "x-a": "1"}
    sent = formatted({"cors": origin, "json": 1, "headers": headers})["headers"]
    assert {name: value for name, value in sent.items() if name.lower().startswith("access-control-")} == {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
    }


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ({"a": 1}, '{"a":1}'),
        ({"type": "Feature", "geometry": None}, '{"type":"Feature","geometry":null}'),
        ({}, "{}"),
        ([1, 2], "[1,2]"),
        ((1, 2), "[1,2]"),
        ([], "[]"),
        ("hello", '"hello"'),
        ("", ""),
        (5, "5"),
        (0, "0"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        (Decimal("2.50"), "2.5"),
        (None, ""),
    ],
)
def test_result_without_response_keys_is_json(result: object, body: str) -> None:
    """In payload format 2.0 such a result is the JSON body itself, and None is empty."""
    reply = formatted(result)
    assert (reply["statusCode"], reply["body"], reply["headers"]["content-type"]) == (200, body, JSON)


@pytest.mark.parametrize(
    ("result", "body"), [({}, ""), ({"type": "text/css"}, ""), ({"a": 1}, '{"a":1}'), ([1], "[1]")]
)
def test_other_formats_have_more_response_keys(result: object, body: str) -> None:
    """There an empty dict and one with only a type are responses, and other data is JSON too."""
    assert formatted(result, BARE)["body"] == body


@pytest.mark.parametrize("on", [BARE, GZIP], ids=["bare", "2.0"])
@pytest.mark.parametrize("body", [{"a": [1]}, {}, ["é", None], []])
def test_data_under_body_is_sent_as_json(on: Shape, body: object) -> None:
    """It is sent as under `json`, with the application's type."""
    reply = format_response({"body": body, "compression": False}, on)
    assert json.loads(reply["body"]) == body
    assert reply["headers"]["content-type"] == "application/json; charset=utf8"
    typed = format_response({"body": body, "type": "application/ld+json", "compression": False}, on)
    assert (typed["body"], typed["headers"]["content-type"]) == (reply["body"], "application/ld+json")


def test_returned_bytes_are_the_body() -> None:
    """Bytes are sent unchanged."""
    reply = formatted(b"\xff\x00")
    assert (b64decode(reply["body"]), reply["isBase64Encoded"]) == (b"\xff\x00", True)
    assert reply["headers"]["content-type"] == "application/octet-stream"


def test_decimals_are_json_numbers() -> None:
    """DynamoDB's Decimals are sent as numbers, whole ones without a point."""
    assert formatted({"json": [Decimal(5), Decimal("1.25"), Decimal("1E+2")]})["body"] == "[5,1.25,100]"


def test_unpaired_surrogate_in_json_is_escaped() -> None:
    """Text that UTF-8 cannot encode is still valid JSON."""
    body = formatted({"json": "\ud83d"})["body"]
    assert body == '"\\ud83d"'


@pytest.mark.parametrize("body", [b"\x89PNG", bytearray(b"\x89PNG"), memoryview(b"\x89PNG")])
@pytest.mark.parametrize("on", [BARE, V2, GZIP], ids=["bare", "2.0", "gzip"])
def test_bytes_are_sent_as_base64(on: Shape, body: object) -> None:
    """An image's bytes are encoded, flagged and never compressed."""
    reply = formatted({"body": body, "type": "image/png"}, on)
    assert reply["body"] == "iVBORw=="
    assert reply["isBase64Encoded"] is True
    assert "content-encoding" not in reply["headers"]
    assert reply["headers"]["cache-control"] == BROWSERS_DAY


@pytest.mark.parametrize("kind", ["application/pdf", "IMAGE/PNG; x=y", "font/woff2", "application/zip", "video/mp2t"])
def test_text_of_a_binary_type_is_base64(kind: str) -> None:
    """The application encoded it already, so it is only flagged."""
    reply = formatted({"body": "aGk=", "type": kind}, GZIP)
    assert (reply["body"], reply["isBase64Encoded"]) == ("aGk=", True)


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/plain", "application/wasm", "audio", "/zip"])
def test_text_of_another_type_is_text(kind: str) -> None:
    """Types that are not on Architect's list are sent unchanged."""
    reply = formatted({"body": "aGk=", "type": kind})
    assert reply["body"] == "aGk="
    assert "isBase64Encoded" not in reply


@pytest.mark.parametrize("status", [204, 304])
def test_bodiless_status_has_no_null(status: int) -> None:
    """`null` is for clients that parse JSON; these statuses have no body (RFC 9110 §15.3.5 and §15.4.5)."""
    assert formatted({"status": status, "json": None})["body"] == ""


@pytest.mark.parametrize("name", ["alb_single", "alb_multi"])
def test_load_balancer_always_gets_is_base64_encoded(name: str) -> None:
    """Its responses must include the encoding status (AWS, "Lambda functions as targets")."""
    assert formatted({"text": "x"}, shape(name))["isBase64Encoded"] is False
    assert formatted(b"\xff", shape(name))["isBase64Encoded"] is True


def test_base64_of_the_application_is_kept() -> None:
    """`isBase64Encoded` is sent, and the body is not compressed."""
    sent = b64encode(b"hi").decode()
    reply = formatted({"body": sent, "type": "text/plain", "isBase64Encoded": True}, GZIP)
    assert (reply["body"], reply["isBase64Encoded"]) == (sent, True)
    assert "content-encoding" not in reply["headers"]


@pytest.mark.parametrize(
    ("name", "compresses"),
    [("http_api_v2", True), ("http_api_v1", True), ("rest_v1", False), ("alb_single", False), ("bare", False)],
)
def test_formats_whose_responses_are_compressed(name: str, compresses: bool) -> None:
    """HTTP APIs and function URLs leave compression to the function; REST APIs and ALBs do not."""
    reply = formatted({"html": "é" * 99}, shape(name, multiValueHeaders={}, headers={"Accept-Encoding": "gzip"}))
    headers = reply.get("headers") or {key: one for key, [one] in reply["multiValueHeaders"].items()}
    assert (headers.get("content-encoding") == "gzip") is compresses
    assert reply.get("isBase64Encoded", False) is compresses
    body = gzip.decompress(b64decode(reply["body"])).decode() if compresses else reply["body"]
    assert body == "é" * 99


@pytest.mark.parametrize(
    "result",
    [
        {"html": "x", "compression": False},
        {"html": "x", "headers": {"Content-Encoding": "identity"}},
        {"html": "x", "status": 206, "headers": {"Content-Range": "bytes 0-0/9"}},
        {"html": ""},
        {"location": "/"},
        {"status": 204},
    ],
)
def test_what_is_not_compressed(result: dict[str, Any]) -> None:
    """A refusal, an encoding of the application's own and an empty body leave the body alone.

    So does a part of one, whose range counts in the body that is sent (RFC 9110 §14.4).
    """
    reply = formatted(result, GZIP)
    assert reply["body"] == result.get("html", "")
    assert "isBase64Encoded" not in reply


@pytest.mark.parametrize("accepted", ["gzip", "identity", ""])
@pytest.mark.parametrize("name", ["http_api_v2", "http_api_v1", "function_url"])
@pytest.mark.parametrize("key", ["css", "html", "json"])
def test_compressible_responses_vary_by_accept_encoding(key: str, name: str, accepted: str) -> None:
    """Otherwise a cache would send the compressed body to clients that cannot read it, or never."""
    on = shape(name, multiValueHeaders={}, headers={"accept-encoding": accepted})
    assert formatted({key: "x"}, on)["headers"]["vary"] == "Accept-Encoding"
    merged = formatted({key: "x", "headers": {"Vary": "Origin, accept-encoding"}}, on)["headers"]
    assert {name: value for name, value in merged.items() if name.lower() == "vary"} == {
        "vary": "Origin, accept-encoding"
    }


@pytest.mark.parametrize("status", [200, 304])
def test_not_modified_response_varies_like_the_full_one(status: int) -> None:
    """A 304 has the Vary of its 200, although it has no body (RFC 9110 §15.4.5)."""
    result = {"status": status, "css": "" if status == 304 else "x", "headers": {"ETag": '"a"'}}
    assert formatted(result, GZIP)["headers"]["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("result", "on"),
    [
        ({"css": "x", "compression": False}, GZIP),
        ({"css": "x", "headers": {"Content-Encoding": "gzip"}}, GZIP),
        ({"body": b"x", "type": "image/png"}, GZIP),
        ({"body": "eA==", "type": "text/css", "isBase64Encoded": True}, GZIP),
        ({"location": "/"}, GZIP),
        ({"css": "x"}, shape("rest_v1")),
        ({"css": "x"}, BARE),
    ],
)
def test_uncompressible_response_does_not_vary(result: dict[str, Any], on: Shape) -> None:
    """A response that is the same for every client has no Vary."""
    assert "vary" not in formatted(result, on)["headers"]


@pytest.mark.parametrize(
    ("tag", "compressed"), [('"abc"', 'W/"abc"'), ('W/"abc"', 'W/"abc"'), ("abc", "abc"), ("", "")]
)
def test_compression_adapts_length_and_etag(tag: str, compressed: str) -> None:
    """The length of the plain body is removed, and a strong ETag becomes weak (RFC 9110 §8.8.3)."""
    result = {"css": "x" * 99, "headers": {"Content-Length": "99", "ETag": tag}}
    plain, zipped = formatted(result)["headers"], formatted(result, GZIP)["headers"]
    assert (plain["Content-Length"], plain["ETag"]) == ("99", tag)
    assert "content-length" not in {name.lower() for name in zipped}
    assert [value for name, value in zipped.items() if name.lower() == "etag"] == [compressed]


def test_bytes_of_a_text_type_are_compressed() -> None:
    """Bytes of a text type are handled like text."""
    reply = formatted({"body": "é".encode(), "type": "text/plain"}, GZIP)
    assert gzip.decompress(b64decode(reply["body"])).decode() == "é"


@pytest.mark.parametrize(("preferred", "encoding"), [("gzip", "gzip"), ("br", "br"), (True, "br")])
def test_compression_key_selects_the_encoding(preferred: object, encoding: str) -> None:
    """`compression` selects one of the encodings that the client accepts."""
    both = shape("http_api_v2", headers={"accept-encoding": "br, gzip"})
    assert formatted({"html": "x", "compression": preferred}, both)["headers"]["content-encoding"] == encoding


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (ValueError("a <b>"), 500, "500 error: ValueError"),
        (Exception("a <b>"), 500, "500 error"),
        (BadRequest("a <b>"), 400, "400 error: BadRequest"),
    ],
)
@pytest.mark.parametrize("on", [BARE, V2, GZIP], ids=["bare", "2.0", "gzip"])
def test_returned_exception_is_an_error_page(
    on: Shape, error: Exception, status: int, title: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its status is 500 or its own, its message is escaped, and the traceback is logged and not shown."""
    with caplog.at_level(logging.ERROR, "arc"):
        reply = formatted(error, on)
    body = gzip.decompress(b64decode(reply["body"])).decode() if "isBase64Encoded" in reply else reply["body"]
    assert reply["statusCode"] == status
    assert reply["headers"]["content-type"] == "text/html; charset=utf8"
    assert reply["headers"]["cache-control"] == UNCACHED
    assert f"<title>{title}</title>" in body
    assert "a &lt;b&gt;" in body
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]


def test_invalid_status_of_an_exception_is_ignored() -> None:
    """Only a whole number from 400 to 599 is a status, unlike Node's ENOENT under `code`."""
    for odd in ("ENOENT", 200, True, None, 600, 404.0):
        error = OSError("gone")
        error.code = odd  # type: ignore[attr-defined]  # as libraries do
        assert formatted(error)["statusCode"] == 500


def ring() -> dict[str, Any]:
    """A parent that refers to its child, which refers to the parent, as database objects often do."""
    parent: dict[str, Any] = {"children": []}
    parent["children"].append({"parent": parent})
    return parent


class Thing:
    """An object that is neither a response nor data."""


Impostor = type("Decimal", (), {})


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({1, 2}, ["type set", "dict, list, str"]),
        (Thing(), ["type Thing"]),
        ({"json": b"x"}, ["'json'", "type bytes"]),
        ({"json": {"a": [Thing()]}}, ["'json'", "type Thing"]),
        ({"json": {(1, 2): 3}}, ["'json'"]),
        ({"data": {1, 2}}, ["the result", "type set"]),
        ({"json": float("nan")}, ["'json'"]),
        ({"json": ring()}, ["'json'", "Circular reference"]),
        (ring(), ["the result", "Circular reference"]),
        ({"json": Impostor()}, ["'json'", "type Decimal"]),
        (Impostor(), ["type Decimal"]),
        ({"json": Decimal("NaN")}, ["'json'", "Decimal"]),
        ({"html": 5}, ["'html'", "type int", "str or bytes"]),
        ({"body": {"a": {1}}}, ["'body'", "type set"]),
        ({"html": {"a": 1}}, ["'html'", "type dict", "'json'"]),
        ({"body": 0}, ["'body'", "type int"]),
        ({"text": "\ud800"}, ["'text'", "surrogate"]),
        ({"status": 99}, ["'status'", "99", "100 to 599"]),
        ({"status": 600}, ["'status'", "600"]),
        ({"code": "E42"}, ["'code'", "type str", "'json'"]),
        ({"statusCode": 200.0}, ["'statusCode'", "type float"]),
        ({"status": True}, ["'status'", "type bool"]),
        ({"status": [200]}, ["'status'", "type list"]),
        ({"body": "", "type": 5}, ["'type'", "type int"]),
        ({"body": "", "type": "text/html\r\nx: y"}, ["'type'", "line break"]),
        ({"location": 5}, ["'location'", "type int"]),
        ({"location": "/\r\nset-cookie: a=b"}, ["'location'", "line break"]),
        ({"location": "/\ud800"}, ["'location'", "surrogate"]),
        ({"headers": {"location": "/\ud800"}}, ["'location'", "surrogate"]),
        ({"body": "", "cacheControl": 5}, ["'cacheControl'", "type int"]),
        ({"body": "", "cache_control": "a\nb"}, ["'cache_control'", "line break"]),
        ({"headers": [("a", "b")]}, ["'headers'", "type list", "dict"]),
        ({"headers": {"x-a": None}}, ["'x-a'", "type NoneType", "str or a number"]),
        ({"headers": {"x-a": ["1"]}}, ["'x-a'", "type list", "multiValueHeaders"]),
        ({"headers": {"x-a": b"1"}}, ["'x-a'", "type bytes"]),
        ({"headers": {"x-a": "1\r\nb: 2"}}, ["'x-a'", "line break"]),
        ({"headers": {"x-a": "1\x00"}}, ["'x-a'", "control"]),
        ({"headers": {"x a": "1"}}, ["'x a'", "header name"]),
        ({"headers": {"x-a\n": "1"}}, ["header name"]),
        ({"headers": {"": "1"}}, ["''", "header name"]),
        ({"headers": {5: "1"}}, ["5", "header name"]),
        ({"body": "", "multiValueHeaders": {"x-a": "1"}}, ["'x-a'", "type str", "list"]),
        ({"body": "", "multiValueHeaders": {"x-a": ["1\n"]}}, ["'x-a'", "line break"]),
        ({"cookie": ["a=1"]}, ["'cookie'", "type list"]),
        ({"cookie": "a=1\r\nb: 2"}, ["'cookie'", "line break"]),
        ({"cookies": "a=1"}, ["'cookies'", "type str", "'cookie'"]),
        ({"cookies": [1]}, ["'cookies'", "type int"]),
        ({"cookies": ["a=1\n"]}, ["'cookies'", "line break"]),
        ({"html": "x", "compression": 5}, ["'compression'", "type int", "False"]),
        ({"html": "x", "cors": "https://app.example/"}, ["'cors'", "'https://app.example/'", "without a path"]),
        ({"html": "x", "cors": "app.example"}, ["'cors'", "'app.example'", "https://"]),
        ({"html": "x", "cors": "https://a.example, https://b.example"}, ["'cors'", "https://"]),
        ({"html": "x", "cors": "null"}, ["'cors'", "'null'"]),
        ({"html": "x", "cors": ["https://app.example"]}, ["'cors'", "type list", "True"]),
    ],
)
@pytest.mark.parametrize("on", [BARE, GZIP], ids=["bare", "2.0"])
def test_invalid_result_names_the_key(on: Shape, result: object, words: list[str]) -> None:
    """The exception names the key, the type and the accepted types."""
    with pytest.raises((TypeError, ValueError)) as refusal:
        formatted(result, on)
    assert [word for word in words if word not in str(refusal.value)] == []


def test_deep_or_circular_data_is_refused() -> None:
    """Data that JSON cannot represent raises a ValueError and does not crash the interpreter."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="too deeply"):
        formatted({"json": deep})
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(ValueError, match="'json'"):
        formatted({"json": ring})


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_result_is_not_changed(name: str) -> None:
    """A handler may return the same dict again and again."""
    result = {
        "headers": {"Content-Type": "text/html", "Cache-Control": "max-age=5", "set-cookie": "a=1", "Vary": "Origin"},
        "multiValueHeaders": {"Set-Cookie": ["b=2"], "X-A": ["1", "2"]},
        "cookies": ["c=3"],
        "body": "x",
    }
    before = copy.deepcopy(result)
    first = format_response(result, shape(name), session_cookies=["_idx=1"], uses_session=True)
    assert result == before
    assert format_response(result, shape(name), session_cookies=["_idx=1"], uses_session=True) == first
    assert result == before


def test_prepared_response_has_a_status_and_replies_repeatedly() -> None:
    """The session's part is added at the end, without repeating the rest."""
    prepared = PreparedResponse({"html": "x"}, V2)
    assert prepared.status == 200
    plain = prepared.reply()
    assert prepared.reply(session_cookies=["_idx=1"], uses_session=True)["headers"]["set-cookie"] == "_idx=1"
    assert prepared.reply() == plain == formatted({"html": "x"})


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_repeated_headers_are_sent_in_every_format(name: str) -> None:
    """They are in `multiValueHeaders` if the format has it, and joined otherwise."""
    reply = formatted(
        {"text": "x", "headers": {"x-a": "0", "x-b": "3"}, "multiValueHeaders": {"X-A": ["1", "2"]}}, shape(name)
    )
    single, multiple = reply.get("headers", {}), reply.get("multiValueHeaders", {})
    joined = {**single, **{key: ", ".join(values) for key, values in multiple.items()}}
    assert joined["X-A"] == "1, 2"
    assert "x-a" not in joined
    assert joined["x-b"] == "3"
    assert ("headers" in reply) is (name != "alb_multi")
    assert ("multiValueHeaders" in reply) is (name in ("bare", "http_api_v1", "rest_v1", "alb_multi"))


VALUES = st.none() | st.booleans() | st.integers(0, 700) | st.text(max_size=5) | st.binary(max_size=5)
RESULTS = st.dictionaries(
    st.sampled_from(sorted({*Response.__annotations__, "other"})),
    VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.text(max_size=5), VALUES, max_size=2),
)


@given(RESULTS | VALUES, st.sampled_from(["bare", *FORMATS]))
def test_any_result_is_sent_or_refused(result: object, name: str) -> None:
    """Any result becomes valid JSON for Lambda, or raises TypeError or ValueError."""
    try:
        reply = formatted(result, shape(name))
    except (TypeError, ValueError):
        return
    json.dumps(reply).encode()
    assert 100 <= reply["statusCode"] <= 599
    assert isinstance(reply["body"], str)
    values = [
        *reply.get("headers", {}).values(),
        *(v for vs in reply.get("multiValueHeaders", {}).values() for v in vs),
    ]
    assert all(isinstance(value, str) and not set(value) & set("\r\n\0") for value in values)


BODIES: st.SearchStrategy[object] = st.sampled_from(
    [None, "", "é", b"", b"x", "{}", 0, False, [], {}, {"a": [1]}, "x" * 500, "\ud83d", 2.5, {1}]
)


@given(
    st.dictionaries(st.sampled_from(["html", "css", "js", "text", "json", "xml", "body", "other"]), BODIES, max_size=3),
    st.sampled_from([BARE, V2, GZIP, shape("rest_v1"), shape("rest_v1", headers={"Accept-Encoding": "br"})]),
    st.booleans(),
)
def test_a_body_alone_is_sent_as_with_an_option_that_changes_nothing(
    result: dict[str, Any], on: Shape, uses_session: bool
) -> None:
    """Most responses have no options, and are prepared in fewer steps."""
    if not result.keys() - {"other"}:
        return
    found: list[object] = []
    for returned in (result, {**result, "cors": None}):
        try:
            found.append(PreparedResponse(returned, on).reply(uses_session=uses_session, session_cookies=["a=1"]))
        except (TypeError, ValueError) as error:
            found.append(f"{error!r}")
    assert found[0] == found[1]
