"""Which request this thread or task is about."""

from __future__ import annotations

from contextvars import ContextVar

from arc.http._manager import manager_of_process
from arc.http.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Each thread and task has its own slots, so that nothing of one invocation is seen by another.
_bare: ContextVar[tuple[dict[str, Any], Request] | None] = ContextVar("arc_bare_request", default=None)
handled: ContextVar[Request | None] = ContextVar("arc_handled_request", default=None)
"""The request that a decorated handler is working on, None outside of one."""


def request_of(event: dict[str, Any]) -> Request:
    """`event` when it is a `Request`, else the one made for it before in this context, else a new one."""
    if isinstance(event, Request):
        return event
    current = _bare.get()
    if current is not None and current[0] is event:
        return current[1]
    if not isinstance(event, dict):
        raise TypeError(f"An event is a dict, not a {type(event).__name__}. Pass the handler's first argument.")
    request = Request(event, None, manager_of_process)
    _bare.set((event, request))
    return request
