"""`@arc.http.handler`: a Lambda handler out of a function of a request."""

from __future__ import annotations

from functools import wraps

from arc.errors import ArcError, BadRequest, FreshSignInRequired, StoreError
from arc.http._manager import manager_of_process
from arc.http._reply import reply
from arc.http.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

    from arc.sessions.manager import SessionManager

    LambdaHandler = Callable[..., dict[str, Any]]

    @overload
    def handler(function: Callable[..., Any], /) -> LambdaHandler: ...
    @overload
    def handler(
        *, touch: bool = True, csrf: bool = False, manager: SessionManager | None = None
    ) -> Callable[[Callable[..., Any]], LambdaHandler]: ...


RETRY_AFTER = 2  # seconds


def handler(  # type: ignore[no-redef]  # the overloads above are for the type checker alone
    function: Callable[..., Any] | None = None,
    /,
    *,
    touch: bool = True,
    csrf: bool = False,
    manager: SessionManager | None = None,
) -> Any:
    """A Lambda handler of `function(req)` or `function(req, context)`, plain or `async`.

    The session is loaded when `req.session` is first taken and committed once, before the response.
    `touch=False` keeps a polling route from renewing it; `csrf=True` verifies every unsafe request before
    the function runs; `manager` serves sessions other than those the environment asks for. The function
    returns an Architect response (dict), text, bytes or None. `BadRequest` is answered 400,
    `ForgedRequest` 403, `FreshSignInRequired` 401 and `StoreError` 503; any other exception propagates,
    so that Lambda counts it.
    """
    if function is None:
        return lambda decorated: handler(decorated, touch=touch, csrf=csrf, manager=manager)  # type: ignore[call-overload]
    wants_context = _wants_context(function)

    def sessions() -> SessionManager:
        return manager if manager is not None else manager_of_process()

    @wraps(function)
    def lambda_handler(event: dict[str, Any], context: object = None) -> dict[str, Any]:
        request = Request(event, context, sessions)
        try:
            if csrf:
                from arc.http.csrf import verify

                verify(request)
            result = function(request, context) if wants_context else function(request)
            if hasattr(result, "__await__"):
                from arc.http._loop import run

                result = run(result)
            return reply(request, result, touch=touch)
        except (BadRequest, FreshSignInRequired, StoreError) as error:
            return _refusal(request, error)
        except BaseException:
            _commit_an_end(request)
            raise

    return lambda_handler


def _refusal(request: Request, error: ArcError) -> dict[str, Any]:
    if isinstance(error, StoreError):
        _commit_an_end(request)
        answer = {"status": 503, "headers": {"retry-after": str(RETRY_AFTER)}}
        return reply(request, {**answer, "json": {"message": "Service Unavailable"}}, commit=False)
    status = error.status if isinstance(error, BadRequest) else 401
    return reply(request, {"status": status, "json": {"message": str(error)}})


def _commit_an_end(request: Request) -> None:
    """A sign-out holds whatever became of the response; nothing else of a failed request is kept."""
    if request.touched:
        try:
            request.manager.commit(request.session, failed=True)
        except ArcError as error:
            request.manager.lifecycle.tell("dropped", f"after the handler failed, the commit failed too: {error}")


def _wants_context(function: Callable[..., Any]) -> bool:
    """True when `function` takes a second positional argument that has no default, or is named `context`."""
    import inspect

    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    positional = [
        one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD, one.VAR_POSITIONAL)
    ]
    if len(positional) < 2:
        return bool(positional) and positional[0].kind is positional[0].VAR_POSITIONAL
    second = positional[1]
    return second.default is second.empty or second.name == "context"
