"""The session table, which may have one of several names."""

from __future__ import annotations

import re
import time

from arc.errors import StoreError
from arc.sessions.stores.dynamodb.transport import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from arc.sessions.stores.dynamodb.transport import Transport

_KNOWN_FOR = 30  # seconds for which the names are reused if no table was found
_ANOTHER_KEY = re.compile(r"schema|key element|Missing the key |Type mismatch for key ")
_NO_NAME = re.compile(r"[tT]ableName|[tT]able(/index)? name")


class SessionTable:
    """Operations on one table.

    `names()` yields the possible names of the table, the most likely first. The next one is requested only if the
    previous tables do not exist, are forbidden, or cannot store sessions. The first table that works is used from then
    on. Until then every call searches again, so that a table that is created later is found. `remedy()` returns how to
    create a missing table, and `monotonic` returns seconds.
    """

    def __init__(
        self,
        transport: Transport,
        names: Callable[[], Iterable[str]],
        *,
        remedy: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport, self._names, self._remedy, self._monotonic = transport, names, remedy, monotonic
        self._found: str | None = None
        self._known: tuple[list[str], float] | None = None

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the response to an operation on the table. Raises `Refusal` and `StoreError`."""
        refusals: dict[str, Refusal] = {}
        for name in self._candidates():
            try:
                response = self._transport(operation, _on(name, request))
            except Refusal as refusal:
                if not _is_unusable(refusal):
                    self._found = name
                    raise
                refusals[name] = refusal
            else:
                self._found = name
                return response
        raise self._not_found(operation, refusals)

    def _candidates(self) -> Iterator[str]:
        """Yield the table's name if that is known, and then all possible names."""
        found = self._found
        if found is not None:
            yield found
            if self._found == found:  # The caller continues only if the table does not exist.
                self._found = None
        if self._known is not None and self._monotonic() - self._known[1] < _KNOWN_FOR:
            yield from self._known[0]
            return
        known: list[str] = []
        for name in self._names():
            known.append(name)
            yield name
        self._known = (known, self._monotonic())

    def _not_found(self, operation: str, refusals: dict[str, Refusal]) -> StoreError:
        for name, refusal in refusals.items():
            if _has_another_key(refusal):
                return StoreError(
                    f"The table {name} cannot store sessions, because its key is not _idx (String) alone. "
                    "Declare a table in app.arc (@tables, session, _idx *String, _ttl TTL), run `arc create`, "
                    "and set SESSION_TABLE_NAME to it."
                )
        names = " and ".join(refusals)
        for refusal in refusals.values():
            if refusal.code == "AccessDeniedException":
                return StoreError(
                    f"DynamoDB refused {operation} on {names}: {refusal.code} ({refusal.message}). "
                    "Check the function's credentials and its role's permissions for the session table."
                )
        return StoreError(f"No table for sessions was found under {names}. {self._remedy()}")


def _is_unusable(refusal: Refusal) -> bool:
    """True when the table does not exist, is forbidden, or cannot store sessions."""
    no_name = refusal.code == "ValidationException" and _NO_NAME.search(refusal.message) is not None
    missing = refusal.code in ("ResourceNotFoundException", "AccessDeniedException")
    return missing or no_name or _has_another_key(refusal)


def _has_another_key(refusal: Refusal) -> bool:
    return refusal.code == "ValidationException" and _ANOTHER_KEY.search(refusal.message) is not None


def _on(table: str, request: dict[str, Any]) -> dict[str, Any]:
    if "TransactItems" not in request:
        return {"TableName": table, **request}
    items = [{kind: {"TableName": table, **part} for kind, part in item.items()} for item in request["TransactItems"]]
    return {**request, "TransactItems": items}
