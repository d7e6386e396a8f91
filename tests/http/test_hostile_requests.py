"""A handler that uses everything answers any request with a status below 500."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import arc
from arc.testing import alb, payload_v1, payload_v2
from tests.sessions.making import Made

MADE = Made()
TEXT = st.text(max_size=40) | st.sampled_from(
    ["_idx=", "__Host-_arc_csrf=", "_idx=a.b.c.d.e", '_idx=""', "_idx=%", "%", ";=", "\x00"]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "cookie",
            "content-type",
            "host",
            "origin",
            "sec-fetch-site",
            "sec-fetch-mode",
            "accept-encoding",
            "x-csrf-token",
        ]
    ),
    TEXT
    | st.sampled_from(
        [
            "application/json",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "br;q=x, gzip;q=9",
            "null",
        ]
    ),
)
VALID = MADE.cookie(count=1)


def everything(req: arc.Request) -> dict[str, Any]:
    """Use every part of the request, and the session in every way."""
    _ = (req.method, req.path, req.params, req.query, req.headers, req.cookies, req.text, req.form, req.json)
    req.session.increment("visits")
    req.session.flash("info", "hello")
    arc.http.csrf.verify(req)
    return {"html": arc.http.csrf.field(req), "headers": {"x-user": str(req.session.user_id)}}


handler = arc.http.handler(manager=MADE.manager)(everything)


@given(
    build=st.sampled_from([payload_v2, payload_v1, alb]),
    method=st.sampled_from(["GET", "POST", "PUT", "BREW"]),
    headers=HEADERS,
    cookies=st.lists(TEXT | st.just(f"_idx={VALID}"), max_size=6),
    body=st.none() | st.binary(max_size=60) | st.text(max_size=60),
)
def test_s10_no_request_makes_a_handler_fail(
    build: Any, method: str, headers: dict[str, str], cookies: list[str], body: bytes | str | None
) -> None:
    """Any cookies, headers and bodies are answered with 200, or with a 4xx that has the reason."""
    event = build(method, "/", headers=headers, cookies=cookies, body=body)
    assert handler(event, None)["statusCode"] in (200, 400, 403)
