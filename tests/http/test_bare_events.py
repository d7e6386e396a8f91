"""One request for one event, without a decorated handler that would hold it."""

from __future__ import annotations

import gc
import sys
import threading
from contextvars import Context
from typing import TYPE_CHECKING, Any
from weakref import ref

from arc.http.request import Request, answered, request_of
from tests.sessions.making import Made

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed import TraceFunction


def fresh() -> dict[str, Any]:
    """An event that is like every other here, and none of them."""
    return {"path": "/"}


def met_elsewhere(event: dict[str, Any]) -> Request:
    """The request of an event that a context met which has ended."""
    return Context().run(request_of, event)


def test_an_event_has_one_request_and_its_equal_another() -> None:
    """It is the very dict that counts; a request stands for itself."""
    event, equal = fresh(), fresh()
    first = request_of(event)
    assert request_of(event) is first
    assert request_of(first) is first
    assert request_of(equal) is not first
    assert request_of(event) is first
    assert first["path"] == "/"
    assert first.method == "GET"


def test_an_event_that_a_thread_met_is_found_by_another() -> None:
    """The thread may have ended before the event is answered."""
    event, found = fresh(), []
    thread = threading.Thread(target=lambda: found.append(request_of(event)))
    thread.start()
    thread.join()
    assert request_of(event) is found[0]


def test_the_newest_four_events_are_kept_until_they_are_answered() -> None:
    """A fifth makes the oldest be forgotten, so that events that nobody answers take no memory."""
    events = [fresh() for _ in range(5)]
    requests = [ref(met_elsewhere(event)) for event in events]
    assert requests[0]() is None
    for event, request in zip(events[1:], requests[1:], strict=True):
        assert request() is not None
        assert met_elsewhere(event) is request()


def answering(event: dict[str, Any]) -> Request:
    """The request that is answered once more, as `res` finds it."""
    return request_of(event, to_answer=True)


def test_an_answered_event_is_kept_by_the_context_that_met_it_alone() -> None:
    """It is forgotten with that context; others that wait for their answer stay."""
    event, waiting, context = fresh(), fresh(), Context()
    others = ref(met_elsewhere(waiting))
    request = context.run(request_of, event)
    answered(request)
    assert Context().run(answering, event) is request
    forgotten = ref(request)
    del context, request
    assert forgotten() is None
    assert others() is not None
    assert met_elsewhere(waiting) is others()


def test_an_event_that_comes_again_after_its_answer_is_another_request() -> None:
    """As in a test that calls a handler twice with one event; the answer itself may be made again."""
    event = fresh()
    first = request_of(event)
    answered(first)
    assert answering(event) is first
    second = request_of(event)
    assert second is not first
    assert request_of(event) is second
    assert answering(event) is second


def test_an_event_met_again_while_its_request_is_forgotten_has_one_request() -> None:
    """Another thread may meet it between any two steps of forgetting; both go on with the same request."""
    event, found, context = fresh(), [], Context()
    answered(context.run(request_of, event))
    other = threading.Thread(target=lambda: found.append(request_of(event)))

    def at_each_step(frame: FrameType, kind: str, _: object) -> TraceFunction | None:
        if kind == "line" and other.ident is None and frame.f_lineno > frame.f_code.co_firstlineno + 1:
            other.start()
            other.join(0.2)  # where forgetting is one step, the other thread waits for its end
        return at_each_step if frame.f_code.co_name == "_forget" else None

    before = sys.gettrace()
    sys.settrace(at_each_step)
    try:
        del context
    finally:
        sys.settrace(before)
    other.join()
    assert request_of(event) is found[0]


def test_a_session_is_freed_with_its_request() -> None:
    """No cycle of references keeps what a request and its session hold until the collector runs."""
    manager = Made().manager
    request = Request({"version": "2.0"}, None, lambda: manager)
    request.session["cart"] = [1]
    manager.commit(request.session)
    gone = ref(request)
    gc.disable()
    try:
        del request
        assert gone() is None
    finally:
        gc.enable()
