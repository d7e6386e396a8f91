"""The caching headers of a response that depends on the session."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.reading import FORMATS, format_response, shape

PRIVATE = "private, no-store"
V2 = shape("function_url")
UNCOMPRESSED = {"compression": False}
SESSION = ["_idx=token"]


def headers_of(result: dict[str, Any], *, name: str = "function_url", **options: Any) -> dict[str, str]:
    """The headers of a response that uses the session, names in lower case, repeated values joined."""
    reply = format_response({"html": "x", **result}, shape(name), uses_session=True, **options)
    multiple = {key: ", ".join(values) for key, values in reply.get("multiValueHeaders", {}).items()}
    return {key.lower(): value for key, value in {**reply.get("headers", {}), **multiple}.items()}


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_s30_response_with_a_session_varies_by_cookie(name: str) -> None:
    """`Vary: Cookie` is sent in every format, with and without a session cookie."""
    assert headers_of(UNCOMPRESSED, name=name)["vary"] == "Cookie"
    assert headers_of(UNCOMPRESSED, name=name, session_cookies=SESSION)["vary"] == "Cookie"


@pytest.mark.parametrize(
    ("result", "sent"),
    [
        ({"headers": {"vary": "Origin"}}, "Origin, Cookie"),
        ({"headers": {"Vary": "Origin,Accept-Encoding"}}, "Origin, Accept-Encoding, Cookie"),
        ({"headers": {"VARY": "origin, COOKIE"}}, "origin, COOKIE"),
        ({"headers": {"Vary": "cookie"}}, "cookie"),
        ({"headers": {"Vary": "X-Cookie"}}, "X-Cookie, Cookie"),
        ({"headers": {"vary": "*"}}, "*"),
        ({"headers": {"vary": "Origin, *"}}, "*"),
        ({"headers": {"vary": " ,, "}}, "Cookie"),
        ({"headers": {"vary": "A", "Vary": "B"}}, "A, B, Cookie"),
        ({"multiValueHeaders": {"Vary": ["A", "B"]}}, "A, B, Cookie"),
    ],
)
def test_s30_an_existing_vary_is_merged(result: dict[str, Any], sent: str) -> None:
    """Fields are compared without case, each is sent once, and `*` replaces all."""
    reply = format_response({"html": "x", **UNCOMPRESSED, **result}, V2, uses_session=True)
    assert [value for key, value in reply["headers"].items() if key.lower() == "vary"] == [sent]


@pytest.mark.parametrize(
    "result",
    [
        {"html": "x"},
        {"css": "x"},
        {"js": "x"},
        {"text": "x"},
        {"xml": "x"},
        {"json": [1]},
        {"body": b"x", "type": "image/png"},
        {"location": "/"},
        {"a": 1},
        None,
        ValueError("x"),
        {"html": "x", "headers": {"cache-control": ""}},
    ],
)
@pytest.mark.parametrize("cookies", [[], SESSION])
def test_s31_a_default_cache_control_becomes_private(result: object, cookies: list[str]) -> None:
    """For any content type the default becomes private, which is not reported."""
    reported: list[str] = []
    reply = format_response(result, V2, session_cookies=cookies, uses_session=True, on_override=reported.append)
    assert reply["headers"]["cache-control"] == PRIVATE
    assert reported == []


EXPLICIT = ["max-age=60", "public, max-age=60", "no-cache", 'private="set-cookie", max-age=60', "s-maxage=1"]


@pytest.mark.parametrize("explicit", EXPLICIT)
@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_s31_session_cookie_overrides_a_cacheable_value(name: str, explicit: str) -> None:
    """Caches never store a response with a session cookie, and the replaced value is reported."""
    reported: list[str] = []
    headers = headers_of({"cacheControl": explicit}, name=name, session_cookies=SESSION, on_override=reported.append)
    assert headers["cache-control"] == PRIVATE
    assert reported == [explicit]


@pytest.mark.parametrize("explicit", EXPLICIT)
def test_s31_explicit_value_stays_without_a_session_cookie(explicit: str) -> None:
    """The application decides as long as the response sets no session cookie."""
    reported: list[str] = []
    headers = headers_of({**UNCOMPRESSED, "headers": {"Cache-Control": explicit}}, on_override=reported.append)
    assert (headers["cache-control"], headers["vary"]) == (explicit, "Cookie")
    assert reported == []


@pytest.mark.parametrize("explicit", ["private", "Private, max-age=60", "no-store", "no-cache, NO-STORE , max-age=0"])
def test_s31_explicit_private_value_always_stays(explicit: str) -> None:
    """A value that excludes shared caches is neither replaced nor reported."""
    reported: list[str] = []
    headers = headers_of({"cache_control": explicit}, session_cookies=SESSION, on_override=reported.append)
    assert headers["cache-control"] == explicit
    assert reported == []


@pytest.mark.parametrize("name", ["CDN-Cache-Control", "Surrogate-Control", "cloudflare-cdn-cache-control"])
def test_s31_headers_for_cdns_are_overridden(name: str) -> None:
    """A CDN prefers its own header to Cache-Control, so that is made private too."""
    reported: list[str] = []
    result = {"headers": {name: "max-age=600"}}
    assert headers_of(result)[name.lower()] == "max-age=600"
    headers = headers_of(result, session_cookies=SESSION, on_override=reported.append)
    assert (headers[name.lower()], headers["cache-control"]) == (PRIVATE, PRIVATE)
    assert reported == ["max-age=600"]


def test_s31_override_works_without_a_callback() -> None:
    """The value is replaced without `on_override` as well."""
    assert headers_of({"cacheControl": "max-age=60"}, session_cookies=SESSION)["cache-control"] == PRIVATE


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_s32_response_without_a_session_has_default_headers(name: str) -> None:
    """It has no Vary, no cookie, and Architect's default Cache-Control."""
    reply = format_response({"css": "x", "compression": False}, shape(name))
    headers = reply.get("headers") or {key: one for key, [one] in reply["multiValueHeaders"].items()}
    assert headers == {"content-type": "text/css; charset=utf8", "cache-control": "max-age=86400"}


def test_vary_is_unchanged_without_session_and_compression() -> None:
    """Nothing is merged or respelled."""
    reply = format_response({"html": "x", "headers": {"Vary": "Origin"}, **UNCOMPRESSED}, V2)
    assert reply["headers"]["Vary"] == "Origin"


@pytest.mark.parametrize("name", ["bare", *FORMATS])
@pytest.mark.parametrize("key", ["css", "js", "text", "xml"])
@pytest.mark.parametrize("result", [{"cookie": "a=1"}, {"cookies": ["a=1"]}, {"headers": {"Set-Cookie": "a=1"}}])
def test_default_cache_control_is_private_with_a_cookie(name: str, key: str, result: dict[str, Any]) -> None:
    """A cache that stored the application's Set-Cookie would send it to every visitor."""
    reply = format_response({key: "x", **result}, shape(name))
    headers = reply.get("headers") or {key: one[0] for key, one in reply["multiValueHeaders"].items()}
    assert headers["cache-control"] == PRIVATE


@pytest.mark.parametrize("result", [{"css": "x", "cache_control": "max-age=60"}, {"html": "x"}])
def test_application_cookie_keeps_other_cache_controls(result: dict[str, Any]) -> None:
    """An explicit value stays, and so does a default that no cache stores."""
    with_cookie = format_response({**result, "cookie": "a=1"}, V2)
    assert with_cookie["headers"]["cache-control"] == format_response(result, V2)["headers"]["cache-control"]


@pytest.mark.parametrize("spelling", ["Content-Type", "CONTENT-TYPE"])
def test_the_type_that_is_sent_decides_on_caching(spelling: str) -> None:
    """Of two spellings the one in lower case is sent, and HTML under it is not cached by default."""
    for headers in (
        {"content-type": "text/html", spelling: "image/png"},
        {spelling: "image/png", "content-type": "text/html"},
    ):
        sent = format_response({"body": "", "headers": headers}, V2)["headers"]
        assert (sent["content-type"], spelling in sent) == ("text/html", False)
        assert sent["cache-control"].startswith("no-cache, no-store")


@pytest.mark.parametrize("status", [400, 404, 503])
@pytest.mark.parametrize("key", ["text", "css", "js", "xml"])
def test_error_is_not_kept_by_default(key: str, status: int) -> None:
    """A browser or a CDN would show it for a day. A Cache-Control of the application is sent."""
    sent = format_response({key: "sorry", "status": status}, V2)["headers"]
    assert sent["cache-control"] == "no-cache, no-store, must-revalidate, max-age=0, s-maxage=0"
    chosen = format_response({key: "sorry", "status": status, "cacheControl": "max-age=5"}, V2)["headers"]
    assert chosen["cache-control"] == "max-age=5"
