"""Effects of a request's headers on its session: withheld cookies, prefetches, fetches, cookies of other places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arc
from arc.testing import Browser, alb, function_url, payload_v1, payload_v2
from tests.sessions.making import Made, value_of

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = (payload_v2, payload_v1, function_url, alb)


def set_cookies(function: Callable[[arc.Request], Any], made: Made, event: dict[str, Any], **options: Any) -> list[str]:
    """The Set-Cookie strings of `function`, as a handler, for `event`."""
    response = arc.http.handler(manager=made.manager, **options)(function)(event, None)
    cookies: list[str] = response.get("cookies") or response.get("multiValueHeaders", {}).get("set-cookie", [])
    return cookies or [text for name, text in response.get("headers", {}).items() if name.lower() == "set-cookie"]


def count(req: arc.Request) -> None:
    """Count a visit."""
    req.session["count"] = req.session.get("count", 0) + 1


def sign_in(req: arc.Request) -> None:
    """Sign the visitor in."""
    req.session.sign_in("ada")


def sign_out(req: arc.Request) -> None:
    """Sign the visitor out."""
    req.session.sign_out()


def show(req: arc.Request) -> str:
    """Show the messages."""
    return " ".join(req.session.flashes())


# -- from another site

FROM_ANOTHER_SITE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("same_site", "method", "headers", "withheld"),
    [
        ("Lax", "POST", FROM_ANOTHER_SITE, True),
        ("Lax", "GET", FROM_ANOTHER_SITE, False),
        ("Lax", "GET", {**FROM_ANOTHER_SITE, "sec-fetch-mode": "no-cors"}, True),
        ("Lax", "POST", {"sec-fetch-site": "same-site"}, False),
        ("Lax", "POST", {}, False),
        ("Strict", "GET", FROM_ANOTHER_SITE, True),
        ("None", "POST", FROM_ANOTHER_SITE, False),
    ],
)
def test_request_with_a_withheld_cookie_begins_no_session(
    shape: Callable[..., dict[str, Any]], same_site: str, method: str, headers: dict[str, str], *, withheld: bool
) -> None:
    """The browser says that another site sent the request, and RFC 6265bis says which cookies it withholds."""
    made = Made(same_site=same_site)
    event = shape(method, "/paid", headers=headers)
    assert bool(set_cookies(count, made, event)) is not withheld
    assert ("dropped" in made.names) is withheld
    assert set_cookies(sign_in, made, event)
    assert set_cookies(count, made, event, cross_site=True)


def test_cross_site_post_keeps_the_visitor_signed_in() -> None:
    """A session cookie from the handler would replace the one that the browser withheld."""
    made = Made()
    value = value_of(set_cookies(sign_in, made, payload_v2("POST", "/"))[0])
    event = payload_v2("POST", "/paid", headers=FROM_ANOTHER_SITE)
    assert [set_cookies(one, made, event) for one in (count, sign_out)] == [[], []]
    assert set_cookies(count, made, payload_v2("POST", "/paid", headers=FROM_ANOTHER_SITE, cookies={"_idx": value}))


@pytest.mark.parametrize("value", ["nonsense", "A" * 24 + "." + "B" * 43, ""])
@pytest.mark.parametrize("server", [False, True])
def test_foreign_cookie_does_not_hide_a_withheld_one(value: str, *, server: bool) -> None:
    """A sibling host's SameSite=None cookie of the same name may come from another site."""
    made = Made(server=server)
    event = payload_v2("POST", "/paid", headers=FROM_ANOTHER_SITE, cookies={"_idx": value})
    assert [set_cookies(one, made, event) for one in (count, sign_out)] == [[], []]


@pytest.mark.parametrize("server", [False, True])
def test_s26_cross_site_sign_in_clears_other_cookies(*, server: bool) -> None:
    """The browser withheld them, and another user's cookie among them would conflict with the new one."""
    made = Made(server=server)
    headers = {**FROM_ANOTHER_SITE, "host": "www.example.com"}
    cleared = places(set_cookies(sign_in, made, payload_v2("POST", "/in", headers=headers)))
    assert cleared == {(domain, path) for domain in ("", "www.example.com", "example.com") for path in ("/", "/in")} - {
        ("", "/")
    }


# -- invisible responses


@pytest.mark.parametrize(
    ("method", "headers"),
    [("HEAD", {}), ("GET", {"sec-purpose": "prefetch"}), ("GET", {"Sec-Purpose": "prefetch;prerender"})],
)
def test_messages_stay_for_a_visible_page(method: str, headers: dict[str, str]) -> None:
    """HEAD and a prefetch do not remove messages."""

    def flash(req: arc.Request) -> None:
        req.session.flash("info", "Saved")

    made = Made()
    cookies = {"_idx": value_of(set_cookies(flash, made, payload_v2("POST", "/"))[0])}
    assert set_cookies(show, made, payload_v2(method, "/", headers=headers, cookies=cookies)) == []
    assert set_cookies(show, made, payload_v2("GET", "/", cookies=cookies)) != []


# -- scripts


def test_touch_decides_when_a_fetch_renews() -> None:
    """A fetch renews a sealed cookie at half of its time, with touch="always" at a tenth, with False never."""
    made = Made(idle=1000)
    cookies = {"_idx": value_of(set_cookies(count, made, payload_v2("POST", "/"))[0])}

    def renews(method: str, touch: object) -> bool:
        event = payload_v2(method, "/", headers={"sec-fetch-mode": "cors"}, cookies=cookies)
        return bool(set_cookies(show, made, event, touch=touch))

    made.clock.forward(100)
    assert [renews("GET", touch) for touch in (True, "always", False)] == [False, True, False]
    assert renews("POST", "always")
    made.clock.forward(400)
    assert [renews("GET", touch) for touch in (True, "always", False)] == [True, True, False]
    assert not renews("POST", touch=True)


# -- cookies of other places

WELL_FORMED = re.compile(
    r"_idx=[\w.-]*; Max-Age=\d+; (Domain=[\w.-]+; )?Path=/[^;, ]*; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax"
)


def places(cookies: list[str]) -> set[tuple[str, str]]:
    """Domain and path of every cookie that is cleared."""
    found = set()
    for one in cookies:
        if not value_of(one):
            attributes = dict(part.split("=", 1) for part in one.split("; ") if "=" in part)
            found.add((attributes.get("Domain", ""), attributes["Path"]))
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_s26_sign_in_clears_other_cookies(shape: Callable[..., dict[str, Any]]) -> None:
    """Browsers would send a cookie of an older domain or path, or of a sibling host, beside the new one."""
    made = Made()
    cookies = {"_idx": value_of(set_cookies(count, made, shape("POST", "/"))[0])}
    headers = {"host": "www.shop.example.com:8443"}
    cleared = places(set_cookies(sign_in, made, shape("POST", "/account/sign-in", headers=headers, cookies=cookies)))
    assert cleared == {
        (domain, path)
        for domain in ("", "www.shop.example.com", "shop.example.com", "example.com")
        for path in ("/", "/account", "/account/", "/account/sign-in")
    } - {("", "/")}


def written(req: arc.Request) -> dict[str, str]:
    """Begin a session with a plain dict, as Architect's apps do."""
    return {"cookie": arc.http.session.write({"account": req.form["account"]})}


@pytest.mark.parametrize("server", [False, True], ids=["sealed", "memory"])
def test_s26_session_from_a_plain_dict_replaces_earlier_ones(server: bool) -> None:
    """After ARC_SESSION_DOMAIN was set, unset and set again, the visitor is the one who signed in last."""
    made = Made(server=server)
    visitor = Browser(arc.http.handler(written), origin="https://www.shop.example", clock=made.clock)
    for domain, account in (("shop.example", "ada"), (None, "bob"), ("shop.example", "eve")):
        settings = Made(domain=domain).settings
        manager = arc.http.build_manager(settings, store=made.store, clock=made.clock, random=made.random)
        visitor.handler = arc.http.handler(manager=manager)(written)
        visitor.post("/in", {"account": account})
        visitor.handler = arc.http.handler(manager=manager)(lambda req: {"text": req.session["account"]})
        assert visitor.get().text == account
        made.clock.forward(1)


def test_session_from_a_plain_dict_works_in_testing() -> None:
    """Its cookie has no domain that browsers on localhost reject."""
    made = Made(environment="testing", domain="shop.example")
    event = payload_v2("POST", "/in", headers={"host": "localhost:3333"}, form={"account": "ada"})
    cookies = set_cookies(written, made, event)
    assert ["Domain" in one for one in cookies] == [False]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("host", ["Www.Example.COM", "www.example.com.", "WWW.EXAMPLE.COM:8443"])
def test_s26_new_cookie_is_not_cleared_for_any_case_of_the_host(
    shape: Callable[..., dict[str, Any]], host: str
) -> None:
    """Domains are compared in lower case, as in browsers, if a client or a CDN sends capitals."""
    made = Made(domain="example.com")
    event = shape("POST", "/", headers={"host": host}, cookies={"_idx": "old"})
    cleared = places(set_cookies(sign_in, made, event))
    assert cleared == {("", "/"), ("www.example.com", "/")}


@pytest.mark.parametrize(
    "host", ["localhost:3333", "127.0.0.1", "[::1]:80", "", "a..b", ".", "example.com;x=y", "x" * 300]
)
def test_s26_host_without_parents_has_host_only_cookies(host: str) -> None:
    """An IP address, a single label and an invalid host give only host-only cookies, and raise nothing."""
    made = Made()
    cookies = {"_idx": value_of(set_cookies(count, made, payload_v2("POST", "/"))[0])}
    event = payload_v2("POST", "/in", headers={"host": host}, cookies=cookies)
    assert places(set_cookies(sign_in, made, event)) == {("", "/in")}


@given(
    host=st.text(max_size=300)
    | st.lists(st.integers(1, 63), max_size=5).map(lambda sizes: ".".join("a" * n for n in sizes)),
    path=st.text(max_size=3000)
    | st.lists(st.integers(1, 3000), max_size=8).map(lambda sizes: "/".join("b" * n for n in sizes)),
    many=st.just(0) | st.integers(0, 2000),
)
def test_s26_any_host_and_path_give_a_valid_response(host: str, path: str, many: int) -> None:
    """The cookies are well-formed and fit into a response's headers."""
    made = Made()
    cookies = {"_idx": value_of(set_cookies(count, made, payload_v2("POST", "/"))[0])}
    event = payload_v2("POST", "/", headers={"host": host + "a." * many}, cookies=cookies)
    event["rawPath"] = "/" + path + "/x" * many
    event["requestContext"]["http"]["path"] = event["rawPath"]
    strings = set_cookies(sign_in, made, event)
    assert sum(map(len, strings)) < 8_000
    assert all(WELL_FORMED.fullmatch(one) for one in strings)


def test_s26_ordinary_response_has_one_cookie() -> None:
    """A new visitor and a change clear no other cookies."""
    made = Made()
    headers = {"host": "www.shop.example.com"}
    first = set_cookies(count, made, payload_v2("POST", "/a/b", headers=headers))
    second = set_cookies(count, made, payload_v2("POST", "/a/b", headers=headers, cookies={"_idx": value_of(first[0])}))
    assert [len(first), len(second)] == [1, 1]
