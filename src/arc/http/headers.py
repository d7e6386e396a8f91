"""The mappings of a request: `Headers`, which ignore case, and `Query`, whose fields may repeat."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Never, TypeVar

    T = TypeVar("T")

_TEXT = {str}


class Headers(Mapping[str, str]):
    """A read-only mapping of header names to values.

    Lookups ignore case (RFC 9110 §5.1), and iteration yields names in lower case. The values of a repeated name are
    joined with `", "`, those of `Cookie` with `"; "` (RFC 9110 §5.3, RFC 9113 §8.2.3).
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
        """Return the headers of an event. Values that are neither text nor numbers are left out."""
        if isinstance(fields, dict) and {*map(type, fields), *map(type, fields.values())} == _TEXT:
            # AWS sends nothing but text. Then lower case for all names at once is faster than for each.
            names = "\n".join(fields).lower().split("\n")
            headers = cls()
            headers._values = dict(zip(names, fields.values(), strict=False))
            if len(names) == len(headers._values) == len(fields):
                return headers
        return cls(single(fields))

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    if not TYPE_CHECKING:  # The inherited `get` raises and catches a `KeyError`. Its type still applies.

        def get(self, name: str, default: str | None = None) -> str | None:
            """Return the value of `name`, or `default` if the header is absent."""
            return self._values.get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        """Return the names only: values contain cookies and credentials."""
        return f"<Headers {', '.join(self._values)}>"


class Query(dict[str, "T"]):
    """A dict with the last value of each field; `getall(name)` returns all of them.

    Reading an absent field raises `MissingField`, a `KeyError` that is answered with status 400. Its message says that
    the request's `part` has no such field. `hints` maps the names of fields that are found elsewhere to the text of a
    plain `KeyError`, because the application has a mistake.
    """

    __slots__ = ("_all", "_hints", "_part")

    def __init__(
        self,
        pairs: Iterable[tuple[str, T]] = (),
        hints: Mapping[str, str] | None = None,
        *,
        part: str = "form has no field",
    ) -> None:
        self._all: dict[str, list[T]] = {}
        self._hints, self._part = hints or {}, part
        for name, value in pairs:
            self._all.setdefault(name, []).append(value)
        super().__init__({name: values[-1] for name, values in self._all.items()})

    def getall(self, name: str) -> list[T]:
        """Return every value of the field `name` in the order sent, `[]` if it is absent."""
        return list(self._all.get(name, ()))

    def __missing__(self, name: str) -> Never:
        if name in self._hints:
            raise KeyError(self._hints[name])
        from arc.errors import MissingField

        raise MissingField(name, self._part)


def single(fields: object) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a dict whose values are text or numbers, numbers as text."""
    for name, value in fields.items() if isinstance(fields, dict) else ():
        if isinstance(name, str) and isinstance(value, (str, int, float)):
            yield name, value if isinstance(value, str) else str(value)


def repeated(fields: object) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a dict whose values are lists of text, one pair for each element."""
    for name, values in fields.items() if isinstance(fields, dict) else ():
        if isinstance(name, str) and isinstance(values, list):
            yield from ((name, value) for value in values if isinstance(value, str))
