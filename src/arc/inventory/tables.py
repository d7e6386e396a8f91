"""`@tables`: the app's DynamoDB tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from arc.inventory.key_lines import KeyLines
from arc.inventory.table import Table
from arc.manifest import Map

if TYPE_CHECKING:
    from arc.inventory.findings import Findings
    from arc.manifest import Item, Manifest

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,99}")
_PITR = ("pitr", "pointintimerecovery")


def read_tables(manifest: Manifest, findings: Findings) -> list[Table]:
    """The tables, in the manifest's order; faulty ones are left out."""
    pragma = manifest.pragma("tables")
    tables: list[Table] = []
    seen: dict[str, int] = {}
    for item in pragma.items if pragma is not None else ():
        table = _read_table(manifest, item, findings)
        if table is None:
            continue
        logical = re.sub(r"[_-]", "", table.name).lower()
        if logical in seen:
            findings.fault(
                manifest,
                item,
                f"The table '{table.name}' is there twice: line {seen[logical]} has the name already.",
                "Rename or remove one.",
            )
        else:
            tables.append(table)
            seen[logical] = item.start.line if isinstance(item, Map) else 0
    return tables


def _read_table(manifest: Manifest, item: Item, findings: Findings) -> Table | None:
    if not isinstance(item, Map):
        findings.fault(
            manifest,
            item,
            "A table is a name with its keys below it.",
            "Write below the name, indented by two spaces: id *String.",
        )
        return None
    lines = KeyLines(manifest, item, findings)
    if not _NAME.fullmatch(item.name.text):
        lines.fault(
            f"'{item.name.text}' cannot be the name of a table.",
            "Use letters, digits, '-' and '_', a letter first, at most 100.",
        )
    ttl: str | None = None
    stream, pitr = False, False
    encrypt: bool | str = False
    for entry in lines.others:
        key, value = entry.key.text.lower(), entry.values[0]
        if value.text == "TTL":
            if ttl is not None:
                lines.fault(
                    f"'{item.name.text}' has two TTL attributes, '{ttl}' and '{entry.key.text}'.", "Keep one.", entry
                )
            ttl = entry.key.text
        elif key == "stream":
            stream = lines.boolean(entry)
        elif key in _PITR:
            pitr = lines.boolean(entry)
        elif key == "encrypt" and not entry.several:
            encrypt = value.value if isinstance(value.value, (bool, str)) else value.text
        else:
            written = " ".join((entry.key.text, *(each.text for each in entry.values)))
            findings.warn(
                manifest,
                entry.key,
                f"'{written}' below the table '{item.name.text}' has no effect. Only keys (*String, **Number), a TTL "
                "attribute, stream, encrypt and PITR are declared.",
            )
    partition = lines.finished()
    if partition is None:
        return None
    return Table(item.name.text, partition, lines.sort, ttl, stream, encrypt, pitr)
