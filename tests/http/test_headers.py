"""Request headers."""

from __future__ import annotations

import pytest

from arc.http.headers import Headers


def test_names_ignore_case() -> None:
    """A header is found under every spelling and listed in lower case."""
    headers = Headers([("Content-Type", "text/css"), ("X-One", "1")])
    assert headers["content-TYPE"] == headers.get("CONTENT-type") == "text/css"
    assert "x-ONE" in headers
    assert not headers.__contains__(1)  # as any mapping answers
    assert dict(headers) == {"content-type": "text/css", "x-one": "1"}
    assert len(headers) == 2


def test_an_absent_header_is_a_key_error() -> None:
    """It is a mapping like any other."""
    with pytest.raises(KeyError):
        Headers()["host"]


def test_repeats_are_joined_and_cookies_by_semicolons() -> None:
    """Two lines of one header mean what one joined line means."""
    headers = Headers([("Accept", "a"), ("accept", "b"), ("Cookie", "a=1"), ("cookie", "b=2")])
    assert headers["accept"] == "a, b"
    assert headers["cookie"] == "a=1; b=2"


def test_repr_shows_no_values() -> None:
    """A header's value may be a credential, so that a log never shows it."""
    shown = repr(Headers([("Authorization", "Bearer secret"), ("Cookie", "_idx=token")]))
    assert shown == "<Headers authorization, cookie>"
