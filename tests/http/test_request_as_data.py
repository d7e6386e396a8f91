"""A whole request or event is never stored as session data, because its headers contain credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import arc
from arc.http.session import write
from arc.testing import alb, function_url, payload_v1, payload_v2
from tests.sessions.making import Made

Event = dict[str, Any]
BUILDERS: list[Callable[..., Event]] = [
    payload_v2,
    function_url,
    payload_v1,
    lambda *args, **options: payload_v1(*args, rest=False, **options),
    alb,
    lambda *args, **options: alb(*args, multi=True, **options),
    lambda method, path, headers: {"httpMethod": method, "path": path, "headers": headers},
]


def replace_in_place(req: arc.Request, data: Event) -> None:
    """`session |= data`."""
    session = req.session
    session |= data


def assign(req: arc.Request, data: Event) -> None:
    """`req.session = data`."""
    req.session = data


def key(req: arc.Request, data: Event) -> None:
    """`session["request"] = data`."""
    req.session["request"] = data


WAYS: list[Callable[[arc.Request, Event], Any]] = [
    lambda _req, data: write(data),
    lambda _req, data: {"session": data},
    lambda req, data: arc.http.res(req, {"session": data}),
    lambda req, data: req.session.replace(data),
    lambda req, data: req.session.update(data),
    lambda req, data: req.session.update(**data),
    lambda req, data: req.session.setdefault("request", data),
    assign,
    key,
    replace_in_place,
]


@pytest.mark.parametrize(
    "data_of", [lambda req: req, dict, lambda req: {**req, "count": 1}], ids=["same", "copy", "more"]
)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("build", BUILDERS)
def test_whole_request_is_refused_as_data(
    build: Callable[..., Event], way: Callable[[arc.Request, Event], Any], data_of: Callable[[arc.Request], Event]
) -> None:
    """Every way to store it raises a TypeError that names the alternative, shows no header and stores nothing."""
    made = Made(server=True)

    @arc.http.handler(manager=made.manager)
    def page(req: arc.Request) -> Any:
        return way(req, data_of(req))

    with pytest.raises(TypeError, match="the whole request") as error:
        page(build("POST", "/", headers={"host": "app.example", "authorization": "Bearer mine"}), None)
    assert "mine" not in str(error.value)
    assert "session" in str(error.value).partition("the whole request")[2]
    assert made.store is not None
    assert len(made.store) == 0


def test_message_names_the_right_call() -> None:
    """Each message shows the call to use instead."""
    made = Made()

    def message_of(way: Callable[[arc.Request], Any]) -> str:
        with pytest.raises(TypeError) as error:
            arc.http.handler(manager=made.manager)(way)(payload_v2(), None)
        return str(error.value)

    assert "arc.http.session.write(req.session)" in message_of(write)
    assert "{'session': req.session}" in message_of(lambda req: {"session": req})
    assert "{'page': req.path}" in message_of(lambda req: req.session.replace(req))
    assert "req.session['request']" in message_of(lambda req: key(req, req))


def test_bare_handlers_event_is_refused_as_data() -> None:
    """In a bare handler the event is refused in the same way."""
    event = payload_v2(headers={"authorization": "Bearer mine"})
    with pytest.raises(TypeError, match="the whole request"):
        write(event)
    with pytest.raises(TypeError, match="the whole request"):
        arc.http.res(event, {"session": event})


@pytest.mark.parametrize(
    "data",
    [
        {"headers": ["Name", "Price"]},
        {"path": "/", "method": "GET", "body": "x"},
        {"httpMethod": "GET"},
        {"version": "2.0"},
    ],
)
def test_data_with_names_of_an_event_is_stored(data: Event) -> None:
    """An app may use some of an event's keys."""
    made = Made()

    @arc.http.handler(manager=made.manager)
    def page(req: arc.Request) -> Any:
        req.session["saved"] = data
        req.session.update(data)
        return {"json": dict(req.session)}

    assert page(payload_v2(), None)["statusCode"] == 200
