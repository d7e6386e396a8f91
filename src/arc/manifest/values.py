"""The values that a manifest consists of. Each knows its line and column, both counted from 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from arc.errors import ManifestError

PlainScalar: TypeAlias = str | int | float | bool
PlainList: TypeAlias = list[PlainScalar]
PlainItem: TypeAlias = PlainScalar | PlainList | dict[str, PlainList | dict[str, PlainScalar | PlainList]]
Plain: TypeAlias = dict[str, list[PlainItem]]


@dataclass(frozen=True)
class Scalar:
    """A boolean, a number or text. `text` is the word as written, without quotes and escapes."""

    value: PlainScalar
    text: str
    line: int
    column: int

    @property
    def start(self) -> Scalar:
        """The scalar that errors about an item point at: here, itself."""
        return self

    def to_plain(self) -> PlainScalar:
        """Return the value."""
        return self.value


@dataclass(frozen=True)
class Array:
    """Two or more scalars on one line: `get /users`."""

    items: tuple[Scalar, ...]

    @property
    def start(self) -> Scalar:
        """The first scalar."""
        return self.items[0]

    def to_plain(self) -> PlainList:
        """Return the list of values."""
        return [item.value for item in self.items]


@dataclass(frozen=True)
class _Named:
    name: Scalar

    @property
    def start(self) -> Scalar:
        """The name."""
        return self.name


@dataclass(frozen=True)
class Vector(_Named):
    """A name, and below it one value on each line."""

    items: tuple[Scalar, ...]

    def to_plain(self) -> dict[str, PlainList | dict[str, PlainScalar | PlainList]]:
        """Return `{name: [value, …]}`."""
        return {self.name.text: [item.value for item in self.items]}


@dataclass(frozen=True)
class Entry:
    """A key of a map with its value, or its values (`several`)."""

    key: Scalar
    values: tuple[Scalar, ...]
    several: bool

    def to_plain(self) -> PlainScalar | PlainList:
        """Return the value, or the list of values."""
        return [value.value for value in self.values] if self.several else self.values[0].value


@dataclass(frozen=True)
class Map(_Named):
    """A name, and below it lines of a key and its values."""

    entries: tuple[Entry, ...]

    def to_plain(self) -> dict[str, PlainList | dict[str, PlainScalar | PlainList]]:
        """Return `{name: {key: value, or a list of values}}`."""
        return {self.name.text: {entry.key.text: entry.to_plain() for entry in self.entries}}


Item: TypeAlias = Scalar | Array | Vector | Map


@dataclass(frozen=True)
class Pragma:
    """An `@section`. `whole` is False when some of its lines did not parse, so that items may be missing."""

    name: str
    line: int
    column: int
    items: tuple[Item, ...]
    whole: bool = True


@dataclass(frozen=True)
class Manifest:
    """A parsed manifest. `file` is how messages call it; `lines` are its source lines."""

    file: str
    lines: tuple[str, ...]
    pragmas: tuple[Pragma, ...]

    def pragma(self, name: str) -> Pragma | None:
        """Return the pragma of that name, or None."""
        return next((pragma for pragma in self.pragmas if pragma.name == name), None)

    def to_plain(self) -> Plain:
        """Return `{pragma: [item, …]}`, made of dicts, lists and scalars, without positions."""
        return {pragma.name: [item.to_plain() for item in pragma.items] for pragma in self.pragmas}

    def fault(self, where: Item | Pragma, message: str, hint: str) -> ManifestError:
        """Return, and do not raise, an error that points at `where`; `hint` says what to write instead."""
        place = where if isinstance(where, Pragma) else where.start
        return fault_at(self.file, self.lines, place.line, place.column, message, hint)


def fault_at(file: str, lines: tuple[str, ...], line: int, column: int, message: str, hint: str) -> ManifestError:
    """Return a `ManifestError` that quotes its line, with control characters made visible."""
    source = lines[line - 1] if line <= len(lines) else ""
    shown = "".join(
        character if character.isprintable() or character == "\t" else "\N{REPLACEMENT CHARACTER}"
        for character in source
    )
    return ManifestError(message, file=file, line=line, column=column, source=shown, hint=hint)
