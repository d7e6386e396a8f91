"""What caches are told about a response that depends on the session."""

from __future__ import annotations

from typing import Any

import pytest

from arc.http.response import format_response
from tests.http.reading import FORMATS, shape

PRIVATE = "private, no-store"
V2 = shape("function_url")
UNCOMPRESSED = {"compression": False}
SESSION = ["_idx=token"]


def headers_of(result: dict[str, Any], *, name: str = "function_url", **options: Any) -> dict[str, str]:
    """The headers of a touched response, names in lower case, repeats joined."""
    reply = format_response({"html": "x", **result}, shape(name), touched=True, **options)
    multiple = {key: ", ".join(values) for key, values in reply.get("multiValueHeaders", {}).items()}
    return {key.lower(): value for key, value in {**reply.get("headers", {}), **multiple}.items()}


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_s30_a_touched_response_varies_by_cookie(name: str) -> None:
    """`Vary: Cookie` goes out in every format, with and without a session cookie."""
    assert headers_of(UNCOMPRESSED, name=name)["vary"] == "Cookie"
    assert headers_of(UNCOMPRESSED, name=name, session_cookies=SESSION)["vary"] == "Cookie"


@pytest.mark.parametrize(
    ("given", "sent"),
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
def test_s30_an_existing_vary_is_merged(given: dict[str, Any], sent: str) -> None:
    """Fields are compared without case, each comes once, and `*` covers everything."""
    reply = format_response({"html": "x", **UNCOMPRESSED, **given}, V2, touched=True)
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
    """Whatever the content type, no default of ours lets a cache keep a visitor's page; no event for that."""
    told: list[str] = []
    reply = format_response(result, V2, session_cookies=cookies, touched=True, on_override=told.append)
    assert reply["headers"]["cache-control"] == PRIVATE
    assert told == []


EXPLICIT = ["max-age=60", "public, max-age=60", "no-cache", 'private="set-cookie", max-age=60', "s-maxage=1"]


@pytest.mark.parametrize("explicit", EXPLICIT)
@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_s31_a_session_cookie_overrides_an_explicit_cacheable_one(name: str, explicit: str) -> None:
    """A response that sets the session's cookie is never stored by a cache, and the old value is reported."""
    told: list[str] = []
    headers = headers_of({"cacheControl": explicit}, name=name, session_cookies=SESSION, on_override=told.append)
    assert headers["cache-control"] == PRIVATE
    assert told == [explicit]


@pytest.mark.parametrize("explicit", EXPLICIT)
def test_s31_without_a_session_cookie_an_explicit_one_stands(explicit: str) -> None:
    """The application knows best as long as no cookie of ours is in the response."""
    told: list[str] = []
    headers = headers_of({**UNCOMPRESSED, "headers": {"Cache-Control": explicit}}, on_override=told.append)
    assert (headers["cache-control"], headers["vary"]) == (explicit, "Cookie")
    assert told == []


@pytest.mark.parametrize("explicit", ["private", "Private, max-age=60", "no-store", "no-cache, NO-STORE , max-age=0"])
def test_s31_an_explicit_private_one_always_stands(explicit: str) -> None:
    """What keeps shared caches out already is not replaced, and nothing is reported."""
    told: list[str] = []
    headers = headers_of({"cache_control": explicit}, session_cookies=SESSION, on_override=told.append)
    assert headers["cache-control"] == explicit
    assert told == []


@pytest.mark.parametrize("name", ["CDN-Cache-Control", "Surrogate-Control", "cloudflare-cdn-cache-control"])
def test_s31_headers_for_cdns_alone_are_overridden_too(name: str) -> None:
    """A CDN's own header goes before Cache-Control, so that it cannot let a session's cookie be stored."""
    told: list[str] = []
    given = {"headers": {name: "max-age=600"}}
    assert headers_of(given)[name.lower()] == "max-age=600"
    headers = headers_of(given, session_cookies=SESSION, on_override=told.append)
    assert (headers[name.lower()], headers["cache-control"]) == (PRIVATE, PRIVATE)
    assert told == ["max-age=600"]


def test_s31_nobody_needs_to_listen() -> None:
    """The override happens without a callback as well."""
    assert headers_of({"cacheControl": "max-age=60"}, session_cookies=SESSION)["cache-control"] == PRIVATE


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_s32_an_untouched_response_says_nothing_of_sessions(name: str) -> None:
    """Without the session there is no Vary, no cookie, and Architect's default Cache-Control."""
    reply = format_response({"css": "x", "compression": False}, shape(name))
    headers = reply.get("headers") or {key: one for key, [one] in reply["multiValueHeaders"].items()}
    assert headers == {"content-type": "text/css; charset=utf8", "cache-control": "max-age=86400"}


def test_an_untouched_vary_is_as_the_application_wrote_it() -> None:
    """Nothing is merged or respelt when neither the session nor compression plays a part."""
    reply = format_response({"html": "x", "headers": {"Vary": "Origin"}, **UNCOMPRESSED}, V2)
    assert reply["headers"]["Vary"] == "Origin"


@pytest.mark.parametrize("name", ["bare", *FORMATS])
@pytest.mark.parametrize("key", ["css", "js", "text", "xml"])
@pytest.mark.parametrize("given", [{"cookie": "a=1"}, {"cookies": ["a=1"]}, {"headers": {"Set-Cookie": "a=1"}}])
def test_a_default_cache_control_never_lets_a_cache_keep_a_cookie(name: str, key: str, given: dict[str, Any]) -> None:
    """A cache that stored the application's own Set-Cookie would send it to every visitor."""
    reply = format_response({key: "x", **given}, shape(name))
    headers = reply.get("headers") or {key: one[0] for key, one in reply["multiValueHeaders"].items()}
    assert headers["cache-control"] == PRIVATE


@pytest.mark.parametrize("result", [{"css": "x", "cache_control": "max-age=60"}, {"html": "x"}])
def test_a_cookie_of_the_applications_leaves_other_cache_controls_alone(result: dict[str, Any]) -> None:
    """What the application says counts, and a default that no cache stores is private enough."""
    with_cookie = format_response({**result, "cookie": "a=1"}, V2)
    assert with_cookie["headers"]["cache-control"] == format_response(result, V2)["headers"]["cache-control"]


@pytest.mark.parametrize("spelling", ["Content-Type", "CONTENT-TYPE"])
def test_the_type_that_is_sent_decides_on_caching(spelling: str) -> None:
    """Of two spellings the one in lower case is sent, and a page under it is not cached by default."""
    for headers in (
        {"content-type": "text/html", spelling: "image/png"},
        {spelling: "image/png", "content-type": "text/html"},
    ):
        sent = format_response({"body": "", "headers": headers}, V2)["headers"]
        assert (sent["content-type"], spelling in sent) == ("text/html", False)
        assert sent["cache-control"].startswith("no-cache, no-store")
