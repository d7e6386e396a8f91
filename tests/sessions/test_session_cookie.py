"""The session's cookie, made from the settings."""

from __future__ import annotations

import pytest

from arc.sessions.cookie import SessionCookie
from arc.settings import Settings


def cookie(domain: str | None, *, host_only: bool = False) -> SessionCookie:
    """The cookie of an application that sets this domain."""
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
def test_a_browser_keeps_a_cookie_without_a_domain_or_of_its_own(domain: str | None, host: str, *, kept: bool) -> None:
    """Only a domain that the host is not in makes a browser reject the cookie; an unknown host counts as any."""
    assert cookie(domain).is_kept_by(host) is kept


def test_clearing_without_a_domain_is_one_string() -> None:
    """The host-only cookie is cleared once, and beside a domain as well."""
    (host_only,) = cookie(None).clearing()
    assert "Domain" not in host_only
    with_domain, beside = cookie("example.com").clearing()
    assert "Domain=example.com; " in with_domain
    assert beside == host_only


def test_a_host_only_cookie_has_no_domain_whatever_is_set() -> None:
    """It is the cookie of an application that sets no domain."""
    ours = cookie("example.com", host_only=True)
    assert ours.carrying("v", max_age=60, now=0) == cookie(None).carrying("v", max_age=60, now=0)
    assert ours.clearing() == cookie(None).clearing()


def test_s29_a_value_that_no_cookie_carries_is_refused_by_the_cookies_name() -> None:
    """The error names the cookie and does not show the value."""
    ours = cookie(None)
    with pytest.raises(ValueError, match=r"The value of the cookie '[_a-zA-Z-]+' holds a character"):
        ours.carrying("a\nb", max_age=60, now=0)
