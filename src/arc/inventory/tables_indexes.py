"""`@tables-indexes`: global secondary indexes of the tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from arc.inventory.key_lines import KeyLines
from arc.inventory.table import Index
from arc.manifest import Map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.inventory.findings import Findings
    from arc.inventory.table import Table
    from arc.manifest import Entry, Item, Manifest

_HINT = "Write a key (*String, **Number), name or projection."


def read_indexes(manifest: Manifest, tables: Sequence[Table], findings: Findings) -> list[Table]:
    """`tables` with the indexes that the manifest gives them."""
    pragma = manifest.pragma("tables-indexes")
    indexed = {table.name: table for table in tables}
    tables_pragma = manifest.pragma("tables")
    declared = _declared(manifest)
    for item in pragma.items if pragma is not None else ():
        index = _read_index(manifest, item, findings)
        name = item.start.text if not hasattr(item, "text") else item.text
        if name not in declared and (tables_pragma is None or tables_pragma.whole):
            findings.fault(
                manifest, item, f"There is no table '{name}' to index.", "Declare it in @tables, or mend the name."
            )
        elif index is not None and name in indexed:
            table = indexed[name]
            if _name_of(index) in map(_name_of, table.indexes):
                findings.fault(
                    manifest, item, f"'{name}' has this index already.", "Give one of them a name of its own."
                )
            indexed[name] = replace(table, indexes=(*table.indexes, index))
    return list(indexed.values())


def _declared(manifest: Manifest) -> set[str]:
    """Names of tables, good or faulty: a fault in a table is told once, there."""
    pragma = manifest.pragma("tables")
    return {item.name.text for item in pragma.items if isinstance(item, Map)} if pragma is not None else set()


def _name_of(index: Index) -> str:
    keys = (index.partition, index.sort) if index.sort is not None else (index.partition,)
    return index.name or "-".join(key.name for key in keys)


def _read_index(manifest: Manifest, item: Item, findings: Findings) -> Index | None:
    if not isinstance(item, Map):
        findings.fault(
            manifest,
            item,
            "An index is a table's name with its keys below it.",
            "Write below the name, indented by two spaces: email *String.",
        )
        return None
    lines = KeyLines(manifest, item, findings)
    name: str | None = None
    projection: tuple[str, ...] = ("all",)
    unknown: list[Entry] = []
    for entry in lines.others:
        if entry.key.text == "name" and not entry.several:
            name = entry.values[0].text
        elif entry.key.text == "projection":
            projection = tuple(value.text for value in entry.values)
        else:
            unknown.append(entry)
    lines.not_understood(unknown, _HINT)
    partition = lines.finished()
    if partition is None:
        return None
    return Index(partition, lines.sort, name, projection)
