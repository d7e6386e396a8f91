"""A route: a verb, a path, and the folder whose function answers."""

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
"""In Architect's order: the first that is there holds the handler."""
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
    """The function's name in CloudFormation: `GetUsersId`."""
    handler: Path | None
    """The handler's file; None while it is not there."""
    config: FunctionConfig
    other_language: str = ""
    """The runtime or the handler's file in another language; empty for a Python function."""

    @property
    def is_python(self) -> bool:
        """False for a function in another language, which the sandbox does not run."""
        return not self.other_language

    @property
    def name(self) -> str:
        """Verb and path, as the manifest writes them: `get /users/:id`."""
        return f"{self.method} {self.path}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's parts; `/` has none."""
        return parts_of(self.path)

    @property
    def route_key(self) -> str:
        """API Gateway's name of the route: `GET /users/{id}`, `ANY /files/{proxy+}`."""
        keys = ("{proxy+}" if part == "*" else f"{{{part[1:]}}}" if part[0] == ":" else part for part in self.parts)
        return f"{self.method.upper()} /{'/'.join(keys)}"


@lru_cache(maxsize=1024)
def parts_of(path: str) -> tuple[str, ...]:
    """The parts of a route's path between its slashes."""
    return tuple(path[1:].split("/")) if path != "/" else ()


def folder_name(method: str, path: str) -> str:
    """The name of a route's source folder, after Architect: `get-users-000id`."""
    if path == "/":
        return f"{method}-index"
    name = path.replace("-", "_").replace(".", "_").replace("/", "-")
    return method + name.replace(":", "000").replace("*", "catchall")


def logical_id(method: str, path: str) -> str:
    """A route's name in CloudFormation, after Architect: `GetUsersId`."""
    words = folder_name(method, path).replace("000", "").replace("_", "-").split("-")
    return "".join(word[:1].upper() + word[1:] for word in words)


def find_handler(folder: Path) -> Path | None:
    """The handler's file in a source folder, the first of `HANDLER_FILES`, or None."""
    return next((folder / name for name in HANDLER_FILES if (folder / name).is_file()), None)


def other_language(folder: Path, config: FunctionConfig) -> str:
    """The runtime that is not Python, or the only handler's file when that is not Python; empty for Python."""
    if not config.is_python:
        return config.runtime
    if not folder.is_dir() or find_handler(folder) is not None:
        return ""
    names = (file.name for file in folder.iterdir() if file.stem in _OTHER_NAMES and file.suffix in _OTHER_SUFFIXES)
    return min(names, default="")


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
