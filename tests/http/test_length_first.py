"""SECURITY 8, from the raw event: lengths are checked before a visitor's data is decoded."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arc
from arc.errors import BadRequest
from arc.http.body import parse_form
from arc.http.multipart import File, parse_multipart
from arc.http.request import Request
from arc.testing import alb, payload_v1, payload_v2
from tests.sessions.making import Made

MEGABYTES = 10_000_000
LITTLE = 200_000  # bytes that a handler itself needs, far below the input's length
FILLINGS = {"escapes": "%41", "plain": "A", "semicolons": ";", "pairs": "a=;", "quotes": '"', "broken escapes": "%"}


def peak(work: Callable[[], Any]) -> int:
    """The peak memory of `work` in bytes, beyond the memory used before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def calls(work: Callable[[], Any]) -> int:
    """The number of functions that `work` calls, including C functions."""
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def form_of(content_type: str, body: bytes) -> list[tuple[str, str | File]] | None:
    """The fields of a multipart form, None when it was refused."""
    try:
        return parse_multipart(content_type, body)
    except BadRequest:
        return None


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("build", [payload_v2, payload_v1, alb])
def test_s08_oversize_session_cookie_is_not_decoded(build: Any, filling: str) -> None:
    """Refusing 10 MB in a cookie called `_idx` takes little memory, and one event has the reason."""
    made = Made()
    handler = arc.http.handler(manager=made.manager)(lambda req: {"text": str(len(req.session))})
    handler(build(cookies=["_idx=short"]), None)  # Imports are no cost of the cookie.
    made.events.clear()
    event = build(cookies=["_idx=" + FILLINGS[filling] * (MEGABYTES // len(FILLINGS[filling]))])
    reply: list[dict[str, Any]] = []
    assert peak(lambda: reply.append(handler(event, None))) < LITTLE
    assert reply[0]["body"] == "0"
    assert [(event.name, event.reason) for event in made.events] == [("refused", "too-long")]


@pytest.mark.parametrize("server", [False, True])
def test_s08_slightly_too_long_cookie_is_not_decoded(server: bool) -> None:
    """The length counts before escapes are decoded, because no browser stores such a cookie."""
    made = Made(server=server)
    handler = arc.http.handler(manager=made.manager)(lambda req: {"text": str(len(req.session))})
    value = "".join(f"%{ord(character):02X}" for character in made.cookie(count=1))
    made.events.clear()
    handler(payload_v2(cookies=["_idx=" + value]), None)
    assert made.names == ["loaded"]
    handler(payload_v2(cookies=["_idx=" + "%41" * 1_400]), None)
    assert made.events[-1].reason == "too-long"


def test_s08_only_used_cookies_are_decoded() -> None:
    """The work grows with the number of cookies of the name, and the last ones count."""
    made = Made(server=True)
    handler = arc.http.handler(manager=made.manager)(lambda req: {"text": str(len(req.session))})
    forged = ["_idx=" + "%41" * 1_300] * 1_000
    event = payload_v2(cookies=[*forged, "_idx=" + made.cookie(count=1)])
    replies: list[dict[str, Any]] = []
    assert calls(lambda: replies.append(handler(event, None))) < 100_000
    assert replies[0]["body"] == "1"


def test_s08_oversize_csrf_cookie_and_token_are_not_decoded() -> None:
    """The limits also apply to a form of a visitor without a session."""
    made = Made()
    handler = arc.http.handler(manager=made.manager, csrf=True)(lambda _req: {"text": "done"})
    handler(payload_v2("POST", cookies=["__Host-_arc_csrf=short"], headers={"x-csrf-token": "A" * 64}), None)
    cookie = "__Host-_arc_csrf=" + "%41" * (MEGABYTES // 3)
    for event in (
        payload_v2("POST", cookies=[cookie], headers={"x-csrf-token": "A" * 64}),
        payload_v2("POST", headers={"x-csrf-token": "A" * MEGABYTES}),
    ):
        replies: list[dict[str, Any]] = []
        assert peak(lambda event=event, replies=replies: replies.append(handler(event, None))) < LITTLE  # type: ignore[misc]
        assert replies[0]["statusCode"] == 403


def test_s08_oversize_cookie_header_is_not_split() -> None:
    """`req.cookies` ignores a header that is longer than AWS's front doors forward."""
    request = Request(payload_v1(cookies=["a=1", "b=" + ";" * MEGABYTES]), None, lambda: Made().manager)
    assert peak(lambda: request.cookies) < LITTLE
    assert request.cookies == {}


def test_s08_a_boundary_has_at_most_70_characters() -> None:
    """A longer boundary is a bad request, even if the body uses it (RFC 2046 §5.1.1)."""
    for length in (1, 70, 71, 100_000):
        boundary = "b" * length
        body = f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--{boundary}--\r\n'.encode()
        for written in (boundary, f'"{boundary}"'):
            found = form_of(f"multipart/form-data; boundary={written}", body)
            assert found == ([("a", "1")] if length <= 70 else None)


def test_s08_nested_form_is_not_parsed() -> None:
    """A part's content type is ignored, and boundaries inside it are text."""

    def body(depth: int) -> bytes:
        head = 'Content-Disposition: form-data; name="a"\r\n'
        inner = "".join(f"Content-Type: multipart/mixed; boundary=b{one}\r\n\r\n--b{one}\r\n" for one in range(depth))
        return f"--XyZ\r\n{head}{inner}\r\n{'x' * 10}\r\n{'line' * 5}\r\n".encode() + b"x\r\n" * 1_000 + b"--XyZ--\r\n"

    flat, deep = body(0), body(100)
    content_type = "multipart/form-data; boundary=XyZ"
    assert calls(lambda: form_of(content_type, deep)) <= 2 * calls(lambda: form_of(content_type, flat))


@pytest.mark.parametrize("piece", ["%41", "%E3%81%82", "a%41", "xyz%"])
@pytest.mark.sampled(2)
def test_s08_memory_for_an_escaped_form_is_proportional(piece: str) -> None:
    """A megabyte of escaped text, as in any Japanese form, takes a few megabytes."""
    text = "a=" + piece * (1_000_000 // len(piece))
    assert peak(lambda: parse_form(text)) < 6 * len(text)


@pytest.mark.parametrize("parameter", ["filename*=utf-8''", "name=x; filename*="])
def test_s08_memory_for_an_escaped_file_name_is_proportional(parameter: str) -> None:
    """The length of a file's name is checked before it is decoded."""
    head = f"--b\r\nContent-Disposition: form-data; name=f; {parameter}"
    body = f"{head}{'%41' * 333_333}\r\n\r\nx\r\n--b--\r\n".encode()
    assert peak(lambda: form_of("multipart/form-data; boundary=b", body)) < 6 * len(body)


@given(st.text("ab=&+%4158eEéC3 ;", max_size=60))
def test_form_is_read_like_the_standard_library(text: str) -> None:
    """The fields equal those of `urllib.parse.parse_qsl`, except for invalid UTF-8."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        with pytest.raises(BadRequest):
            parse_form(text)
        return
    form = parse_form(text)
    assert [(name, form.getall(name)) for name in form] == [
        (name, [value for other, value in pairs if other == name]) for name in dict(pairs)
    ]


def test_s08_oversize_query_string_is_a_bad_request() -> None:
    """A query string that is longer than AWS's front doors forward is refused by its length."""
    request = Request({"version": "2.0", "rawQueryString": "a=" + "%41" * 1_000_000}, None, lambda: Made().manager)
    target_group = Request(
        {"requestContext": {"elb": {}}, "queryStringParameters": {"a": "%41" * 1_000_000}}, None, lambda: Made().manager
    )
    for one in (request, target_group):
        refused: list[BadRequest] = []

        def read(one: Request = one, refused: list[BadRequest] = refused) -> None:
            try:
                _ = one.query
            except BadRequest as error:
                refused.append(error)

        assert peak(read) < LITTLE
        assert "65,536" in str(refused[0])
