"""The events that Lambda hands to an HTTP function. Each format is a class that recognises itself."""

from __future__ import annotations

from arc.http.shape import Shape as Shape
from arc.http.shape import basic_reply, mapping, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from arc.http.shape import Fields


def shape_of(event: dict[str, Any]) -> Shape:
    """The shape of `event`, by what the event itself says; `Shape` when it is of no known format."""
    for shape in (PayloadV2, Alb, PayloadV1):
        if shape.recognises(event):
            return shape(event)
    return Shape(event)


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
        return _without_stage(self.event, text(self.event.get("rawPath")) or super().path())

    def reply(self, status: int, headers: Fields, cookies: Sequence[str], body: str, base64: bool) -> dict[str, Any]:  # noqa: FBT001
        """Cookies go into the list of that name; there are no multiple headers, so values are joined."""
        reply = basic_reply(status, _joined(headers), body, base64)
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
        reply = basic_reply(status, headers, body, base64)
        if cookies:
            reply.setdefault("multiValueHeaders", {})["set-cookie"] = list(cookies)
        return reply


class Alb(Shape):
    """An Application Load Balancer's event, with single or (by the target group's setting) multiple headers."""

    __slots__ = ()

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        """True when the load balancer names itself in the request's context."""
        return "elb" in mapping(event.get("requestContext"))

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
            return basic_reply(status, lists, body, base64, single=False)
        reply = basic_reply(status, _joined(headers), body, base64)
        reply["headers"].update(zip(_spellings("set-cookie"), cookies, strict=False))
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
    stage = text(mapping(event.get("requestContext")).get("stage"))
    if not stage or stage == "$default" or not f"{path}/".startswith(f"/{stage}/"):
        return path
    return path[len(stage) + 1 :] or "/"
