"""`@tables-indexes`: global secondary indexes of the tables."""

from __future__ import annotations

import re
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

_INDEX_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")


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
    for entry in lines.others:
        setting = entry.key.text.lower()
        if setting == "name" and not entry.several:
            name = entry.values[0].text
            if not _INDEX_NAME.fullmatch(name):
                lines.fault(
                    f"'{name}' cannot be the name of an index.",
                    "Use 3 to 255 letters, digits, '-', '_' and '.'.",
                    entry,
                )
        elif setting == "projection":
            projection = _projection(lines, entry)
        else:
            lines.warn_of(entry, "the index of", "Only keys (*String, **Number), name and projection are declared.")
    partition = lines.finished()
    if partition is None:
        return None
    return Index(partition, lines.sort, name, projection)


def _projection(lines: KeyLines, entry: Entry) -> tuple[str, ...]:
    """Return what a line projects: `all` and `keys` in any case, as in Architect, or names of attributes."""
    word = entry.values[0].text.lower()
    if not entry.several and word in ("all", "keys"):
        return (word,)
    for value in entry.values:
        lines.check_attribute(entry, value.text)
    return tuple(value.text for value in entry.values)
