"""The events that Lambda hands to an HTTP function. Each format is a class that recognises itself."""

from __future__ import annotations

import os

from arc.http.headers import Headers, repeated, single
from arc.http.shape import Shape, refuse_long

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from arc.http.shape import Fields

__all__ = ["Alb", "LatticeV1", "LatticeV2", "PayloadV1", "PayloadV2", "Shape", "event_of", "shape_of"]


def event_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """`event` itself, or the dict that an event class of Powertools holds. Raises `TypeError` for no mapping."""
    if isinstance(event, dict):
        return event
    raw = getattr(event, "raw_event", None)  # AWS Lambda Powertools, "Event Source Data Classes"
    if isinstance(raw, dict):
        return raw
    from collections.abc import Mapping

    if isinstance(event, Mapping):
        return event
    found = "None" if event is None else type(event).__name__
    raise TypeError(f"An event is a dict, not {found}. Pass the handler's first argument.")


def shape_of(event: Mapping[str, Any]) -> Shape:
    """The shape of `event`, by what the event itself says; a plain `Shape` when it is of no known format."""
    if event.get("version") == "2.0" and "method" not in event:
        return PayloadV2(event)  # by far the most frequent one, without asking each
    for shape in (LatticeV2, PayloadV2, Alb, PayloadV1, LatticeV1):
        if shape.recognises(event):
            return shape(event)
    return Shape(event)


class PayloadV2(Shape):
    """Payload format 2.0: HTTP APIs and function URLs."""

    __slots__ = ()

    @classmethod
    def recognises(cls, event: Mapping[str, Any]) -> bool:
        """True for a `version` of 2.0."""
        return event.get("version") == "2.0"

    @property
    def is_v2(self) -> bool:
        """True."""
        return True

    @property
    def path_is_encoded(self) -> bool:
        """True for a function URL; an HTTP API decodes the path."""
        return ".lambda-url." in self.text_at("requestContext", "domainName")

    def path(self) -> str:
        """`rawPath`, percent-decoded and without the stage."""
        return _without_stage(self, self._decoded(self.text_at("rawPath")) or super().path())

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, *, base64: bool) -> dict[str, Any]:
        """The response with its cookies in the list of that name. This format joins repeated headers."""
        reply: dict[str, Any] = {"headers": _joined(headers), "statusCode": status, "body": body}
        if base64:
            reply["isBase64Encoded"] = True
        if cookies:
            reply["cookies"] = list(cookies)
        return reply


class PayloadV1(Shape):
    """Payload format 1.0: REST APIs, and HTTP APIs that ask for it."""

    __slots__ = ()

    @classmethod
    def recognises(cls, event: Mapping[str, Any]) -> bool:
        """True for a `version` of 1.0, and for the event of a REST API, which has none."""
        if event.get("version") == "1.0":
            return True
        return "resource" in event and "httpMethod" in event and isinstance(event.get("requestContext"), dict)

    @property
    def path_is_encoded(self) -> bool:
        """True for a REST API; an HTTP API decodes the path."""
        return "version" not in self.event

    def path(self) -> str:
        """The path, percent-decoded; an HTTP API has the stage in it, a REST API has not."""
        return _without_stage(self, super().path()) if "version" in self.event else super().path()

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, *, base64: bool) -> dict[str, Any]:
        """The response with its cookies, and other repeated headers, in `multiValueHeaders`."""
        reply = self._reply(status, headers, body, base64=base64)
        if cookies:
            reply.setdefault("multiValueHeaders", {})["set-cookie"] = list(cookies)
        return reply


class SingleHeaders(Shape):
    """An event whose response has one header of a name, but takes names that differ in case for different ones."""

    __slots__ = ()

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, *, base64: bool) -> dict[str, Any]:
        """The response; several cookies are `set-cookie`, `Set-cookie`, `sEt-cookie` and so on."""
        reply = self._reply(status, _joined(headers), body, base64=base64)
        reply["headers"].update(zip(_spellings("set-cookie"), cookies, strict=False))
        return reply


class Alb(SingleHeaders):
    """An Application Load Balancer's event, with single or (a setting of the target group) multiple headers."""

    __slots__ = ()

    @property
    def path_is_encoded(self) -> bool:
        """True: a load balancer decodes nothing (AWS, "Lambda functions as targets")."""
        return True

    @classmethod
    def recognises(cls, event: Mapping[str, Any]) -> bool:
        """True when the load balancer names itself in the request's context."""
        context = event.get("requestContext")
        return isinstance(context, dict) and "elb" in context

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, *, base64: bool) -> dict[str, Any]:
        """The response, which always says whether its body is base64; multiple headers are answered by those alone."""
        if "multiValueHeaders" not in self.event:
            return super().reply(status, headers, cookies, body, base64=base64) | {"isBase64Encoded": base64}
        lists = {name: [value] if isinstance(value, str) else value for name, value in headers.items()}
        if cookies:
            lists["set-cookie"] = list(cookies)
        reply = self._reply(status, lists, body, base64=base64)
        del reply["headers"]
        reply["isBase64Encoded"] = base64
        return reply

    def _query_pairs(self) -> list[tuple[str, str]]:
        """The fields decoded, which a load balancer does not do (AWS, "Lambda functions as targets")."""
        pairs = super()._query_pairs()
        if not pairs:
            return pairs
        refuse_long(*(text for pair in pairs for text in pair))
        from urllib.parse import unquote_plus

        return [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]


class LatticeV2(SingleHeaders):
    """VPC Lattice's event, version 2.0 (AWS, "Lambda functions as targets in VPC Lattice")."""

    __slots__ = ()

    @classmethod
    def recognises(cls, event: Mapping[str, Any]) -> bool:
        """True for a `version` of 2.0 with the method at the top, where API Gateway has none."""
        return event.get("version") == "2.0" and "method" in event

    def path(self) -> str:
        """The path without a query string."""
        return self._address().partition("?")[0] or "/"

    def headers(self) -> Headers:
        """The headers, whose values are lists."""
        if self._headers is None:
            self._headers = Headers(_either(self.event.get("headers")))
        return self._headers

    def _address(self) -> str:
        return self.text_at("path")

    def _fields(self) -> object:
        return self.event.get("queryStringParameters")

    def _query_pairs(self) -> list[tuple[str, str]]:
        """The fields of the query string in the path, which are all of them, else the event's."""
        query = self._address().partition("?")[2]
        if not query:
            return _either(self._fields())
        from urllib.parse import parse_qsl

        refuse_long(query)
        return parse_qsl(query, keep_blank_values=True)


class LatticeV1(LatticeV2):
    """VPC Lattice's event, version 1.0, whose names are words with underscores."""

    __slots__ = ()

    @classmethod
    def recognises(cls, event: Mapping[str, Any]) -> bool:
        """True for a `raw_path` beside the method."""
        return "raw_path" in event and "method" in event

    @property
    def is_base64(self) -> bool:
        """True when the event says that its body is base64."""
        return bool(self.event.get("is_base64_encoded"))

    def _address(self) -> str:
        return self.text_at("raw_path")

    def _fields(self) -> object:
        return self.event.get("query_string_parameters")


def _either(fields: object) -> list[tuple[str, str]]:
    """The pairs of an object whose values are texts or lists of them."""
    return [*single(fields), *repeated(fields)]


def _joined(headers: Fields) -> dict[str, str]:
    return {name: value if isinstance(value, str) else ", ".join(value) for name, value in headers.items()}


def _spellings(name: str) -> Iterator[str]:
    """`name` with every choice of capitals: 512 of them for `set-cookie`."""
    letters = [position for position, character in enumerate(name) if character.isalpha()]
    for choice in range(2 ** len(letters)):
        capitals = {position for bit, position in enumerate(letters) if choice >> bit & 1}
        yield "".join(char.upper() if position in capitals else char for position, char in enumerate(name))


def _without_stage(shape: Shape, path: str) -> str:
    """`path` without a leading `/stage`: an HTTP API puts any stage but `$default` there."""
    stage = shape.text_at("requestContext", "stage")
    if not stage or stage == "$default" or not f"{path}/".startswith(f"/{stage}/"):
        return path
    return path[len(stage) + 1 :] or "/"


def url(path: str) -> str:
    """`path` below the stage of a REST API without a domain of its own: `/staging/cart` for `/cart`.

    As Node's `arc.http.helpers.url` has it, by `ARC_ENV` alone: in testing, and wherever `ARC_LOCAL` is set, the path
    itself. HTTP APIs, which Architect has made since its version 6, and APIs with a domain need none of it.
    """
    environment = os.environ.get("ARC_ENV")
    if environment in ("staging", "production") and not os.environ.get("ARC_LOCAL"):
        return f"/{environment}{path}"
    return path
