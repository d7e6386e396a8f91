"""The app in a folder, as a command begins with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc import inventory as inventories

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory import Inventory


def read_app(folder: Path = Path(), *, environ: Mapping[str, str] | None = None) -> Inventory:
    """Return the app in `folder`, after its warnings have been shown on standard error, each once.

    `environ` and the errors are those of `arc.inventory.read`.
    """
    inventory = inventories.read(folder, environ=environ)
    for warning in dict.fromkeys(inventory.warnings):
        typer.echo(f"Warning: {warning}", err=True)
    return inventory
