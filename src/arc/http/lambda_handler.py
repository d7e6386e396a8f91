"""`@arc.http.handler`: a Lambda handler out of a function of a request."""

from __future__ import annotations

from _thread import allocate_lock  # threading, without its import
from functools import wraps

from arc.errors import ArcError, BadRequest, FreshSignInRequired, StoreError
from arc.http.manager import manager_of_process
from arc.http.reply import reply
from arc.http.request import Request, handled
from arc.sessions.time_left import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any, Literal, overload

    from arc.sessions.manager import SessionManager

    LambdaHandler = Callable[..., dict[str, Any]]
else:

    def overload(declaration: object) -> object:
        """`typing.overload` without the import of typing."""
        return declaration


RETRY_AFTER = 2  # seconds
_UNAUTHORIZED = 401
_TAKES_STAR_ARGS = 0x04  # inspect.CO_VARARGS
_lock = allocate_lock()
_running: tuple[int, AbstractEventLoop] | None = None
_MOST_WRAPPERS = 100  # decorators on one function


@overload
def handler(  # noqa: D103  # an overload
    function: Callable[..., Any],
    /,
    *following: Callable[..., Any],
    touch: bool | Literal["always"] = True,
    csrf: bool = False,
    cross_site: bool = False,
    manager: SessionManager | None = None,
) -> LambdaHandler: ...
@overload
def handler(  # noqa: D103, F811  # an overload, by a name that is typing's for the type checker alone
    *,
    touch: bool | Literal["always"] = True,
    csrf: bool = False,
    cross_site: bool = False,
    manager: SessionManager | None = None,
) -> Callable[[Callable[..., Any]], LambdaHandler]: ...
def handler(  # noqa: F811
    *functions: Callable[..., Any],
    touch: bool | Literal["always"] = True,
    csrf: bool = False,
    cross_site: bool = False,
    manager: SessionManager | None = None,
) -> Any:
    """A Lambda handler of `function(req)` or `function(req, context)`, plain or `async`.

    Of several functions each is called in turn, as Architect's middleware: the first that returns a response ends it,
    and one that returns None or the request itself leaves it to the next.

    The session is loaded when `req.session` is first taken and committed once, before the response.
    `touch=False` keeps a polling route from renewing it, and `touch="always"` lets any request renew it;
    `csrf=True` verifies every unsafe request before the function runs; `cross_site=True` lets a request
    that another site began start a session although the browser withheld the visitor's cookie; `manager`
    serves sessions other than those the environment asks for. The function returns an Architect response
    (dict), text, bytes or None. `BadRequest` is answered 400, `ForgedRequest` 403, `FreshSignInRequired`
    401, each as HTML where the Accept header asks for it and else as JSON, and `StoreError` 503, which is logged
    as an error; any other exception propagates, so that Lambda counts it.
    """
    for function in functions:
        if not callable(function):
            raise TypeError(
                f"@arc.http.handler was given {function!r}. Its options have names: @arc.http.handler(csrf=True)"
            )
    options: dict[str, Any] = {"touch": touch, "csrf": csrf, "cross_site": cross_site, "manager": manager}
    if not functions:
        return lambda decorated: _decorated((decorated,), **options)
    return _decorated(functions, **options)


def _decorated(
    functions: tuple[Callable[..., Any], ...],
    *,
    touch: bool | Literal["always"],
    csrf: bool,
    cross_site: bool,
    manager: SessionManager | None,
) -> LambdaHandler:
    steps = [(function, _wants_context(function)) for function in functions]

    def sessions() -> SessionManager:
        return manager if manager is not None else manager_of_process()

    @wraps(functions[0])
    def lambda_handler(event: dict[str, Any], context: object = None) -> dict[str, Any]:
        request = Request(event, context, sessions)
        request.cross_site = cross_site
        before = handled.set(request)
        clock_before = clock.set(getattr(context, "get_remaining_time_in_millis", None))
        try:
            if csrf:
                from arc.http.csrf import verify

                verify(request)
            result: object = None
            for function, wants_context in steps:
                result = function(request, context) if wants_context else function(request)
                if hasattr(result, "__await__"):
                    result = _run(result)
                if result is not None and result is not request:
                    break
            return reply(request, result, touch=touch)
        except (BadRequest, FreshSignInRequired, StoreError) as error:
            return _refusal(request, error)
        except BaseException:
            _commit_an_end(request)
            raise
        finally:
            if request.touched:
                request.session.close()
            clock.reset(clock_before)
            handled.reset(before)

    return lambda_handler


def _refusal(request: Request, error: ArcError) -> dict[str, Any]:
    if not isinstance(error, StoreError):
        status = error.status if isinstance(error, BadRequest) else _UNAUTHORIZED
        from arc.http.error_page import refusal

        try:
            return reply(request, refusal(status, str(error), request.headers.get("accept", "")))
        except StoreError as worse:
            return _refusal(request, worse)
    import logging

    logging.getLogger("arc.http").error("%r was answered 503: %s", request.shape.route(), error)
    _commit_an_end(request)
    message = {"message": "Service Unavailable"}
    return reply(request, {"status": 503, "headers": {"retry-after": RETRY_AFTER}, "json": message}, commit=False)


def _commit_an_end(request: Request) -> None:
    """A sign-out holds whatever became of the response; nothing else of a failed request is kept."""
    if request.touched:
        try:
            request.manager.commit(request.session, failed=True)
        except ArcError as error:
            request.manager.lifecycle.tell("dropped", f"after the handler failed, the commit failed too: {error}")


def _wants_context(function: Callable[..., Any]) -> bool:
    """True when `function` takes a second positional argument that has no default, or is named `context`.

    Of a decorator's wrapper that takes `*args`, the function that it wraps counts (`functools.wraps`).
    """
    names, least, star = _positional(function)
    for _ in range(_MOST_WRAPPERS):
        wrapped = _wrapped(function)
        if not star or len(names) > 1 or wrapped is None:
            break
        function = wrapped
        names, least, star = _positional(function)
    return least > 1 or "context" in names[1:2] or (star and len(names) <= 1)


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """The function that `function` says it wraps, bound as `function` is; None when it says nothing."""
    if not hasattr(function, "__wrapped__"):
        function = _code_holder(function)
    wrapped: Any = getattr(function, "__wrapped__", None)
    bound_to = getattr(function, "__self__", None)
    if bound_to is not None and hasattr(wrapped, "__get__"):
        wrapped = wrapped.__get__(bound_to)
    return wrapped if callable(wrapped) else None


def _code_holder(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, or the method that a call of an object runs, where that is written in Python."""
    call: Any = getattr(function, "__call__", None)  # noqa: B004  # the bound method itself, not whether there is one
    has_code = hasattr(function, "__code__") or isinstance(function, type)
    return call if not has_code and hasattr(call, "__code__") else function


def _positional(function: Callable[..., Any]) -> tuple[Sequence[str], int, bool]:
    """The names of the positional arguments, how many of them are required, and whether there is `*args`."""
    function = _code_holder(function)
    code = getattr(function, "__code__", None)
    if code is not None:  # `inspect` is too slow to import for a plain function
        bound = int(getattr(function, "__self__", None) is not None)
        names = code.co_varnames[bound : code.co_argcount]
        least = len(names) - len(getattr(function, "__defaults__", None) or ())
        return names, least, bool(code.co_flags & _TAKES_STAR_ARGS)
    from inspect import signature

    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):
        return (), 0, False
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    least = sum(one.default is one.empty for one in positional)
    return [one.name for one in positional], least, any(one.kind is one.VAR_POSITIONAL for one in parameters)


def _run(awaitable: Awaitable[Any]) -> Any:
    """The result of `awaitable`, run on the process's loop: what one invocation opened serves the next.

    May be called from any thread, and from several at once; a fork gets a loop of its own.
    """
    import asyncio

    async def outcome() -> Any:
        return await awaitable

    return asyncio.run_coroutine_threadsafe(outcome(), _loop()).result()


def _loop() -> AbstractEventLoop:
    import asyncio
    import os
    import threading

    global _running  # noqa: PLW0603  # one loop per process is the point
    with _lock:
        if _running is None or _running[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="arc-loop", daemon=True).start()
            _running = (os.getpid(), loop)
        return _running[1]
