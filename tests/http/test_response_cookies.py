"""The application's own cookies and the session's travel side by side."""

from __future__ import annotations

from typing import Any

import pytest

from arc.http.response import format_response
from tests.http.reading import FORMATS, shape

SESSION = "_idx=token; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax"
OWN = ["a=1; Path=/", "b=2", "c=3; HttpOnly"]


def sent(reply: dict[str, Any]) -> list[str]:
    """Every Set-Cookie of `reply`, where only one format's place may hold them all."""
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
def test_s28_the_applications_cookies_survive_beside_the_sessions(name: str, result: dict[str, Any]) -> None:
    """Wherever the application puts its cookies, all of them and the session's arrive once, in every format."""
    reply = format_response({**result, "html": "x"}, shape(name), session_cookies=[SESSION], touched=True)
    assert sorted(sent(reply)) == sorted([*OWN, SESSION])
    assert sent(reply)[-1] == SESSION


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_s28_each_format_has_its_own_place(name: str) -> None:
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


def test_s28_a_single_header_carries_forty_cookies() -> None:
    """Behind a load balancer with single headers every cookie has a spelling of its own."""
    own = [f"c{number}=1" for number in range(40)]
    reply = format_response({"html": "x", "cookies": own}, shape("alb_single"), session_cookies=[SESSION])
    names = [key for key in reply["headers"] if key.lower() == "set-cookie"]
    assert len(names) == 41
    assert [reply["headers"][key] for key in names] == [*own, SESSION]


def test_one_cookie_is_where_architect_puts_it() -> None:
    """For a bare event one cookie is the header `set-cookie` and nothing else."""
    reply = format_response({"html": "x", "cookie": "a=1"}, shape("bare"))
    assert reply["headers"]["set-cookie"] == "a=1"
    assert "multiValueHeaders" not in reply
    assert "cookies" not in reply


@pytest.mark.parametrize("name", ["bare", *FORMATS])
def test_without_cookies_no_place_for_them_is_sent(name: str) -> None:
    """Empty strings and lists set nothing: `session.write` gives "" when no cookie may be sent."""
    reply = format_response({"html": "x", "cookie": "", "cookies": []}, shape(name))
    assert "cookies" not in reply
    assert "set-cookie" not in str(reply).lower()


def test_what_write_returned_is_not_sent_twice() -> None:
    """The string of `session.write` under `cookie` and the same one from the commit are one cookie."""
    reply = format_response({"html": "x", "cookie": SESSION}, shape("http_api_v2"), session_cookies=[SESSION])
    assert sent(reply) == [SESSION]


@pytest.mark.parametrize("name", ["http_api_v2", "function_url"])
def test_a_single_cookie_is_a_header_as_in_architects_libraries(name: str) -> None:
    """Their users' tests look for it there; the application's list stays a list."""
    for result in ({"cookie": SESSION}, {"headers": {"Set-Cookie": SESSION}}):
        assert format_response({"html": "x", **result}, shape(name))["headers"]["set-cookie"] == SESSION
    reply = format_response({"html": "x"}, shape(name), session_cookies=[SESSION])
    assert reply["headers"]["set-cookie"] == SESSION
    assert "cookies" not in reply
    listed = format_response({"html": "x", "cookies": ["a=1"]}, shape(name))
    assert (listed["cookies"], "set-cookie" in listed["headers"]) == (["a=1"], False)


def test_of_two_session_cookies_the_commits_is_sent() -> None:
    """An older string for the same name, domain and path gives way; other domains and paths do not."""
    old = ["_idx=old; Path=/", "_idx=x; path=/; domain=.Example.org", "_idx=y; Path=/shop", "_idx2=z; Path=/"]
    new = ["_idx=; Path=/; Max-Age=0", "_idx=; Path=/; Domain=example.org; Max-Age=0"]
    reply = format_response({"html": "x", "cookies": old}, shape("http_api_v2"), session_cookies=new)
    assert reply["cookies"] == [*old[2:], *new]


def test_two_cookies_of_the_applications_stay_two() -> None:
    """What the application sends of its own is its own affair."""
    reply = format_response({"cookies": ["a=1", "a=2"]}, shape("http_api_v2"), session_cookies=[SESSION])
    assert reply["cookies"] == ["a=1", "a=2", SESSION]
