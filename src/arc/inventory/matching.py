"""Which route answers a request."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.inventory.route import Route

_STATIC, _PARAMETER, _CATCH_ALL = 0, 1, 2
CATCH_ALL_PARAMETER = "proxy"


def specificity(route: Route) -> tuple[bool, int, tuple[int, ...], bool, str, str]:
    """Return a sorting key that puts the route that must be tried first first.

    Catch-alls come last (API Gateway: a full match, then a greedy one), the deeper ones first among them as in
    Architect; then, part by part from the left, a static part before a parameter; then the exact verb before `any`.
    """
    kinds = tuple(_CATCH_ALL if part == "*" else _PARAMETER if part[0] == ":" else _STATIC for part in route.parts)
    is_greedy = _CATCH_ALL in kinds
    return is_greedy, -len(kinds) if is_greedy else 0, kinds, route.method == "any", route.path, route.method


def match(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The first of `routes`, which are in matching order, that answers a request, with its path parameters.

    `path` is as the visitor sent it, without the query; parameters are percent-decoded, once, after the path is
    split, so that an encoded slash stays within its part. The catch-all's parameter is `proxy`, which is empty for the
    catch-all's own folder: `/x/*` answers `/x/` and `/*` answers `/`, but `/x/*` does not answer `/x`. A parameter
    takes a part that is not empty, except that `/:page` answers `/`. None when no route answers: HEAD is no GET, and a
    slash at the end makes another path. Source for `/`: https://github.com/architect/architect/issues/981
    """
    if not path.startswith("/"):
        return None
    method = method.lower()
    sent = [unquote(part) if "%" in part else part for part in path[1:].split("/")]
    for route in routes:
        if route.method in (method, "any"):
            parameters = _parameters(route.parts, sent)
            if parameters is not None:
                return route, parameters
    return None


def _parameters(parts: tuple[str, ...], sent: list[str]) -> dict[str, str] | None:
    """Return the path parameters if the path fits, else None; of `/`, the only part `sent` is empty."""
    is_root = sent == [""]
    if not parts:
        return {} if is_root else None
    if len(sent) < len(parts) if parts[-1] == "*" else len(sent) != len(parts):
        return None
    parameters: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part == "*":
            parameters[CATCH_ALL_PARAMETER] = "/".join(sent[index:])
        elif part[0] == ":":
            if not sent[index] and not is_root:
                return None
            parameters[part[1:]] = sent[index]
        elif part != sent[index]:
            return None
    return parameters
