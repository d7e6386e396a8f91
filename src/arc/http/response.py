"""From what a handler returned to the response that Lambda sends: every key of Architect's, nothing of sessions."""

from __future__ import annotations

from arc.http import caching, fields, media_types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from arc.http.events import Shape

# Architect's rule for payload 2.0: a dict with none of these keys is the JSON body itself.
_RESPONSE_KEYS = frozenset(
    ("statusCode", "body", "headers", "isBase64Encoded", "cookies", "code", "cookie", "cors", "location")
).union(("session", "status"), media_types.OF_KEY)
_OTHER_KEYS = frozenset(("type", "status_code", "cacheControl", "cache_control", "compression", "multiValueHeaders"))
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

    __slots__ = ("_base64", "_body", "_cookies", "_explicit", "_headers", "_shape", "status")

    def __init__(self, result: object, shape: Shape) -> None:
        self._shape = shape
        if isinstance(result, Exception):
            from arc.http.error_page import error_page

            self.status, page = error_page(result)
            result = {"html": page}
        else:
            result = _as_response(result, shape)
            self.status = _status(result)
        headers, cookies = fields.given(result)
        self._cookies = cookies
        key, body = _body(result)
        exact = fields.joined(headers.pop("content-type", ""))
        other = fields.pop(headers, "content-type")
        kind = (
            media_types.OF_KEY.get(key) or fields.text("type", result.get("type")) or exact or other or media_types.JSON
        )
        self._headers: dict[str, str | list[str]] = {"content-type": exact or kind, **headers}
        location = fields.text("location", result.get("location"))
        control = fields.pop(self._headers, "cache-control")
        control = _cache_control(result) or control
        self._explicit = bool(control)
        private = media_types.is_private_by_default(kind) or bool(location)
        self._headers["cache-control"] = control or (caching.UNCACHED if private else caching.CACHED)
        if result.get("cors"):
            self._headers["access-control-allow-origin"] = "*"
        if location:
            fields.pop(self._headers, "location")
            self._headers["location"] = location
        encoding = fields.pop(self._headers, "content-encoding")
        if encoding:
            self._headers["content-encoding"] = encoding
        self._body, self._base64 = self._sent(key, body, result, encoded=bool(encoding))

    def reply(
        self,
        *,
        session_cookies: Sequence[str] = (),
        touched: bool = False,
        on_override: Callable[[str], None] | None = None,
    ) -> dict[str, Any]:
        """The response for Lambda. May be called more than once; arguments as of `format_response`."""
        headers = dict(self._headers)
        if touched or session_cookies:
            caching.mark_private(
                headers, explicit=self._explicit, sets_cookie=bool(session_cookies), on_override=on_override
            )
        cookies = fields.merged(self._cookies, session_cookies)
        return self._shape.reply(self.status, headers, cookies, self._body, base64=self._base64)

    def _sent(self, key: str, body: str | bytes, result: dict[str, Any], *, encoded: bool) -> tuple[str, bool]:
        """The body as text, and whether that is base64."""
        compression = result.get("compression")
        binary = media_types.is_binary(str(self._headers["content-type"]))
        if isinstance(body, str):
            fields.check_text(key, body)
            if result.get("isBase64Encoded") or (binary and key == "body"):
                return body, True
        raw: bytes | None = body if isinstance(body, bytes) else None
        may = body and self._shape.compresses and not encoded and not binary and compression is not False
        if may and not result.get("isBase64Encoded"):
            from arc.http.compression import choose, compress

            chosen = choose(self._shape.headers().get("accept-encoding", ""), compression)
            if chosen:
                raw = compress(body.encode() if isinstance(body, str) else body, chosen)
                self._headers["content-encoding"] = chosen
        if raw is None:
            return str(body), False
        from binascii import b2a_base64

        return b2a_base64(raw, newline=False).decode("ascii"), True


def _as_response(result: object, shape: Shape) -> dict[str, Any]:
    """`result` as a dict of response keys."""
    if result is None or (isinstance(result, str) and not result):
        return {}
    if isinstance(result, dict):
        known = _RESPONSE_KEYS if shape.is_v2 else _RESPONSE_KEYS | _OTHER_KEYS
        if known & result.keys() or (not result and not shape.is_v2):
            return result
    elif isinstance(result, bytes | bytearray | memoryview):
        return {"body": result, "type": "application/octet-stream"}
    elif not isinstance(result, str | int | float | list | tuple) and not fields.is_decimal(result):
        raise TypeError(
            f"The handler returned a value of type {type(result).__name__}. Return a dict of response keys, "
            "or a dict, list, str, number, bytes or None to be sent as it is."
        )
    return {"body": fields.json_text("the result", result)}


def _status(result: dict[str, Any]) -> int:
    key = next((key for key in _STATUS_KEYS if result.get(key)), None)
    if key is None:
        return 302 if result.get("location") else 200
    status = result[key]
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


def _cache_control(result: dict[str, Any]) -> str:
    return next((text for key in ("cache_control", "cacheControl") if (text := fields.text(key, result.get(key)))), "")


def _body(result: dict[str, Any]) -> tuple[str, str | bytes]:
    """The key that gives the body, and the body. Of several keys the first that is not empty counts."""
    body = result.get("body")
    keys = [key for key in media_types.OF_KEY if result.get(key) is not None]
    key = next((key for key in keys if result[key] or isinstance(result[key], dict | list | tuple)), "")
    if not key and keys and not body:
        key = keys[0]
    if key == "json":
        return key, fields.json_text("'json'", result["json"])
    value = result[key] if key else body
    key = key or "body"
    if value is None:
        return key, ""
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if not isinstance(value, str | bytes):
        raise TypeError(
            f"The response's {key!r} is of type {type(value).__name__}. Return str or bytes; data goes under 'json'."
        )
    return key, value
