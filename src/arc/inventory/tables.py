"""`@tables`: the app's DynamoDB tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from arc.manifest import Map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arc.inventory.findings import Findings
    from arc.manifest import Entry, Item, Manifest


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


# As Architect takes them, in any case; a star alone is a string. Source: @architect/inventory, src/lib/is.js.
_KINDS = {"": "String", "string": "String", "number": "Number"}
_LONGEST_ATTRIBUTE = 255  # characters of an attribute's name: DynamoDB's limit for keys, TTL and projections


class KeyLines:
    """The partition and sort key below a name; `others` are the lines that declare no key."""

    def __init__(self, manifest: Manifest, item: Map, findings: Findings) -> None:
        self.partition: Key | None = None
        self.sort: Key | None = None
        self.others: list[Entry] = []
        self._manifest, self._item, self._findings = manifest, item, findings
        self.good = True
        for entry in item.entries:
            value = entry.values[0].text
            if value.startswith("**"):
                self.sort = self._key(entry, value[2:], self.sort, "sort")
            elif value.startswith("*"):
                self.partition = self._key(entry, value[1:], self.partition, "partition")
            else:
                self.others.append(entry)

    def finished(self) -> Key | None:
        """The partition key once every line is understood; None after a fault, and without one that is the fault."""
        if self.partition is None and self.good:
            self.fault(f"'{self._item.name.text}' has no partition key.", "Write below it a line such as id *String.")
        return self.partition if self.good else None

    def _key(self, entry: Entry, kind: str, already: Key | None, what: str) -> Key:
        if kind.lower() not in _KINDS or entry.several:
            stars = "**" if what == "sort" else "*"
            self.fault(
                f"'{entry.values[0].text}' is not a valid {what} key type.",
                f"Write {stars}String or {stars}Number.",
                entry,
            )
        elif already is not None:
            self.fault(
                f"'{self._item.name.text}' has two {what} keys, '{already.name}' and '{entry.key.text}'.",
                "Keep one.",
                entry,
            )
        self.check_attribute(entry, entry.key.text)
        return Key(entry.key.text, _KINDS.get(kind.lower(), kind))

    def check_attribute(self, entry: Entry, name: str) -> None:
        """Add a fault about a line if DynamoDB refuses the attribute name in it."""
        if not 0 < len(name) <= _LONGEST_ATTRIBUTE:
            self.fault(
                f"The attribute name '{name[:20]}…' has {len(name)} characters."
                if name
                else "An attribute name is empty.",
                f"Use 1 to {_LONGEST_ATTRIBUTE} characters, DynamoDB's limits.",
                entry,
            )

    def fault(self, message: str, hint: str, entry: Entry | None = None) -> None:
        """Add a fault about a line, or about the whole."""
        self.good = False
        self._findings.fault(self._manifest, entry.key if entry is not None else self._item, message, hint)

    def boolean(self, entry: Entry) -> bool:
        """The value of a line that says true or false."""
        value = entry.values[0].value
        if not isinstance(value, bool) or entry.several:
            self.fault(
                f"'{entry.key.text}' is no boolean.", f"Write {entry.key.text} true or {entry.key.text} false.", entry
            )
        return value is True

    def warn_of(self, entry: Entry, what: str, known: str) -> None:
        """Add a warning about a line that means nothing below `what`, and has no effect in Architect either."""
        written = " ".join((entry.key.text, *(value.text for value in entry.values)))
        self._findings.warn(
            self._manifest,
            entry.key,
            f"'{written}' below {what} '{self._item.name.text}' has no effect. {known}",
        )


@dataclass(frozen=True)
class Key:
    """An attribute that is part of a key."""

    name: str
    kind: str
    """`String` or `Number`."""


@dataclass(frozen=True)
class Index:
    """A global secondary index; without a `name` it gets one when it is created."""

    partition: Key
    sort: Key | None = None
    name: str | None = None
    projection: tuple[str, ...] = ("all",)
    """`("all",)`, `("keys",)`, or the attributes that are copied."""


@dataclass(frozen=True)
class Table:
    """A line of `@tables`, with its indexes."""

    name: str
    partition: Key
    sort: Key | None = None
    ttl: str | None = None
    """The attribute that holds the time to delete an item at, in seconds since 1970."""
    stream: bool = False
    encrypt: bool | str = False
    """True, or the id of a KMS key."""
    pitr: bool = False
    """Point-in-time recovery."""
    indexes: tuple[Index, ...] = ()
