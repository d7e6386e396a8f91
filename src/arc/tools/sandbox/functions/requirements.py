"""Requirements in a `requirements.txt` that the interpreter of the functions does not satisfy."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Architect's package for Python. It is named arc as well, and this package replaces it.
_REPLACED = "architect-functions"
_COMMENT = re.compile(r"(^|\s)#.*$")


def unsatisfied(file: Path, folders: Iterable[Path] = ()) -> list[str]:
    """Return a message for each requirement in `file` that is not installed on Python's path or in `folders`.

    A missing file has no requirements. Options (`-r …`), URLs, requirements for other platforms and
    `architect-functions`, which this package replaces, are skipped.
    """
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return []
    messages = []
    paths = [*map(str, folders), *sys.path]
    for line in text.replace("\\\n", " ").splitlines():
        requirement = _parse(_COMMENT.sub("", line).split(" --", 1)[0].strip())
        if requirement is None or canonicalize_name(requirement.name) == _REPLACED:
            continue
        installed = next(
            (one.version for one in metadata.distributions(name=canonicalize_name(requirement.name), path=paths)), None
        )
        if installed is None or not _fits(requirement, installed):
            requirement.marker = None
            state = (
                "is not installed" if installed is None else f"is not satisfied by the installed version {installed}"
            )
            messages.append(f"requirements.txt: {requirement} {state}. Run: pip install '{requirement}'")
    return messages


def conflicting_packages(folders: Iterable[Path]) -> list[str]:
    """Return a message for each package named `arc` in `folders` that functions import instead of this one."""
    return [
        f"{folder.name}/arc is imported instead of arc-sessions, which replaces architect-functions. Delete it."
        for folder in folders
        if (folder / "arc" / "__init__.py").is_file() and not (folder / "arc" / "sessions" / "session.py").is_file()
    ]


def _parse(line: str) -> Requirement | None:
    if not line or line.startswith("-"):
        return None
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return None
    applies = requirement.marker is None or requirement.marker.evaluate()
    return requirement if applies and requirement.url is None else None


def _fits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True
