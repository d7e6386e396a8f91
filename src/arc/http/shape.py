"""What every HTTP event has: its parts read, and the response that its sender understands.

Reading never raises anything but `BadRequest`, whatever the event holds: a part that is absent, null or
of a wrong type counts as absent.
"""

from __future__ import annotations

from arc.errors import BadRequest
from arc.http.headers import Headers, Query, repeated, single

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Fields = Mapping[str, str | list[str]]  # a list is a repeated header


_MAX_QUERY = 65_536  # characters; four times what AWS's front doors take


class Shape:
    """A bare dict, as an application's own tests pass it; the formats of AWS say what they do otherwise."""

    __slots__ = ("_headers", "_query", "event")

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.event = event
        self._headers: Headers | None = None
        self._query: Query[str] | None = None

    @property
    def is_v2(self) -> bool:
        """True for payload format 2.0, where a result that is no response is the JSON body itself."""
        return False

    @property
    def compresses(self) -> bool:
        """True when the function is to compress: for events with a `version` (Architect's rule)."""
        return bool(self.event.get("version"))

    @property
    def path_is_encoded(self) -> bool:
        """True when the path and its parameters arrive percent-encoded."""
        return False

    @property
    def is_base64(self) -> bool:
        """True when the event says that its body is base64."""
        return bool(self.event.get("isBase64Encoded"))

    def named_method(self) -> str:
        """The method in capitals, "" when the event names none in a place that is known."""
        own = self.text_at("requestContext", "http", "method") or self.text_at("httpMethod") or self.text_at("method")
        return own.upper()

    def method(self) -> str:
        """The method in capitals, `GET` when the event has none."""
        return self.named_method() or "GET"

    def path(self) -> str:
        """The path, percent-decoded and without the stage, `/` when the event has none."""
        return self._decoded(self.text_at("path") or self.text_at("rawPath") or "/")

    def route(self) -> str:
        """The method and the route as the API has it, `GET /notes/{id}`; the path where the event tells no route."""
        route = self.text_at("routeKey")
        if route and route != "$default":
            return route
        return f"{self.method()} {self.text_at('resource') or self.path()}"

    def params(self) -> dict[str, str]:
        """The parameters of the route's path, percent-decoded."""
        return {name: self._decoded(value) for name, value in single(self.event.get("pathParameters"))}

    def query(self) -> Query[str]:
        """The fields of the query string, percent-decoded. Raises `BadRequest` for one over 65,536 characters."""
        if self._query is None:
            self._query = Query(self._query_pairs())
        return self._query

    def headers(self) -> Headers:
        """The headers; a name in `multiValueHeaders` counts before the same one in `headers`."""
        if self._headers is None:
            several = self.event.get("multiValueHeaders")
            if not several:
                self._headers = Headers.of(self.event.get("headers"))
                return self._headers
            pairs = list(repeated(several))
            taken = {name.lower() for name, _ in pairs}
            others = single(self.event.get("headers"))
            self._headers = Headers([*(pair for pair in others if pair[0].lower() not in taken), *pairs])
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
            if not self.is_base64:
                return body.encode()
            from binascii import a2b_base64

            return a2b_base64(body.encode("ascii"), strict_mode=True)
        except ValueError:
            raise BadRequest("The event's body is not what its isBase64Encoded says.") from None

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, *, base64: bool) -> dict[str, Any]:
        """The response for this event. One cookie is among `headers`, where both of Architect's libraries put it.

        Several are in `multiValueHeaders` too; the single header is then the last, the session's.
        """
        reply = self._reply(status, headers, body, base64=base64)
        if cookies:
            reply["headers"]["set-cookie"] = cookies[-1]
        if len(cookies) > 1:
            reply.setdefault("multiValueHeaders", {})["set-cookie"] = list(cookies)
        return reply

    def text_at(self, *keys: str) -> str:
        """The text under `keys`, one below the other; "" when there is none."""
        value: object = self.event
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    def _decoded(self, text: str) -> str:
        if "%" not in text or not self.path_is_encoded:
            return text
        from urllib.parse import unquote

        return unquote(text)

    def _query_pairs(self) -> list[tuple[str, str]]:
        if raw := self.text_at("rawQueryString"):
            from urllib.parse import parse_qsl

            refuse_long(raw)
            return parse_qsl(raw, keep_blank_values=True)
        return _merged(self.event.get("queryStringParameters"), self.event.get("multiValueQueryStringParameters"))

    def _reply(self, status: int, headers: Fields, body: str, *, base64: bool) -> dict[str, Any]:
        """The response without cookies, with repeated headers in `multiValueHeaders`."""
        single = {name: value for name, value in headers.items() if isinstance(value, str)}
        reply: dict[str, Any] = {"headers": single, "statusCode": status, "body": body}
        if len(single) < len(headers):
            reply["multiValueHeaders"] = {name: list(v) for name, v in headers.items() if not isinstance(v, str)}
        if base64:
            reply["isBase64Encoded"] = True
        return reply


def refuse_long(*texts: str) -> None:
    """Raise `BadRequest` when the parts of a query string are too long to be decoded."""
    if (length := sum(map(len, texts))) > _MAX_QUERY:
        raise BadRequest(f"The query string has {length:,} characters; at most {_MAX_QUERY:,} are read.")


def _merged(one: object, several: object) -> list[tuple[str, str]]:
    """The fields of an event that has them once, repeated or both; the repeated of a name count."""
    pairs = list(repeated(several))
    taken = {name for name, _ in pairs}
    return [*(pair for pair in single(one) if pair[0] not in taken), *pairs]
