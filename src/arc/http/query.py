"""Fields that may come more than once: a query string's, or a form's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Never, TypeVar

    T = TypeVar("T")


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
