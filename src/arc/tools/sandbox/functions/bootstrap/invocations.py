"""Runs the handler under awslambdaric, as AWS does, and reports errors to the sandbox in more detail."""

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
_DEVELOPMENT = "arc.http.development"
_LONGEST_REPORT = 32_768  # bytes; a pipe takes 65,536 without a reader
ASYNC = (
    "The handler is async, and Lambda does not await it. Decorate it with @arc.http.handler and give it one argument, "
    "`async def handler(req)`, or remove async."
)
_EXAMPLE = "import arc\n\n@arc.http.handler\ndef handler(req):\n    …"
_NO_TERMINAL = (
    "breakpoint() needs a debugger, and a function has no terminal. Run `arc sandbox --debug` and attach your editor, "
    "call the handler in a test with arc.testing.Browser(handler), or set PYTHONBREAKPOINT in the app's .env."
)


def run(module: str, signals: int, root: str, *, pure: bool, debug: bool) -> None:
    """Serve invocations of `module.handler` until the process is killed.

    A byte is written to the file descriptor `signals` whenever the handler starts with an event, and a report about
    the event before its result is posted. `root` is the app's folder. `pure` replaces awslambdaric's native client.
    With `debug`, `breakpoint()` is left to the debugger.
    """
    os.set_inheritable(signals, False)  # noqa: FBT003 - its signature
    _choose_client(pure=pure)
    if not debug and "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = _refuse_breakpoint
    handler = _load(module, root)
    wrapped = type(sys)(_WRAPPED)
    wrapped.handler = _recording(handler, signals, root)  # type: ignore[attr-defined]
    sys.modules[_WRAPPED] = wrapped

    from awslambdaric.__main__ import main  # type: ignore[import-untyped, unused-ignore]

    main(["awslambdaric", f"{_WRAPPED}.handler"])


def _choose_client(*, pure: bool) -> None:
    """Replace awslambdaric's native client if it is missing or `pure` is true."""
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


def _load(module: str, root: str) -> Handler:
    """Return the handler. If it cannot be imported, report the whole traceback and exit."""
    import importlib

    try:
        loaded = importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - also sys.exit() while importing
        from . import tracebacks

        frames = error.__traceback__
        while frames is not None and _is_machinery(frames.tb_frame.f_code.co_filename):
            frames = frames.tb_next
        _refuse(type(error).__name__, str(error), tracebacks.describe(error, frames, root))
    handler = getattr(loaded, "handler", None)
    if not callable(handler):
        from . import tracebacks

        described = {"place": tracebacks.place(str(loaded.__file__), root), "code": _EXAMPLE}
        _refuse("HandlerNotFound", f"{loaded.__file__} has no callable named 'handler'.", described)
    return handler  # type: ignore[no-any-return, unused-ignore]


def _is_machinery(file: str) -> bool:
    return file.startswith("<frozen importlib") or file == __file__ or "importlib" in file.split(os.sep)


def _refuse(kind: str, message: str, described: dict[str, str]) -> NoReturn:
    """Print and report why the function cannot start, then exit."""
    sys.stderr.write((described.get("traceback", "").rstrip() or message) + "\n")
    report("init/error", {"errorType": kind, "errorMessage": message, **described})
    os._exit(1)


def _recording(handler: Handler, signals: int, root: str) -> Handler:
    """Return `handler` wrapped to report the whole traceback of an exception.

    awslambdaric reports no chained exceptions, and prints a traceback as lines joined by carriage returns.
    """
    from awslambdaric import bootstrap  # type: ignore[import-untyped, unused-ignore]

    raised: list[dict[str, str]] = []
    log_original = bootstrap.log_error

    def log_error(result: dict[str, Any], sink: Any) -> None:
        if raised:
            from . import tracebacks

            result.update(raised.pop())
            sys.stderr.write(tracebacks.printable(result["traceback"]))
        else:
            log_original(result, sink)

    bootstrap.log_error = log_error

    def record(event: object, context: object) -> object:
        with suppress(OSError):  # The handler may have closed file descriptors that it did not open.
            os.write(signals, b".")
        report = _start_report()
        try:
            result = handler(event, context)
            if hasattr(result, "__await__") and not isinstance(result, (dict, str)):  # a session, a cookie
                if hasattr(result, "close"):
                    result.close()  # Otherwise Python warns that it was never awaited.
                raise TypeError(ASYNC)  # noqa: TRY301 - reported like the handler's exceptions
            return result  # noqa: TRY300
        except Exception as error:
            from . import tracebacks

            frames = error.__traceback__.tb_next if error.__traceback__ else None
            described = tracebacks.describe_call(error, frames, handler, root)
            raised[:] = [described or tracebacks.describe(error, frames, root)]
            raise
        finally:
            if report is not None:
                with suppress(OSError):
                    os.write(signals, _line(report.contents()))

    return record


def _start_report() -> Any:
    """Return a report that observes the next event, None if the function has not imported this package's `arc`."""
    if "arc" not in sys.modules:
        return None
    import importlib

    try:
        development = importlib.import_module(_DEVELOPMENT)
    except ImportError:  # Another package is called arc as well.
        return None
    report = development.Report()
    development.observe(report)
    return report


def _line(contents: dict[str, Any]) -> bytes:
    import json

    line = json.dumps(contents).encode()
    return line if len(line) <= _LONGEST_REPORT else b""


def report(path: str, content: dict[str, object]) -> None:
    """Post `content` as JSON to a path of the Runtime API below `/2018-06-01/runtime/`, and wait for the response."""
    import http.client
    import json

    address, _, prefix = os.environ["AWS_LAMBDA_RUNTIME_API"].partition("/")
    connection = http.client.HTTPConnection(address)
    connection.request("POST", f"/{prefix}/2018-06-01/runtime/{path}", json.dumps(content))
    connection.getresponse().read()
    connection.close()
