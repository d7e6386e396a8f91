"""The table that sessions live in, by whichever of its names."""

from __future__ import annotations

from arc.errors import StoreError
from arc.sessions.stores.dynamodb.transport import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from arc.sessions.stores.dynamodb.transport import Transport


class SessionTable:
    """Operations on one table.

    `names()` gives the physical names it may have, the likeliest first; it is asked once, and the first
    name that exists is kept. `remedy` says how a missing table is made.
    """

    def __init__(self, transport: Transport, names: Callable[[], Sequence[str]], *, remedy: str) -> None:
        self._transport, self._names, self._remedy = transport, names, remedy
        self._candidates: list[str] = []

    @property
    def name(self) -> str:
        """The table's name, as far as it is known."""
        if not self._candidates:
            self._candidates = list(self._names())
        return self._candidates[0]

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation on the table. Raises `Refusal`, `StoreError`."""
        while True:
            name = self.name
            try:
                return self._transport(operation, _on(name, request))
            except Refusal as refusal:
                if refusal.code != "ResourceNotFoundException":
                    raise
                if len(self._candidates) < 2:  # noqa: PLR2004  # the last one
                    raise self._missing() from None
                if self._candidates[0] == name:  # Another thread may have gone on already.
                    self._candidates.pop(0)

    def _missing(self) -> StoreError:
        looked = " and ".join(dict.fromkeys(self._names()))
        return StoreError(f"There is no table for sessions: looked for {looked}. {self._remedy}")


def _on(table: str, request: dict[str, Any]) -> dict[str, Any]:
    if "TransactItems" not in request:
        return {"TableName": table, **request}
    items = [{kind: {"TableName": table, **part} for kind, part in item.items()} for item in request["TransactItems"]]
    return {**request, "TransactItems": items}
