"""The table that sessions live in, by whichever of its names."""

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

_KNOWN_FOR = 30  # seconds for which names that led nowhere are tried again before they are asked for anew
_ANOTHER_KEY = re.compile(r"schema|key element|Missing the key |Type mismatch for key ")
_NO_NAME = re.compile(r"[tT]ableName|[tT]able(/index)? name")


class SessionTable:
    """Operations on one table.

    `names()` gives the physical names that it may have, the likeliest first; it is asked for one more only when those
    before do not exist, may not be used by this role, or cannot store sessions. The first that can is kept. Until then
    every call looks again, so that a table that is made later is found. `remedy` says how a missing table is made;
    `monotonic` gives seconds.
    """

    def __init__(
        self,
        transport: Transport,
        names: Callable[[], Iterable[str]],
        *,
        remedy: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport, self._names, self._remedy, self._monotonic = transport, names, remedy, monotonic
        self._found: str | None = None
        self._known: tuple[list[str], float] | None = None

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation on the table. Raises `Refusal`, `StoreError`."""
        refusals: dict[str, Refusal] = {}
        for name in self._candidates():
            try:
                answer = self._transport(operation, _on(name, request))
            except Refusal as refusal:
                if not _is_elsewhere(refusal):
                    self._found = name
                    raise
                refusals[name] = refusal
            else:
                self._found = name
                return answer
        raise self._nowhere(operation, refusals)

    def _candidates(self) -> Iterator[str]:
        """The kept name; where there is none, or it has gone, every name that is known."""
        found = self._found
        if found is not None:
            yield found
            if self._found == found:  # The caller comes back only when the table is not there.
                self._found = None
        if self._known is not None and self._monotonic() - self._known[1] < _KNOWN_FOR:
            yield from self._known[0]
            return
        known: list[str] = []
        for name in self._names():
            known.append(name)
            yield name
        self._known = (known, self._monotonic())

    def _nowhere(self, operation: str, refusals: dict[str, Refusal]) -> StoreError:
        for name, refusal in refusals.items():
            if _has_another_key(refusal):
                return StoreError(
                    f"The table {name} is no session table: its key is not _idx (String) alone. "
                    "Declare one in app.arc (@tables, session, _idx *String, _ttl TTL), run `arc create`, "
                    "and set SESSION_TABLE_NAME to it."
                )
        looked = " and ".join(refusals)
        for refusal in refusals.values():
            if refusal.code == "AccessDeniedException":
                return StoreError(
                    f"DynamoDB refused {operation}: {refusal.code} ({refusal.message}). Looked for {looked}. "
                    "Check the credentials of the function and that its role may use the session table."
                )
        return StoreError(f"There is no table for sessions: looked for {looked}. {self._remedy}")


def _is_elsewhere(refusal: Refusal) -> bool:
    """True when a table of this name is not there, is not for this role, or cannot store sessions."""
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
