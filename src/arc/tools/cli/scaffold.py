"""Fills a folder with the files that an app lacks, without touching one that is there."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.inventory.files import check_within, has_manifest
from arc.inventory.inventory import is_app_name
from arc.tools.cli.app_folder import read_app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arc.inventory import Inventory, Route


_LONGEST_NAME = 60  # characters; names of stacks and tables are made of it


@dataclass
class Outcome:
    """What was made, as paths below the app's folder."""

    made: list[str] = field(default_factory=list)
    app: str = ""
    runtime: str = ""
    whole: bool = True
    """False when routes are left alone, because their functions are written in another language."""


def fill_in(
    folder: Path,
    *,
    name: str | None = None,
    runtime: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Outcome:
    """Write into `folder` the manifest, handlers and other files that are missing.

    A new manifest has `name`, or one made of the folder's, and `runtime` where there is one. Raises `InventoryError`
    for a manifest with faults, and `ToolError` for a file that cannot be written; what was written until then stays,
    and the next run goes on.
    """
    root = folder.resolve()
    if root.exists() and not root.is_dir():
        raise ToolError(f"{folder} is a file. Give the folder of an app, or a new name.")
    outcome = Outcome()
    if not has_manifest(root):
        write_new(root, NewFile("app.arc", manifest_of(name or name_for(root.name), runtime)), outcome)
    inventory = read_app(root, environ=environ)
    outcome.app, outcome.runtime = inventory.app, inventory.aws.function.runtime
    outcome.whole = all(route.is_python for route in inventory.routes)
    for file in missing_files(inventory):
        write_new(root, file, outcome)
    return outcome


@dataclass(frozen=True)
class NewFile:
    """A file that is not there yet: its path below the app's folder, and its text."""

    path: str
    text: str


def missing_files(inventory: Inventory) -> list[NewFile]:
    """The handlers and other files that an app lacks; functions in other languages are left alone."""
    root = inventory.root
    lacking = {route.folder: route for route in inventory.routes if route.handler is None and route.is_python}
    files = [
        NewFile((folder / "handler.py").relative_to(root).as_posix(), handler_of(route))
        for folder, route in lacking.items()
    ]
    files += [NewFile("requirements.txt", REQUIREMENTS), NewFile(".gitignore", IGNORED)]
    return [file for file in files if not (root / file.path).is_file()]


def name_for(folder: str) -> str:
    """A valid name of an app for a folder of that name: `Über uns!` becomes `uber-uns`."""
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9_]+", "-", plain)
    name = re.sub(r"^[^a-z]+", "", name)[:_LONGEST_NAME].strip("-_")
    return name if is_app_name(name) else "my-app"


def write_new(root: Path, new: NewFile, outcome: Outcome) -> None:
    """Write a new file; one that exists is left as it is, and anything else of that name is told."""
    file = root / new.path
    if not file.is_symlink() or file.exists():  # else it is in the way
        check_within(root, file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        stream = file.open("x", encoding="utf-8", newline="\n")
    except FileExistsError:
        if file.is_file():
            return
        in_the_way, needed = (file, "file") if file.parent.is_dir() else (file.parent, "folder")
        raise ToolError(
            f"{in_the_way} is in the way: a {needed} is needed there. Move it, and run the command again."
        ) from None
    except OSError as error:
        raise ToolError(f"{file} cannot be written: {error.strerror}. Mend that, and run the command again.") from None
    try:
        with stream:
            stream.write(new.text)
    except OSError as error:
        file.unlink(missing_ok=True)  # ours, and incomplete
        raise ToolError(f"{file} cannot be written: {error.strerror}. Mend that, and run the command again.") from None
    outcome.made.append(new.path)


IGNORED = """\
# Secrets and preferences of one machine
.env
preferences.arc
prefs.arc
.preferences.arc
.prefs.arc

# What Python makes
__pycache__/
.venv/
"""

REQUIREMENTS = """\
# What your functions import, one package on each line. The sandbox has arc-sessions already; deployed it belongs here.
"""

_COUNTER = """\
import arc


@arc.http.handler
def handler(req):
    visits = req.session.increment("visits")
    return {"html": f"<!doctype html><title>Visits</title><h1>Visits: {visits}</h1>"}
"""

_PAGE = """\
import arc


@arc.http.handler
def handler(req):
    return {"html": "<!doctype html><title>%(name)s</title><h1>%(name)s</h1>"}
"""

_ANSWER = """\
import arc


@arc.http.handler
def handler(req):
    return {"json": {"route": "%(name)s"}}
"""

_EMPTY = """\
import arc


@arc.http.handler
def handler(req):
    return {"status": 204}
"""


def manifest_of(app: str, runtime: str | None = None) -> str:
    """Return the text of a new app's manifest; without a `runtime` it names none."""
    aws = f"\n@aws\nruntime {runtime}\n" if runtime else ""
    return f"@app\n{app}\n\n@http\nget /\n{aws}"


def handler_of(route: Route) -> str:
    """The code of a route's first handler: a counter for the home page, a small answer for any other."""
    if route.path == "/" and route.method in ("get", "any"):
        return _COUNTER
    if route.method in ("head", "options"):
        return _EMPTY
    return (_PAGE if route.method in ("get", "any") else _ANSWER) % {"name": route.name}
