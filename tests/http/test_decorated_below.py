"""Decorators below `@arc.http.handler`: the arguments of the wrapped function decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, update_wrapper, wraps
from typing import Any

import pytest

import arc
from arc.testing import payload_v2
from tests.sessions.making import Made

Function = Callable[..., Any]


def plain(function: Function) -> Function:
    """The decorator of most tutorials, which passes on any arguments."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def login_required(function: Function) -> Function:
    """A decorator that uses the request and passes on the rest."""

    @wraps(function)
    def wrapper(req: arc.Request, *args: Any, **kwargs: Any) -> Any:
        return function(req, *args, **kwargs) if req.session.user_id is None else None

    return wrapper


def awaiting(function: Function) -> Function:
    """A decorator with an async wrapper around a function that may be async."""

    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return await result if hasattr(result, "__await__") else result

    return wrapper


@contextmanager
def timed() -> Iterator[None]:
    """A context manager, which is also a decorator."""
    yield


class Counted:
    """A decorator that is a class."""

    def __init__(self, function: Function) -> None:
        update_wrapper(self, function)
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.function(*args, **kwargs)


def twice(function: Function) -> Function:
    """One wrapper around another."""
    return plain(plain(function))


DECORATORS: list[Function] = [plain, login_required, awaiting, timed(), Counted, twice]


class Pages:
    """Handlers that are methods."""

    @plain
    def one(self, _req: arc.Request) -> str:
        """Take the request alone."""
        return "alone"

    @plain
    def two(self, _req: arc.Request, context: object) -> str:
        """Take both."""
        return str(context)

    @plain
    def __call__(self, _req: arc.Request) -> str:
        """Take the request alone."""
        return "alone"


def alone(_req: arc.Request) -> str:
    """A handler of the request only."""
    return "alone"


def both(_req: arc.Request, context: object) -> str:
    """A handler of the request and the context."""
    return str(context)


async def both_later(_req: arc.Request, context: object) -> str:
    """An async handler of the request and the context."""
    return str(context)


def answer(function: Function) -> str:
    """The body that `function` answers as a handler whose context is the text `context`."""
    body = arc.http.handler(manager=Made().manager)(function)(payload_v2(), "context")["body"]
    return str(body).strip('"')


@pytest.mark.parametrize("decorator", DECORATORS)
@pytest.mark.parametrize(("function", "expected"), [(alone, "alone"), (both, "context"), (both_later, "context")])
def test_star_args_wrapper_gets_the_arguments_of_its_function(
    decorator: Function, function: Function, expected: str
) -> None:
    """`functools.wraps` names the wrapped function, whose arguments decide whether the context is passed."""
    assert answer(decorator(function)) == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (Pages().one, "alone"),
        (Pages().two, "context"),
        (Pages(), "alone"),
        (partial(plain(alone)), "alone"),
        (partial(plain(both)), "context"),
        (plain(Pages().one), "alone"),
        (plain(Pages().two), "context"),
        (plain(partial(alone)), "alone"),
        (plain(partial(both)), "context"),
    ],
)
def test_decorated_methods_callables_and_partials_are_followed(function: Function, expected: str) -> None:
    """`self` is not counted at any depth of decoration."""
    assert answer(function) == expected


def test_wrapper_with_named_arguments_gets_those() -> None:
    """The arguments that a wrapper names are passed, whatever it wraps."""

    @wraps(both)
    def narrow(req: arc.Request) -> str:
        return both(req, "narrow")

    @wraps(alone)
    def wide(_req: arc.Request, context: object) -> str:
        return str(context)

    class Narrow:
        def __init__(self) -> None:
            update_wrapper(self, both)

        def __call__(self, _req: arc.Request) -> str:
            return "narrow object"

    assert [answer(narrow), answer(wide), answer(Narrow())] == ["narrow", "context", "narrow object"]


def test_wrapper_of_itself_does_not_loop() -> None:
    """A circular `__wrapped__` leaves the wrapper's own arguments."""

    def star(*args: Any) -> str:
        return str(len(args))

    star.__wrapped__ = star  # type: ignore[attr-defined]  # what a confused decorator does
    assert answer(star) == "2"
