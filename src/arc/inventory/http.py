"""`@http`: reads the routes of a manifest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arc.inventory.files import folder_in_app
from arc.inventory.findings import choose, did_you_mean
from arc.inventory.indents import indented_items
from arc.inventory.routes import folder_name, logical_id, parts_of
from arc.manifest import Array, Map, Scalar, likely_path

if TYPE_CHECKING:
    from pathlib import Path

    from arc.inventory.findings import Document
    from arc.manifest import Item

METHODS = ("get", "post", "put", "patch", "delete", "options", "head", "any")
_SETTINGS = ("method", "src")
_CHARACTERS = re.compile(r"[a-zA-Z0-9/\-:._*]*")
_PARAMETER = re.compile(r":[a-zA-Z0-9_.-]+")


@dataclass(frozen=True)
class RouteLine:
    """A route as the manifest declares it."""

    method: str
    path: str
    folder: Path
    where: Scalar
    names_folder: bool = False
    """True when the manifest names the folder with `src`."""

    @property
    def name(self) -> str:
        """The method and the path."""
        return f"{self.method} {self.path}"

    @property
    def logical_id(self) -> str:
        """The function's logical ID in CloudFormation."""
        return logical_id(self.method, self.path)


def read_http(document: Document, root: Path) -> list[RouteLine]:
    """Return the routes of the app in `root`, in the manifest's order; lines with faults are left out."""
    lines: list[RouteLine] = []
    items, _ = indented_items(document, "http", "the route", _is_setting)
    for item in items:
        line = _read_line(document, root, item)
        if line is not None and not _has_conflict(document, root, line, lines):
            lines.append(line)
    return lines


def _is_setting(above: Item, line: Array) -> bool:
    """Return whether a line sets something of the route in its long form above it."""
    return above.start.text.startswith("/") and line.items[0].text in _SETTINGS


def _read_line(document: Document, root: Path, item: Item) -> RouteLine | None:
    if isinstance(item, Map):
        where = path = item.name
        settings = _settings_below(document, item)
    elif isinstance(item, Array) and len(item.items) == 2:  # noqa: PLR2004  # a method and a path
        where, path = item.items
        if where.text.startswith("/") and path.text.lower() in METHODS:
            document.fault(item, "A route begins with its method.", f"Write {path.text} {where.text}.")
            return None
        settings = {"method": where}
    else:
        document.fault(item, "A route is a method and a path.", _route_advice(item))
        return None
    problem = _path_problem(path.text)
    if problem is not None:
        meant = likely_path(path.text)
        document.fault(path, f"The path '{path.text}' {problem[0]}.", f"Write {meant}." if meant else problem[1])
    method = _read_method(document, settings["method"]) if "method" in settings else None
    if problem is not None or method is None:
        return None
    if "src" not in settings:
        return RouteLine(method, path.text, root / "src" / "http" / folder_name(method, path.text), where)
    folder = folder_in_app(document, root, settings["src"], example="src/pages/home")
    return None if folder is None else RouteLine(method, path.text, folder, where, names_folder=True)


def _route_advice(item: Item) -> str:
    """Return what to write instead of an item that is not a method and a path."""
    words = [value.text for value in item.items] if isinstance(item, Array) else []
    *methods, path = words or [""]
    named = [method.strip(",").lower() for method in methods]
    if len(named) > 1 and path.startswith("/") and set(METHODS).issuperset(named):
        return f"Write each route on its own line: {', '.join(f'{method} {path}' for method in named)}."
    return f"Write it on one line, such as {_whole_route(item) or 'get /users/:id'}."


def _whole_route(item: Item) -> str:
    """Return the route that `/users` or `post/users` stands for, empty for another item."""
    if not isinstance(item, Scalar) or "/" not in item.text:
        return ""
    method, _, path = item.text.partition("/")
    return f"{method or 'get'} /{path}"


def _settings_below(document: Document, item: Map) -> dict[str, Scalar]:
    """Return `method` and `src` of a route in its long form; empty after a fault."""
    settings = {entry.key.text: entry.values[0] for entry in item.entries}
    wrong = [entry.key for entry in item.entries if entry.key.text not in _SETTINGS or entry.several]
    for key in wrong:
        hint = f"{did_you_mean(key.text, _SETTINGS)}Write method and src, each with one value."
        document.fault(key, f"Unknown setting '{key.text}' in a route.", hint)
    if not wrong and "method" not in settings:
        document.fault(item, f"The route '{item.name.text}' has no method.", "Add a line below it: method get.")
    return {} if wrong else settings


def _read_method(document: Document, word: Scalar) -> str | None:
    method = word.text.lower()
    if method in METHODS:
        return method
    hint = f"{did_you_mean(method, METHODS, cutoff=0.5)}{choose(METHODS)}"
    document.fault(word, f"Unknown HTTP method '{word.text}'.", hint)
    return None


def _path_problem(path: str) -> tuple[str, str] | None:
    """Return what is wrong with a route's path, and what to write instead."""
    if not path.startswith("/"):
        return "does not begin with a slash", "Begin it with a slash."
    if not _CHARACTERS.fullmatch(path):
        return "contains a character that is not allowed", "Use letters, digits and - : . _ * between the slashes."
    if "//" in path:
        return "contains an empty part", "Write one slash between two parts."
    if path != "/" and path.endswith("/"):
        return "ends with a slash", "Remove it."
    return _part_problem(parts_of(path))


def _part_problem(parts: tuple[str, ...]) -> tuple[str, str] | None:
    for index, part in enumerate(parts):
        if "*" in part and (part != "*" or index != len(parts) - 1):
            return "has a '*' that is not its whole last part", "Write the catch-all at the end, as in /files/*."
        if ":" in part and not _PARAMETER.fullmatch(part):
            return f"has an invalid parameter '{part}'", "Write a part that is ':' and a name, such as :id."
    names = ["proxy" if part == "*" else part[1:] for part in parts if part[0] in ":*"]
    for name in names:
        if names.count(name) > 1:
            return f"has two parameters called '{name}'", "Rename one of them; the catch-all is called 'proxy'."
    return None


def _has_conflict(document: Document, root: Path, line: RouteLine, others: list[RouteLine]) -> bool:
    """Return whether an earlier route excludes this one, after adding a fault that names both."""
    for other in others:
        if line.method == other.method and _shape(line.path) == _shape(other.path):
            problem = "answers the same requests as"
            hint = "Remove one of them. Parameter names make no difference."
        elif line.folder == other.folder and not (line.names_folder or other.names_folder):
            problem = f"has the same folder, {line.folder.relative_to(root).as_posix()}, as"
            hint = "Rename one of the paths, or set another folder for one of them with src."
        elif line.logical_id == other.logical_id:
            problem, hint = f"has the same logical ID, {line.logical_id}, as", "Rename one of the paths."
        else:
            continue
        document.fault(line.where, f"'{line.name}' {problem} '{other.name}' on line {other.where.line}.", hint)
        return True
    return False


def _shape(path: str) -> tuple[str, ...]:
    """Return the parts of a path without the names of its parameters."""
    return tuple(":" if part[0] == ":" else part for part in parts_of(path))
