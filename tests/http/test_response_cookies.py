"""The application's cookies and the session's cookie are sent together."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.reading import FORMATS, format_response, shape

SESSION = "_idx=token; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax"
OWN = ["a=1; Path=/", "b=2", "c=3; HttpOnly"]


def sent(reply: dict[str, Any]) -> list[str]:
    """Every Set-Cookie string of `reply`. Only the place for its format may have them all."""
    single = [value for name, value in reply.get("headers", {}).items() if name.lower() == "set-cookie"]
    multiple = reply.get("multiValueHeaders", {}).get("set-cookie", [])
    cookies: list[str] = reply.get("cookies", [])
    return max(single, multiple, cookies, key=len)


@pytest.mark.parametrize("name", ["bare", *FORMATS])
@pytest.mark.parametrize(
    "result",
    [
        {"cookies": OWN},
        {"cookie": OWN[0], "cookies": OWN[1:]},
        {"cookie": OWN[0], "cookies": [OWN[1]], "headers": {"Set-Cookie": OWN[2]}},
        {"cookies": [OWN[0]], "headers": {"set-cookie": OWN[1]}, "multiValueHeaders": {"X-A": ["1"]}, "cookie": OWN[2]},
        {"multiValueHeaders": {"Set-Cookie": OWN}},
        {"cookies": (*OWN, OWN[0], ""), "cookie": OWN[1], "multiValueHeaders": {"set-cookie": OWN}},
    ],
)
def test_s28_application_cookies_are_sent_with_the_sessions(name: str, result: dict[str, Any]) -> None:
    """All of them arrive once in every format, wherever the application puts them."""
    reply = format_response({**result, "html": "x"}, shape(name), session_cookies=[SESSION], uses_session=True)
    assert sorted(sent(reply)) == sorted([*OWN, SESSION])
    assert sent(reply)[-1] == SESSION


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_s28_place_of_cookies_in_each_format(name: str) -> None:
    """Payload 2.0: `cookies`; 1.0 and ALB multi: `multiValueHeaders`; ALB single, Lattice: spellings; bare: header."""
    reply = format_response({"html": "x", "cookie": "a=1"}, shape(name), session_cookies=[SESSION])
    both = ["a=1", SESSION]
    headers = {key: value for key, value in reply.get("headers", {}).items() if key.lower() == "set-cookie"}
    expected: tuple[object, ...] = {
        "bare": ({"set-cookie": SESSION}, both, None),
        "http_api_v2": ({}, None, both),
        "function_url": ({}, None, both),
        "http_api_v1": ({}, both, None),
        "rest_v1": ({}, both, None),
        "alb_single": ({"set-cookie": "a=1", "Set-cookie": SESSION}, None, None),
        "alb_multi": ({}, both, None),
        "lattice_v1": ({"set-cookie": "a=1", "Set-cookie": SESSION}, None, None),
        "lattice_v2": ({"set-cookie": "a=1", "Set-cookie": SESSION}, None, None),
    }[name]
    assert (headers, reply.get("multiValueHeaders", {}).get("set-cookie"), reply.get("cookies")) == expected


def test_s28_single_headers_carry_forty_cookies() -> None:
    """Behind a load balancer with single headers every cookie has another spelling of the name."""
    own = [f"c{number}=1" for number in range(40)]
    reply = format_response({"html": "x", "cookies": own}, shape("alb_single"), session_cookies=[SESSION])
    names = [key for key in reply["headers"] if key.lower() == "set-cookie"]
    assert len(names) == 41
    assert [reply["headers"][key] for key in names] == [*own, SESSION]


def test_single_cookie_of_a_bare_event_is_a_header() -> None:
    """For a bare event one cookie is only the header `set-cookie`."""
    reply = format_response({"html": "x", "cookie": "a=1"}, shape("bare"))
    assert reply["headers"]["set-cookie"] == "a=1"
    assert "multiValueHeaders" not in reply
    assert "cookies" not in reply


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_empty_cookies_are_not_sent(name: str) -> None:
    """Empty strings and lists set nothing, because `session.write` may return ""."""
    reply = format_response({"html": "x", "cookie": "", "cookies": []}, shape(name))
    assert "cookies" not in reply
    assert "set-cookie" not in str(reply).lower()


def test_cookie_of_write_is_sent_once() -> None:
    """The string of `session.write` under `cookie` and the commit's equal string are one cookie."""
    reply = format_response({"html": "x", "cookie": SESSION}, shape("http_api_v2"), session_cookies=[SESSION])
    assert sent(reply) == [SESSION]


@pytest.mark.parametrize("name", ["http_api_v2", "function_url"])
def test_single_cookie_is_a_header(name: str) -> None:
    """Users of Architect's libraries look for it there, and the application's list stays a list."""
    for result in ({"cookie": SESSION}, {"headers": {"Set-Cookie": SESSION}}):
        assert format_response({"html": "x", **result}, shape(name))["headers"]["set-cookie"] == SESSION
    reply = format_response({"html": "x"}, shape(name), session_cookies=[SESSION])
    assert reply["headers"]["set-cookie"] == SESSION
    assert "cookies" not in reply
    listed = format_response({"html": "x", "cookies": ["a=1"]}, shape(name))
    assert (listed["cookies"], "set-cookie" in listed["headers"]) == (["a=1"], False)


def test_commits_session_cookie_replaces_older_ones() -> None:
    """An older string for the same name, domain and path is not sent; those for other places are."""
    old = ["_idx=old; Path=/", "_idx=x; path=/; domain=.Example.org", "_idx=y; Path=/shop", "_idx2=z; Path=/"]
    new = ["_idx=; Path=/; Max-Age=0", "_idx=; Path=/; Domain=example.org; Max-Age=0"]
    reply = format_response({"html": "x", "cookies": old}, shape("http_api_v2"), session_cookies=new)
    assert reply["cookies"] == [*old[2:], *new]


def test_equal_names_of_application_cookies_are_kept() -> None:
    """Two cookies of the application with one name are both sent."""
    reply = format_response({"cookies": ["a=1", "a=2"]}, shape("http_api_v2"), session_cookies=[SESSION])
    assert reply["cookies"] == ["a=1", "a=2", SESSION]
