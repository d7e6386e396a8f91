"""Format what a handler returned as a Lambda response: Architect's response keys, compression and caching headers.

This module does not know sessions. `arc.http.reply` commits the session and adds its cookies.
"""

from __future__ import annotations

from arc.http import fields
from arc.http.content import JSON, TYPE_OF_KEY, Content, is_decimal, is_private_by_default, json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence
    from typing import Any

    from arc.http.fields import ResponseHeaders
    from arc.http.shape import Shape

UNCACHED = "no-cache, no-store, must-revalidate, max-age=0, s-maxage=0"  # Architect's default for HTML and JSON
CACHED = "max-age=86400"  # Architect's default for other types; here for style sheets and scripts
CACHED_BY_BROWSERS = f"private, {CACHED}"
PRIVATE = "private, no-store"
# In payload format 2.0 a dict with none of these keys is the JSON body itself (Architect's rule).
RESPONSE_KEYS = frozenset(
    ("statusCode", "body", "headers", "isBase64Encoded", "cookies", "code", "cookie", "cors", "location")
).union(("session", "status"), TYPE_OF_KEY)
ALL_KEYS = RESPONSE_KEYS.union(
    ("type", "status_code", "cacheControl", "cache_control", "compression", "multiValueHeaders")
)
_OPTIONS = ALL_KEYS.difference(TYPE_OF_KEY, ("body",))
_STATUS_KEYS = ("status", "code", "statusCode", "status_code")
_STATUS_SET = frozenset(_STATUS_KEYS)
_CACHE_KEYS = frozenset(("cache_control", "cacheControl"))
_SHARED_TYPES = ("text/css", "text/javascript", "application/javascript")
_NOT_MODIFIED = 304
_FIRST_ERROR = 400
_BODILESS = (204, _NOT_MODIFIED)
_PARTIAL = 206  # Its Content-Range counts bytes of the body as it is sent (RFC 9110 §14.4).


class PreparedResponse:
    """A response that is complete except for the session's cookies.

    Its `status` is known before the session is committed. Raises `TypeError` and `ValueError` for a `result` that
    cannot be sent; the message names the key. `result` is not changed.
    """

    __slots__ = ("_cookies", "_explicit", "_lists_cookies", "_shape", "base64", "body", "headers", "status")

    def __init__(self, result: object, shape: Shape) -> None:
        self._shape = shape
        if isinstance(result, Exception):
            from arc.http.error_page import error_page

            self.status, page = error_page(result)
            self._prepare({"html": page})
            return
        response = _as_response(result, shape)
        if _OPTIONS.isdisjoint(response):
            self._prepare_body(response)
        else:
            self.status = _status(response)
            self._prepare(response)

    def _prepare_body(self, response: dict[str, Any]) -> None:
        """Prepare a response that is a body and nothing else, as most are: `_prepare` in fewer steps."""
        self.status, self._explicit, self._lists_cookies = 200, False, not self._shape.is_v2
        self._cookies: list[str] = []
        content = Content(response)
        kind = TYPE_OF_KEY.get(content.key, JSON)
        computed = {"content-type": kind, "cache-control": _CACHE_CONTROL[kind]}
        self.headers = fields.ResponseHeaders(computed, {})
        accepted = None
        if content.body and self._shape.compresses:
            accepted = self._shape.header("accept-encoding")
            computed["vary"] = "Accept-Encoding"
        self.body, self.base64, compressed = content.encode(kind, accepted)
        if compressed:
            computed["content-encoding"] = compressed

    def _prepare(self, response: dict[str, Any]) -> None:
        shape = self._shape
        custom, self._cookies = fields.read_headers(response)
        self._lists_cookies = not shape.is_v2 or bool(response.get("cookies"))
        content = Content(response, null=self.status not in _BODILESS)
        # A header spelled in lower case is sent as it is. The type that decides on caching may be another one.
        exact = other = encoding = ""
        headers = self.headers = fields.ResponseHeaders({}, custom)
        if custom:
            exact = fields.join_values(custom.pop("content-type", ""))
            other, encoding = headers.take("content-type"), headers.take("content-encoding")
        kind = TYPE_OF_KEY.get(content.key) or fields.read_text("type", response.get("type")) or exact or other or JSON
        sent_type = headers.computed["content-type"] = exact or kind
        location = response.get("location")
        if location is not None and (location := fields.read_text("location", location)):
            headers.put("location", fields.encode_uri(location))
        if custom:
            headers.encode_locations()
        if response.get("cors"):
            headers.allow_origin(response["cors"])
        control = _cache_control(response, headers)
        self._explicit = bool(control)
        # A browser that kept an error for a day would show it long after it is over.
        is_uncached = location or self.status >= _FIRST_ERROR
        headers.computed["cache-control"] = control or (UNCACHED if is_uncached else default_cache_control(kind))
        accepted = None
        if content.is_compressible(sent_type) and shape.compresses and not encoding and self.status != _PARTIAL:
            accepted = shape.header("accept-encoding")
            if content.body or self.status == _NOT_MODIFIED:
                add_vary(headers, "Accept-Encoding")
        self.body, self.base64, compressed = content.encode(sent_type, accepted)
        if compressed:
            headers.take("content-length")
            headers.weaken_etags()
        if compressed or encoding:
            headers.computed["content-encoding"] = compressed or encoding

    @property
    def has_cache_control(self) -> bool:
        """True if the application returned a Cache-Control, False if it is the default."""
        return self._explicit

    def reply(
        self,
        *,
        session_cookies: Sequence[str] = (),
        uses_session: bool = False,
        on_override: Callable[[str], None] | None = None,
    ) -> dict[str, Any]:
        """Return the response for Lambda. May be called more than once.

        `session_cookies` are Set-Cookie strings that join the application's. With `uses_session` the response is
        marked as private for caches. `on_override` is called with each Cache-Control value that was replaced.
        """
        headers = self.headers.copy()
        if self._cookies and not self._explicit and headers.computed["cache-control"] != UNCACHED:
            headers.computed["cache-control"] = PRIVATE
        if uses_session or session_cookies:
            self._mark_private(headers, sets_cookie=bool(session_cookies), on_override=on_override)
        cookies = fields.merge_cookies(self._cookies, session_cookies)
        if len(cookies) == 1 and not self._lists_cookies:
            # Architect's libraries put a single cookie here. Their users read it, or add a list of their own.
            headers.computed["set-cookie"] = cookies.pop()
        return self._shape.reply(self, headers.all(), cookies)

    def _mark_private(
        self, headers: ResponseHeaders, *, sets_cookie: bool, on_override: Callable[[str], None] | None
    ) -> None:
        """Keep shared caches from storing the response.

        A cacheable Cache-Control that the application returned stays, unless the response sets a session cookie.
        """
        add_vary(headers, "Cookie")
        if not self._explicit:
            headers.computed["cache-control"] = PRIVATE
        elif sets_cookie:
            _make_private(headers.computed, "cache-control", on_override)
        if sets_cookie:
            for name in [name for name in headers.custom if _is_for_cdns(name)]:
                _make_private(headers.custom, name, on_override)


def _as_response(result: object, shape: Shape) -> dict[str, Any]:
    """Return `result` as a dict of response keys."""
    if result is None or (isinstance(result, str) and not result):
        return {}
    if isinstance(result, dict):
        v2 = shape.is_v2
        if not (RESPONSE_KEYS if v2 else ALL_KEYS).isdisjoint(result) or not (result or v2):
            return result
    elif isinstance(result, bytes | bytearray | memoryview):
        return {"body": result, "type": "application/octet-stream"}
    elif not isinstance(result, str | int | float | list | tuple) and not is_decimal(result):
        raise TypeError(
            f"The handler returned a value of type {type(result).__name__}. Return a dict of response keys, "
            "or a dict, list, str, number, bytes or None to send as it is."
        )
    return {"body": json_text("the result", result)}


def _status(result: dict[str, Any]) -> int:
    if _STATUS_SET.isdisjoint(result):
        return 302 if result.get("location") else 200
    for key in _STATUS_KEYS:
        status = result.get(key)
        if status:
            break
    else:
        return 302 if result.get("location") else 200
    if isinstance(status, str) and len(status) == 3 and status.isascii() and status.isdigit():  # noqa: PLR2004
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool):
        advice = "Return a number from 100 to 599. Return data that has such a key under 'json'."
        raise fields.wrong_type(repr(key), status, advice)
    if not 100 <= status <= 599:  # noqa: PLR2004
        raise ValueError(f"The response's {key!r} is {status}. Return a number from 100 to 599.")
    return int(status)


def _cache_control(result: dict[str, Any], headers: ResponseHeaders) -> str:
    """Return the application's Cache-Control and remove it from `headers`. Return "" if it returned none."""
    header = headers.take("cache-control") if headers.custom else ""
    if _CACHE_KEYS.isdisjoint(result):
        return header
    for key in ("cache_control", "cacheControl"):
        value = result.get(key)
        if value is not None and (text := fields.read_text(key, value)):
            return text
    return header


def default_cache_control(content_type: str) -> str:
    """Return the Cache-Control of a response whose application returned none.

    Architect's libraries let shared caches keep every type but HTML and JSON. Here only style sheets and scripts, which
    are the same for all visitors, may be in them.
    """
    if is_private_by_default(content_type):
        return UNCACHED
    return CACHED if content_type.partition(";")[0].strip().lower() in _SHARED_TYPES else CACHED_BY_BROWSERS


_CACHE_CONTROL = {kind: default_cache_control(kind) for kind in TYPE_OF_KEY.values()}


def add_vary(headers: ResponseHeaders, field: str) -> None:
    """Add `field` to the Vary header, unless it already has the field or `*` (RFC 9110 §12.5.5)."""
    before = headers.computed.get("vary")
    if before is None and not headers.custom:
        headers.computed["vary"] = field
        return
    if before is not None and "*" not in before and field.lower() not in before.lower():
        headers.computed["vary"] = f"{before}, {field}"
        return
    values = headers.take_all("vary") if before is None else [before]
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    if "*" in names:
        names = ["*"]
    elif field.lower() not in (name.lower() for name in names):
        names.append(field)
    headers.computed["vary"] = ", ".join(names)


def _make_private(headers: MutableMapping[str, Any], name: str, on_override: Callable[[str], None] | None) -> None:
    """Replace a cacheable value of the header `name`, and report it."""
    value = fields.join_values(headers[name])
    if {"private", "no-store"}.isdisjoint(directive.strip().lower() for directive in value.split(",")):
        headers[name] = PRIVATE
        if on_override is not None:
            on_override(value)


def _is_for_cdns(name: str) -> bool:
    """Return True for a header that CDNs obey instead of Cache-Control (RFC 9213, Surrogate-Control)."""
    name = name.lower()
    return name == "surrogate-control" or name.endswith("cdn-cache-control")
