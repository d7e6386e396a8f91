"""Request headers."""

from __future__ import annotations

import pytest

from arc.http.headers import Headers


def test_names_ignore_case() -> None:
    """A header is found in every spelling and listed in lower case."""
    headers = Headers([("Content-Type", "text/css"), ("X-One", "1")])
    assert headers["content-TYPE"] == headers.get("CONTENT-type") == "text/css"
    assert "x-ONE" in headers
    assert not headers.__contains__(1)  # as any mapping answers
    assert dict(headers) == {"content-type": "text/css", "x-one": "1"}
    assert len(headers) == 2


def test_absent_header_raises_key_error() -> None:
    """Headers are a mapping like any other."""
    with pytest.raises(KeyError):
        Headers()["host"]


def test_repeated_headers_are_joined() -> None:
    """Two lines of one header equal one joined line; Cookie is joined with semicolons."""
    headers = Headers([("Accept", "a"), ("accept", "b"), ("Cookie", "a=1"), ("cookie", "b=2")])
    assert headers["accept"] == "a, b"
    assert headers["cookie"] == "a=1; b=2"


def test_repr_shows_no_values() -> None:
    """A header's value may be a credential that must not be logged."""
    shown = repr(Headers([("Authorization", "Bearer secret"), ("Cookie", "_idx=token")]))
    assert shown == "<Headers authorization, cookie>"
