"""`sandbox-seed.json`, or the file that `seed-data` names: the rows that empty tables of the local cloud begin with."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.inventory.links import check_within
from arc.sessions.stores.dynamodb.attributes import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.inventory.table import Key, Table

FILE = "sandbox-seed.json"
UNREAD = ("sandbox-seed.js", "sandbox-seed.mjs", "sandbox-seed.cjs")
"""Architect's other names, which hold code for Node."""
_CODE = (".js", ".mjs", ".cjs")
_SHAPE = 'Write {"name of the table": [{"key": "value"}]}'


def fault_of(root: Path, name: str) -> str | None:
    """Return why the file that `seed-data` names has no effect, None where it has one."""
    if name.endswith(_CODE):
        return f"{name} is not read, because it is JavaScript. Write its rows as JSON into {FILE}."
    if ".." in Path(name).parts:
        return f"{name} (seed-data) is not read, because it is not below the app's folder."
    return None if seed_file(root, name).is_file() else f"There is no file {name}, which seed-data names."


def seed_file(root: Path, name: str) -> Path:
    """Return the file of that name in the app's folder."""
    return Path(root, *name.split("/"))


def read_seeds(root: Path, tables: Sequence[Table], file: str = FILE) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, by the manifest's name, in DynamoDB's JSON. Raises `ToolError` naming the row."""
    check_within(root, seed_file(root, file))
    try:
        text = seed_file(root, file).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"{file} cannot be read: {error}. It has to be JSON in UTF-8.") from None
    try:
        seeds = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{file} is not JSON: {error}. {_SHAPE}") from None
    if not isinstance(seeds, dict):
        raise ToolError(f"{file} is not an object. {_SHAPE}")
    known = {table.name: table for table in tables}
    for name, rows in seeds.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise ToolError(f"{file} has rows for a table {name!r}, and the manifest declares {names}. Mend the name.")
        if not isinstance(rows, list):
            raise ToolError(f"{file}: {name!r} does not hold a list of rows. {_SHAPE}")
    return {
        name: [_row(known[name], row, f"{file}: row {place} of {name}") for place, row in enumerate(rows, start=1)]
        for name, rows in seeds.items()
    }


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number that JSON or DynamoDB has")


def _row(table: Table, row: Any, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ToolError(f"{place} is not an object. {_SHAPE}")
    for key in (table.partition, table.sort):
        if key is None:
            continue
        if key.name not in row:
            raise ToolError(f"{place} lacks the key {key.name!r}. Give it a {key.kind}.")
        if not _fits(key, row[key.name]):
            raise ToolError(
                f"{place} has the key {key.name!r} as {json.dumps(row[key.name], default=float)}. Give it a {key.kind}."
            )
    return {name: encode(value) for name, value in row.items()}


def _fits(key: Key, value: Any) -> bool:
    if key.kind == "String":
        return isinstance(value, str) and value != ""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
