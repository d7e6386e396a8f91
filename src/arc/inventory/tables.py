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

_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_LONGEST = 255  # characters of a table's name on AWS
_PITR = ("pitr", "pointintimerecovery")


def read_tables(manifest: Manifest, app: str, findings: Findings) -> list[Table]:
    """Return the tables of `app` in the manifest's order; faulty ones are left out."""
    pragma = manifest.pragma("tables")
    tables: list[Table] = []
    seen: dict[str, tuple[str, int]] = {}
    for item in pragma.items if pragma is not None else ():
        table = _read_table(manifest, item, app, findings)
        if table is None:
            continue
        logical = _logical_id(table.name)
        if logical in seen:
            other, line = seen[logical]
            findings.fault(
                manifest,
                item,
                f"The table '{table.name}' is there twice: on line {line} already."
                if other == table.name
                else f"The tables '{table.name}' and '{other}' on line {line} share the logical id {logical}.",
                "Rename or remove one.",
            )
        else:
            tables.append(table)
            seen[logical] = table.name, item.start.line if isinstance(item, Map) else 0
    return tables


def _read_table(manifest: Manifest, item: Item, app: str, findings: Findings) -> Table | None:
    if not isinstance(item, Map):
        findings.fault(
            manifest,
            item,
            "A table is a name with its keys below it.",
            "Write below the name, indented by two spaces: id *String.",
        )
        return None
    lines = KeyLines(manifest, item, findings)
    _check_name(lines, app, item.name.text)
    ttl: str | None = None
    stream, pitr = False, False
    encrypt: bool | str = False
    for entry in lines.others:
        key, value = entry.key.text.lower(), entry.values[0]
        if value.text.lower() == "ttl" and not entry.several:
            lines.check_attribute(entry, entry.key.text)
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
            known = "Only keys (*String, **Number), a TTL attribute, stream, encrypt and PITR are declared."
            lines.warn_of(entry, "the table", known)
    partition = lines.finished()
    if partition is None:
        return None
    return Table(item.name.text, partition, lines.sort, ttl, stream, encrypt, pitr)


def _logical_id(name: str) -> str:
    """Return a table's name in CloudFormation, after Architect: two tables that share it become one there."""
    words = re.split(r"[\W_]+|(?=[A-Z])", name, flags=re.ASCII)
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def _check_name(lines: KeyLines, app: str, name: str) -> None:
    """Add a fault for a name that DynamoDB refuses. Only the name on AWS has limits: the app's name comes before it."""
    longest = len(f"{app}-production-{name}")
    if not _NAME.fullmatch(name):
        lines.fault(f"'{name}' cannot be the name of a table.", "Use letters, digits, '-', '_' and '.'.")
    elif longest > _LONGEST:
        lines.fault(
            f"The table name '{name[:20]}…' is too long: in production it would be {longest} characters, with the "
            "app's name before it.",
            f"Shorten it. DynamoDB takes {_LONGEST} characters.",
        )
