"""Parse request bodies: `parse_body`, and the parsers behind `req.text`, `req.json` and `req.form`."""

from __future__ import annotations

from arc.errors import BadRequest
from arc.http.events import event_of, shape_of
from arc.http.headers import Query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FORM = "application/x-www-form-urlencoded"
_JSON = ("application/json", "application/vnd.api+json")
_TEXT = ("text/plain", "text/xml", "application/xml")
_BINARY = ("multipart/form-data", "application/octet-stream")
_MAX_FIELDS = 10_000
_ERROR_PREFIX = (
    "Invalid request body encoding or invalid JSON"  # Callers look for these words of Architect's libraries.
)


def parse_body(req: Mapping[str, Any]) -> Any:
    """Return the body of `req`, an event or a `Request`, parsed by its content type.

    JSON becomes its value, but null, false, 0 and "" become `{}`. A form becomes a dict with the last value of each
    field; `getall(name)` returns all values. Base64-encoded text and XML become text. Base64-encoded multipart and
    octet-stream bodies become `{"base64": …}`. Any other body is returned unchanged.

    Raises `BadRequest`, which is a `ValueError`, for a body that does not match its content type. The message begins
    with "Invalid request body encoding or invalid JSON", as in Architect's libraries.
    """
    event = event_of(req)
    body = event.get("body")
    if not body or not isinstance(body, str):
        return body
    shape = shape_of(event)
    content_type = shape.headers().get("content-type", "").lower()
    try:
        if any(kind in content_type for kind in _JSON):
            value = parse_json(decode(shape.body()))
            return value if value or isinstance(value, list) else {}
        if FORM in content_type:
            return parse_form(decode(shape.body()))
        if shape.is_base64 and any(kind in content_type for kind in _TEXT):
            return decode(shape.body())
    except BadRequest as error:
        raise BadRequest(f"{_ERROR_PREFIX}: {error}") from None
    return {"base64": body} if shape.is_base64 and any(kind in content_type for kind in _BINARY) else body


def decode(body: bytes | None) -> str:
    """Return a body as text, "" for None. Raises `BadRequest` for a body that is not UTF-8."""
    try:
        return (body or b"").decode()
    except UnicodeDecodeError:
        raise BadRequest("The request's body is not UTF-8 text.") from None


def parse_json(text: str) -> Any:
    """Return the value of a JSON text. Raises `BadRequest` for invalid JSON, also for NaN, infinities and 1e999."""
    import json

    from arc.sessions.values import finite

    try:
        return json.loads(text, parse_float=finite, parse_constant=finite)
    except (ValueError, RecursionError):
        raise BadRequest("The request's body is not valid JSON.") from None


def parse_form(text: str) -> Query[str]:
    """Return the fields of a URL-encoded form, empty ones included.

    Raises `BadRequest` for invalid UTF-8 and for more than 10,000 fields.
    """
    if text.count("&") >= _MAX_FIELDS:
        raise BadRequest(f"The request's form has more than {_MAX_FIELDS:,} fields.")
    try:
        pairs = (field.partition("=") for field in text.split("&") if field)
        return Query((_unquote(name), _unquote(value)) for name, _, value in pairs)
    except ValueError:
        raise BadRequest("The request's form is malformed.") from None


def _unquote(text: str) -> str:
    """Return `text` percent-decoded. `urllib.parse` would use 75 bytes of memory for each character."""
    if "%" not in text:
        return text.replace("+", " ")
    import re
    from binascii import unhexlify

    decoded = bytearray()
    for part in re.finditer(rb"((?:%[0-9A-Fa-f]{2}){1,1000})|[^%]+|%", text.replace("+", " ").encode()):
        decoded += unhexlify(part[1].replace(b"%", b"")) if part[1] else part[0]
    return decoded.decode()
