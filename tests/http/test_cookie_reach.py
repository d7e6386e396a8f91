"""Session cookies that browsers would reject are adapted in testing and reported elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

import arc
from arc.testing import Browser, alb, payload_v1, payload_v2
from tests.sessions.making import Made


def app(req: arc.Request) -> Any:
    """A counter. `/out` ends the session, and `/still` only reads it."""
    if req.path == "/out":
        req.session.sign_out()
        return None
    return {"json": req.session.get("visits") if req.path == "/still" else req.session.increment("visits")}


def at(origin: str, made: Made, event: Any = payload_v2, **headers: str) -> Browser:
    """A browser at `origin`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Browser(
        arc.http.handler(manager=made.manager)(app), origin=origin, clock=made.clock, event=event, headers=sent
    )


def rejections(made: Made) -> list[str]:
    """The reasons of the `cookie_rejected` events."""
    return [event.reason for event in made.events if event.name == "cookie_rejected"]


@pytest.mark.parametrize("server", [False, True])
@pytest.mark.parametrize("host", ["localhost:3333", "127.0.0.1:3333", "shop.localhost:3333", "notexample.com"])
def test_testing_omits_a_foreign_domain_with_one_warning(host: str, server: bool) -> None:
    """Sessions work on this machine with ARC_SESSION_DOMAIN=example.com in `.env`."""
    made = Made(server=server, environment="testing", domain="example.com")
    visitor = at(f"http://{host}", made)
    assert [visitor.get().json for _ in range(3)] == [1, 2, 3]
    (reason,) = rejections(made)
    assert "'example.com'" in reason
    assert repr(host.partition(":")[0]) in reason
    assert "without a domain" in reason
    assert not any("Domain" in cookie for cookie in visitor.get().set_cookies)
    visitor.get("/out")
    assert len(visitor.jar) == 0


def test_testing_does_not_clear_the_host_only_cookie() -> None:
    """If several cookies came, the others are cleared, but not at the session's own place."""
    made = Made(environment="testing", domain="example.com")
    good = made.cookie(visits=1)
    event = payload_v2(headers={"host": "localhost"}, cookies=["_idx=forged", f"_idx={good}"])
    reply = arc.http.handler(manager=made.manager)(app)(event, None)
    cookies = reply.get("cookies") or [reply["headers"]["set-cookie"]]
    assert [cookie for cookie in cookies if "Max-Age=0" in cookie and "; Path=/; " in cookie] == []


@pytest.mark.parametrize("environment", ["testing", "production"])
@pytest.mark.parametrize("host", ["example.com", "www.example.com:8443", "WWW.Example.com"])
def test_host_within_the_domain_is_not_reported(environment: str, host: str) -> None:
    """The domain and all hosts below it are accepted, in any case and with any port."""
    made = Made(environment=environment, domain="example.com")
    page = at("https://www.example.com", made, host=host).get()
    assert "; Domain=example.com; " in page.set_cookies[0]
    assert rejections(made) == []


def test_deployed_host_outside_the_domain_is_reported_once() -> None:
    """The attribute is sent, because a CDN may hide the Host, and the event has both values."""
    made = Made(domain="example.com")
    for host in ("a1b2c3.execute-api.eu-west-1.amazonaws.com", "example.com.evil.example", "example.org"):
        page = at(f"https://{host}", made).get()
        assert "; Domain=example.com; " in page.set_cookies[0]
    (reason,) = rejections(made)
    assert "'example.com'" in reason
    assert "'a1b2c3.execute-api.eu-west-1.amazonaws.com'" in reason


def test_later_domain_is_reported_for_an_earlier_cookie() -> None:
    """The browser continues to send the earlier cookie and rejects every new one."""
    earlier, made = Made(), Made(domain="example.com")
    event = payload_v2(headers={"host": "shop.example.org"}, cookies=[f"_idx={earlier.cookie(visits=1)}"])
    for _ in range(2):
        assert arc.http.handler(manager=made.manager)(app)(event, None)["body"] == "2"
    (reason,) = rejections(made)
    assert "'shop.example.org'" in reason


@pytest.mark.parametrize("build", [payload_v2, payload_v1, alb])
def test_secure_cookie_over_plain_http_is_reported_once(build: Any) -> None:
    """No browser stores the cookie if a load balancer still accepts http."""
    made = Made(environment="staging")

    visitor = at("http://lb.example", made, build, x_forwarded_proto="http")
    assert [visitor.get().json for _ in range(3)] == [1, 1, 1]
    (reason,) = rejections(made)
    assert "X-Forwarded-Proto" in reason
    assert "https" in reason


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [("production", "https"), ("production", "https, http"), ("production", ""), ("testing", "http")],
)
def test_https_and_testing_are_not_reported(environment: str, protocol: str) -> None:
    """The first forwarded protocol counts, an absent header is ignored, and testing has no Secure cookies."""
    made = Made(environment=environment)
    at("https://app.example", made, x_forwarded_proto=protocol).get()
    assert rejections(made) == []


def test_response_without_a_session_cookie_is_not_reported() -> None:
    """Robots and health checks that use an IP address get no cookie and no event."""
    made = Made(domain="example.com")
    at("https://192.0.2.1", made, x_forwarded_proto="http").get("/still")
    assert rejections(made) == []
