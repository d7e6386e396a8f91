"""The public test browser keeps and sends cookies as browsers do."""

from __future__ import annotations

from typing import Any

import pytest

from arc.testing import Browser, Clock, alb, function_url, payload_v1, payload_v2
from arc.testing.jar import CookieJar
from tests.http.making import browser
from tests.sessions.making import Made

HOST = "app.example"


def jar(*cookies: str, clock: Clock | None = None, secure: bool = True) -> CookieJar:
    """A jar that received these Set-Cookie headers."""
    made = CookieJar(clock or Clock())
    for cookie in cookies:
        made.receive(cookie, HOST, secure=secure)
    return made


def test_a_cookie_goes_back_to_its_host_and_path() -> None:
    """Path and domain decide where a cookie is sent."""
    made = jar("a=1; Path=/app", "b=2; Domain=example", "c=3; Domain=app.example", "d=4")
    assert made.send(HOST, "/app/x", secure=True) == ["a=1", "b=2", "c=3", "d=4"]
    assert "a=1" not in made.send(HOST, "/apple", secure=True)
    assert made.send("sub.app.example", "/", secure=True) == ["b=2", "c=3"]
    assert made.send("other.example", "/", secure=True) == ["b=2"]
    assert made.send("evil.test", "/", secure=True) == []


def test_without_a_path_a_cookie_belongs_to_the_pages_folder() -> None:
    """The default path is that of the page, up to its last slash."""
    made = CookieJar(Clock())
    made.receive("a=1", HOST, secure=True, path="/shop/cart")
    assert made.send(HOST, "/shop/other", secure=True) == ["a=1"]
    assert made.send(HOST, "/", secure=True) == []


def test_a_domain_that_is_not_the_hosts_is_ignored() -> None:
    """A site cannot set another's cookie."""
    assert len(jar("a=1; Domain=other.test")) == 0


def test_secure_cookies_and_prefixes_keep_their_rules() -> None:
    """Secure needs https, __Host- needs Secure, no domain and the path /, SameSite=None needs Secure."""
    assert len(jar("a=1; Secure", secure=False)) == 0
    assert len(jar("__Host-a=1; Secure; Path=/")) == 1
    assert len(jar("__Host-a=1; Path=/")) == 0
    assert len(jar("__Host-a=1; Secure; Path=/; Domain=app.example")) == 0
    assert len(jar("__Secure-a=1")) == 0
    assert len(jar("a=1; SameSite=None")) == 0
    assert jar("a=1; Secure").send(HOST, "/", secure=False) == []


def test_cookies_expire_by_the_clock() -> None:
    """Max-Age counts before Expires, and nothing outlives 400 days."""
    clock = Clock()
    made = jar("a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=2; Max-Age=99999999999", "c=3", clock=clock)
    clock.forward(9)
    assert len(made) == 3
    clock.forward(1)
    assert made.get("a") is None
    clock.forward(days=400)
    assert made.send(HOST, "/", secure=True) == ["c=3"]
    made.receive("c=; Max-Age=0", HOST, secure=True)
    assert len(made) == 0


def test_too_large_a_cookie_is_dropped() -> None:
    """Browsers keep 4,096 bytes of name and value."""
    assert len(jar("a=" + "x" * 4095)) == 1
    assert len(jar("a=" + "x" * 4096)) == 0


@pytest.mark.parametrize("event", [payload_v2, payload_v1, function_url, alb], ids=lambda event: event.__name__)
def test_s28_a_session_lives_in_every_format_of_event(event: Any) -> None:
    """Counting works behind every kind of gateway, and the application's own cookies survive beside the session's."""
    made = Made()

    def count(req: Any) -> dict[str, Any]:
        visits = req.session.increment("visits")
        return {"text": str(visits), "cookies": ["theme=dark; Path=/", "lang=en; Path=/"]}

    visitor = Browser(browser(count, made).handler, event=event, clock=made.clock)
    assert [visitor.get().text, visitor.get().text, visitor.post("/", {"a": "b"}).text] == ["1", "2", "3"]
    assert (visitor.jar.get("theme"), visitor.jar.get("lang")) == ("dark", "en")


def test_redirects_are_followed_as_browsers_do() -> None:
    """A 303 after a POST becomes a GET, a 307 repeats it, another site ends the walk, a ring raises."""
    seen: list[tuple[str, str]] = []

    def wander(req: Any) -> dict[str, Any]:
        seen.append((req.method, req.path))
        targets = {"/a": (303, "/b"), "/c": (307, "/d"), "/e": (302, "https://other.test/"), "/f": (302, "/f")}
        status, location = targets.get(req.path, (200, ""))
        return {"status": status, "location": location} if location else {"text": "here"}

    visitor = browser(wander)
    assert visitor.post("/a", {"x": "1"}).text == "here"
    assert visitor.post("/c", {"x": "1"}).text == "here"
    assert visitor.get("/e").status == 302
    assert seen == [("POST", "/a"), ("GET", "/b"), ("POST", "/c"), ("POST", "/d"), ("GET", "/e")]
    with pytest.raises(AssertionError, match="redirects"):
        visitor.get("/f")
