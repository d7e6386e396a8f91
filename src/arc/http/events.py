"""The formats of HTTP events, one class for each. Every class recognizes its own events."""

from __future__ import annotations

import os

from arc.http.headers import Headers, repeated, single
from arc.http.shape import Shape, check_query_length, parse_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from arc.http.response import PreparedResponse
    from arc.http.shape import Fields

__all__ = ["Alb", "LatticeV1", "LatticeV2", "PayloadV1", "PayloadV2", "Shape", "event_of", "shape_of"]


def event_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `event` itself, or the dict inside an event class of Powertools. Raises `TypeError` for other types."""
    if isinstance(event, dict):
        return event
    raw = getattr(event, "raw_event", None)  # AWS Lambda Powertools, "Event Source Data Classes"
    if isinstance(raw, dict):
        return raw
    from collections.abc import Mapping

    if isinstance(event, Mapping):
        return event
    kind = "None" if event is None else type(event).__name__
    raise TypeError(f"An event is a dict, not {kind}. Pass the handler's first argument.")


def shape_of(event: Mapping[str, Any]) -> Shape:
    """Return the shape of `event`, a plain `Shape` for an unknown format."""
    if event.get("version") == "2.0" and "method" not in event:
        return PayloadV2(event)  # By far the most frequent format is found without trying each class.
    for shape in (LatticeV2, PayloadV2, Alb, PayloadV1, LatticeV1):
        if shape.recognizes(event):
            return shape(event)
    return Shape(event)


class PayloadV2(Shape):
    """Payload format 2.0: HTTP APIs and function URLs."""

    __slots__ = ()

    @classmethod
    def recognizes(cls, event: Mapping[str, Any]) -> bool:
        """Return True for a `version` of 2.0."""
        return event.get("version") == "2.0"

    is_v2 = True

    @property
    def path_is_encoded(self) -> bool:
        """True for a function URL. An HTTP API decodes the path."""
        return ".lambda-url." in self.text_at("requestContext", "domainName")

    def path(self) -> str:
        """Return `rawPath`, percent-decoded and without the stage."""
        return _without_stage(self, self._unquote(self.text_at("rawPath")) or super().path())

    def header(self, name: str) -> str | None:
        """Return one header. This format has all names in lower case (AWS), so a lookup does not need all of them."""
        fields = self.event.get("headers")
        if self._headers is None and type(fields) is dict and not self.event.get("multiValueHeaders"):
            value = fields.get(name)
            try:
                if (value is None or type(value) is str) and "".join(fields).islower():
                    return value
            except TypeError:  # a name that is not text
                pass
        return super().header(name)

    def reply(self, response: PreparedResponse, headers: Fields, cookies: Sequence[str]) -> dict[str, Any]:
        """Return the response, its cookies under `cookies` and repeated headers joined."""
        reply: dict[str, Any] = {"headers": _joined(headers), "statusCode": response.status, "body": response.body}
        if response.base64:
            reply["isBase64Encoded"] = True
        if cookies:
            reply["cookies"] = list(cookies)
        return reply


class PayloadV1(Shape):
    """Payload format 1.0: REST APIs, and HTTP APIs that are configured for it."""

    __slots__ = ()

    @classmethod
    def recognizes(cls, event: Mapping[str, Any]) -> bool:
        """Return True for a `version` of 1.0, and for a REST API's event, which has no version."""
        if event.get("version") == "1.0":
            return True
        return "resource" in event and "httpMethod" in event and isinstance(event.get("requestContext"), dict)

    @property
    def path_is_encoded(self) -> bool:
        """True for a REST API. An HTTP API decodes the path."""
        return "version" not in self.event

    def path(self) -> str:
        """Return the path, percent-decoded. Only an HTTP API's path begins with the stage, which is removed."""
        return _without_stage(self, super().path()) if "version" in self.event else super().path()

    def reply(self, response: PreparedResponse, headers: Fields, cookies: Sequence[str]) -> dict[str, Any]:
        """Return the response, its cookies and repeated headers in `multiValueHeaders`."""
        reply = self._reply(response, headers)
        if cookies:
            reply.setdefault("multiValueHeaders", {})["set-cookie"] = list(cookies)
        return reply


class SingleHeaders(Shape):
    """An event whose response has one value per header name, where names that differ in case are different names."""

    __slots__ = ()

    def reply(self, response: PreparedResponse, headers: Fields, cookies: Sequence[str]) -> dict[str, Any]:
        """Return the response. Several cookies are under `set-cookie`, `Set-cookie`, `sEt-cookie` and so on."""
        reply = self._reply(response, _joined(headers))
        reply["headers"].update(zip(_spellings("set-cookie"), cookies, strict=False))
        return reply


class Alb(SingleHeaders):
    """An Application Load Balancer's event. Its target group decides between single and multi-value headers."""

    __slots__ = ()

    @property
    def path_is_encoded(self) -> bool:
        """True: a load balancer decodes nothing (AWS, "Lambda functions as targets")."""
        return True

    @classmethod
    def recognizes(cls, event: Mapping[str, Any]) -> bool:
        """Return True if the request's context names a load balancer."""
        context = event.get("requestContext")
        return isinstance(context, dict) and "elb" in context

    def reply(self, response: PreparedResponse, headers: Fields, cookies: Sequence[str]) -> dict[str, Any]:
        """Return the response, always with `isBase64Encoded`, and with the kind of headers that the event has."""
        if "multiValueHeaders" not in self.event:
            return super().reply(response, headers, cookies) | {"isBase64Encoded": response.base64}
        lists = {name: [value] if isinstance(value, str) else value for name, value in headers.items()}
        if cookies:
            lists["set-cookie"] = list(cookies)
        return {
            "multiValueHeaders": lists,
            "statusCode": response.status,
            "body": response.body,
            "isBase64Encoded": response.base64,
        }

    def _query_pairs(self) -> list[tuple[str, str]]:
        """Return the fields decoded, which a load balancer does not do (AWS, "Lambda functions as targets")."""
        pairs = super()._query_pairs()
        if not pairs:
            return pairs
        check_query_length(*(text for pair in pairs for text in pair))
        from urllib.parse import unquote_plus

        return [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]


class LatticeV2(SingleHeaders):
    """VPC Lattice's event, version 2.0 (AWS, "Lambda functions as targets in VPC Lattice")."""

    __slots__ = ()

    path_key, query_key = "path", "queryStringParameters"

    @classmethod
    def recognizes(cls, event: Mapping[str, Any]) -> bool:
        """Return True for a `version` of 2.0 with `method` at the top level, where API Gateway has none."""
        return event.get("version") == "2.0" and "method" in event

    def path(self) -> str:
        """Return the path without the query string."""
        return self.text_at(self.path_key).partition("?")[0] or "/"

    def headers(self) -> Headers:
        """Return the headers, whose values are lists."""
        if self._headers is None:
            self._headers = Headers(_pairs(self.event.get("headers")))
        return self._headers

    def _query_pairs(self) -> list[tuple[str, str]]:
        """Return the fields of the path's query string, which is complete, else those in the event."""
        query = self.text_at(self.path_key).partition("?")[2]
        return parse_query(query) if query else _pairs(self.event.get(self.query_key))


class LatticeV1(LatticeV2):
    """VPC Lattice's event, version 1.0, whose keys are in snake case."""

    __slots__ = ()

    path_key, query_key = "raw_path", "query_string_parameters"

    @classmethod
    def recognizes(cls, event: Mapping[str, Any]) -> bool:
        """Return True for a `raw_path` beside `method`."""
        return "raw_path" in event and "method" in event

    @property
    def is_base64(self) -> bool:
        """True if the event marks its body as base64."""
        return bool(self.event.get("is_base64_encoded"))


def url(path: str) -> str:
    """Return `path` with the stage of a REST API in front: `/staging/cart` for `/cart` if `ARC_ENV` is staging.

    In testing, and wherever `ARC_LOCAL` is set, returns the path unchanged, like Node's `arc.http.helpers.url`. Only
    REST APIs without a custom domain need the stage; Architect has created HTTP APIs since version 6.
    """
    environment = os.environ.get("ARC_ENV")
    if environment in ("staging", "production") and not os.environ.get("ARC_LOCAL"):
        return f"/{environment}{path}"
    return path


def _pairs(fields: object) -> list[tuple[str, str]]:
    """Return the pairs of a dict whose values are text or lists of text."""
    return [*single(fields), *repeated(fields)]


def _joined(headers: Fields) -> Mapping[str, str]:
    if list not in map(type, headers.values()):
        return headers  # type: ignore[return-value]  # All of its values are text.
    return {name: value if isinstance(value, str) else ", ".join(value) for name, value in headers.items()}


def _spellings(name: str) -> Iterator[str]:
    """Yield `name` in every combination of capitals: 512 of them for `set-cookie`."""
    letters = [position for position, character in enumerate(name) if character.isalpha()]
    for choice in range(2 ** len(letters)):
        capitals = {position for bit, position in enumerate(letters) if choice >> bit & 1}
        yield "".join(char.upper() if position in capitals else char for position, char in enumerate(name))


def _without_stage(shape: Shape, path: str) -> str:
    """Return `path` without a leading `/stage`. An HTTP API puts any stage but `$default` there."""
    stage = shape.text_at("requestContext", "stage")
    if not stage or stage == "$default" or not f"{path}/".startswith(f"/{stage}/"):
        return path
    return path[len(stage) + 1 :] or "/"
