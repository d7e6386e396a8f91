"""Commit the session of a request and make the response that Lambda sends."""

from __future__ import annotations

from arc.http.request import finish, request_of
from arc.http.response import PreparedResponse
from arc.http.visit import is_request
from arc.sessions import lifecycle
from arc.sessions.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from arc.http.request import Request

_SERVER_ERROR = 500
_CORS_WARNING = (
    "Access-Control-Allow-Origin is '*', so browsers hide this response from scripts that send the session's cookie. "
    "Return the origin of those scripts: 'cors': 'https://…'"
)


def res(req: Mapping[str, Any], response: object) -> dict[str, Any]:
    """Return the Lambda response for an Architect `response`.

    `req` is an event or a `Request`. A `session` key in the response is committed and sets the cookie. Raises what a
    commit raises, and `TypeError` or `ValueError` for a response that cannot be sent.
    """
    request = request_of(req, for_response=True)
    response, has_session = _take_session(request, response)
    result = reply(request, response, commit=has_session)
    finish(request)
    return result


def reply(
    request: Request, response: object, *, commit: bool = True, touch: bool | Literal["always"] = True
) -> dict[str, Any]:
    """Return the Lambda response for what a handler returned. With `commit`, a session that was used is committed."""
    rest, _ = _take_session(request, response)
    prepared = PreparedResponse(rest, request.shape)
    if (observer := lifecycle.observer) is not None:
        observer.result(request, response, prepared)
    if not request.uses_session:
        return prepared.reply()
    session, manager = request.session, request.manager
    if commit:
        cookies = manager.commit(session, failed=prepared.status >= _SERVER_ERROR, touch=touch)
    else:
        cookies = session.cookies
    if request.may_set_csrf_cookie:
        from arc.http.csrf import cookie_for_reply

        csrf_cookie = cookie_for_reply(request)
        cookies = cookies if csrf_cookie is None else (*cookies, csrf_cookie)

    def on_override(value: str) -> None:
        manager.lifecycle.emit("cache_overridden", f"Cache-Control was {value!r}, and the response sets a cookie")

    if prepared.headers.allow_every_origin:
        headers = request.headers
        if "origin" in headers and headers.get("sec-fetch-site") != "same-origin":
            manager.lifecycle.emit("cors", _CORS_WARNING)
    if len(cookies) > 1:  # The session's cookie is last, because a response with room for one cookie sends the last.
        cookies = (*cookies[1:], cookies[0])
    return prepared.reply(session_cookies=cookies, uses_session=True, on_override=on_override)


def _take_session(request: Request, response: object) -> tuple[object, bool]:
    """Apply the `session` key of `response`. Return the rest, and whether the key was there and not None."""
    if not isinstance(response, dict):
        return response, False
    if is_request(response):
        raise TypeError(
            "The handler returned the whole request, whose headers contain credentials, as its response. "
            "Return selected parts of it: {'json': {'path': req.path}}."
        )
    if "session" not in response:
        return response, False
    rest: Mapping[str, Any] = {key: value for key, value in response.items() if key != "session"}
    value = response["session"]
    if isinstance(value, Session):
        request.use_session(value)
    elif value is not None:
        if isinstance(value, dict) and is_request(value):
            raise TypeError(
                "The response's 'session' is the whole request, whose headers contain credentials. "
                "Return its session: {'session': req.session}, or a dict of the session's data."
            )
        request.session.replace(value)
    # With a response key in it, a dict that had nothing but `session` is a response and not a JSON body.
    return {"cookies": [], **rest}, value is not None
