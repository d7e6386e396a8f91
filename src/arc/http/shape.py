"""`Shape`: reads the parts of an event, and formats the response that the event's sender understands.

Reading raises nothing but `BadRequest`, whatever the event contains. A part that is null or of a wrong type counts as
absent.
"""

from __future__ import annotations

from arc.errors import BadRequest
from arc.http.headers import Headers, Query, repeated, single

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from arc.http.response import PreparedResponse

    Fields = Mapping[str, str | list[str]]  # A list is a repeated header.

_NO_PARAMETER = "path has no parameter"
_MAX_QUERY = 65_536  # characters, four times what AWS's front doors accept


class Shape:
    """The shape of an event in no known format, such as a dict in an application's tests.

    The formats of AWS are subclasses in `arc.http.events`.
    """

    __slots__ = ("_cookie_headers", "_headers", "_query", "event")

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.event = event
        self._headers: Headers | None = None
        self._query: Query[str] | None = None
        self._cookie_headers: list[str] | None = None

    is_v2 = False
    """True for payload format 2.0, which sends a result without response keys as a JSON body."""

    @property
    def compresses(self) -> bool:
        """True if the function compresses its responses: for events with a `version` (Architect's rule)."""
        return bool(self.event.get("version"))

    @property
    def path_is_encoded(self) -> bool:
        """True if the event's path and path parameters are percent-encoded."""
        return False

    @property
    def is_base64(self) -> bool:
        """True if the event marks its body as base64."""
        return bool(self.event.get("isBase64Encoded"))

    def named_method(self) -> str:
        """Return the method in capitals, "" if the event has none in a known place."""
        method = (
            self.text_at("requestContext", "http", "method") or self.text_at("httpMethod") or self.text_at("method")
        )
        return method.upper()

    def method(self) -> str:
        """Return the method in capitals, `GET` if the event has none."""
        return self.named_method() or "GET"

    def path(self) -> str:
        """Return the path, percent-decoded and without the stage, `/` if the event has none."""
        return self._unquote(self.text_at("path") or self.text_at("rawPath") or "/")

    def route(self) -> str:
        """Return the method and the route as the API declares it, `GET /notes/{id}`, or the path if there is none."""
        route = self.text_at("routeKey")
        if route and route != "$default":
            return route
        return f"{self.method()} {self.text_at('resource') or self.path()}"

    def params(self) -> Query[str]:
        """Return the path parameters, percent-decoded. The one of a catch-all is also found under `*`."""
        found = [(name, self._unquote(value)) for name, value in single(self.event.get("pathParameters"))]
        route = self.text_at("routeKey") or self.text_at("resource") if found else ""
        name = route[route.rfind("{") + 1 : -2] if route.endswith("+}") else ""
        return CatchAll(found, name) if name in dict(found) else Query(found, part=_NO_PARAMETER)

    def query(self) -> Query[str]:
        """Return the query string's fields, percent-decoded.

        Raises `BadRequest` for a query string longer than 65,536 characters.
        """
        if self._query is None:
            self._query = Query(self._query_pairs(), part="query has no field")
        return self._query

    def headers(self) -> Headers:
        """Return the headers. For a name in both, `multiValueHeaders` takes precedence over `headers`."""
        if self._headers is None:
            event = self.event
            several = event.get("multiValueHeaders")
            if several:
                self._headers = Headers(_merge_fields(event.get("headers"), several, key=str.lower))
            else:
                self._headers = Headers.of(event.get("headers"))
        return self._headers

    def header(self, name: str) -> str | None:
        """Return the header `name`, which is in lower case; None if it is absent."""
        return self.headers().get(name)

    def cookie_headers(self) -> list[str]:
        """Return the values of the Cookie headers: the event's `cookies` list, else the header."""
        if self._cookie_headers is None:
            self._cookie_headers = self._read_cookie_headers()
        return self._cookie_headers

    def _read_cookie_headers(self) -> list[str]:
        cookies = self.event.get("cookies")
        if isinstance(cookies, list) and cookies:
            if len(cookies) == 1 and isinstance(cookies[0], str):
                return cookies
            return [cookie for cookie in cookies if isinstance(cookie, str)]
        header = self.headers().get("cookie")
        return [header] if header else []

    def body(self) -> bytes | None:
        """Return the body's bytes, None if it is absent or empty. Raises `BadRequest` for invalid base64."""
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
            raise BadRequest("The event's body does not match its isBase64Encoded.") from None

    def reply(self, response: PreparedResponse, headers: Fields, cookies: Sequence[str]) -> dict[str, Any]:
        """Return the response for this event, with its cookies where Architect's libraries put them.

        A single cookie is in `headers`. Several are in `multiValueHeaders`, and the last one, the session's, is in
        `headers` too.
        """
        reply = self._reply(response, headers)
        if cookies:
            reply["headers"]["set-cookie"] = cookies[-1]
        if len(cookies) > 1:
            reply.setdefault("multiValueHeaders", {})["set-cookie"] = list(cookies)
        return reply

    def text_at(self, *keys: str) -> str:
        """Return the text under nested `keys`, "" if there is none."""
        value: object = self.event
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    def _unquote(self, text: str) -> str:
        if "%" not in text or not self.path_is_encoded:
            return text
        from urllib.parse import unquote

        return unquote(text)

    def _query_pairs(self) -> list[tuple[str, str]]:
        if raw := self.text_at("rawQueryString"):
            return parse_query(raw)
        event = self.event
        return _merge_fields(event.get("queryStringParameters"), event.get("multiValueQueryStringParameters"))

    def _reply(self, response: PreparedResponse, headers: Fields) -> dict[str, Any]:
        """Return the response without cookies. Repeated headers are in `multiValueHeaders`."""
        single = {name: value for name, value in headers.items() if isinstance(value, str)}
        reply: dict[str, Any] = {"headers": single, "statusCode": response.status, "body": response.body}
        if len(single) < len(headers):
            reply["multiValueHeaders"] = {name: list(v) for name, v in headers.items() if not isinstance(v, str)}
        if response.base64:
            reply["isBase64Encoded"] = True
        return reply


class CatchAll(Query[str]):
    """Path parameters of a route with a catch-all, called `name`. It is also found under `*`, as in the manifest."""

    __slots__ = ("_name",)

    def __init__(self, pairs: Iterable[tuple[str, str]], name: str) -> None:
        super().__init__(pairs, part=_NO_PARAMETER)
        self._name = name

    def __getitem__(self, key: str) -> str:
        """Return a parameter."""
        return super().__getitem__(self._name if key == "*" else key)

    def __contains__(self, key: object) -> bool:
        """Return True for `*` too."""
        return key == "*" or super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a parameter, or `default`."""
        return super().get(self._name if key == "*" else key, default)

    def getall(self, name: str) -> list[str]:
        """Return the only value of a parameter in a list, `[]` if it is absent."""
        return super().getall(self._name if name == "*" else name)


def parse_query(text: str) -> list[tuple[str, str]]:
    """Return the fields of a query string, empty ones included. Raises `BadRequest` if it is too long."""
    check_query_length(text)
    from urllib.parse import parse_qsl

    return parse_qsl(text, keep_blank_values=True)


def check_query_length(*texts: str) -> None:
    """Raise `BadRequest` if the parts of a query string are too long to decode."""
    if (length := sum(map(len, texts))) > _MAX_QUERY:
        raise BadRequest(f"The query string has {length:,} characters. At most {_MAX_QUERY:,} are accepted.")


def _merge_fields(values: object, lists: object, key: Callable[[str], str] = str) -> list[tuple[str, str]]:
    """Return the fields of an event that has `values`, `lists` of values or both. Lists take precedence.

    Names with equal `key` are the same name.
    """
    pairs = list(repeated(lists))
    names = {key(name) for name, _ in pairs}
    return [*(pair for pair in single(values) if key(pair[0]) not in names), *pairs]
