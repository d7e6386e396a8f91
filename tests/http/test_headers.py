"""Request headers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.http.headers import Headers
from tests.http.reading import FORMATS, shape


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


NAMES = st.sampled_from(["accept-encoding", "Accept-Encoding", "ACCEPT-ENCODING", "host", "Host", "é", "\u212a", ""])
VALUES = st.sampled_from(["gzip", "", "br", None, 1, ["gzip"], {"a": 1}])
FIELDS = st.dictionaries(NAMES, st.sampled_from(["gzip", "br"]), max_size=4) | st.dictionaries(
    NAMES | st.integers(1, 2), VALUES, max_size=4
)


@given(
    FIELDS | st.none() | st.just("text"),
    st.none() | FIELDS,
    st.just("http_api_v2") | st.sampled_from(["bare", *FORMATS]),
)
def test_one_header_is_the_one_among_all_of_them(headers: Any, several: Any, kind: str) -> None:
    """Looking up a single header does not depend on whether all have been read, whatever the event contains."""
    event = {"headers": headers, "multiValueHeaders": several}
    for name in ("accept-encoding", "host"):
        alone, read = shape(kind, **event), shape(kind, **event)
        assert alone.header(name) == read.headers().get(name) == read.header(name), json.dumps(event, default=repr)
