"""`parse_body`: the request's body by its content type, as Architect's libraries give it."""

from __future__ import annotations

from arc.errors import BadRequest
from arc.http.events import event_of, shape_of
from arc.http.headers import Query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_JSON = ("application/json", "application/vnd.api+json")
_TEXT = ("text/plain", "text/xml", "application/xml")
_BYTES = ("multipart/form-data", "application/octet-stream")
FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 10_000


_REFUSED = "Invalid request body encoding or invalid JSON"  # as in Architect's libraries; callers look for it


def parse_body(req: Mapping[str, Any]) -> Any:
    """The body of `req`, an event or a `Request`: parsed where its content type says how, else as it is.

    JSON gives its value (`{}` for null, false, 0 and ""); a form a dict of each field's last value, with
    `getall(name)` for all; text and XML their text; multipart and octet streams that came as base64
    `{"base64": …}`. An absent body, one that is no text, or one without a content type is returned as it
    is. Raises `BadRequest`, which is a `ValueError`, when the body is not what its type says; its text begins with
    the words of Architect's libraries, "Invalid request body encoding or invalid JSON".
    """
    try:
        return _parsed(event_of(req))
    except BadRequest as error:
        raise BadRequest(f"{_REFUSED}: {error}") from None


def _parsed(req: Mapping[str, Any]) -> Any:
    body = req.get("body")
    if not body or not isinstance(body, str):
        return body
    shape = shape_of(req)
    content_type = shape.headers().get("content-type", "").lower()

    def is_one(types: tuple[str, ...]) -> bool:
        return any(one in content_type for one in types)

    encoded = shape.is_base64
    if is_one(_JSON):
        value = parse_json(decode(shape.body()))
        return value if value or isinstance(value, list) else {}
    if FORM in content_type:
        return parse_form(decode(shape.body()))
    if encoded and is_one(_TEXT):
        return decode(shape.body())
    if encoded and is_one(_BYTES):
        return {"base64": body}
    return body


def decode(body: bytes | None) -> str:
    """The text of a body, "" for None. Raises `BadRequest` when it is no UTF-8."""
    try:
        return (body or b"").decode()
    except UnicodeDecodeError:
        raise BadRequest("The request's body is not UTF-8 text.") from None


def parse_json(text: str) -> Any:
    """The value of JSON, which has no NaN and no infinities (nor 1e999). Raises `BadRequest`."""
    import json

    from arc.sessions.values import finite

    try:
        return json.loads(text, parse_float=finite, parse_constant=finite)
    except (ValueError, RecursionError):
        raise BadRequest("The request's body is not valid JSON.") from None


def parse_form(text: str) -> Query[str]:
    """The fields of a URL-encoded form, empty ones too. Raises `BadRequest` for broken UTF-8 and over 10,000 fields."""
    if text.count("&") >= _MOST_FIELDS:
        raise BadRequest(f"The request's form has more than {_MOST_FIELDS:,} fields.")
    try:
        pairs = (field.partition("=") for field in text.split("&") if field)
        return Query((_unescaped(name), _unescaped(value)) for name, _, value in pairs)
    except ValueError:
        raise BadRequest("The request's form is malformed.") from None


def _unescaped(text: str) -> str:
    """`text` decoded; `urllib.parse` would take 75 bytes of memory for each character."""
    if "%" not in text:
        return text.replace("+", " ")
    import re
    from binascii import unhexlify

    decoded = bytearray()
    for part in re.finditer(rb"((?:%[0-9A-Fa-f]{2}){1,1000})|[^%]+|%", text.replace("+", " ").encode()):
        decoded += unhexlify(part[1].replace(b"%", b"")) if part[1] else part[0]
    return decoded.decode()
