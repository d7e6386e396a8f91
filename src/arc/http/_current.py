"""Which request an event stands for, in every thread and task of the handler that got it."""

from __future__ import annotations

import threading
from collections import deque
from contextvars import ContextVar
from weakref import WeakValueDictionary

from arc.http._manager import manager_of_process
from arc.http.events import event_of
from arc.http.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class _Bare:
    """An event that no decorated handler got, and the request made for it."""

    __slots__ = ("__weakref__", "event", "request")

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.event, self.request = event, Request(event, None, manager_of_process)


# A dict has no weak references: the event is found by its identity while one of the two below it keeps it. The context
# that met it first does until it meets another; a thread or a task may end before, so the newest are kept until they
# are answered, which is one at a time on Lambda. Nothing is found by anything but the very same event.
_lock = threading.Lock()
_by_identity: WeakValueDictionary[int, _Bare] = WeakValueDictionary()
_of_context: ContextVar[_Bare | None] = ContextVar("arc_bare_request", default=None)
_unanswered: deque[_Bare] = deque(maxlen=4)

handled: ContextVar[Request | None] = ContextVar("arc_handled_request", default=None)
"""The request that a decorated handler is working on, None outside of one."""


def request_of(event: Mapping[str, Any]) -> Request:
    """`event` when it is a `Request`, else the one made for it before, in any thread or task, else a new one."""
    if isinstance(event, Request):
        return event
    event = event_of(event)
    bare = _by_identity.get(id(event))
    if bare is None:
        with _lock:
            bare = _by_identity.get(id(event))
            if bare is None:
                bare = _Bare(event)
                _by_identity[id(event)] = bare
                _unanswered.append(bare)
                _of_context.set(bare)
    return bare.request


def answered(request: Request) -> None:
    """Keep the event of `request` no longer than the context that met it does."""
    with _lock:
        for bare in [bare for bare in _unanswered if bare.request is request]:
            _unanswered.remove(bare)
