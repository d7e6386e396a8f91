"""Fields that may come more than once: a query string's, or a form's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Query(dict):  # type: ignore[type-arg]  # dict[str, str]; a base class in brackets costs time at each call
    """A dict of each field's last value; `getall(name)` gives all of them."""

    __slots__ = ("_all",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in pairs:
            self._all.setdefault(name, []).append(value)
        super().__init__({name: values[-1] for name, values in self._all.items()})

    def getall(self, name: str) -> list[str]:
        """Every value of the field `name` in the order sent, `[]` when there is none."""
        return list(self._all.get(name, ()))
