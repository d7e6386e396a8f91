"""Apps on disk for tests."""

from __future__ import annotations

from pathlib import Path

from arc.errors import InventoryError
from arc.inventory import Inventory, read


def write(folder: Path, **files: str) -> Path:
    """Write `files` below `folder`, `__` in a name standing for a dot and `___` for a slash."""
    for name, text in files.items():
        file = folder / name.replace("___", "/").replace("__", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def app(folder: Path, http: str = "", rest: str = "", **files: str) -> Inventory:
    """The inventory of an app with these routes; `home` is an empty place."""
    write(folder, app__arc=f"@app\nmyapp\n\n@http\n{http}\n{rest}", **files)
    return read(folder, environ={}, home=folder / "nobody")


def faults(folder: Path, text: str, **files: str) -> list[str]:
    """The messages of every fault of an app with this manifest."""
    write(folder, app__arc=text, **files)
    try:
        read(folder, environ={}, home=folder / "nobody")
    except InventoryError as error:
        return [str(fault) for fault in error.faults]
    return []
