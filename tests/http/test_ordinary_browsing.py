"""What a request's headers mean for its session: withheld cookies, prefetches, fetches, cookies of other places."""

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


def answer(function: Callable[[arc.Request], Any], made: Made, event: dict[str, Any], **options: Any) -> list[str]:
    """The Set-Cookie strings that `function` as a handler answers `event` with."""
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
def test_a_request_whose_cookie_samesite_withholds_begins_no_session(
    shape: Callable[..., dict[str, Any]], same_site: str, method: str, headers: dict[str, str], *, withheld: bool
) -> None:
    """The browser says that another site sent the request, and which of our cookies it keeps back is in RFC 6265bis."""
    made = Made(same_site=same_site)
    event = shape(method, "/paid", headers=headers)
    assert bool(answer(count, made, event)) is not withheld
    assert ("dropped" in made.names) is withheld
    assert answer(sign_in, made, event)
    assert answer(count, made, event, cross_site=True)


def test_a_payment_pages_post_leaves_the_visitor_signed_in() -> None:
    """The handler's session cookie would have replaced the one that the browser kept back."""
    made = Made()
    value = value_of(answer(sign_in, made, payload_v2("POST", "/"))[0])
    event = payload_v2("POST", "/paid", headers=FROM_ANOTHER_SITE)
    assert [answer(one, made, event) for one in (count, sign_out)] == [[], []]
    assert answer(count, made, payload_v2("POST", "/paid", headers=FROM_ANOTHER_SITE, cookies={"_idx": value}))


@pytest.mark.parametrize("value", ["nonsense", "A" * 24 + "." + "B" * 43, ""])
@pytest.mark.parametrize("server", [False, True])
def test_a_cookie_that_is_not_ours_changes_nothing_about_a_withheld_one(value: str, *, server: bool) -> None:
    """A sibling host's SameSite=None cookie of our name comes along from another site, and ours is still withheld."""
    made = Made(server=server)
    event = payload_v2("POST", "/paid", headers=FROM_ANOTHER_SITE, cookies={"_idx": value})
    assert [answer(one, made, event) for one in (count, sign_out)] == [[], []]


@pytest.mark.parametrize("server", [False, True])
def test_s26_a_sign_in_from_another_site_clears_the_cookies_of_every_other_place(*, server: bool) -> None:
    """The browser withheld them, so that none came, and one that somebody else is signed in to would dispute it."""
    made = Made(server=server)
    headers = {**FROM_ANOTHER_SITE, "host": "www.example.com"}
    cleared = places(answer(sign_in, made, payload_v2("POST", "/in", headers=headers)))
    assert cleared == {(domain, path) for domain in ("", "www.example.com", "example.com") for path in ("/", "/in")} - {
        ("", "/")
    }


# -- nobody looks


@pytest.mark.parametrize(
    ("method", "headers"),
    [("HEAD", {}), ("GET", {"sec-purpose": "prefetch"}), ("GET", {"Sec-Purpose": "prefetch;prerender"})],
)
def test_messages_wait_for_a_page_that_is_seen(method: str, headers: dict[str, str]) -> None:
    """HEAD and a prefetch take no message from the page that follows."""

    def flash(req: arc.Request) -> None:
        req.session.flash("info", "Saved")

    made = Made()
    cookies = {"_idx": value_of(answer(flash, made, payload_v2("POST", "/"))[0])}
    assert answer(show, made, payload_v2(method, "/", headers=headers, cookies=cookies)) == []
    assert answer(show, made, payload_v2("GET", "/", cookies=cookies)) != []


# -- scripts


def test_a_script_renews_late_and_touch_says_otherwise() -> None:
    """A fetch renews a sealed cookie at half of its time, with touch="always" at a tenth, with False never."""
    made = Made(idle=1000)
    cookies = {"_idx": value_of(answer(count, made, payload_v2("POST", "/"))[0])}

    def renews(method: str, touch: object) -> bool:
        event = payload_v2(method, "/", headers={"sec-fetch-mode": "cors"}, cookies=cookies)
        return bool(answer(show, made, event, touch=touch))

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
def test_s26_a_sign_in_clears_the_cookies_of_every_other_place(shape: Callable[..., dict[str, Any]]) -> None:
    """A cookie of an older domain or path, or of a sibling host, would go on being sent beside the new one."""
    made = Made()
    cookies = {"_idx": value_of(answer(count, made, shape("POST", "/"))[0])}
    headers = {"host": "www.shop.example.com:8443"}
    cleared = places(answer(sign_in, made, shape("POST", "/account/sign-in", headers=headers, cookies=cookies)))
    assert cleared == {
        (domain, path)
        for domain in ("", "www.shop.example.com", "shop.example.com", "example.com")
        for path in ("/", "/account", "/account/", "/account/sign-in")
    } - {("", "/")}


def written(req: arc.Request) -> dict[str, str]:
    """Begin a session as Architect's apps do, with a plain dict."""
    return {"cookie": arc.http.session.write({"account": req.form["account"]})}


@pytest.mark.parametrize("server", [False, True], ids=["sealed", "memory"])
def test_s26_a_session_begun_with_a_plain_dict_is_the_one_that_counts(server: bool) -> None:
    """After ARC_SESSION_DOMAIN was set, unset and set again, whoever signs in is not who was signed in before."""
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


def test_a_session_begun_with_a_plain_dict_is_kept_on_this_machine() -> None:
    """In testing its cookie has no domain that browsers on localhost reject."""
    made = Made(environment="testing", domain="shop.example")
    event = payload_v2("POST", "/in", headers={"host": "localhost:3333"}, form={"account": "ada"})
    cookies = answer(written, made, event)
    assert ["Domain" in one for one in cookies] == [False]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("host", ["Www.Example.COM", "www.example.com.", "WWW.EXAMPLE.COM:8443"])
def test_s26_the_cookie_just_set_is_not_cleared_however_the_host_is_written(
    shape: Callable[..., dict[str, Any]], host: str
) -> None:
    """Browsers compare domains in lower case, and so do we, where a client or a CDN writes the Host otherwise."""
    made = Made(domain="example.com")
    event = shape("POST", "/", headers={"host": host}, cookies={"_idx": "old"})
    cleared = places(answer(sign_in, made, event))
    assert cleared == {("", "/"), ("www.example.com", "/")}


@pytest.mark.parametrize(
    "host", ["localhost:3333", "127.0.0.1", "[::1]:80", "", "a..b", ".", "example.com;x=y", "x" * 300]
)
def test_s26_a_host_without_parents_has_one_domain(host: str) -> None:
    """An address, a single label and nonsense give host-only cookies alone, and raise nothing."""
    made = Made()
    cookies = {"_idx": value_of(answer(count, made, payload_v2("POST", "/"))[0])}
    event = payload_v2("POST", "/in", headers={"host": host}, cookies=cookies)
    assert places(answer(sign_in, made, event)) == {("", "/in")}


@given(
    host=st.text(max_size=300)
    | st.lists(st.integers(1, 63), max_size=5).map(lambda sizes: ".".join("a" * n for n in sizes)),
    path=st.text(max_size=3000)
    | st.lists(st.integers(1, 3000), max_size=8).map(lambda sizes: "/".join("b" * n for n in sizes)),
    many=st.just(0) | st.integers(0, 2000),
)
def test_s26_no_host_and_no_path_breaks_a_response(host: str, path: str, many: int) -> None:
    """Whatever a visitor sends there, the cookies are well-formed, and their strings fit into a response's headers."""
    made = Made()
    cookies = {"_idx": value_of(answer(count, made, payload_v2("POST", "/"))[0])}
    event = payload_v2("POST", "/", headers={"host": host + "a." * many}, cookies=cookies)
    event["rawPath"] = "/" + path + "/x" * many
    event["requestContext"]["http"]["path"] = event["rawPath"]
    strings = answer(sign_in, made, event)
    assert sum(map(len, strings)) < 8_000
    assert all(WELL_FORMED.fullmatch(one) for one in strings)


def test_s26_an_ordinary_response_has_one_cookie() -> None:
    """Neither a new visitor nor a change makes a response longer."""
    made = Made()
    headers = {"host": "www.shop.example.com"}
    first = answer(count, made, payload_v2("POST", "/a/b", headers=headers))
    second = answer(count, made, payload_v2("POST", "/a/b", headers=headers, cookies={"_idx": value_of(first[0])}))
    assert [len(first), len(second)] == [1, 1]
