"""Request headers, found whatever their case."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Never, TypeVar

    T = TypeVar("T")


_TEXT = {str}


class Headers(Mapping[str, str]):
    """A read-only mapping of header names to values; names ignore case (RFC 9110 §5.1) and iterate in lower case.

    Values of a repeated name are joined by `", "`, those of `Cookie` by `"; "` (RFC 9110 §5.3, RFC 9113 §8.2.3).
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            if key in self._values:
                value = f"{self._values[key]}{'; ' if key == 'cookie' else ', '}{value}"  # noqa: PLW2901  # joined
            self._values[key] = value

    @classmethod
    def of(cls, fields: object) -> Headers:
        """The headers of an event, whose values are texts or numbers; what is neither is left out."""
        headers = cls()
        # All texts is what AWS sends: to see that is faster than to look at each pair.
        if isinstance(fields, dict) and {*map(type, fields), *map(type, fields.values())} == _TEXT:
            headers._values = {name.lower(): value for name, value in fields.items()}
            if len(headers._values) == len(fields):
                return headers
        return cls(single(fields))

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    if not TYPE_CHECKING:  # its type is `Mapping`'s, which raises and catches a `KeyError` for what is not there

        def get(self, name: str, default: str | None = None) -> str | None:
            """The value of `name`, `default` when there is none."""
            return self._values.get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        """The names alone: values hold cookies and credentials."""
        return f"<Headers {', '.join(self._values)}>"


def single(fields: object) -> Iterator[tuple[str, str]]:
    """The pairs of an object whose values are texts or numbers."""
    for name, value in fields.items() if isinstance(fields, dict) else ():
        if isinstance(name, str) and isinstance(value, (str, int, float)):
            yield name, value if isinstance(value, str) else str(value)


def repeated(fields: object) -> Iterator[tuple[str, str]]:
    """The pairs of an object whose values are lists of texts."""
    for name, values in fields.items() if isinstance(fields, dict) else ():
        if isinstance(name, str) and isinstance(values, list):
            yield from ((name, value) for value in values if isinstance(value, str))


class Query(dict[str, "T"]):
    """A dict of each field's last value; `getall(name)` gives all of them.

    `elsewhere` says of names that are not among the fields where to look: the text of the `KeyError` for one.
    """

    __slots__ = ("_all", "_elsewhere")

    def __init__(self, pairs: Iterable[tuple[str, T]] = (), elsewhere: Mapping[str, str] | None = None) -> None:
        self._all: dict[str, list[T]] = {}
        self._elsewhere = elsewhere or {}
        for name, value in pairs:
            self._all.setdefault(name, []).append(value)
        super().__init__({name: values[-1] for name, values in self._all.items()})

    def getall(self, name: str) -> list[T]:
        """Every value of the field `name` in the order sent, `[]` when there is none."""
        return list(self._all.get(name, ()))

    def __missing__(self, name: str) -> Never:
        raise KeyError(self._elsewhere.get(name, name))
