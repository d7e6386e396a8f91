"""From what a handler returned to the response that Lambda sends: every key of Architect's, nothing of sessions."""

from __future__ import annotations

from arc.http import fields
from arc.http.content import JSON, OF_KEY, Content, is_decimal, is_private_by_default, json_text
from arc.http.fields import joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence
    from typing import Any

    from arc.http.fields import ResponseHeaders
    from arc.http.shape import Shape


# Architect's rule for payload 2.0: a dict with none of these keys is the JSON body itself.
_RESPONSE_KEYS = frozenset(
    ("statusCode", "body", "headers", "isBase64Encoded", "cookies", "code", "cookie", "cors", "location")
).union(("session", "status"), OF_KEY)
_ALL_KEYS = _RESPONSE_KEYS.union(
    ("type", "status_code", "cacheControl", "cache_control", "compression", "multiValueHeaders")
)
_NOT_MODIFIED = 304
_BODILESS = (204, _NOT_MODIFIED)
_PARTIAL = 206  # its Content-Range counts in the body that is sent (RFC 9110 §14.4)
_STATUS_KEYS = ("status", "code", "statusCode", "status_code")


def format_response(
    result: object,
    shape: Shape,
    *,
    session_cookies: Sequence[str] = (),
    touched: bool = False,
    on_override: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """The response for a handler's `result` in the format of `shape`'s event; `result` is not changed.

    `session_cookies` are Set-Cookie strings that join the application's own. `touched` says that the
    session was taken, which caches are told; `on_override` gets a Cache-Control that had to give way.
    Raises `TypeError` and `ValueError` naming the key for a result that cannot be sent.
    """
    return Prepared(result, shape).reply(session_cookies=session_cookies, touched=touched, on_override=on_override)


class Prepared:
    """A response that is complete but for the session's part; `status` is known before the session is committed."""

    __slots__ = ("_base64", "_body", "_cookies", "_explicit", "_headers", "_lists", "_shape", "status")

    def __init__(self, result: object, shape: Shape) -> None:
        self._shape = shape
        if isinstance(result, Exception):
            from arc.http.error_page import error_page

            self.status, page = error_page(result)
            response: dict[str, Any] = {"html": page}
        else:
            response = _as_response(result, shape)
            self.status = _status(response)
        given, self._cookies = fields.given(response)
        self._lists = not shape.is_v2 or bool(response.get("cookies"))
        content = Content(response, null=self.status not in _BODILESS)
        exact = fields.joined(given.pop("content-type", "")) if given else ""
        headers = self._headers = fields.ResponseHeaders({}, given)
        kind = _kind(content.key, response, headers, exact)
        sent = headers.own["content-type"] = exact or kind
        location = response.get("location")
        if location is not None and (location := fields.text("location", location)):
            headers.put("location", fields.uri(location))
        if given:
            headers.encode_locations()
        if response.get("cors"):
            headers.allow_origin(response["cors"])
        control = _cache_control(response, headers)
        self._explicit = bool(control)
        private = location or is_private_by_default(kind)
        headers.own["cache-control"] = control or (UNCACHED if private else CACHED)
        encoding = headers.take("content-encoding")
        accepted = None
        if content.compressible(sent) and shape.compresses and not encoding and self.status != _PARTIAL:
            accepted = shape.headers().get("accept-encoding")
            if content.body or self.status == _NOT_MODIFIED:
                vary_by(headers, "Accept-Encoding")
        self._body, self._base64, compressed = content.sent(sent, accepted)
        if compressed:
            headers.take("content-length")
            headers.weaken_etags()
        if compressed or encoding:
            headers.own["content-encoding"] = compressed or encoding

    @property
    def open_to_every_origin(self) -> bool:
        """True when scripts of any site may read the response, which browsers grant only without cookies."""
        return self._headers.open_to_every_origin

    def reply(
        self,
        *,
        session_cookies: Sequence[str] = (),
        touched: bool = False,
        on_override: Callable[[str], None] | None = None,
    ) -> dict[str, Any]:
        """The response for Lambda. May be called more than once; arguments as of `format_response`."""
        headers = self._headers.copied()
        if self._cookies and not self._explicit and headers.own["cache-control"] == CACHED:
            headers.own["cache-control"] = PRIVATE
        if touched or session_cookies:
            mark_private(headers, explicit=self._explicit, sets_cookie=bool(session_cookies), on_override=on_override)
        cookies = fields.merged(self._cookies, session_cookies)
        if len(cookies) == 1 and not self._lists:
            # Where both of Architect's libraries put it: their users look for it there, or add a list of their own.
            headers.own["set-cookie"] = cookies.pop()
        return self._shape.reply(self.status, headers.all(), cookies, self._body, base64=self._base64)


def _as_response(result: object, shape: Shape) -> dict[str, Any]:
    """`result` as a dict of response keys."""
    if result is None or (isinstance(result, str) and not result):
        return {}
    if isinstance(result, dict):
        v2 = shape.is_v2
        if not (_RESPONSE_KEYS if v2 else _ALL_KEYS).isdisjoint(result) or not (result or v2):
            return result
    elif isinstance(result, bytes | bytearray | memoryview):
        return {"body": result, "type": "application/octet-stream"}
    elif not isinstance(result, str | int | float | list | tuple) and not is_decimal(result):
        raise TypeError(
            f"The handler returned a value of type {type(result).__name__}. Return a dict of response keys, "
            "or a dict, list, str, number, bytes or None to be sent as it is."
        )
    return {"body": json_text("the result", result)}


def _status(result: dict[str, Any]) -> int:
    for key in _STATUS_KEYS:
        status = result.get(key)
        if status:
            break
    else:
        return 302 if result.get("location") else 200
    if isinstance(status, str) and len(status) == 3 and status.isascii() and status.isdigit():  # noqa: PLR2004
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(
            f"The response's {key!r} is of type {type(status).__name__}. Return a number from 100 to 599; "
            "data with such a key goes under 'json'."
        )
    if not 100 <= status <= 599:  # noqa: PLR2004
        raise ValueError(f"The response's {key!r} is {status}. Return a number from 100 to 599.")
    return int(status)


def _kind(key: str, result: dict[str, Any], headers: fields.ResponseHeaders, exact: str) -> str:
    """The type that decides on caching, whatever `exact`, a header in lower case, sends in spite of it."""
    other = headers.take("content-type")
    kind = OF_KEY.get(key) or fields.text("type", result.get("type"))
    return kind or exact or other or JSON


def _cache_control(result: dict[str, Any], headers: fields.ResponseHeaders) -> str:
    """What the application says, "" when it says nothing; taken out of `headers`."""
    header = headers.take("cache-control")
    for key in ("cache_control", "cacheControl"):
        value = result.get(key)
        if value is not None and (text := fields.text(key, value)):
            return text
    return header


UNCACHED = "no-cache, no-store, must-revalidate, max-age=0, s-maxage=0"  # Architect's default for HTML and JSON
CACHED = "max-age=86400"  # Architect's default for the rest
PRIVATE = "private, no-store"


def mark_private(
    headers: ResponseHeaders, *, explicit: bool, sets_cookie: bool, on_override: Callable[[str], None] | None
) -> None:
    """Change `headers` of a response whose handler took the session.

    `explicit` says that the application chose its Cache-Control; a cacheable one stands, unless the
    response sets a session cookie: then `on_override` is told the value that was replaced.
    """
    vary_by(headers, "Cookie")
    if not explicit:
        headers.own["cache-control"] = PRIVATE
    elif sets_cookie:
        _override(headers.own, "cache-control", on_override)
    if sets_cookie:
        for name in [name for name in headers.given if _is_for_caches(name)]:
            _override(headers.given, name, on_override)


def vary_by(headers: ResponseHeaders, field: str) -> None:
    """Add `field` to the Vary of `headers`, which stays as it is where it has the field, or `*` (RFC 9110 §12.5.5)."""
    before = headers.own.get("vary")
    values = headers.take_every("vary") if before is None else [before]
    if not values:
        headers.own["vary"] = field
        return
    fields = [one.strip() for value in values for one in value.split(",") if one.strip()]
    if "*" in fields:
        fields = ["*"]
    elif field.lower() not in (one.lower() for one in fields):
        fields.append(field)
    headers.own["vary"] = ", ".join(fields)


def _override(headers: MutableMapping[str, Any], name: str, on_override: Callable[[str], None] | None) -> None:
    old = joined(headers[name])
    if _is_cacheable(old):
        headers[name] = PRIVATE
        if on_override is not None:
            on_override(old)


def _is_for_caches(name: str) -> bool:
    """True for what only a CDN obeys, before Cache-Control (RFC 9213, Surrogate-Control)."""
    name = name.lower()
    return name == "surrogate-control" or name.endswith("cdn-cache-control")


def _is_cacheable(value: str) -> bool:
    """True unless the value keeps shared caches from storing: `private` without field names, or `no-store`."""
    return not {"private", "no-store"} & {directive.strip().lower() for directive in value.split(",")}
