"""Text files of an app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.manifest import fault_at

if TYPE_CHECKING:
    from pathlib import Path


def read_text(file: Path, name: str) -> str:
    """The text of a UTF-8 file, which messages call `name`. Raises `ManifestError` and `ToolError`."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ToolError(f"{name} cannot be read: {error.strerror}. Check the file {file}.") from None
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        good = content.decode(errors="replace").split("\n")
        raise fault_at(
            name,
            tuple(good),
            line,
            column,
            "The file is not UTF-8: this byte is no character.",
            "Save the file as UTF-8.",
        ) from None
