"""A route: an HTTP method, a path, and the folder of the function that answers.

`match` finds the route for a request, and `specificity` sorts routes for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from arc.inventory.function_config import FunctionConfig


HANDLER_FILES = ("lambda.py", "handler.py", "index.py")
"""In order of precedence, as in Architect: the first that exists contains the handler."""
_OTHER_NAMES = ("handler", "index", "lambda", "mod")
_OTHER_SUFFIXES = (".js", ".mjs", ".cjs", ".ts", ".tsx", ".rb", ".php")


@dataclass(frozen=True)
class Route:
    """A line of `@http`, resolved."""

    method: str
    """In lower case; `any` takes every method."""
    path: str
    """As written: `/users/:id`, `/files/*`."""
    folder: Path
    """The absolute source folder."""
    logical_id: str
    """The function's logical ID in CloudFormation: `GetUsersId`."""
    handler: Path | None
    """The handler's file; None when it does not exist."""
    config: FunctionConfig
    other_language: str = ""
    """The runtime or the handler's file in another language; empty for a Python function."""

    @property
    def is_python(self) -> bool:
        """False for a function in another language, which the sandbox does not run."""
        return not self.other_language

    @property
    def name(self) -> str:
        """The method and the path as in the manifest: `get /users/:id`."""
        return f"{self.method} {self.path}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the path; `/` has none."""
        return parts_of(self.path)

    @property
    def route_key(self) -> str:
        """The route's name in API Gateway: `GET /users/{id}`, `ANY /files/{proxy+}`."""
        keys = ("{proxy+}" if part == "*" else f"{{{part[1:]}}}" if part[0] == ":" else part for part in self.parts)
        return f"{self.method.upper()} /{'/'.join(keys)}"


@lru_cache(maxsize=1024)
def parts_of(path: str) -> tuple[str, ...]:
    """Return the parts of a route's path between its slashes."""
    return tuple(path[1:].split("/")) if path != "/" else ()


def folder_name(method: str, path: str) -> str:
    """Return the name of a route's source folder, as Architect derives it: `get-users-000id`."""
    if path == "/":
        return f"{method}-index"
    name = path.replace("-", "_").replace(".", "_").replace("/", "-")
    return method + name.replace(":", "000").replace("*", "catchall")


def logical_id(method: str, path: str) -> str:
    """Return a route's logical ID in CloudFormation, as Architect derives it: `GetUsersId`."""
    words = folder_name(method, path).replace("000", "").replace("_", "-").split("-")
    return "".join(word[:1].upper() + word[1:] for word in words)


def other_language(folder: Path, config: FunctionConfig) -> str:
    """Return the runtime or handler's file of a function in another language; empty for a Python function."""
    if not config.is_python:
        return config.runtime
    if not folder.is_dir() or any((folder / name).is_file() for name in HANDLER_FILES):
        return ""
    names = (file.name for file in folder.iterdir() if file.stem in _OTHER_NAMES and file.suffix in _OTHER_SUFFIXES)
    return min(names, default="")


_STATIC, _PARAMETER, _CATCH_ALL = 0, 1, 2


def specificity(route: Route) -> tuple[bool, int, tuple[int, ...], bool, str, str]:
    """Return a sorting key for the order in which routes are tried.

    Catch-alls come last (API Gateway tries full matches, then greedy ones), and deeper ones before shallower ones, as
    in Architect. Then static parts come before parameters, compared from the left, and exact methods before `any`.
    """
    kinds = tuple(_CATCH_ALL if part == "*" else _PARAMETER if part[0] == ":" else _STATIC for part in route.parts)
    is_greedy = _CATCH_ALL in kinds
    return is_greedy, -len(kinds) if is_greedy else 0, kinds, route.method == "any", route.path, route.method


def match(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the first of `routes` that answers a request, with its path parameters, or None.

    `routes` are sorted by `specificity`. `path` is as the client sent it, without the query. Parameters are
    percent-decoded once, after the path is split, so an encoded slash stays within its part. The catch-all's parameter
    is `proxy`: `/x/*` answers `/x/` with an empty `proxy`, but does not answer `/x`. A parameter matches a part that is
    not empty, except that `/:page` answers `/`. A `get` route does not answer HEAD, and `/a` and `/a/` are different
    paths. Source for `/`: https://github.com/architect/architect/issues/981
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
    """Return the path parameters if the path matches, else None. `/` is sent as one empty part."""
    is_root = sent == [""]
    if not parts:
        return {} if is_root else None
    if len(sent) < len(parts) if parts[-1] == "*" else len(sent) != len(parts):
        return None
    parameters: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part == "*":
            parameters["proxy"] = "/".join(sent[index:])
        elif part[0] == ":":
            if not sent[index] and not is_root:
                return None
            parameters[part[1:]] = sent[index]
        elif part != sent[index]:
            return None
    return parameters
