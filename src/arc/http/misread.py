"""Mistakes in a handler's result that are sent without an error, but not as they were meant.

Only the sandbox and `arc.testing` import this module.
"""

from __future__ import annotations

import json

from arc.http.content import TYPE_OF_KEY
from arc.http.response import ALL_KEYS, RESPONSE_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_BODIES = (*TYPE_OF_KEY, "body")
_STATUSES = range(100, 600)
_PAIR, _TRIPLE = 2, 3
_REDIRECTED = range(200, 300)
_CREATED = (201, 202)  # Their Location does not redirect (RFC 9110 §10.2.2).
# Words of other frameworks, and of HTTP, for response keys.
_FOREIGN = {
    **dict.fromkeys(("redirect", "redirect_to", "redirect_url", "redirectto", "redirecturl"), "location"),
    **dict.fromkeys(("content_type", "content-type", "contenttype", "mimetype", "media_type"), "type"),
    **dict.fromkeys(("header", "http_headers"), "headers"),
    **dict.fromkeys(("http_status", "response_code"), "status"),
    **dict.fromkeys(("set_cookie", "set-cookie", "setcookie"), "cookie"),
    "htm": "html",
    "cache-control": "cache_control",
}
_ARCHITECT = ALL_KEYS - {
    "statusCode",
    "body",
    "headers",
    "isBase64Encoded",
    "multiValueHeaders",
    "status",
    "code",
    "type",
}
_UNDECORATED = (
    "The handler returned {} without 'statusCode', which Lambda serves as plain JSON. Decorate the handler with "
    "@arc.http.handler, or end it with: return arc.http.res(req, {{…}})"
)


def misread(result: object, *, v2: bool) -> list[str]:
    """Return a message for each probable mistake in `result`, which a decorated handler returned.

    `v2` is True for payload format 2.0, in which a dict without response keys is the JSON body.
    """
    if isinstance(result, str) and result:
        return [_text(result)]
    if isinstance(result, tuple):
        return [_tuple(result)] if _is_flask(result) else []
    if isinstance(result, int) and not isinstance(result, bool) and result in _STATUSES:
        return [f"The handler returned the number {result}, which is sent as JSON. Return {{'status': {result}}}."]
    if not isinstance(result, dict) or not result:
        return []
    keys = [key for key in result if isinstance(key, str)]
    if (RESPONSE_KEYS if v2 else ALL_KEYS).isdisjoint(keys):
        return list(_json_body(result))
    return [*_unknown(result, keys), *_bodies(result), *_contradictions(result)]


def undecorated(result: object) -> str:
    """Return a message for a bare handler's result with Architect's keys, "" for any other result."""
    if not isinstance(result, dict) or "statusCode" in result:
        return ""

    def is_architect(key: object, value: object) -> bool:
        if key in ("status", "code"):
            return isinstance(value, int)
        return key in _ARCHITECT or (key == "type" and isinstance(value, str) and "/" in value)

    keys = [repr(key) for key, value in result.items() if is_architect(key, value)]
    return _UNDECORATED.format(", ".join(keys)) if keys else ""


def _text(text: str) -> str:
    if _is_json(text):
        return "The handler returned a str of JSON, which is sent as a JSON string. Return the data: {'json': data}."
    key = "html" if text.lstrip().startswith("<") else "text"
    return f"The handler returned a str, which is sent as JSON, in quotes. Return {{'{key}': …}}."


def _is_flask(result: tuple[Any, ...]) -> bool:
    """Return True for `body, status`, `body, headers` and `body, status, headers`."""
    if len(result) not in (_PAIR, _TRIPLE):
        return False
    second = result[1]
    is_status = isinstance(second, int) and not isinstance(second, bool) and second in _STATUSES
    is_headers = isinstance(result[-1], dict) and isinstance(result[0], str | dict)
    return is_status or (is_headers and len(result) == _PAIR)


def _tuple(result: tuple[Any, ...]) -> str:
    body, *rest = result
    status = next((f", 'status': {one}" for one in rest if isinstance(one, int)), "")
    headers = ", 'headers': {…}" if isinstance(rest[-1], dict) else ""
    if isinstance(body, str):
        shown = "'html': …" if body.lstrip().startswith("<") else "'text': …"
    else:
        known = isinstance(body, dict) and next((key for key in body if key in RESPONSE_KEYS), None)
        shown = f"'{known}': …" if known else "'json': …"
    meant = f"{{{shown}{status}{headers}}}"
    return f"The handler returned a tuple, which is sent as a JSON list with status 200. Return {meant}."


def _json_body(result: dict[Any, Any]) -> Iterator[str]:
    """Yield a message if a dict that is sent as JSON was meant as a response."""
    plain = [key for key, value in result.items() if isinstance(key, str) and isinstance(value, str | int)]
    meant = {key: _FOREIGN.get(key.lower()) or _respelled(key) for key in plain}
    foreign = {key: right for key, right in meant.items() if right}
    if len(foreign) == len(result) or any(right == "location" for right in foreign.values()):
        for key, right in foreign.items():
            yield (
                f"{key!r} is not a response key, so the handler's dict is sent as JSON. Did you mean {right!r}? "
                "If it is data, return {'json': {…}}."
            )


def _respelled(key: str) -> str | None:
    """Return the response key that `key` is in other letter case, or with a letter missing, added, moved or changed."""
    from difflib import get_close_matches

    small = key.lower()
    same = next((known for known in ALL_KEYS if known.lower() == small.replace("-", "").replace("_", "")), None)
    if same is not None or small in ALL_KEYS:
        return same or small
    likely = [*_BODIES, "location", "statusCode", "headers", "cookies"]
    transposed = [known for known in likely if sorted(known) == sorted(small)]  # Too far apart for difflib: htlm.
    close = transposed or get_close_matches(small, likely, 1, 0.8)
    return close[0] if close else None


def _unknown(result: dict[Any, Any], keys: list[str]) -> Iterator[str]:
    """Yield a message for each key of a response that is not sent."""
    unknown = [key for key in keys if key not in ALL_KEYS]
    has_body = any(result.get(key) is not None for key in _BODIES)
    data = []
    for key in unknown:
        right = _FOREIGN.get(key.lower()) or _respelled(key)
        if right and right not in result:
            yield f"{key!r} is not a response key, so it is not sent. Did you mean {right!r}?"
        else:
            data.append(key)
    if data:
        shown = ", ".join(map(repr, data))
        are = "is not a response key, so it is" if len(data) == 1 else "are not response keys, so they are"
        known = next(repr(key) for key in keys if key in ALL_KEYS)
        advice = "Return data under 'json'" if not has_body else f"To send all of it as JSON, with {known}, return"
        yield f"{shown} {are} not sent. {advice}: {{'json': {{…}}}}."


def _bodies(result: dict[Any, Any]) -> Iterator[str]:
    """Yield a message if the response has several bodies, of which one is sent."""
    bodies = [key for key in _BODIES if result.get(key) is not None and result[key] != ""]
    if len(bodies) > 1:
        sent = next((key for key in bodies if result[key] or isinstance(result[key], dict | list)), bodies[0])
        others = " and ".join(repr(key) for key in bodies if key != sent)
        yield f"The response has several bodies, and only {sent!r} is sent. Remove {others}."


def _contradictions(result: dict[Any, Any]) -> Iterator[str]:
    """Yield a message for a redirect that browsers do not follow, and for a text body that is sent as JSON."""
    status = next((result[key] for key in ("status", "code", "statusCode", "status_code") if result.get(key)), None)
    if result.get("location") and isinstance(status, int) and status in _REDIRECTED and status not in _CREATED:
        yield f"Browsers do not follow a 'location' with status {status}. Return status 303, or none."
    body, headers = result.get("body"), {str(name).lower() for name in result.get("headers") or () if name}
    typed = result.get("type") or "content-type" in headers or any(result.get(key) for key in TYPE_OF_KEY)
    if isinstance(body, str) and body and not (typed or result.get("isBase64Encoded") or _is_json(body)):
        key = "html" if body.lstrip().startswith("<") else "text"
        yield f"'body' is sent as application/json because the response has no 'type'. Return {{'{key}': …}}."


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
