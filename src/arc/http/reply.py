"""From what a handler returned to what Lambda sends, with the session committed in between."""

from __future__ import annotations

from arc.http.request import answered, request_of
from arc.http.response import Prepared
from arc.http.visit import is_request
from arc.sessions.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from arc.http.request import Request

_SERVER_ERROR = 500
_STAR = (
    "Access-Control-Allow-Origin is '*', so browsers hide this response from scripts that send the session's cookie. "
    "Return the origin that may: 'cors': 'https://…'"
)


def res(req: Mapping[str, Any], response: object) -> dict[str, Any]:
    """The Lambda response for an Architect `response`; its `session` key is committed and sets the cookie.

    `req` is an event or a `Request`. Raises what a commit raises, and `TypeError` or `ValueError` for a
    response that cannot be sent.
    """
    request = request_of(req, to_answer=True)
    response, given = _without_session(request, response)
    made = reply(request, response, commit=given)
    answered(request)
    return made


def reply(
    request: Request, response: object, *, commit: bool = True, touch: bool | Literal["always"] = True
) -> dict[str, Any]:
    """The Lambda response for what a handler returned. Commits the session if it was touched and `commit`."""
    response, _ = _without_session(request, response)
    prepared = Prepared(response, request.shape)
    if not request.touched:
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

    def overridden(old: str) -> None:
        manager.lifecycle.tell("cache_overridden", f"Cache-Control was {old!r}, and the response sets a cookie")

    if prepared.open_to_every_origin and "origin" in request.headers and not _is_own(request):
        manager.lifecycle.tell("cors", _STAR)
    if len(cookies) > 1:  # The session's own comes last: where a response has room for one, that is the one.
        cookies = (*cookies[1:], cookies[0])
    return prepared.reply(session_cookies=cookies, touched=True, on_override=overridden)


def _is_own(request: Request) -> bool:
    return request.headers.get("sec-fetch-site") == "same-origin"


def _without_session(request: Request, response: object) -> tuple[object, bool]:
    """`response` without its `session` key, which replaces the session's data; and whether it had one."""
    if not isinstance(response, dict):
        return response, False
    if is_request(response):
        raise TypeError(
            "The handler returned the whole request, whose headers hold credentials, as its response. Return what is "
            "to be sent of it: {'json': {'path': req.path}}."
        )
    if "session" not in response:
        return response, False
    rest: Mapping[str, Any] = {key: value for key, value in response.items() if key != "session"}
    given = response["session"]
    if isinstance(given, Session):
        request.use_session(given)
    elif given is not None:
        if isinstance(given, dict) and is_request(given):
            raise TypeError(
                "The response's 'session' is the whole request, whose headers hold credentials. Return its session: "
                "{'session': req.session}, or a dict of the data to keep."
            )
        request.session.replace(given)
    # A key of Architect's shows that this is a response, not a JSON body, although `session` was its only one.
    return {"cookies": [], **rest}, given is not None
