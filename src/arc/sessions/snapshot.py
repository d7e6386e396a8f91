"""A session as it was loaded, so that a commit can tell what changed."""

from __future__ import annotations

from arc.sessions.values import deep_copy, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Snapshot:
    """The data and facts of a session at one moment, by value."""

    __slots__ = ("data", "facts")

    def __init__(self, data: dict[str, Any], facts: tuple[object, ...]) -> None:
        self.data: dict[str, Any] = deep_copy(data)
        self.facts = facts

    def differs(self, data: dict[str, Any], facts: tuple[object, ...]) -> bool:
        """True when `data`, at any depth and type-strictly, or `facts` are not as they were."""
        return facts != self.facts or not same(self.data, data)
