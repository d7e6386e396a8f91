"""The session's cookie, made from the settings."""

from __future__ import annotations

import pytest

from arc.sessions.session_cookie import SessionCookie
from arc.settings import Settings


def cookie(domain: str | None) -> SessionCookie:
    """The cookie of an application that sets this domain."""
    return SessionCookie(Settings(environment="production", secret="x" * 32, domain=domain))


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
