"""Which request an event stands for, in every thread and task of the handler that got it."""

from __future__ import annotations

from _thread import RLock
from collections import deque
from contextvars import ContextVar
from weakref import ref

from arc.http.events import event_of
from arc.http.manager import manager_of_process
from arc.http.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


# A dict has no weak references: the event is found by its identity while one of the two below it keeps its request,
# which keeps it. The context that met it first does until it meets another; a thread or a task may end before, so the
# newest are kept until they are answered, which is one at a time on Lambda. Nothing is found by anything but the very
# same event.
_lock = RLock()  # which a thread that holds it may take again: the collector may forget a request at any moment
_by_identity: dict[int, _Reference] = {}
_of_context: ContextVar[Request | None] = ContextVar("arc_bare_request", default=None)
_unanswered: deque[Request] = deque(maxlen=4)

handled: ContextVar[Request | None] = ContextVar("arc_handled_request", default=None)
"""The request that a decorated handler is working on, None outside of one."""


class _Reference(ref[Request]):
    """A weak reference to the request of a bare event, found under the event's identity while the request lives."""

    __slots__ = ("key",)

    key: int


def request_of(event: Mapping[str, Any], *, to_answer: bool = False) -> Request:
    """`event` when it is a `Request`, else the one made for it before, in any thread or task, else a new one.

    An event whose request was answered stands for another one, except where that is `to_answer` again; so does one
    that was given another visitor's cookies, as a test may do with the dict of an earlier call.
    """
    if isinstance(event, Request):
        return event
    found = _of_context.get()
    if found is not None and found.shape.event is event and (to_answer or found.is_open):
        return found
    event = event_of(event)
    with _lock:
        reference = _by_identity.get(id(event))
        request = None if reference is None else reference()
        if request is None or not (to_answer or request.is_open):
            request = Request(event, None, manager_of_process)
            reference = _by_identity[id(event)] = _Reference(request, _forget)
            reference.key = id(event)
            _unanswered.append(request)
            _of_context.set(request)
    return request


def answered(request: Request) -> None:
    """Take the event of `request` for another one's from now on, and keep it no longer than the context that met it."""
    request.answered = True
    with _lock:
        kept = [one for one in _unanswered if one is not request]
        _unanswered.clear()
        _unanswered.extend(kept)


def _forget(reference: _Reference) -> None:
    with _lock:  # between the two lines the event might be met again
        if _by_identity.get(reference.key) is reference:
            del _by_identity[reference.key]
