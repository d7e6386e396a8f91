"""Which lines of a `requirements.txt` the interpreter that runs the functions does not meet."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Architect's package for Python: this one does its part, and both are called arc.
_OURS = "architect-functions"
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True)
class Unmet:
    """One requirement that is not met; `found` is the version that is installed instead, or None."""

    requirement: str
    found: str | None

    def __str__(self) -> str:
        state = "is not installed" if self.found is None else f"is not met by the {self.found} that is installed"
        return f"requirements.txt: {self.requirement} {state}. Run: pip install '{self.requirement}'"


def unmet(file: Path, folders: Iterable[Path] = ()) -> list[Unmet]:
    """The unmet lines of `file`; packages count where Python finds them, and in `folders`.

    A missing file has none. Options (`-r …`), URLs and what is meant for another platform are passed over, and so
    is `architect-functions`: this package takes its place, and installing both breaks either.
    """
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return []
    missing = []
    paths = [*map(str, folders), *sys.path]
    for line in text.replace("\\\n", " ").splitlines():
        requirement = _requirement(_COMMENT.sub("", line).split(" --", 1)[0].strip())
        if requirement is None or canonicalize_name(requirement.name) == _OURS:
            continue
        found = _installed(requirement.name, paths)
        if found is None or not _fits(requirement, found):
            missing.append(Unmet(f"{requirement.name}{_extras(requirement)}{requirement.specifier}", found))
    return missing


def others_in_our_place(folders: Iterable[Path]) -> list[str]:
    """A sentence for each package `arc` in `folders`, which functions import instead of this one."""
    return [
        f"{folder.name}/arc is imported instead of arc-sessions, which does what architect-functions does. Delete it."
        for folder in folders
        if (folder / "arc" / "__init__.py").is_file() and not (folder / "arc" / "sessions" / "session.py").is_file()
    ]


def _requirement(line: str) -> Requirement | None:
    if not line or line.startswith("-"):
        return None
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return None
    wanted_here = requirement.marker is None or requirement.marker.evaluate()
    return requirement if wanted_here and requirement.url is None else None


def _extras(requirement: Requirement) -> str:
    return f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""


def _installed(name: str, paths: list[str]) -> str | None:
    for distribution in metadata.distributions(name=canonicalize_name(name), path=paths):
        return distribution.version
    return None


def _fits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True
