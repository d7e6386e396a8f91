"""The session's cookie with the settings."""

from __future__ import annotations

import pytest

from arc.sessions.cookie import SessionCookie
from arc.sessions.visit import Visit
from arc.settings import Settings


def cookie(domain: str | None, *, host_only: bool = False) -> SessionCookie:
    """Return the cookie of an app with this domain."""
    return SessionCookie(Settings(environment="production", secret="x" * 32, domain=domain), host_only=host_only)


@pytest.mark.parametrize(
    ("domain", "host", "kept"),
    [
        (None, "example.com", True),
        (None, "", True),
        ("example.com", "", True),
        ("example.com", "shop.example.com", True),
        ("example.com", "example.org", False),
    ],
)
def test_browsers_accept_a_host_only_cookie_or_a_matching_domain(domain: str | None, host: str, *, kept: bool) -> None:
    """Browsers reject only a domain that does not match the host; an unknown host counts as a match."""
    assert cookie(domain).accepts_host(host) is kept


def test_clearing_without_a_domain_is_one_string() -> None:
    """The host-only cookie is cleared, and with a domain both cookies are."""
    (host_only,) = cookie(None).clear()
    assert "Domain" not in host_only
    with_domain, beside = cookie("example.com").clear()
    assert "Domain=example.com; " in with_domain
    assert beside == host_only


def test_a_host_only_cookie_ignores_the_domain() -> None:
    """It equals the cookie of an app without a domain."""
    ours = cookie("example.com", host_only=True)
    assert ours.build("v", max_age=60, now=0) == cookie(None).build("v", max_age=60, now=0)
    assert ours.clear() == cookie(None).clear()


def test_s29_an_invalid_value_is_refused_with_the_cookies_name() -> None:
    """The error has the cookie's name and not the value."""
    ours = cookie(None)
    with pytest.raises(ValueError, match=r"The value of the cookie '[_a-zA-Z-]+' contains a character"):
        ours.build("a\nb", max_age=60, now=0)


class Plain(Visit):
    """A request without TLS to a host of another domain."""

    host = "example.org"
    plain_http = True


def test_each_reason_why_a_browser_rejects_the_cookie_has_a_kind() -> None:
    """A manager reports each kind once."""
    ours = cookie("example.com")
    assert [kind for kind, _ in ours.rejections(Plain())] == ["domain", "http"]
    assert [kind for kind, _ in cookie(None).rejections(Plain())] == ["http"]
    assert list(ours.rejections(Visit())) == []
