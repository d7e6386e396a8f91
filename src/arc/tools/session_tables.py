"""Where an environment keeps its sessions, and what a table lacks that is to hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.tools.cloud.tables import physical_name
from arc.tools.env.variables import OLD_STORE, SEALED, STORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory import Inventory
    from arc.inventory.tables import Table


def chosen_store(variables: Mapping[str, str]) -> str:
    """`jwe`, or the name of a table, as an environment's variables choose it by either name."""
    return variables.get(OLD_STORE) or variables.get(STORE) or SEALED


def store_warnings(
    inventory: Inventory, environment: str, variables: Mapping[str, str], names: Mapping[str, str] | None = None
) -> list[str]:
    """Why the chosen table cannot hold sessions, or not well, with the lines that mend it.

    `names` are physical names of tables that are not called as we call them, by those of the manifest.
    """
    fault = store_fault(inventory, environment, variables, names)
    if fault is not None:
        return [fault]
    table = _chosen_table(inventory, environment, chosen_store(variables), names or {})
    return [] if table is None else _ttl_warning(table)


def store_fault(
    inventory: Inventory, environment: str, variables: Mapping[str, str], names: Mapping[str, str] | None = None
) -> str | None:
    """Why no session can live in the chosen store, with the lines that mend it; `names` are `store_warnings`'."""
    chosen = chosen_store(variables)
    if chosen == SEALED:
        return None
    table = _chosen_table(inventory, environment, chosen, names or {})
    if table is None:
        name, manifest = chosen.removeprefix(f"{inventory.app}-{environment}-"), inventory.manifest.name
        return f"sessions are to live in the table {chosen!r}, which is not in {manifest}. {_lines(name)}"
    if not _is_session_table(table):
        return f"the table {table.name!r} cannot hold sessions: its key is not '_idx *String'. {_lines(table.name)}"
    return None


def _chosen_table(inventory: Inventory, environment: str, chosen: str, names: Mapping[str, str]) -> Table | None:
    """The table that is chosen by either of its names."""
    known = {table.name: physical_name(inventory.app, environment, table) for table in inventory.tables} | dict(names)
    return next((one for one in inventory.tables if chosen in (one.name, known[one.name])), None)


def ttl_warnings(inventory: Inventory) -> list[str]:
    """Which tables with the key of sessions would keep ended ones, with the lines that mend it."""
    tables = [table for table in inventory.tables if _is_session_table(table)]
    return [warning for table in tables for warning in _ttl_warning(table)]


def _is_session_table(table: Table) -> bool:
    return (table.partition.name, table.partition.kind, table.sort) == ("_idx", "String", None)


def _ttl_warning(table: Table) -> list[str]:
    if table.ttl == "_ttl":
        return []
    told = f"its TTL is on {table.ttl!r}, not on '_ttl'" if table.ttl else "it has no TTL on '_ttl'"
    return [f"ended sessions stay in the table {table.name!r} for ever: {told}. {_lines(table.name)}"]


def _lines(name: str) -> str:
    return f"Write:\n  @tables\n  {name}\n    _idx *String\n    _ttl TTL"
