"""Testing's variables, which are on the developer's machine: in the app's `.env`, or in its preferences.

Writes them to the right file, whole or not at all, and makes `.gitignore` name it.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arc.errors import ManifestError, ToolError
from arc.inventory.files import check_within, read_text
from arc.inventory.preferences import PREFERENCE_FILES
from arc.tools.env import dotenv_file, preferences_file
from arc.tools.env.variables import check_name, check_text, is_secret, unknown_variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory import Inventory


_DOTENV = ".env"


@dataclass(frozen=True)
class Written:
    """The outcome of a change of testing's variables."""

    file: Path
    notes: tuple[str, ...] = ()


def change_testing(inventory: Inventory, changes: Mapping[str, str | None]) -> Written:
    """Set the variables of testing that have a value and remove those with None; all of them, or none.

    They are written to `.env` if the app has one, to its preferences if testing has variables there or in those of
    the home folder, and otherwise to a new `.env`. `.gitignore` names the file before a secret is written to it.
    Raises `ToolError`, which never shows a value.
    """
    for name, value in changes.items():
        if value is not None:
            check_name(name)
            check_text(name, value)
            if "\r" in value:
                raise ToolError(
                    f"The value of {name} contains a carriage return, which .env files and preferences do not keep. "
                    "Remove it with `tr -d '\\r'`, or encode the value with base64."
                )
    file = _file(inventory)
    for path in (file, inventory.root / ".gitignore"):
        check_within(inventory.root, path)
    text = _text(file)
    copies = _copies_of_home(inventory, file, text, changes)
    changes = {**copies, **changes}
    for name, value in changes.items():
        text = _changed(inventory, file, text, name, value)
    notes = _ignore(inventory.root, file.name)
    if copies:
        notes.append(
            f"The @env in {file.name} replaces the one in {_home_file(inventory)}, so these variables were copied from "
            f"there: {', '.join(copies)}."
        )
    is_private = any(value is not None and is_secret(name) for name, value in changes.items())
    notes += _replace(inventory.root, file, text, mode=0o600, is_private=is_private)
    return Written(file, tuple(notes))


def _changed(inventory: Inventory, file: Path, text: str, name: str, value: str | None) -> str:
    """Return the text with a variable set or removed. Raises `ToolError` when it would not read back the same."""
    module = dotenv_file if file.name == _DOTENV else preferences_file
    if value is not None:
        changed: str | None = module.with_variable(text, name, value)
        if changed is None and module is preferences_file and not preferences_file.can_hold(value):
            raise ToolError(
                f"The value of {name} cannot be written to {file.name} so that Architect reads it back: a word in it "
                "has two backslashes in a row, a backslash at its end, or all three kinds of quotes beside a character "
                "that needs quotes. Move testing's variables to .env, or encode the value with base64. Nothing was "
                "changed."
            )
    else:
        _check_removal(inventory, file, name, module.variables_of(text), text)
        changed = module.without_variable(text, name)
    if changed is None:
        readers = "Architect, Node's dotenv and python-dotenv read" if module is dotenv_file else "Architect reads"
        action = "removed from" if value is None else "written to"
        encode = "" if value is None else ", or encode the value with base64"
        raise ToolError(
            f"{name} cannot be {action} {file.name} so that {readers} back all of it. Fix the file{encode}. Nothing "
            "was changed."
        )
    return changed


def _check_removal(inventory: Inventory, file: Path, name: str, variables: Mapping[str, str] | None, text: str) -> None:
    """Raise `ToolError` when a variable to remove is not in the file."""
    if variables is None or name in variables:
        return
    if file.name != _DOTENV and not preferences_file.has_env(text) and name in _variables_at_home(inventory):
        raise ToolError(f"{name} is set in {_home_file(inventory)}. Remove it there. Nothing was changed.")
    raise ToolError(unknown_variable(name, "testing", list(inventory.env.get("testing", {}))))


def _file(inventory: Inventory) -> Path:
    """Return the file of testing's variables: only one, because `.env` hides the preferences."""
    dotenv = inventory.root / _DOTENV
    if dotenv.exists() or not inventory.env.get("testing"):
        return dotenv
    files = [inventory.root / name for name in PREFERENCE_FILES]
    return next((file for file in files if file.is_file()), files[0])


def _home_file(inventory: Inventory) -> Path | None:
    """Return the preferences file in the home folder, if there is one."""
    own = {inventory.root / name for name in PREFERENCE_FILES}
    files = (file for file in inventory.sources if file.name in PREFERENCE_FILES and file not in own)
    return next((file for file in files if file.is_file()), None)


def _variables_at_home(inventory: Inventory) -> dict[str, str]:
    file = _home_file(inventory)
    return (preferences_file.variables_of(_text(file)) or {}) if file is not None else {}


def _copies_of_home(inventory: Inventory, file: Path, text: str, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return the home folder's variables that a first `@env` in the app's preferences would hide."""
    if file.name == _DOTENV or preferences_file.has_env(text) or all(value is None for value in changes.values()):
        return {}
    return {name: value for name, value in _variables_at_home(inventory).items() if name not in changes}


def _text(file: Path) -> str:
    """Return the text of a file, empty without the file."""
    if not file.exists():
        return ""
    try:
        return read_text(file, file.name)
    except ManifestError as fault:  # without its line, which may hold a secret
        raise ToolError(f"{file.name}:{fault.line}: {fault.message} {fault.hint} Nothing was changed.") from None


def _replace(root: Path, file: Path, text: str, *, mode: int, is_private: bool = False) -> list[str]:
    """Write a file of the app in `root` atomically, and return notes.

    A new file gets `mode`. An existing file that `is_private` is closed to other users, with a note.
    """
    check_within(root, file)
    target = Path(os.path.realpath(file))
    notes: list[str] = []
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else mode
        if is_private and mode & 0o077 and os.name == "posix":
            private = mode & 0o700
            notes = [
                f"Other users of this machine could read {file.name} (mode {mode:o}). Now only you can ({private:o})."
            ]
            mode = private
        descriptor, temporary = tempfile.mkstemp(prefix=f"{target.name}-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text.encode())
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(mode)
            Path(temporary).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise ToolError(f"Cannot write {file}: {error.strerror}. No variable was changed.") from None
    return notes


def _ignore(root: Path, name: str) -> list[str]:
    """Make `.gitignore` ignore the file, and return notes."""
    file = root / ".gitignore"
    text = _text(file)
    if is_ignored(text, name):
        return []
    _replace(root, file, with_line(text, name), mode=0o644)
    return [f"Added {name} to .gitignore, because it may contain secrets."]


def is_ignored(text: str, name: str) -> bool:
    """Return True when the last line of a `.gitignore` that matches the file ignores it."""
    ignored = False
    for line in text.removeprefix("\N{BYTE ORDER MARK}").split("\n"):
        pattern = line.rstrip()
        is_positive = not pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("/").removeprefix("**/")
        if fnmatch.fnmatchcase(name, pattern):
            ignored = is_positive
    return ignored


def with_line(text: str, name: str) -> str:
    """Return the text with a line for the file at its end, where it overrides the lines before it."""
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith("\n") else end
    return f"{text}{gap}{name}{end}"
