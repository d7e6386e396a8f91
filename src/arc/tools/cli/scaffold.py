"""Fills a folder with the files that an app lacks. Existing files are never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.inventory.app_name import name_for
from arc.inventory.files import check_within, has_manifest
from arc.tools.cli.app_folder import read_app
from arc.tools.cli.templates import first_tests, template_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arc.inventory import Inventory, Route


def fill_in(
    folder: Path,
    *,
    name: str | None = None,
    runtime: str | None = None,
    template: str = "counter",
    tests: bool = False,
    environ: Mapping[str, str] | None = None,
) -> tuple[Inventory, list[str], bool]:
    """Write the missing files of the app in `folder`; return the app, the paths of the new files, and if it is new.

    A new app is made from the `template`, with `name` or one derived from the folder's, and `runtime` if given. With
    `tests` it has a first test. Raises `InventoryError` for a manifest with faults, and `ToolError` for a file that
    cannot be written; run again, it continues.
    """
    root = folder.resolve()
    if root.exists() and not root.is_dir():
        raise ToolError(f"{folder} is a file. Name the folder of an app, or a new folder.")
    is_new = not has_manifest(root)
    files = template_files(template, name or name_for(root.name), runtime) if is_new else {}
    written = [path for path, text in files.items() if write_new(root, path, text)]
    inventory = read_app(root, environ=environ)
    files = missing_files(inventory)
    if tests:
        files |= first_tests(template if is_new else None, _first_page(inventory))
    written += [path for path, text in files.items() if write_new(root, path, text)]
    return inventory, written, is_new


def _first_page(inventory: Inventory) -> str:
    """Return the path of a page that can be opened without parameters, preferably the home page."""
    paths = [
        route.path for route in inventory.routes if route.method in ("get", "any") and not set(route.path) & {":", "*"}
    ]
    return min(paths, key=len, default="/")


def missing_files(inventory: Inventory) -> dict[str, str]:
    """Return the text of each missing file by its path; functions in other languages get none."""
    root = inventory.root
    files = {
        (route.folder / "handler.py").relative_to(root).as_posix(): handler_for(route)
        for route in inventory.routes
        if route.handler is None and route.is_python
    }
    files |= {"requirements.txt": _REQUIREMENTS, ".gitignore": _IGNORED}
    return {path: text for path, text in files.items() if not (root / path).is_file()}


def write_new(root: Path, path: str, text: str) -> bool:
    """Write a new file below the app's folder; return False, and do nothing, when it exists.

    Raises `ToolError` for a path that leads out of the app, that is not a file, or that cannot be written.
    """
    file = root / path
    if not file.is_symlink() or file.exists():
        check_within(root, file)
    is_ours = False
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            is_ours = True
            stream.write(text)
    except FileExistsError:
        if file.is_file():
            return False
        place, kind = (file, "file") if file.parent.is_dir() else (file.parent, "folder")
        raise ToolError(f"{place} is not a {kind}. Move it away and run the command again.") from None
    except OSError as error:
        if is_ours:  # and incomplete
            file.unlink(missing_ok=True)
        raise ToolError(f"Cannot write {file}: {error.strerror}. Fix this and run the command again.") from None
    return True


def handler_for(route: Route) -> str:
    """Return the code of a route's first handler: a counter for the home page, else a small response."""
    if route.path == "/" and route.method in ("get", "any"):
        return _HANDLER % (
            'visits = req.session.increment("visits")\n'
            '    return {"html": f"<!doctype html><title>Visits</title><h1>Visits: {visits}</h1>"}'
        )
    if route.method in ("head", "options"):
        return _HANDLER % 'return {"status": 204}'
    if route.method in ("get", "any"):
        return _HANDLER % f'return {{"html": "<!doctype html><title>{route.name}</title><h1>{route.name}</h1>"}}'
    return _HANDLER % f'return {{"json": {{"route": "{route.name}"}}}}'


_HANDLER = """\
import arc


@arc.http.handler
def handler(req):
    %s
"""

_IGNORED = """\
# Secrets and preferences of one machine
.env
preferences.arc
prefs.arc
.preferences.arc
.prefs.arc

# What Python generates
__pycache__/
.pytest_cache/
.venv/
"""

_REQUIREMENTS = """\
# Packages that functions import, one on each line; arc-sessions need not be named.
# `arc sandbox --install` installs them on this machine, and `arc deploy` packs them for Lambda.
"""
