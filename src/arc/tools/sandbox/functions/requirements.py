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

FILE = "requirements.txt"
REPLACED = "architect-functions"
"""Architect's package for Python. It is named arc as well, and this package replaces it."""
_COMMENT = re.compile(r"(^|\s)#.*$")


def requirement_files(root: Path, folders: Iterable[Path]) -> list[Path]:
    """Return the files with requirements of the app in `root` and of its functions in `folders`."""
    return [file for folder in dict.fromkeys((root, *folders)) if (file := folder / FILE).is_file()]


def shown(file: Path, root: Path) -> str:
    """Return the path of a file as messages show it, relative to the app's folder if it is below that."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def unsatisfied(file: Path, folders: Iterable[Path] = ()) -> list[str]:
    """Return the requirements in `file` that are not installed on Python's path or in `folders`.

    One with another version installed says which. A missing file has no requirements. Options (`-r …`), URLs,
    requirements for other platforms and `architect-functions`, which this package replaces, are skipped.
    """
    messages = []
    paths = [*map(str, folders), *sys.path]
    for requirement in filter(None, map(_parse, _lines(file))):
        if canonicalize_name(requirement.name) == REPLACED:
            continue
        installed = next(
            (one.version for one in metadata.distributions(name=canonicalize_name(requirement.name), path=paths)), None
        )
        if installed is None or not _fits(requirement, installed):
            requirement.marker = None
            messages.append(f"{requirement}{'' if installed is None else f' (installed: {installed})'}")
    return messages


def needs_pip(file: Path) -> bool:
    """Return whether requirements in `file` are missing, or may be: only pip understands options and URLs."""
    return bool(unsatisfied(file)) or any(_parse(line) is None and not _is_skipped(line) for line in _lines(file))


def names_in(file: Path) -> set[str]:
    """Return the normalized names of the packages that `file` requires."""
    return {canonicalize_name(requirement.name) for requirement in filter(None, map(_parse, _lines(file)))}


def conflicting_packages(folders: Iterable[Path]) -> list[str]:
    """Return a message for each package named `arc` in `folders` that functions import instead of this one."""
    return [
        f"{folder.name}/arc is imported instead of arc-sessions, which replaces architect-functions. Delete it."
        for folder in folders
        if (folder / "arc" / "__init__.py").is_file() and not (folder / "arc" / "sessions" / "session.py").is_file()
    ]


def _lines(file: Path) -> list[str]:
    """Return the lines that say something, without comments and hashes."""
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return []
    lines = text.replace("\\\n", " ").splitlines()
    return list(filter(None, (_COMMENT.sub("", line).split(" --", 1)[0].strip() for line in lines)))


def _parse(line: str) -> Requirement | None:
    """Return the requirement on a line; None for an option, a URL, and one for another platform."""
    requirement = _read(line)
    return None if requirement is None or _is_skipped(line) or requirement.url is not None else requirement


def _is_skipped(line: str) -> bool:
    """Return whether the requirement on a line is for another platform."""
    requirement = _read(line)
    return requirement is not None and requirement.marker is not None and not requirement.marker.evaluate()


def _read(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _fits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True
