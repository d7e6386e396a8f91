"""Which route answers a request."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.inventory.route import Route

_STATIC, _PARAMETER, _CATCH_ALL = 0, 1, 2
CATCH_ALL_PARAMETER = "proxy"


def specificity(route: Route) -> tuple[bool, tuple[int, ...], int, bool, str, str]:
    """A sorting key that puts the route that must be tried first first.

    Catch-alls come last (API Gateway: a full match, then a greedy one); then, part by part from the left, a
    static part before a parameter before a catch-all; then the deeper route; then the exact verb before `any`.
    """
    kinds = tuple(_CATCH_ALL if part == "*" else _PARAMETER if part[0] == ":" else _STATIC for part in route.parts)
    return _CATCH_ALL in kinds, kinds, -len(kinds), route.method == "any", route.path, route.method


def match(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The first of `routes`, which are in matching order, that answers a request, with its path parameters.

    `path` is as the visitor sent it, without the query; parameters are percent-decoded, once, after the path is
    split, so that an encoded slash stays within its part. The catch-all's parameter is `proxy`; it takes at least
    one part. None when no route answers: HEAD is no GET, and a slash at the end makes another path.
    """
    if not path.startswith("/"):
        return None
    method = method.lower()
    sent = [unquote(part) if "%" in part else part for part in path[1:].split("/")] if path != "/" else []
    for route in routes:
        if route.method in (method, "any"):
            parameters = _parameters(route.parts, sent)
            if parameters is not None:
                return route, parameters
    return None


def _parameters(parts: tuple[str, ...], sent: list[str]) -> dict[str, str] | None:
    """The path parameters if the path fits, else None."""
    greedy = bool(parts) and parts[-1] == "*"
    if len(sent) < len(parts) if greedy else len(sent) != len(parts):
        return None
    parameters: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part == "*":
            rest = "/".join(sent[index:])
            if not rest:
                return None
            parameters[CATCH_ALL_PARAMETER] = rest
        elif part[0] == ":":
            if not sent[index]:
                return None
            parameters[part[1:]] = sent[index]
        elif part != sent[index]:
            return None
    return parameters
