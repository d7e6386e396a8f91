"""`@tables` and `@tables-indexes`: the app's DynamoDB tables, with the indexes of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from arc.inventory.findings import did_you_mean
from arc.inventory.indents import indented_items
from arc.manifest import Map

if TYPE_CHECKING:
    from arc.inventory.findings import Document
    from arc.manifest import Entry, Item


@dataclass(frozen=True)
class Key:
    """An attribute that is part of a key."""

    name: str
    kind: str
    """`String` or `Number`."""


@dataclass(frozen=True)
class Index:
    """A global secondary index; one without a `name` is named after its keys."""

    partition: Key
    sort: Key | None = None
    name: str | None = None
    projection: tuple[str, ...] = ("all",)
    """`("all",)`, `("keys",)`, or the attributes that are copied."""

    @property
    def name_on_aws(self) -> str:
        """The index's name in DynamoDB, which is Architect's for an index without a name."""
        keys = [key.name for key in (self.partition, self.sort) if key is not None]
        return self.name or "-".join((*keys, "index"))


@dataclass(frozen=True)
class Table:
    """A line of `@tables`, with its indexes."""

    name: str
    partition: Key
    sort: Key | None = None
    ttl: str | None = None
    """The attribute with the time at which DynamoDB deletes an item, in seconds since 1970."""
    stream: bool = False
    encrypt: bool | str = False
    """True, or the id of a KMS key."""
    pitr: bool = False
    """Point-in-time recovery."""
    indexes: tuple[Index, ...] = ()


def read_tables(document: Document, app: str) -> list[Table]:
    """Return the tables of `app` with their indexes, in the manifest's order; those with faults are left out."""
    tables: dict[str, Table] = {}
    seen: dict[str, tuple[str, int]] = {}
    items, declared = indented_items(document, "tables", "the table", lambda *_: True)
    for item in items:  # `declared` has those with faults too: the index of such a table is not a second fault
        where = item.start
        declared.add(where.text)
        table = _read_table(document, item, app)
        if table is None:
            continue
        logical = _logical_id(table.name)
        if logical not in seen:
            tables[table.name] = table
            seen[logical] = table.name, where.line
            continue
        other, line = seen[logical]
        message = f"The tables '{table.name}' and '{other}' on line {line} share the logical ID {logical}."
        if other == table.name:
            message = f"The table '{other}' is already declared on line {line}."
        document.fault(item, message, "Rename or remove one of them.")
    pragma = document.manifest.pragma("tables")
    may_be_missing = pragma is not None and not pragma.whole  # a line with a fault of syntax may have declared it
    indexes, _ = indented_items(document, "tables-indexes", "the index of", lambda *_: True)
    for item in indexes:
        _add_index(document, item, tables, known=may_be_missing or item.start.text in declared)
    return list(tables.values())


def _logical_id(name: str) -> str:
    """Return a table's logical ID in CloudFormation, as Architect derives it."""
    words = re.split(r"[\W_]+|(?=[A-Z])", name, flags=re.ASCII)
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def _read_table(document: Document, item: Item, app: str) -> Table | None:
    lines = _Lines(document, item, "table")
    lines.check_table_name(app)
    options: dict[str, Any] = {}
    for entry in lines.others:
        option, value = entry.key.text.lower(), entry.values[0]
        if value.text.lower() == "ttl" and not entry.several:
            lines.check_attribute(entry, entry.key.text)
            lines.check_first("TTL attributes", options.get("ttl"), entry)
            options["ttl"] = entry.key.text
        elif option in ("stream", "pitr", "pointintimerecovery"):
            options["stream" if option == "stream" else "pitr"] = lines.boolean(entry)
        elif option == "encrypt" and not entry.several:
            options["encrypt"] = value.value if isinstance(value.value, (bool, str)) else value.text
        else:
            lines.ignore(entry, "keys (*String, **Number), a TTL attribute, stream, encrypt and PITR")
    partition = lines.checked_partition()
    return None if partition is None else Table(lines.name, partition, lines.sort, **options)


def _add_index(document: Document, item: Item, tables: dict[str, Table], *, known: bool) -> None:
    index = _read_index(document, item)
    name = item.start.text
    if not known:
        hint = f"{did_you_mean(name, tables)}Declare the table in @tables, or correct the name."
        document.fault(item, f"Unknown table '{name}' in @tables-indexes.", hint)
    elif index is not None and name in tables:
        table = tables[name]
        if any(index.name_on_aws == other.name_on_aws for other in table.indexes):
            message = f"The table '{name}' already has an index called '{index.name_on_aws}'."
            document.fault(item, message, "Add a line with another name below one of them, such as name byDate.")
        tables[name] = replace(table, indexes=(*table.indexes, index))


_INDEX_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")


def _read_index(document: Document, item: Item) -> Index | None:
    lines = _Lines(document, item, "index of")
    options: dict[str, Any] = {}
    for entry in lines.others:
        option, values = entry.key.text.lower(), [value.text for value in entry.values]
        if option == "name" and not entry.several:
            options["name"] = values[0]
            if not _INDEX_NAME.fullmatch(values[0]):
                hint = "Use 3 to 255 letters, digits, '-', '_' and '.'."
                lines.fault(f"'{values[0]}' is not a valid index name.", hint, entry)
        elif option == "projection" and not entry.several and values[0].lower() in ("all", "keys"):
            options["projection"] = (values[0].lower(),)
        elif option == "projection":
            options["projection"] = tuple(values)
            for value in values:
                lines.check_attribute(entry, value)
        else:
            lines.ignore(entry, "keys (*String, **Number), name and projection")
    partition = lines.checked_partition()
    return None if partition is None else Index(partition, lines.sort, **options)


_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_LONGEST_NAME = 255  # characters of a table's name on AWS, and of an attribute in a key, TTL or projection
# As Architect takes them, in any case; a star alone is a string. Source: @architect/inventory, src/lib/is.js.
_KINDS = {"": "String", "string": "String", "number": "Number"}


def _is_attribute(entry: Entry) -> bool:
    """Return whether a line names an attribute and its type, and not a key."""
    return not entry.several and entry.values[0].text.lower() in ("string", "number")


class _Lines:
    """The lines below a table's name: the keys, and `others` for the caller. `what` they describe is in warnings."""

    def __init__(self, document: Document, item: Item, what: str) -> None:
        self.name = item.start.text
        self.partition: Key | None = None
        self.sort: Key | None = None
        self.others: list[Entry] = []
        self._document, self._item, self._what = document, item, what
        self._good = True
        for entry in item.entries if isinstance(item, Map) else ():
            word = entry.values[0].text
            if word.startswith("**"):
                self.sort = self._key(entry, word[2:], self.sort, "sort")
            elif word.startswith("*"):
                self.partition = self._key(entry, word[1:], self.partition, "partition")
            else:
                self.others.append(entry)

    def checked_partition(self) -> Key | None:
        """Return the partition key, None after a fault; that it is missing is one."""
        if self.partition is None and self._good:
            message = f"The {self._what} '{self.name}' has no partition key."
            meant = next((entry for entry in self.others if _is_attribute(entry)), None)
            if meant is None:
                self.fault(message, "Add a line below the name, indented by two spaces: id *String.")
            else:
                self.fault(message, f"Write {meant.key.text} *{_KINDS[meant.values[0].text.lower()]}.", meant)
        return self.partition if self._good else None

    def _key(self, entry: Entry, kind: str, before: Key | None, what: str) -> Key:
        if kind.lower() not in _KINDS or entry.several:
            stars = "**" if what == "sort" else "*"
            message = f"'{entry.values[0].text}' is not a valid {what} key type."
            self.fault(message, f"Write {stars}String or {stars}Number.", entry)
        else:
            self.check_first(f"{what} keys", before.name if before else None, entry)
        self.check_attribute(entry, entry.key.text)
        return Key(entry.key.text, _KINDS.get(kind.lower(), kind))

    def check_table_name(self, app: str) -> None:
        """Add a fault for a name that DynamoDB refuses; its length counts with the app's name in front of it."""
        length = len(f"{app}-production-{self.name}")
        if not _TABLE_NAME.fullmatch(self.name):
            self.fault(f"'{self.name}' is not a valid table name.", "Use letters, digits, '-', '_' and '.'.")
        elif length > _LONGEST_NAME:
            message = f"The table name '{self.name[:20]}…' is too long: with the app's name it has {length} characters."
            self.fault(message, f"Shorten it. DynamoDB allows {_LONGEST_NAME} characters.")

    def check_attribute(self, entry: Entry, name: str) -> None:
        """Add a fault about a line if DynamoDB refuses the attribute name in it."""
        if not 0 < len(name) <= _LONGEST_NAME:
            message = f"The attribute name '{name[:20]}…' has {len(name)} characters." if name else "The name is empty."
            self.fault(message, f"Use 1 to {_LONGEST_NAME} characters, which are DynamoDB's limits.", entry)

    def check_first(self, what: str, before: str | None, entry: Entry) -> None:
        """Add a fault when a line declares a second one of `what`."""
        if before is not None:
            message = f"The {self._what} '{self.name}' has two {what}, '{before}' and '{entry.key.text}'."
            self.fault(message, "Remove one of them.", entry)

    def boolean(self, entry: Entry) -> bool:
        """Return the boolean on a line; anything else is a fault."""
        value, name = entry.values[0].value, entry.key.text
        if not isinstance(value, bool) or entry.several:
            self.fault(f"'{name}' must be true or false.", f"Write {name} true or {name} false.", entry)
        return value is True

    def ignore(self, entry: Entry, supported: str) -> None:
        """Add a warning about a line that has no effect, as in Architect."""
        words = " ".join((entry.key.text, *(value.text for value in entry.values)))
        advice = f"Only {supported} are supported."
        if _is_attribute(entry):
            advice = "Remove the line: only the attributes of keys are declared, and rows may have any others."
        self._document.warn(entry.key, f"'{words}' below the {self._what} '{self.name}' has no effect. {advice}")

    def fault(self, message: str, hint: str, entry: Entry | None = None) -> None:
        """Add a fault about a line, or about the name above the lines."""
        self._good = False
        self._document.fault(entry.key if entry is not None else self._item, message, hint)
