"""Lines that declare keys, as `@tables` and `@tables-indexes` write them: `id *String`, `at **Number`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.inventory.table import Key

if TYPE_CHECKING:
    from arc.inventory.findings import Findings
    from arc.manifest import Entry, Manifest, Map

# As Architect takes them, in any case; a star alone is a string. Source: @architect/inventory, src/lib/is.js.
_KINDS = {"": "String", "string": "String", "number": "Number"}
_LONGEST = 255  # characters of an attribute's name: DynamoDB's limit for keys, TTL and projections


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
        if not 0 < len(name) <= _LONGEST:
            self.fault(
                f"The attribute name '{name[:20]}…' has {len(name)} characters."
                if name
                else "An attribute name is empty.",
                f"Use 1 to {_LONGEST} characters, DynamoDB's limits.",
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
