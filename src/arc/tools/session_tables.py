"""Where an environment stores its sessions, and what a session table lacks in the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.inventory.findings import closest
from arc.tools.cloud.tables import physical_name
from arc.tools.env.variables import OLD_STORE, SEALED, STORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.inventory import Inventory
    from arc.inventory.tables import Table

_CLOSE = 0.7  # the least similarity of a misspelled table, as difflib measures it


def chosen_store(variables: Mapping[str, str]) -> str:
    """Return the store that an environment's variables select: `jwe`, or a table's name."""
    return variables.get(OLD_STORE) or variables.get(STORE) or SEALED


def store_warnings(
    inventory: Inventory, environment: str, variables: Mapping[str, str], names: Mapping[str, str] | None = None
) -> list[str]:
    """Return the problems of the selected table, with the lines that fix them.

    `names` are the physical names of tables that a stack has named, by their names in the manifest.
    """
    fault = store_fault(inventory, environment, variables, names)
    if fault is not None:
        return [fault]
    table = _selected_table(inventory, environment, chosen_store(variables), names or {})
    return [] if table is None else _ttl_warning(table)


def store_fault(
    inventory: Inventory, environment: str, variables: Mapping[str, str], names: Mapping[str, str] | None = None
) -> str | None:
    """Return why the selected table cannot store sessions, with the lines that fix it; see `store_warnings`."""
    selected = chosen_store(variables)
    if selected == SEALED:
        return None
    table = _selected_table(inventory, environment, selected, names or {})
    if table is None:
        name = selected.removeprefix(f"{inventory.app}-{environment}-")
        meant = closest(name, [table.name for table in inventory.tables if _is_session_table(table)], cutoff=_CLOSE)
        advice = f"Did you mean {meant!r}? Set SESSION_TABLE_NAME to it." if meant else _lines(name)
        return f"{inventory.manifest.name} does not declare the session table {selected!r}. {advice}"
    if not _is_session_table(table):
        return f"The table {table.name!r} cannot store sessions: its key is not '_idx *String'. {_lines(table.name)}"
    return None


def ttl_warnings(inventory: Inventory) -> list[str]:
    """Return which session tables would keep ended sessions, with the lines that fix it."""
    tables = [table for table in inventory.tables if _is_session_table(table)]
    return [warning for table in tables for warning in _ttl_warning(table)]


def _selected_table(inventory: Inventory, environment: str, name: str, names: Mapping[str, str]) -> Table | None:
    """Return the table with that name in the manifest or on AWS."""
    for table in inventory.tables:
        if name in (table.name, names.get(table.name, physical_name(inventory.app, environment, table))):
            return table
    return None


def _is_session_table(table: Table) -> bool:
    return (table.partition.name, table.partition.kind, table.sort) == ("_idx", "String", None)


def _ttl_warning(table: Table) -> list[str]:
    if table.ttl == "_ttl":
        return []
    problem = f"its TTL attribute is {table.ttl!r}, not '_ttl'" if table.ttl else "it has no TTL attribute '_ttl'"
    return [f"Ended sessions stay in the table {table.name!r} forever: {problem}. {_lines(table.name)}"]


def _lines(name: str) -> str:
    return f"Write:\n  @tables\n  {name}\n    _idx *String\n    _ttl TTL"
