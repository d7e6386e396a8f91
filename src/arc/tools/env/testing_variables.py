"""The variables of testing, which live on the developer's machine: in `.env`, or in the preferences."""

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
from arc.tools.env.variables import check_name, check_text, is_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory import Inventory


_DOTENV = ".env"


@dataclass(frozen=True)
class Written:
    """What a change of testing's variables came to."""

    file: Path
    notes: tuple[str, ...] = ()


def change_testing(inventory: Inventory, changes: Mapping[str, str | None]) -> Written:
    """Set the variables of testing that have a value, remove those with None; all of them or none.

    They go into `.env` when the app has one, into its preferences when testing's variables are there or in those of
    the home, and into a new `.env` otherwise. `.gitignore` is made to name the file, before anything secret is in it.
    Raises `ToolError`, which never shows a value.
    """
    for name, value in changes.items():
        if value is not None:
            check_name(name)
            check_text(name, value)
            if "\r" in value:
                raise ToolError(
                    f"The value of {name} holds a carriage return, which no .env file and no preferences keep. "
                    "Take it out (tr -d '\\r'), or encode the value (base64)."
                )
    file = _file(inventory)
    for written in (file, inventory.root / ".gitignore"):
        check_within(inventory.root, written)
    text = _text(file)
    copies = _copies_of_home(inventory, file, text, changes)
    for name, value in {**copies, **changes}.items():
        changed = _changed(inventory, file, text, name, value)
        if changed is None:
            if file.name != _DOTENV and value is not None and not preferences_file.can_hold(value):
                raise ToolError(
                    f"The value of {name} cannot be written into {file.name} so that Architect reads it alike: a word "
                    "in it has two backslashes in a row, a backslash at its end, or all three kinds of quotes beside a "
                    "character that needs some. Move testing's variables into .env, or encode the value (base64). "
                    "Nothing was changed."
                )
            what = "taken out of" if value is None else "written into"
            then = "Mend the file" if value is None else "Mend the file, or encode the value (base64)"
            readers = " for Architect, Node's dotenv and python-dotenv" if file.name == _DOTENV else ""
            raise ToolError(
                f"{name} cannot be {what} {file.name} so that all of it reads back the same{readers}. {then}. "
                "Nothing was changed."
            )
        text = changed
    notes = _ignored(inventory.root, file.name)
    if copies:
        notes.append(
            f"The @env in {file.name} replaces the one in {_home_file(inventory)}, so these variables were copied from "
            f"there: {', '.join(copies)}."
        )
    is_private = any(value is not None and is_secret(name) for name, value in {**copies, **changes}.items())
    notes += _replace(inventory.root, file, text, mode=0o600, is_private=is_private)
    return Written(file, tuple(notes))


def _changed(inventory: Inventory, file: Path, text: str, name: str, value: str | None) -> str | None:
    is_dotenv = file.name == _DOTENV
    if value is not None:
        setting = dotenv_file.with_variable if is_dotenv else preferences_file.with_variable
        return setting(text, name, value)
    here = dotenv_file.variables_of(text) if is_dotenv else preferences_file.variables_of(text)
    if here is not None and name not in here:
        if not is_dotenv and not preferences_file.has_env(text) and name in _variables_at_home(inventory):
            raise ToolError(f"{name} is set in {_home_file(inventory)}. Remove it there. Nothing was changed.")
        there = ", ".join(inventory.env.get("testing", {})) or "none"
        raise ToolError(f"{name} is not set in testing. There are: {there}. Nothing was changed.")
    removing = dotenv_file.without_variable if is_dotenv else preferences_file.without_variable
    return removing(text, name)


def _file(inventory: Inventory) -> Path:
    """Where testing's variables live: never in both files, since `.env` hides what the preferences say."""
    dotenv = inventory.root / _DOTENV
    if dotenv.exists() or not inventory.env.get("testing"):
        return dotenv
    files = [inventory.root / name for name in PREFERENCE_FILES]
    return next((file for file in files if file.is_file()), files[0])


def _home_file(inventory: Inventory) -> Path | None:
    """The preferences of the developer's home, when there are any."""
    own = {inventory.root / name for name in PREFERENCE_FILES}
    files = (file for file in inventory.sources if file.name in PREFERENCE_FILES and file not in own)
    return next((file for file in files if file.is_file()), None)


def _variables_at_home(inventory: Inventory) -> dict[str, str]:
    file = _home_file(inventory)
    return (preferences_file.variables_of(_text(file)) or {}) if file is not None else {}


def _copies_of_home(inventory: Inventory, file: Path, text: str, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return the home's variables that the first `@env` in the app's preferences would hide."""
    if file.name == _DOTENV or preferences_file.has_env(text) or all(value is None for value in changes.values()):
        return {}
    return {name: value for name, value in _variables_at_home(inventory).items() if name not in changes}


def _text(file: Path) -> str:
    """The text of a file, empty when it is not there."""
    if not file.exists():
        return ""
    try:
        return read_text(file, file.name)
    except ManifestError as fault:  # without its line, which may hold a secret
        raise ToolError(f"{file.name}:{fault.line}: {fault.message} {fault.hint} Nothing was changed.") from None


def _replace(root: Path, file: Path, text: str, *, mode: int, is_private: bool = False) -> list[str]:
    """Write a file of the app in `root` whole or not at all, and return notes.

    `mode` is that of a new file. One that `is_private` is closed to other users, which a note says.
    """
    check_within(root, file)
    target = Path(os.path.realpath(file))
    notes: list[str] = []
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else mode
        if is_private and mode & 0o077 and os.name == "posix":
            private = mode & 0o700
            notes = [
                f"Other users of this machine could read {file.name} (mode {mode:o}); now only you can ({private:o})."
            ]
            mode = private
        descriptor, made = tempfile.mkstemp(prefix=f"{target.name}-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text.encode())
                stream.flush()
                os.fsync(stream.fileno())
            Path(made).chmod(mode)
            Path(made).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(made).unlink()
            raise
    except OSError as error:
        raise ToolError(f"{file} cannot be written: {error.strerror}. No variable was changed.") from None
    return notes


def _ignored(root: Path, name: str) -> list[str]:
    """See to it that git leaves the file alone; what was done for it."""
    file = root / ".gitignore"
    text = _text(file)
    if is_ignored(text, name):
        return []
    _replace(root, file, with_line(text, name), mode=0o644)
    return [f"{name} is named in .gitignore now: it may hold secrets."]


def is_ignored(text: str, name: str) -> bool:
    """True when the last line of a `.gitignore` that names the file, or a pattern for it, ignores it."""
    ignored = False
    for line in text.removeprefix("\N{BYTE ORDER MARK}").split("\n"):
        pattern = line.rstrip()
        wanted = not pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("/").removeprefix("**/")
        if fnmatch.fnmatchcase(name, pattern):
            ignored = wanted
    return ignored


def with_line(text: str, name: str) -> str:
    """The text with a line for the file at its end, where it outdoes those before it."""
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith("\n") else end
    return f"{text}{gap}{name}{end}"
