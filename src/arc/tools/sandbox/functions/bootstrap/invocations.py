"""Runs the handler under awslambdaric, as AWS does, and tells the sandbox more about what goes wrong."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    Handler = Callable[[Any, Any], Any]

_WRAPPED = "_arc_handler"
_ASYNC = (
    "The handler is async, which Lambda does not await. Write @arc.http.handler above it, with one argument: "
    "async def handler(req). Or leave out async."
)
_NO_TERMINAL = (
    "breakpoint() needs a debugger, and a function has no terminal for one. Run `arc sandbox --debug` and attach your "
    "editor, or call the handler from a test, with arc.testing.Browser(handler). PYTHONBREAKPOINT in the app's .env "
    "names another debugger."
)


def run(module: str, begins: int, *, pure: bool, debug: bool) -> None:
    """Serve invocations of `module.handler`, until the sandbox ends us.

    A byte is written to the file descriptor `begins` when the handler begins with an event; `pure` leaves
    awslambdaric's native client aside; with `debug` an editor stops at `breakpoint()`.
    """
    os.set_inheritable(begins, False)  # noqa: FBT003  # its own signature
    _choose_client(pure=pure)
    if not debug and "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = _refuse_breakpoint
    handler = _load(module)
    wrapped = type(sys)(_WRAPPED)
    wrapped.handler = _recording(handler, begins)  # type: ignore[attr-defined]
    sys.modules[_WRAPPED] = wrapped

    from awslambdaric.__main__ import main  # type: ignore[import-untyped, unused-ignore]

    main(["awslambdaric", f"{_WRAPPED}.handler"])


def _choose_client(*, pure: bool) -> None:
    """Put our client in the place of awslambdaric's native one where that is missing, or `pure` asks for it."""
    if not pure:
        try:
            import runtime_client  # type: ignore[import-not-found] # noqa: F401
        except ImportError:
            pure = True
    if pure:
        from . import pure_client

        sys.modules["runtime_client"] = pure_client


def _refuse_breakpoint(*_: object, **__: object) -> NoReturn:
    raise RuntimeError(_NO_TERMINAL)


def _load(module: str) -> Handler:
    """The handler; when its module cannot be imported, tell the sandbox with the whole traceback and end."""
    import importlib

    try:
        loaded = importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - also sys.exit() while importing
        import traceback

        ours = error.__traceback__
        while ours is not None and _is_machinery(ours.tb_frame.f_code.co_filename):
            ours = ours.tb_next
        text = "".join(traceback.format_exception(type(error), error, ours))
        _refuse(type(error).__name__, str(error), text)
    handler = getattr(loaded, "handler", None)
    if not callable(handler):
        _refuse("HandlerNotFound", f"{loaded.__file__} has no callable named 'handler'.", "")
    return handler  # type: ignore[no-any-return, unused-ignore]


def _is_machinery(file: str) -> bool:
    return file.startswith("<frozen importlib") or file == __file__ or "importlib" in file.split(os.sep)


def _refuse(kind: str, message: str, traceback: str) -> NoReturn:
    """Print and report why the function cannot start, then end this process."""
    from .reporting import report

    sys.stderr.write((traceback.rstrip() or message) + "\n")
    report("init/error", {"errorType": kind, "errorMessage": message, "traceback": traceback})
    os._exit(1)


def _recording(handler: Handler, begins: int) -> Handler:
    """`handler`, with the whole traceback of what it raises in the sandbox's hands.

    AWS reports neither the cause of an exception nor a readable text, and prints its lines joined by
    carriage returns.
    """
    from awslambdaric import bootstrap  # type: ignore[import-untyped, unused-ignore]

    raised: list[str] = []
    log_as_aws = bootstrap.log_error

    def log_error(result: dict[str, Any], sink: Any) -> None:
        if raised:
            result["traceback"] = raised.pop()
            sys.stderr.write(result["traceback"])
        else:
            log_as_aws(result, sink)

    bootstrap.log_error = log_error

    def record(event: object, context: object) -> object:
        with suppress(OSError):  # The handler has closed what it did not open.
            os.write(begins, b".")
        try:
            result = handler(event, context)
            if hasattr(result, "__await__"):
                if hasattr(result, "close"):
                    result.close()  # It is never awaited, and Python would warn of that.
                raise TypeError(_ASYNC)  # noqa: TRY301 - reported as what the handler raises is
            return result  # noqa: TRY300
        except Exception as error:
            import traceback

            beyond_us = error.__traceback__.tb_next if error.__traceback__ else None
            raised[:] = ["".join(traceback.format_exception(type(error), error, beyond_us))]
            raise

    return record
