"""Where an app is: the folder that belongs to the current one, and advice where there is none."""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path

from arc.errors import ToolError
from arc.inventory.files import MANIFEST_FILES, NoManifest, find_manifest
from arc.inventory.findings import Findings

_MOST_LISTED = 3
_LIKE_MANIFEST = re.compile(r"(app|apps|arc|architect|manifest)\.?(arc|app)(\.txt)?|(app|arc)\.arc\.(txt|bak)|app\.ar")


def find_app(folder: Path, *, home: Path | None) -> Path:
    """Return the nearest of `folder` and its parents that contains an app, `folder` where none does.

    A parent is not considered if it is the `home` folder or above it, outside the repository of `folder`, or a folder
    that every user can write to, where an app may be someone else's.
    """
    outside = {home, *home.parents} if home is not None else set()
    for place in (folder, *folder.parents):
        if place != folder and (place in outside or _is_public(place)):
            break
        if is_app(place):
            return place
        if (place / ".git").exists():
            break
    return folder


def is_app(folder: Path) -> bool:
    """Return whether `folder` contains the manifest of an app, valid or not.

    The configuration of a function may have the name of a manifest, but has no `@app`.
    """
    try:
        file, manifest = find_manifest(folder, Findings(), ())
    except NoManifest:
        return False
    return file.suffix == ".arc" or file.name == ".arc" or manifest is None or manifest.pragma("app") is not None


def missing_app(folder: Path, *, home: Path | None) -> ToolError:
    """Return, and do not raise, the error for a folder without a manifest, with a command that works."""
    place = _shown(folder)
    name, word = (str(folder.resolve()) if place == "." else place), shell_path(folder)
    if folder.is_file():
        app = f" the app: {shell_path(folder.parent)}" if folder.name in MANIFEST_FILES else " an app."
        return ToolError(f"{name} is a file. Name the folder of{app}")
    if not folder.exists():
        return ToolError(f"{name} does not exist. To create an app there, run: arc init {word}")
    advice = _similar_file(folder) or _app_around(folder, home)
    if not advice and os.access(folder, os.W_OK):
        advice = f"To create an app there, run: arc init {word}"
    return ToolError(f"{name} has no manifest ({MANIFEST_FILES[0]}). {advice or 'Change to the folder of an app.'}")


def _similar_file(folder: Path) -> str:
    """Return advice about a file that was probably meant as the manifest, such as `App.arc` or `app.arc.txt`."""
    names = [place.name for place in folder.iterdir() if place.name not in MANIFEST_FILES]
    similar = next((name for name in sorted(names) if _LIKE_MANIFEST.fullmatch(name.lower())), "")
    return f"Rename {shlex.quote(similar)} to {MANIFEST_FILES[0]}." if similar else ""


def _app_around(folder: Path, home: Path | None) -> str:
    """Return advice about an app above `folder`, or directly below it."""
    above = find_app(folder.resolve(), home=home)
    if above != folder.resolve():
        return f"The app that it belongs to is in {shell_path(above)}."
    below = _apps_below(folder)
    commands = " or ".join(f"cd {shell_path(app)}" for app in below[:_MOST_LISTED])
    return f"Change to {'the' if len(below) == 1 else 'an'} app's folder: {commands}" if below else ""


def shell_path(folder: Path) -> str:
    """Return a path as a word for the shell, relative to the current folder if it is below that."""
    word = _shown(folder)
    return shlex.quote(f"./{word}" if word.startswith("-") else word)


def _shown(folder: Path) -> str:
    here, place = Path.cwd(), folder.resolve()
    return str(place.relative_to(here)) if place.is_relative_to(here) else str(place)


def _is_public(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IWOTH)


def _apps_below(folder: Path) -> list[Path]:
    """Return the folders directly below `folder` that contain a manifest."""
    try:
        return sorted(place for place in folder.iterdir() if (place / MANIFEST_FILES[0]).is_file())
    except OSError:
        return []
