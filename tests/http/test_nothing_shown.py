"""SECURITY 42: what is printed, logged or raised shows no secret, no whole token and no cookie."""

from __future__ import annotations

import pprint
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.http.request import Request
from arc.testing import alb, function_url, payload_v1, payload_v2
from tests.sessions.making import Made

BUILDERS: dict[str, Any] = {
    "payload_v2": payload_v2,
    "function_url": function_url,
    "payload_v1": payload_v1,
    "alb": alb,
    "alb_multi": lambda *given, **named: alb(*given, multi=True, **named),
}
TOKEN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=8, max_size=40).map(lambda text: f"tok{text}")


def shown(value: object) -> list[str]:
    """`value` in every way that a program prints or logs it."""
    return [repr(value), str(value), f"{value}", "%s %r" % (value, value), pprint.pformat(value), repr([value])]  # noqa: UP031


@given(token=TOKEN, build=st.sampled_from(sorted(BUILDERS)))
def test_s42_a_printed_request_shows_nothing_that_the_visitor_sent_in_secret(token: str, build: str) -> None:
    """No cookie, header, field of a query or body is in any way that a request is printed, in any format."""
    event = BUILDERS[build](
        "POST",
        "/cart",
        query={"key": f"{token}-query"},
        headers={"authorization": f"Bearer {token}", "x-csrf-token": token},
        cookies={"_idx": token, "__Host-_arc_csrf": token},
        form={"_csrf": token, "password": token},
    )
    request = Request(event, None, lambda: Made().manager)
    _ = (request.session, request.form, request.headers, request.cookies)
    for text in shown(request):
        assert token not in text
        assert "POST /cart" in text


@pytest.mark.parametrize("event", [{}, {"body": {"parsed": "already"}}, {"headers": None}, {1: 2}, {"httpMethod": 7}])
def test_s42_any_event_can_be_printed(event: dict[Any, Any]) -> None:
    """A bare or odd event shows its keys."""
    text = repr(Request(event, None, lambda: Made().manager))
    assert text.startswith("<Request 'GET /")
    assert all(str(key) in text for key in event)


@pytest.mark.parametrize("build", BUILDERS)
def test_a_request_is_the_event_still(build: str) -> None:
    """Only what is printed differs: a request equals its event, and a plain copy shows everything."""
    event = BUILDERS[build]("POST", "/", cookies={"_idx": "token"}, form={"a": "1"})
    request = Request(event, None, lambda: Made().manager)
    assert request == event
    assert list(request.items()) == list(event.items())
    assert repr(dict(request)) == repr(event)
    assert repr(request.copy()) == repr(event)
