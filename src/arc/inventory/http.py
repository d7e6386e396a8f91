"""`@http`: the routes."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arc.inventory.routes import folder_name, logical_id, parts_of
from arc.manifest import Array, Map

if TYPE_CHECKING:
    from arc.inventory.findings import Findings
    from arc.manifest import Item, Manifest, Scalar

METHODS = ("get", "post", "put", "patch", "delete", "options", "head", "any")
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
        """Verb and path."""
        return f"{self.method} {self.path}"

    @property
    def logical_id(self) -> str:
        """The function's name in CloudFormation."""
        return logical_id(self.method, self.path)


def read_http(manifest: Manifest, root: Path, findings: Findings) -> list[RouteLine]:
    """The routes of the manifest in the app's folder `root`, in the manifest's order; faulty lines are left out."""
    pragma = manifest.pragma("http")
    lines: list[RouteLine] = []
    for item in pragma.items if pragma is not None else ():
        line = _read_line(manifest, root, item, findings)
        if line is not None and _is_alone(manifest, root, line, lines, findings):
            lines.append(line)
    return lines


def _read_line(manifest: Manifest, root: Path, item: Item, findings: Findings) -> RouteLine | None:
    if isinstance(item, Map):
        return _read_map(manifest, root, item, findings)
    if not isinstance(item, Array) or len(item.items) != 2:  # noqa: PLR2004  # a verb and a path
        findings.fault(manifest, item, "A route is a verb and a path.", "Write it on one line, such as get /users/:id.")
        return None
    verb, path = item.items
    method = _method(manifest, verb, findings)
    if not _path_is_good(manifest, path, findings) or method is None:
        return None
    return RouteLine(method, path.text, root / "src" / "http" / folder_name(method, path.text), verb)


def _read_map(manifest: Manifest, root: Path, item: Map, findings: Findings) -> RouteLine | None:
    good = _path_is_good(manifest, item.name, findings)
    found: dict[str, Scalar] = {}
    for entry in item.entries:
        if entry.key.text not in ("method", "src") or entry.several:
            findings.fault(
                manifest,
                entry.key,
                f"'{entry.key.text}' below a route is not understood.",
                "Write method and src, each with one value.",
            )
            good = False
        else:
            found[entry.key.text] = entry.values[0]
    if "method" not in found:
        if good:
            findings.fault(manifest, item.name, f"'{item.name.text}' has no method.", "Write below it: method get.")
        return None
    method = _method(manifest, found["method"], findings)
    if not good or method is None:
        return None
    if "src" not in found:
        return RouteLine(method, item.name.text, root / "src" / "http" / folder_name(method, item.name.text), item.name)
    folder = Path(root, *found["src"].text.split("/"))
    if ".." in folder.parts:
        findings.fault(
            manifest,
            found["src"],
            f"'{found['src'].text}' is not below the app's folder.",
            "Write a path such as src/pages/home.",
        )
        return None
    return RouteLine(method, item.name.text, folder, item.name, names_folder=True)


def _method(manifest: Manifest, verb: Scalar, findings: Findings) -> str | None:
    method = verb.text.lower()
    if method in METHODS:
        return method
    close = difflib.get_close_matches(method, METHODS, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else f"Write one of {', '.join(METHODS)}."
    findings.fault(manifest, verb, f"'{verb.text}' is no HTTP verb.", hint)
    return None


def _path_is_good(manifest: Manifest, path: Scalar, findings: Findings) -> bool:
    wrong = _what_is_wrong(path.text)
    if wrong:
        message, hint = wrong
        findings.fault(manifest, path, f"The path '{path.text}' {message}.", hint)
    return not wrong


def _what_is_wrong(path: str) -> tuple[str, str] | None:
    """What is wrong with a route's path, and what to write; None when nothing is."""
    if not path.startswith("/"):
        return "does not begin with a slash", f"Write /{path}."
    if not _CHARACTERS.fullmatch(path):
        return "holds a character that a path cannot have", "Use letters, digits and - : . _ * between the slashes."
    if "//" in path:
        return "holds an empty part", "Write one slash between two parts."
    if path != "/" and path.endswith("/"):
        return "ends with a slash", f"Write {path.rstrip('/')}."
    return _what_is_wrong_with_parts(parts_of(path))


def _what_is_wrong_with_parts(parts: tuple[str, ...]) -> tuple[str, str] | None:
    for index, part in enumerate(parts):
        if "*" in part and (part != "*" or index != len(parts) - 1):
            return "has a '*' that is not its whole last part", "Write the catch-all at the end, as in /files/*."
        if ":" in part and not _PARAMETER.fullmatch(part):
            return f"has a part '{part}' that is no parameter", "Write ':' at the start of a part, and a name after it."
    names = ["proxy" if part == "*" else part[1:] for part in parts if part[0] in ":*"]
    for name in names:
        if names.count(name) > 1:
            return f"has two parameters called '{name}'", "Give each its own name; the catch-all's is 'proxy'."
    return None


def _is_alone(manifest: Manifest, root: Path, line: RouteLine, others: list[RouteLine], findings: Findings) -> bool:
    """False, with a fault that names both, when another route takes what this one needs."""
    for other in others:
        first = f"'{other.name}' on line {other.where.line}"
        if (line.method, line.path) == (other.method, other.path):
            findings.fault(
                manifest, line.where, f"'{line.name}' is there twice: {first} is the same.", "Remove one of them."
            )
        elif line.method == other.method and _shape(line.path) == _shape(other.path):
            findings.fault(
                manifest,
                line.where,
                f"'{line.name}' and {first} answer the same requests.",
                "Keep one; a parameter's name makes no difference.",
            )
        elif line.folder == other.folder and not (line.names_folder or other.names_folder):
            folder = line.folder.relative_to(root).as_posix()
            findings.fault(
                manifest,
                line.where,
                f"'{line.name}' and {first} share the folder {folder}.",
                "Rename one of the paths, or give one a src of its own.",
            )
        elif line.logical_id == other.logical_id:
            findings.fault(
                manifest,
                line.where,
                f"'{line.name}' and {first} share the logical id {line.logical_id}.",
                "Rename one of the paths.",
            )
        else:
            continue
        return False
    return True


def _shape(path: str) -> tuple[str, ...]:
    return tuple(":" if part[0] == ":" else part for part in parts_of(path))
