"""The request that a bare event stands for, the same one however often it is asked."""

from __future__ import annotations

from contextvars import ContextVar

from arc.http._manager import manager_of_process
from arc.http.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# One slot for each thread and task, so that nothing of one invocation is seen by another.
_current: ContextVar[tuple[dict[str, Any], Request] | None] = ContextVar("arc_current_request", default=None)


def request_of(event: dict[str, Any]) -> Request:
    """`event` when it is a `Request`, else the one made for it before in this context, else a new one."""
    if isinstance(event, Request):
        return event
    current = _current.get()
    if current is not None and current[0] is event:
        return current[1]
    if not isinstance(event, dict):
        raise TypeError(f"An event is a dict, not a {type(event).__name__}. Pass the handler's first argument.")
    request = Request(event, None, manager_of_process)
    _current.set((event, request))
    return request
