"""`@arc.http.handler`: make a Lambda handler from functions of a request, and run the `async` ones on an event loop."""

from __future__ import annotations

from _thread import allocate_lock  # threading, without its import
from functools import wraps

from arc.errors import ArcError, BadRequest, FreshSignInRequired, StoreError
from arc.http.manager import manager_of_process
from arc.http.reply import reply
from arc.http.request import Request, current_request
from arc.sessions import lifecycle
from arc.sessions.visit import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any, Literal, TypedDict, Unpack, overload

    from arc.sessions.manager import SessionManager

    LambdaHandler = Callable[..., dict[str, Any]]

    class Options(TypedDict, total=False):
        """The options of `handler`."""

        touch: bool | Literal["always"]
        csrf: bool
        cross_site: bool
        manager: SessionManager | None
else:

    def overload(declaration: object) -> object:
        """`typing.overload` without the import of typing."""
        return declaration


RETRY_AFTER = 2  # seconds
_UNAUTHORIZED = 401
_TAKES_STAR_ARGS = 0x04  # inspect.CO_VARARGS
_MAX_WRAPPERS = 100  # decorators on one function
_lock = allocate_lock()
_running_loop: tuple[int, AbstractEventLoop] | None = None


@overload
def handler(  # noqa: D103  # an overload
    function: Callable[..., Any], /, *following: Callable[..., Any], **options: Unpack[Options]
) -> LambdaHandler: ...
@overload
def handler(  # noqa: D103, F811  # an overload, by a name that is typing's for the type checker alone
    **options: Unpack[Options],
) -> Callable[[Callable[..., Any]], LambdaHandler]: ...
def handler(  # noqa: F811
    *functions: Callable[..., Any],
    touch: bool | Literal["always"] = True,
    csrf: bool = False,
    cross_site: bool = False,
    manager: SessionManager | None = None,
) -> Any:
    """Make a Lambda handler from `function(req)` or `function(req, context)`, which may be `async`.

    Several functions are called in order, like Architect's middleware. The first that returns a response ends the
    chain; None and the request itself continue it. A response is an Architect response (a dict), text, bytes or None.

    The session is loaded when `req.session` is first used, and committed once, before the response is sent.

    - `touch=False` keeps a polling route from renewing the session. With `touch="always"` every request renews it.
    - `csrf=True` verifies every unsafe request before the first function runs.
    - `cross_site=True` allows a request from another site, which carries no session cookie, to begin a session.
    - `manager` replaces the session manager that the environment configures.

    `BadRequest` is answered with status 400, `ForgedRequest` with 403 and `FreshSignInRequired` with 401, as HTML if
    the Accept header lists it and as JSON otherwise. `StoreError` is logged and answered with 503. Any other exception
    propagates, so that Lambda counts it.
    """
    for function in functions:
        if not callable(function):
            raise TypeError(
                f"@arc.http.handler was called with {function!r}. Pass options by name: @arc.http.handler(csrf=True)"
            )
    options: Options = {"touch": touch, "csrf": csrf, "cross_site": cross_site, "manager": manager}
    return _decorate(functions, options) if functions else lambda function: _decorate((function,), options)


def _decorate(functions: tuple[Callable[..., Any], ...], options: Options) -> LambdaHandler:
    steps = [(function, _wants_context(function)) for function in functions]
    touch, csrf, cross_site, manager = options["touch"], options["csrf"], options["cross_site"], options["manager"]
    get_manager = manager_of_process if manager is None else lambda: manager

    @wraps(functions[0])
    def lambda_handler(event: dict[str, Any], context: object = None) -> dict[str, Any]:
        request = Request(event, context, get_manager)
        request.cross_site = cross_site
        request_token = current_request.set(request)
        clock_token = clock.set(getattr(context, "get_remaining_time_in_millis", None))
        try:
            if csrf:
                from arc.http.csrf import verify

                verify(request)
            result: object = None
            for function, wants_context in steps:
                result = function(request, context) if wants_context else function(request)
                if hasattr(result, "__await__") and not isinstance(result, (dict, str)):  # a session, a cookie
                    result = _run(result)
                if result is not None and result is not request:
                    break
            return reply(request, result, touch=touch)
        except (BadRequest, FreshSignInRequired, StoreError) as error:
            return _error_reply(request, error)
        except BaseException:
            _commit_sign_out(request)
            raise
        finally:
            if request.uses_session:
                request.session.close()
            clock.reset(clock_token)
            current_request.reset(request_token)

    return lambda_handler


def _error_reply(request: Request, error: ArcError) -> dict[str, Any]:
    if (observer := lifecycle.observer) is not None:
        observer.refused(error)
    if not isinstance(error, StoreError):
        status = error.status if isinstance(error, BadRequest) else _UNAUTHORIZED
        from arc.http.error_page import refusal

        try:
            return reply(request, refusal(status, str(error), request.headers.get("accept", "")))
        except StoreError as store_error:
            error = store_error
            if (observer := lifecycle.observer) is not None:
                observer.refused(error)
    import logging

    logging.getLogger("arc.http").error("%r was answered with status 503: %s", request.shape.route(), error)
    _commit_sign_out(request)
    message = {"message": "Service Unavailable"}
    return reply(request, {"status": 503, "headers": {"retry-after": RETRY_AFTER}, "json": message}, commit=False)


def _commit_sign_out(request: Request) -> None:
    """Commit a sign-out although the request failed. No other change of a failed request is stored."""
    if request.uses_session:
        try:
            request.manager.commit(request.session, failed=True)
        except ArcError as error:
            request.manager.lifecycle.emit("dropped", f"after the handler failed, the commit failed too: {error}")


# -- the arguments of a function


def _wants_context(function: Callable[..., Any]) -> bool:
    """Return True if the second positional argument of `function` has no default or is named `context`.

    A decorator's wrapper that takes `*args` counts as the function that it wraps (`functools.wraps`).
    """
    names, required, star = _positional(function)
    for _ in range(_MAX_WRAPPERS):
        wrapped = _wrapped(function)
        if not star or len(names) > 1 or wrapped is None:
            break
        function = wrapped
        names, required, star = _positional(function)
    return required > 1 or "context" in names[1:2] or (star and len(names) <= 1)


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the function that `function` wraps, bound as `function` is, None if it wraps none."""
    if not hasattr(function, "__wrapped__"):
        function = _code_holder(function)
    wrapped: Any = getattr(function, "__wrapped__", None)
    bound_to = getattr(function, "__self__", None)
    if bound_to is not None and hasattr(wrapped, "__get__"):
        wrapped = wrapped.__get__(bound_to)
    return wrapped if callable(wrapped) else None


def _code_holder(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, or the `__call__` method of an object if that is written in Python."""
    call: Any = getattr(function, "__call__", None)  # noqa: B004  # the bound method itself, not whether it exists
    has_code = hasattr(function, "__code__") or isinstance(function, type)
    return call if not has_code and hasattr(call, "__code__") else function


def _positional(function: Callable[..., Any]) -> tuple[Sequence[str], int, bool]:
    """Return the names of the positional arguments, how many are required, and whether `*args` follows."""
    function = _code_holder(function)
    code = getattr(function, "__code__", None)
    if code is not None:  # `inspect` is too slow to import for a plain function.
        bound = int(getattr(function, "__self__", None) is not None)
        names = code.co_varnames[bound : code.co_argcount]
        required = len(names) - len(getattr(function, "__defaults__", None) or ())
        return names, required, bool(code.co_flags & _TAKES_STAR_ARGS)
    from inspect import signature

    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):
        return (), 0, False
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    required = sum(one.default is one.empty for one in positional)
    return [one.name for one in positional], required, any(one.kind is one.VAR_POSITIONAL for one in parameters)


# -- the event loop


def _run(awaitable: Awaitable[Any]) -> Any:
    """Return the result of `awaitable`, run on the process's event loop.

    All invocations share the loop, so that the next one can use the connections of this one. Any thread may call
    this, also at the same time as others.
    """
    import asyncio

    async def run() -> Any:
        return await awaitable

    return asyncio.run_coroutine_threadsafe(run(), _event_loop()).result()


def _event_loop() -> AbstractEventLoop:
    """Return the process's event loop, which runs in a thread. A forked process gets a new one."""
    import asyncio
    import os
    import threading

    global _running_loop  # noqa: PLW0603  # one per process
    with _lock:
        if _running_loop is None or _running_loop[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="arc-loop", daemon=True).start()
            _running_loop = (os.getpid(), loop)
        return _running_loop[1]
