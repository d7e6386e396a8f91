"""The inventory: everything known about an app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arc.inventory.aws import Aws
    from arc.inventory.route import Route
    from arc.inventory.sandbox_preferences import SandboxPreferences
    from arc.inventory.table import Table


@dataclass(frozen=True)
class Inventory:
    """An app, validated."""

    root: Path
    """The app's folder, absolute."""
    manifest: Path
    """The manifest's file."""
    app: str
    routes: tuple[Route, ...]
    """In the order in which they are to be matched."""
    tables: tuple[Table, ...]
    aws: Aws
    shared: Path | None
    """The folder of shared code, if there is one."""
    env: Mapping[str, Mapping[str, str]] = field(repr=False)
    """Variables for each environment, as this machine knows them. They hold secrets, so `repr` leaves them out."""
    sandbox: SandboxPreferences
    """`@sandbox` of the preferences."""
    warnings: tuple[str, ...]
    sources: tuple[Path, ...]
    """Every file that was read or looked for: a change in one of them changes the inventory."""
