"""`@static`: the folder whose files visitors get below `/_static/`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from arc.inventory.files import folder_in_app
from arc.inventory.function_config import InvalidValue, read_boolean, read_values, read_word
from arc.manifest import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from arc.inventory.findings import Document
    from arc.inventory.function_config import Setting
    from arc.inventory.http import RouteLine
    from arc.manifest import Pragma

STATIC_PATH = "/_static"
"""The path that static files are below, as in Architect."""
STATIC_FUNCTION = "StaticFunction"
"""The logical id of the deployed function that serves them."""
_PREFIX = re.compile(r"[\w!.'() /+=@:,-]+", re.ASCII)  # It is in a policy, where `*`, `?` and `$` have a meaning.
_OFF = ("false", "disable", "disabled")
_CODE = tuple(PurePath(place) for place in ("src", "src/http", "src/shared"))
_WITHOUT_EFFECT = ("production", "spa", "staging")


@dataclass(frozen=True)
class Static:
    """The settings of `@static`."""

    folder: Path
    """Absolute; it may be missing, and then the app has no static files."""
    fingerprint: bool = False
    """True to give files names that change with their content."""
    ignore: tuple[str, ...] = ()
    """A file whose path contains one of these texts is not served."""
    prefix: str = ""
    """Where the files are in their bucket, without slashes around it."""
    prune: bool = False
    """True to delete files from the bucket that the folder does not have."""


def read_static(document: Document, root: Path, lines: Iterable[RouteLine]) -> Static | None:
    """Return the settings, the defaults without `@static` as in Architect; None where static files are turned off.

    An app with routes of its own below `/_static` has no static files.
    """
    pragma = document.manifest.pragma("static")
    own = next((line for line in lines if f"{line.path}/".startswith(f"{STATIC_PATH}/")), None)
    if pragma is None:
        return None if own else Static(root / "public")
    if len(pragma.items) == 1 and isinstance(pragma.items[0], Scalar) and pragma.items[0].text in _OFF:
        return None
    if own is not None:
        document.warn(pragma, f"@static has no effect, because '{own.name}' answers its addresses.")
        return None
    return _read_settings(document, root, pragma)


def _read_settings(document: Document, root: Path, pragma: Pragma) -> Static:
    static = Static(root / "public")
    values = read_values(document, pragma, static, _READERS)
    source = values.pop("folder", None)
    for name in _WITHOUT_EFFECT:
        if values.pop(name, False):
            document.warn(pragma, f"'{name}' in @static is not supported and has no effect.")
    folder = static.folder if source is None else folder_in_app(document, root, source, example="public")
    if folder == root:
        document.fault(source or pragma, "@static cannot serve the app's own folder.", "Write a path such as public.")
    elif folder is not None and _is_private(folder.relative_to(root)):
        message = f"@static cannot serve '{folder.relative_to(root).as_posix()}', which has code or is hidden."
        document.fault(source or pragma, message, "Write a path such as public.")
    elif folder is not None and not folder.is_dir():
        place = folder.relative_to(root).as_posix()
        document.warn(source or pragma, f"@static has no effect, because the folder '{place}' does not exist.")
    return replace(static, folder=folder or static.folder, **values)


def _is_private(place: PurePath) -> bool:
    """Return True for a hidden folder, such as `.git`, and for the folders of the functions and the shared code."""
    return any(part.startswith(".") for part in place.parts) or place in _CODE or place.parent == _CODE[1]


def _read_folder(setting: Setting, _before: object) -> Scalar:
    return setting.single()


def _read_fingerprint(setting: Setting, before: object) -> bool:
    value = setting.single()
    if value.text == "external":
        raise InvalidValue(value, "Write true or false.", "`fingerprint external` is not supported.")
    return read_boolean(setting, before)


def _read_ignore(setting: Setting, _before: object) -> tuple[str, ...]:
    return tuple(value.text for value in setting.values)


def _read_prefix(setting: Setting, _before: object) -> str:
    value = setting.single()
    prefix = value.text.strip("/")
    if not _PREFIX.fullmatch(prefix) or "//" in prefix or any(part in (".", "..") for part in prefix.split("/")):
        raise InvalidValue(value, "Write a folder's name, such as assets.")
    return prefix


_READERS = {
    "fingerprint": _read_fingerprint,
    "folder": _read_folder,
    "ignore": _read_ignore,
    "prefix": _read_prefix,
    "production": read_word(),
    "prune": read_boolean,
    "spa": read_boolean,
    "staging": read_word(),
}
