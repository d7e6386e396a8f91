"""Tables that are to hold sessions, and why one does not do that well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.inventory import Table

SEALED = "jwe"


def is_session_table(table: Table) -> bool:
    """True for a table with the key that sessions have."""
    return (table.partition.name, table.partition.kind, table.sort) == ("_idx", "String", None)


def ttl_warning(table: Table) -> str | None:
    """Why ended sessions would stay in a session table, with the line that mends it; None when they go."""
    if not is_session_table(table) or table.ttl == "_ttl":
        return None
    told = f"its TTL is on {table.ttl!r}, not on '_ttl'" if table.ttl else "it has no TTL on '_ttl'"
    return f"Ended sessions stay in the table {table.name!r} for ever: {told}. Write below it: _ttl TTL"


def store_warning(tables: Sequence[Table], names: Sequence[str], chosen: str, environment: str) -> str | None:
    """Why the store that an environment chose (`SESSION_TABLE_NAME`) is none of the app's; None when it is.

    `names` are the physical names of `tables`.
    """
    if chosen == SEALED:
        return None
    for table, name in zip(tables, names, strict=True):
        if chosen in (table.name, name):
            if is_session_table(table):
                return None
            return f"Sessions of {environment} are to live in {chosen!r}, whose key is not '_idx *String'."
    return (
        f"Sessions of {environment} are to live in {chosen!r}, which is no table of the manifest. Declare it below "
        f"@tables, or choose another: arc env {environment} SESSION_TABLE_NAME {SEALED}"
    )
