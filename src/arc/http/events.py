"""The events that Lambda hands to an HTTP function, read and answered alike whatever their format.

Each format is a class that recognises itself. Reading never raises anything but `BadRequest`, whatever
the event holds: a part that is absent, null or of a wrong type counts as absent.
"""

from __future__ import annotations

from arc.errors import BadRequest
from arc.http.headers import Headers
from arc.http.query import Query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Fields = Mapping[str, str | list[str]]


def shape_of(event: dict[str, Any]) -> Shape:
    """The shape of `event`, by what the event itself says; `Shape` when it is of no known format."""
    for shape in (PayloadV2, Alb, PayloadV1):
        if shape.recognises(event):
            return shape(event)
    return Shape(event)


class Shape:
    """A bare dict, as an application's own tests pass it; the known formats say what they do otherwise."""

    __slots__ = ("_headers", "_query", "event")

    def __init__(self, event: dict[str, Any]) -> None:
        self.event = event
        self._headers: Headers | None = None
        self._query: Query | None = None

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        """True when `event` is of this format."""
        return isinstance(event, dict)

    @property
    def is_v2(self) -> bool:
        """True for payload format 2.0, where a result that is no response is the JSON body (AWS, Architect)."""
        return False

    @property
    def compresses(self) -> bool:
        """True where nobody in front of the function compresses: events with a `version` (Architect)."""
        return bool(self.event.get("version"))

    def method(self) -> str:
        """The method in capitals, `GET` when the event has none."""
        http = _mapping(_mapping(self.event.get("requestContext")).get("http"))
        return (_text(http.get("method")) or _text(self.event.get("httpMethod")) or "GET").upper()

    def path(self) -> str:
        """The path without the stage, `/` when the event has none."""
        return _text(self.event.get("path")) or _text(self.event.get("rawPath")) or "/"

    def params(self) -> dict[str, str]:
        """The parameters of the route's path."""
        return dict(_texts(self.event.get("pathParameters")))

    def query(self) -> Query:
        """The fields of the query string, percent-decoded."""
        if self._query is None:
            self._query = Query(self._query_pairs())
        return self._query

    def headers(self) -> Headers:
        """The headers; a name in `multiValueHeaders` counts before the same one in `headers`."""
        if self._headers is None:
            pairs = list(_repeated(self.event.get("multiValueHeaders")))
            names = {name.lower() for name, _ in pairs}
            single = _texts(self.event.get("headers"))
            self._headers = Headers([*(pair for pair in single if pair[0].lower() not in names), *pairs])
        return self._headers

    def cookie_headers(self) -> list[str]:
        """The values of the Cookie headers: the event's `cookies` list, else the header."""
        cookies = self.event.get("cookies")
        if isinstance(cookies, list) and cookies:
            return [cookie for cookie in cookies if isinstance(cookie, str)]
        header = self.headers().get("cookie")
        return [header] if header else []

    def body(self) -> bytes | None:
        """The body's bytes, None when absent or empty. Raises `BadRequest` for broken base64."""
        body = self.event.get("body")
        if not body:
            return None
        if not isinstance(body, str):
            raise BadRequest(f"The event's body is of type {type(body).__name__}, not text.")
        try:
            if not self.event.get("isBase64Encoded"):
                return body.encode()
            from binascii import a2b_base64

            return a2b_base64(body.encode("ascii"), strict_mode=True)
        except ValueError:
            raise BadRequest("The event's body is not what its isBase64Encoded says.") from None

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, base64: bool) -> dict[str, Any]:  # noqa: FBT001
        """The response that this event's sender understands; a list among `headers` is a repeated header.

        One cookie is under `headers`, where both of Architect's libraries put it; several are in
        `multiValueHeaders` too.
        """
        reply = _reply(status, headers, body, base64)
        if cookies:
            reply["headers"]["set-cookie"] = cookies[-1]
        if len(cookies) > 1:
            reply.setdefault("multiValueHeaders", {})["set-cookie"] = list(cookies)
        return reply

    def _query_pairs(self) -> list[tuple[str, str]]:
        raw = self.event.get("rawQueryString")
        if isinstance(raw, str) and raw:
            from urllib.parse import parse_qsl

            return parse_qsl(raw, keep_blank_values=True)
        pairs = list(_repeated(self.event.get("multiValueQueryStringParameters")))
        return pairs or list(_texts(self.event.get("queryStringParameters")))


class PayloadV2(Shape):
    """Payload format 2.0: HTTP APIs and function URLs."""

    __slots__ = ()

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        """True for a `version` of 2.0."""
        return event.get("version") == "2.0"

    @property
    def is_v2(self) -> bool:
        """True."""
        return True

    def path(self) -> str:
        """`rawPath` without the stage."""
        return _without_stage(self.event, _text(self.event.get("rawPath")) or super().path())

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, base64: bool) -> dict[str, Any]:  # noqa: FBT001
        """Cookies go into the list of that name; there are no multiple headers, so values are joined."""
        reply = _reply(status, _joined(headers), body, base64)
        if cookies:
            reply["cookies"] = list(cookies)
        return reply


class PayloadV1(Shape):
    """Payload format 1.0: REST APIs, and HTTP APIs that ask for it."""

    __slots__ = ()

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        """True for a `version` of 1.0, and for a REST API's event, which has none."""
        if event.get("version") == "1.0":
            return True
        return "resource" in event and "httpMethod" in event and isinstance(event.get("requestContext"), dict)

    def path(self) -> str:
        """The path; of an HTTP API without the stage, which a REST API leaves out itself."""
        return _without_stage(self.event, super().path()) if "version" in self.event else super().path()

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, base64: bool) -> dict[str, Any]:  # noqa: FBT001
        """Cookies, and other repeated headers, go into `multiValueHeaders`."""
        reply = _reply(status, headers, body, base64)
        if cookies:
            reply.setdefault("multiValueHeaders", {})["set-cookie"] = list(cookies)
        return reply


class Alb(Shape):
    """An Application Load Balancer's event, with single or (by the target group's setting) multiple headers."""

    __slots__ = ()

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        """True when the load balancer names itself in the request's context."""
        return "elb" in _mapping(event.get("requestContext"))

    @property
    def compresses(self) -> bool:
        """False, as Architect has it."""
        return False

    def _query_pairs(self) -> list[tuple[str, str]]:
        """A load balancer does not decode the query (AWS, "Lambda functions as targets")."""
        pairs = super()._query_pairs()
        if not pairs:
            return pairs
        from urllib.parse import unquote_plus

        return [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, base64: bool) -> dict[str, Any]:  # noqa: FBT001
        """Multiple headers are answered by multiple headers alone.

        With single headers only one of a name can be sent, and names that differ in case count as
        different: several cookies are `set-cookie`, `Set-cookie`, `sEt-cookie` and so on.
        """
        if "multiValueHeaders" in self.event:
            lists = {name: value if isinstance(value, list) else [value] for name, value in headers.items()}
            if cookies:
                lists["set-cookie"] = list(cookies)
            return _reply(status, lists, body, base64, single=False)
        reply = _reply(status, _joined(headers), body, base64)
        reply["headers"].update(zip(_spellings("set-cookie"), cookies, strict=False))
        return reply


def _reply(status: int, headers: Fields, body: str, base64: bool, *, single: bool = True) -> dict[str, Any]:  # noqa: FBT001
    reply: dict[str, Any] = {}
    if single:
        reply["headers"] = {name: value for name, value in headers.items() if isinstance(value, str)}
    reply["statusCode"] = status
    reply["body"] = body
    if multiple := {name: list(value) for name, value in headers.items() if isinstance(value, list)}:
        reply["multiValueHeaders"] = multiple
    if base64:
        reply["isBase64Encoded"] = True
    return reply


def _joined(headers: Fields) -> dict[str, str]:
    return {name: value if isinstance(value, str) else ", ".join(value) for name, value in headers.items()}


def _spellings(name: str) -> Iterator[str]:
    """`name` with every choice of capitals: 512 of them for `set-cookie`."""
    letters = [position for position, character in enumerate(name) if character.isalpha()]
    for choice in range(2 ** len(letters)):
        capitals = {position for bit, position in enumerate(letters) if choice >> bit & 1}
        yield "".join(char.upper() if position in capitals else char for position, char in enumerate(name))


def _without_stage(event: dict[str, Any], path: str) -> str:
    """`path` without a leading `/stage`: an HTTP API puts any stage but `$default` there."""
    stage = _text(_mapping(event.get("requestContext")).get("stage"))
    if not stage or stage == "$default" or not f"{path}/".startswith(f"/{stage}/"):
        return path
    return path[len(stage) + 1 :] or "/"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(fields: object) -> Iterator[tuple[str, str]]:
    for name, value in _mapping(fields).items():
        if isinstance(name, str) and isinstance(value, str | int | float) and not isinstance(value, bool):
            yield name, str(value)


def _repeated(fields: object) -> Iterator[tuple[str, str]]:
    for name, values in _mapping(fields).items():
        if isinstance(name, str) and isinstance(values, list):
            yield from ((name, value) for value in values if isinstance(value, str))
