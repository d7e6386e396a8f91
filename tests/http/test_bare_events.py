"""A bare event has one request, although no decorated handler holds it."""

from __future__ import annotations

import gc
import threading
from contextvars import Context
from typing import Any
from weakref import ref

from arc.http import request as module
from arc.http.request import Request, finish, request_of
from tests.sessions.making import Made


def fresh() -> dict[str, Any]:
    """An event that equals every other event of these tests, as a new dict."""
    return {"path": "/"}


def read_elsewhere(event: dict[str, Any]) -> Request:
    """The request of an event that was read in a context which has ended."""
    return Context().run(request_of, event)


def test_equal_events_have_different_requests() -> None:
    """The identity of the dict counts, and a request stands for itself."""
    event, equal = fresh(), fresh()
    first = request_of(event)
    assert request_of(event) is first
    assert request_of(first) is first
    assert request_of(equal) is not first
    assert request_of(event) is first
    assert first["path"] == "/"
    assert first.method == "GET"


def test_threads_share_the_request_of_an_event() -> None:
    """The thread that first read the event may have ended."""
    event, found = fresh(), []
    thread = threading.Thread(target=lambda: found.append(request_of(event)))
    thread.start()
    thread.join()
    assert request_of(event) is found[0]


def test_the_newest_four_unfinished_requests_are_kept() -> None:
    """A fifth replaces the oldest, so unfinished events do not fill memory."""
    events = [fresh() for _ in range(5)]
    requests = [ref(read_elsewhere(event)) for event in events]
    assert requests[0]() is None
    for event, request in zip(events[1:], requests[1:], strict=True):
        assert request() is not None
        assert read_elsewhere(event) is request()


def finished(event: dict[str, Any]) -> Request:
    """The request that is finished once more, as `res` finds it."""
    return request_of(event, for_response=True)


def test_finished_request_is_kept_only_by_its_context() -> None:
    """It is freed with that context, and other unfinished requests stay."""
    event, waiting, context = fresh(), fresh(), Context()
    others = ref(read_elsewhere(waiting))
    request = context.run(request_of, event)
    finish(request)
    assert Context().run(finished, event) is request
    forgotten = ref(request)
    del context, request
    assert forgotten() is None
    assert others() is not None
    assert read_elsewhere(waiting) is others()


def test_event_after_its_response_gets_a_new_request() -> None:
    """A test may call a handler twice with one event, and may make the same response again."""
    event = fresh()
    first = request_of(event)
    finish(first)
    assert finished(event) is first
    second = request_of(event)
    assert second is not first
    assert request_of(event) is second
    assert finished(event) is second


def test_events_without_a_request_are_forgotten() -> None:
    """Their number is limited, and an event whose request is gone gets a new one."""
    event = fresh()
    gone = ref(Context().run(request_of, event))
    found = [id(Context().run(request_of, fresh())) for _ in range(1000)]
    assert gone() is None
    assert len(module._by_identity) <= module._MOST_REFERENCES + 1 < len(found)
    assert request_of(event) is request_of(event)


def test_an_event_at_the_place_of_another_in_memory_has_its_own_request() -> None:
    """A dict often has the identity of one that was freed just before."""
    identities = set()
    for number in range(50):
        event = {"path": f"/{number}"}
        identities.add(id(event))
        assert Context().run(request_of, event).path == f"/{number}"
        finish(Context().run(request_of, event))
    assert len(identities) < 50


def test_a_session_is_freed_with_its_request() -> None:
    """No reference cycle keeps a request and its session until garbage collection."""
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
