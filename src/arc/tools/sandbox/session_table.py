"""Where an app keeps its sessions in the sandbox, and what a table lacks that is to hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.tools.cloud.tables import physical_name

if TYPE_CHECKING:
    from arc.inventory import Inventory
    from arc.inventory.table import Table

ENVIRONMENT = "testing"
SEALED = "jwe"


def chosen_store(inventory: Inventory) -> str:
    """`jwe`, or the name of a table, as the app's .env or preferences choose it by either variable."""
    testing = inventory.env.get(ENVIRONMENT, {})
    return testing.get("ARC_SESSION_TABLE_NAME") or testing.get("SESSION_TABLE_NAME") or SEALED


def session_warnings(inventory: Inventory) -> list[str]:
    """Why the chosen table cannot hold sessions, or not well, with the lines that mend it."""
    chosen = chosen_store(inventory)
    if chosen == SEALED:
        return []
    table = _found(inventory, chosen)
    manifest = inventory.manifest.name
    if table is None:
        name = chosen.removeprefix(f"{inventory.app}-{ENVIRONMENT}-")
        return [f"sessions are to live in the table {chosen!r}, which is not in {manifest}. {_lines(name)}"]
    if (table.partition.name, table.partition.kind, table.sort) != ("_idx", "String", None):
        return [f"the table {table.name!r} cannot hold sessions: its key is not '_idx *String'. {_lines(table.name)}"]
    if table.ttl != "_ttl":
        told = f"its TTL is on {table.ttl!r}, not on '_ttl'" if table.ttl else "it has no TTL on '_ttl'"
        return [f"ended sessions stay in the table {table.name!r} for ever: {told}. {_lines(table.name)}"]
    return []


def _found(inventory: Inventory, name: str) -> Table | None:
    """The table of this name, be it the manifest's or the physical one."""
    for table in inventory.tables:
        if name in (table.name, physical_name(inventory.app, ENVIRONMENT, table)):
            return table
    return None


def _lines(name: str) -> str:
    return f"Write:\n  @tables\n  {name}\n    _idx *String\n    _ttl TTL"
