"""Advice for a handler that imports a module which does not exist."""

from __future__ import annotations

import difflib
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from arc.tools.sandbox.functions.installation import install_command
from arc.tools.sandbox.functions.requirements import FILE, names_in, requirement_files, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from arc.tools.sandbox.functions.launch import Launch

_MISSING = re.compile(r"No module named '([^']+)'")
_CLOSE = 0.7  # the least similarity of a misspelled module, as difflib measures it
_SHARED = "vendor.shared"
# Packages whose name on PyPI differs from that of their module.
_DISTRIBUTIONS = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "yaml": "PyYAML",
}
_RELATIVE = "attempted relative import"


def missing_module_advice(report: Any, launch: Launch) -> str:
    """Return what to do about a function's error report of awslambdaric; empty for another error."""
    if not isinstance(report, dict) or report.get("errorType") not in ("ModuleNotFoundError", "ImportError"):
        return ""
    message = str(report.get("errorMessage", ""))
    if message.startswith(_RELATIVE):
        return "A handler is not in a package. Import the file beside it by its name, without the dot."
    found = _MISSING.match(message)
    return _advice(found[1], launch) if found else ""


def _advice(module: str, launch: Launch) -> str:
    first, *rest = [part for part in module.split(".") if part not in ("src", "vendor")] or [""]
    if first == "shared" or not first:
        return _shared_advice(next(iter(rest), ""), launch)
    if first in _modules(launch.shared) and first not in _modules(launch.folder):
        return f"Import shared code as {_SHARED}: from {_SHARED} import {first}"
    return _package_advice(first, launch)


def _shared_advice(name: str, launch: Launch) -> str:
    """Return advice about the module `name` of the shared code, empty if that is unknown."""
    modules = _modules(launch.shared)
    if launch.shared is None:
        exists = (launch.root / "src" / "shared").is_dir()
        reason = "its config.arc says `shared false` below @arc" if exists else "the app has no folder src/shared"
        return f"This function has no shared code, because {reason}."
    meant = name if name in modules else _meant(name, modules)
    if name and not meant:
        names = ", ".join(sorted(modules)) or "no modules"
        return f"The shared code has no module '{name}'. It has {names}."
    return f"Import shared code as {_SHARED}: from {_SHARED}{f'.{meant}' if meant else ''} import …"


def _package_advice(module: str, launch: Launch) -> str:
    """Return advice about a module that is neither the app's nor installed."""
    swapped = (name for name in sys.stdlib_module_names if sorted(name) == sorted(module))
    meant = _meant(module, [*_modules(launch.folder), *_modules(launch.shared)]) or next(swapped, "")
    if meant:  # The misspelling may be the name of a malicious package.
        place = f"{_SHARED}." if meant in _modules(launch.shared) and meant not in _modules(launch.folder) else ""
        return f"Did you mean '{place}{meant}'?"
    name = _DISTRIBUTIONS.get(module, module.replace("_", "-"))
    files = requirement_files(launch.root, [launch.folder])
    declared = [file for file in files if canonicalize_name(name) in names_in(file)]
    command = install_command(launch.root, shlex.quote(name))
    if declared:
        return f"{shown(declared[0], launch.root)} names {name}, which is not installed. Run: {command}"
    own = shown(launch.folder / FILE, launch.root)
    return f"Add the line {name} to {FILE}, or to {own} for this function alone. Then run: {command}"


def _meant(word: str, names: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word, names, n=1, cutoff=_CLOSE)), "")


def _modules(folder: Path | None) -> set[str]:
    return set() if folder is None else set(_names(folder))


def _names(folder: Path) -> Iterator[str]:
    """Yield the names of the modules and packages in a folder of code."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.suffix == ".py" and entry.stem.isidentifier() and entry.stem != "__init__":
            yield entry.stem
        elif entry.is_dir() and entry.name.isidentifier() and not entry.name.startswith("__"):
            yield entry.name
