"""The public test browser stores and sends cookies as browsers do."""

from __future__ import annotations

from typing import Any

import pytest

import arc
from arc.testing import Browser, Clock, alb, function_url, payload_v1, payload_v2, vpc_lattice
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


def test_cookie_is_sent_to_its_host_and_path() -> None:
    """Domain and path decide where a cookie is sent."""
    made = CookieJar(Clock())
    for cookie in ("a=1; Path=/app", "b=2; Domain=app.example", "c=3; Domain=my.app.example", "d=4"):
        made.receive(cookie, "my.app.example", secure=True)
    assert made.send("my.app.example", "/app/x", secure=True) == ["a=1", "b=2", "c=3", "d=4"]
    assert "a=1" not in made.send("my.app.example", "/apple", secure=True)
    assert made.send("sub.my.app.example", "/", secure=True) == ["b=2", "c=3"]
    assert made.send("other.app.example", "/", secure=True) == ["b=2"]
    assert made.send("evil.test", "/", secure=True) == []


def test_default_path_is_the_pages_folder() -> None:
    """The default path is that of the page, up to its last slash."""
    made = CookieJar(Clock())
    made.receive("a=1", HOST, secure=True, path="/shop/cart")
    assert made.send(HOST, "/shop/other", secure=True) == ["a=1"]
    assert made.send(HOST, "/", secure=True) == []


def test_foreign_domain_is_ignored() -> None:
    """A site cannot set another site's cookie."""
    assert len(jar("a=1; Domain=other.test")) == 0


def test_secure_cookies_and_prefixes() -> None:
    """Secure needs https, __Host- needs Secure, no domain and the path /, SameSite=None needs Secure."""
    assert len(jar("a=1; Secure", secure=False)) == 0
    assert len(jar("__Host-a=1; Secure; Path=/")) == 1
    assert len(jar("__Host-a=1; Path=/")) == 0
    assert len(jar("__Host-a=1; Secure; Path=/; Domain=app.example")) == 0
    assert len(jar("__Secure-a=1")) == 0
    assert len(jar("a=1; SameSite=None")) == 0
    assert jar("a=1; Secure").send(HOST, "/", secure=False) == []


def test_cookies_expire_by_the_clock() -> None:
    """Max-Age takes precedence over Expires, and the limit is 400 days."""
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


def test_too_large_cookie_is_ignored() -> None:
    """Browsers store at most 4,096 bytes of name and value."""
    assert len(jar("a=" + "x" * 4095)) == 1
    assert len(jar("a=" + "x" * 4096)) == 0


@pytest.mark.parametrize(
    "event", [payload_v2, payload_v1, function_url, alb, vpc_lattice], ids=lambda event: event.__name__
)
def test_s28_sessions_work_in_every_event_format(event: Any) -> None:
    """Counting works behind every gateway, and the application's cookies are stored beside the session's."""
    made = Made()

    def count(req: Any) -> dict[str, Any]:
        visits = req.session.increment("visits")
        return {"text": str(visits), "cookies": ["theme=dark; Path=/", "lang=en; Path=/"]}

    visitor = Browser(browser(count, made).handler, event=event, clock=made.clock)
    assert [visitor.get().text, visitor.get().text, visitor.post("/", {"a": "b"}).text] == ["1", "2", "3"]
    assert (visitor.jar.get("theme"), visitor.jar.get("lang")) == ("dark", "en")


def test_redirects_are_followed_as_browsers_do() -> None:
    """A 303 after a POST becomes a GET, a 307 repeats it, another site ends the chain, a loop raises."""
    requests: list[tuple[str, str]] = []

    def wander(req: Any) -> dict[str, Any]:
        requests.append((req.method, req.path))
        targets = {"/a": (303, "/b"), "/c": (307, "/d"), "/e": (302, "https://other.test/"), "/f": (302, "/f")}
        status, location = targets.get(req.path, (200, ""))
        return {"status": status, "location": location} if location else {"text": "here"}

    visitor = browser(wander)
    assert visitor.post("/a", {"x": "1"}).text == "here"
    assert visitor.post("/c", {"x": "1"}).text == "here"
    assert visitor.get("/e").status == 302
    assert requests == [("POST", "/a"), ("GET", "/b"), ("POST", "/c"), ("POST", "/d"), ("GET", "/e")]
    with pytest.raises(AssertionError, match="redirects"):
        visitor.get("/f")


# -- requests


def echo(req: Any) -> dict[str, Any]:
    """The request as JSON."""
    return {"json": {"method": req.method, "headers": dict(req.headers), "form": dict(req.form), "event": dict(req)}}


@pytest.mark.parametrize("event", [payload_v2, payload_v1, function_url, alb], ids=lambda event: event.__name__)
def test_fields_may_be_numbers(event: Any) -> None:
    """Numbers in a form become text, a checked box is true, and None is an empty field."""
    visitor = Browser(arc.http.handler(echo), event=event)
    form = visitor.post("/", {"n": 1, "price": 1.5, "gift": True, "note": None, "two": [1, "x"]}).json["form"]
    assert form == {"n": "1", "price": "1.5", "gift": "true", "note": "", "two": "x"}
    with pytest.raises(TypeError, match="'when' has a value of type object"):
        visitor.post("/", {"when": object()})


def test_methods_of_every_kind() -> None:
    """A script's requests are no navigations, and HEAD has no body."""
    visitor = browser(echo)
    for method in ("put", "patch", "delete", "options"):
        sent = getattr(visitor, method)("/").json
        assert (sent["method"], sent["headers"]["sec-fetch-mode"]) == (method.upper(), "cors")
    assert visitor.put("/", {"a": 1}).json["form"] == {"a": "1"}
    assert visitor.patch("/", json=[1]).json["event"]["body"] == "[1]"
    head = visitor.head("/")
    assert (head.status, head.body, head.headers["CONTENT-TYPE"]) == (200, b"", "application/json; charset=utf8")


TYPED = "/caf%C3%A9/a%2Fb/100%25?x=%20y+z&x&%41=é"


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (payload_v2, "/café/a/b/100%"),
        (lambda *args, **options: payload_v1(*args, rest=False, **options), "/café/a/b/100%"),
        (payload_v1, "/caf%C3%A9/a%2Fb/100%25"),
        (function_url, "/caf%C3%A9/a%2Fb/100%25"),
        (alb, "/caf%C3%A9/a%2Fb/100%25"),
    ],
    ids=["payload_v2", "http_api_v1", "payload_v1", "function_url", "alb"],
)
def test_http_api_gets_a_decoded_path(event: Any, path: str) -> None:
    """Other formats get the path as sent, and a query is never decoded."""
    requests: list[dict[str, Any]] = []

    def look(event: dict[str, Any], _: object) -> dict[str, Any]:
        requests.append(event)
        return {"statusCode": 200}

    Browser(look, event=event).get(TYPED)
    (got,) = requests
    assert got.get("rawPath", got.get("path")) == path
    if "rawPath" in got:
        assert got["rawQueryString"] == "x=%20y+z&x&%41=%C3%A9"
        assert got["queryStringParameters"] == {"x": " y z,", "A": "é"}
    elif event is alb:
        assert got["queryStringParameters"] == {"x": "", "%41": "%C3%A9"}
    else:
        assert got["multiValueQueryStringParameters"] == {"x": [" y z", ""], "A": ["é"]}


def fetch_metadata(visitor: Browser, method: str = "GET", **options: Any) -> tuple[str | None, ...]:
    """Site, mode, destination and origin of a request."""
    headers = visitor.request(method, "/", **options).json["headers"]
    return tuple(headers.get(name) for name in ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "origin"))


def test_requests_have_fetch_metadata_and_origin() -> None:
    """They are those of a page of the application, or of the page `sender`."""
    visitor, own = browser(echo), "https://app.example"
    assert fetch_metadata(visitor) == ("none", "navigate", "document", None)
    assert fetch_metadata(visitor, "POST", form={}) == ("same-origin", "navigate", "document", own)
    assert fetch_metadata(visitor, "POST", json=1) == ("same-origin", "cors", "empty", own)
    assert fetch_metadata(visitor, headers={"Sec-Fetch-Mode": "cors"}) == ("same-origin", "cors", "empty", None)
    for sender, site in (
        ("https://app.example/form", "same-origin"),
        ("https://www.app.example/", "same-site"),
        ("http://app.example/", "cross-site"),
        ("https://pay.test:8443/x", "cross-site"),
    ):
        origin = "/".join(sender.split("/")[:3])
        assert fetch_metadata(visitor, "POST", form={}, sender=sender) == (site, "navigate", "document", origin)
    visitor.origin = "http://app.example"
    assert fetch_metadata(visitor, "POST", form={}) == (None, None, None, "http://app.example")


SENDERS = {"own": None, "sibling": "https://www.app.example/", "other": "https://pay.test/"}


@pytest.mark.parametrize(
    ("method", "options", "sender", "sent"),
    [
        ("GET", {}, "own", "strict lax none"),
        ("POST", {}, "sibling", "strict lax none"),
        ("GET", {}, "other", "lax none"),
        ("POST", {}, "other", "none"),
        ("POST", {"json": 1}, "other", "none"),
        ("GET", {"headers": {"sec-fetch-mode": "no-cors"}}, "other", "none"),
        ("GET", {"headers": {"sec-fetch-dest": "iframe"}}, "other", "none"),
        ("POST", {"headers": {"sec-fetch-site": "cross-site"}}, "own", "none"),
    ],
)
def test_samesite_is_enforced(method: str, options: dict[str, Any], sender: str, sent: str) -> None:
    """Another site's pages send no Strict cookie, and Lax ones only with a link; embedded responses set only None."""
    cookies = ["strict=; SameSite=Strict", "lax=; SameSite=Lax", "none=; SameSite=None; Secure"]
    visitor = Browser(arc.http.handler(lambda req: {"json": sorted(req.get("cookies", [])), "cookies": cookies}))
    assert visitor.request(method, "/", sender=SENDERS[sender], **options).json == []
    navigates = "headers" not in options or method == "POST"
    assert len(visitor.jar) == (3 if navigates and "json" not in options else 1)
    visitor.get("/")
    names = visitor.request(method, "/", sender=SENDERS[sender], **options).json
    assert names == sorted(f"{name}=" for name in sent.split())


def test_redirect_after_a_cross_site_post_sends_lax_cookies() -> None:
    """The 303 is followed as a GET that another site's page began."""
    requests: list[tuple[str, str, list[str]]] = []

    def paid(req: Any) -> dict[str, Any]:
        requests.append((req.method, req.headers["sec-fetch-site"], req.get("cookies", [])))
        return {"status": 303, "location": "/done"} if req.method == "POST" else {"cookies": ["a=1; Path=/"]}

    visitor = browser(paid)
    visitor.get("/")
    visitor.post("/paid", {"order": 7}, sender="https://pay.test/")
    assert requests == [("GET", "none", []), ("POST", "cross-site", []), ("GET", "cross-site", ["a=1"])]


def test_another_host_of_the_site_can_be_visited() -> None:
    """A URL in place of a path is a request to its host, with the cookies for that host."""
    visitor = browser(echo)
    visitor.jar.receive("a=1; Domain=app.example", HOST, secure=True)
    visitor.jar.receive("b=1", HOST, secure=True)
    event = visitor.get("https://www.app.example/x").json["event"]
    assert (event["cookies"], event["headers"]["host"], event["rawPath"]) == (["a=1"], "www.app.example", "/x")


def test_changed_variables_take_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables may change between two requests, as between two tests in one process."""
    handler = arc.http.handler(lambda req: {"text": str(req.session.increment("n"))})
    monkeypatch.setenv("ARC_ENV", "testing")
    assert "Max-Age=604800;" in Browser(handler).get("/").set_cookies[0]
    monkeypatch.setenv("ARC_SESSION_TTL", "60")
    visitor = Browser(handler)
    assert "Max-Age=60;" in visitor.get("/").set_cookies[0]
    monkeypatch.setenv("SESSION_DOMAIN", "app.example")
    assert "Domain=app.example;" in visitor.get("/").set_cookies[0]
    monkeypatch.setenv("ARC_ENV", "production")
    monkeypatch.delenv("ARC_APP_SECRET", raising=False)
    with pytest.raises(arc.MissingSecret):
        visitor.get("/")
