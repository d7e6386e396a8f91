"""What can go wrong with an invocation: each failure knows its status and what a page and the terminal say."""

from __future__ import annotations

import signal
from html import escape
from typing import Any


class InvocationFailure(Exception):
    """An invocation that gave no result. `title` and `detail` are for people; `traceback` is text or empty."""

    status = 500
    message = "Internal Server Error"

    def __init__(self, title: str, detail: str = "", traceback: str = "") -> None:
        self.title, self.detail, self.traceback = title, detail, traceback
        super().__init__(f"{title} {detail}".strip())


class Raised(InvocationFailure):
    """The handler, or its module while being imported, raised an exception."""

    @classmethod
    def from_report(cls, report: Any, *, importing: bool = False) -> Raised:
        """The failure that awslambdaric's error report (a dict with `errorType`, `errorMessage`, …) tells."""
        told = report if isinstance(report, dict) else {}
        kind, message = str(told.get("errorType", "")), str(told.get("errorMessage", ""))
        title = "The handler could not be imported." if importing else "The handler raised an exception."
        traceback = str(told.get("traceback") or "".join(map(str, told.get("stackTrace") or ())))
        return cls(title, f"{kind}: {message}" if message else kind, traceback)


class TimedOut(InvocationFailure):
    """The handler did not answer within the function's timeout; its worker was killed."""

    status = 504
    message = "Endpoint request timed out"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"The handler did not answer within {seconds} second{'' if seconds == 1 else 's'}.",
            "Its process was ended. A longer timeout is set in config.arc: @aws, timeout (seconds, at most 900).",
        )


class Exited(InvocationFailure):
    """The worker's process ended before it answered."""

    def __init__(self, code: int, *, importing: bool = False) -> None:
        how = f"exit code {code}" if code >= 0 else _signal_name(-code)
        when = "while the handler was being imported" if importing else "before the handler answered"
        super().__init__(f"The function's process ended {when} ({how}).", "The next request gets a new process.")


class NoHandler(InvocationFailure):
    """The route has no handler file yet."""

    def __init__(self, name: str, file: str, folder: str) -> None:
        hint = f"Create {file} with a function handler(req), or run: arc init {folder}"
        super().__init__(f"{name} has no handler yet.", hint)


class NotPython(InvocationFailure):
    """The route's function is written in another language."""

    status = 501
    message = "Not Implemented"

    def __init__(self, name: str, language: str, file: str) -> None:
        super().__init__(
            f"{name} is not a Python function ({language}).",
            f"This sandbox runs Python alone; Architect's runs the others. To port the function, write {file} and "
            "remove the other runtime from its config.arc.",
        )


class Malformed(InvocationFailure):
    """The handler's result is nothing API Gateway could make a response of."""

    status = 502

    def __init__(self, reason: str) -> None:
        super().__init__("The handler's result is no HTTP response.", reason)


class TooLarge(InvocationFailure):
    """An event or a result is larger than Lambda takes."""

    status = 413
    message = "Request Entity Too Large"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is larger than 6 MB, the most that Lambda takes.")


def _signal_name(number: int) -> str:
    try:
        return f"killed by {signal.Signals(number).name}"
    except ValueError:
        return f"killed by signal {number}"


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: #1d2430; background: #f5f6f8 }
main { max-width: 60rem; margin: 3rem auto; padding: 0 1.5rem }
p.route { color: #667085; margin: 0 } h1 { font-size: 1.5rem; margin: .25rem 0 1rem }
p.detail { white-space: pre-wrap; overflow-wrap: anywhere }
pre { background: #1d2430; color: #e8ecf2; padding: 1rem 1.25rem; border-radius: .5rem; overflow-x: auto;
  font: 13px/1.5 ui-monospace, monospace }
"""


def failure_page(route: str, failure: InvocationFailure) -> bytes:
    """An HTML page that says what happened in `route`, with the traceback if there is one."""
    traceback = f"<pre>{escape(failure.traceback)}</pre>" if failure.traceback else ""
    detail = f'<p class="detail">{escape(failure.detail)}</p>' if failure.detail else ""
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{failure.status} · {escape(route)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>\n'
        f'<main><p class="route">{failure.status} · {escape(route)}</p><h1>{escape(failure.title)}</h1>'
        f"{detail}{traceback}</main></html>\n"
    ).encode("utf-8", "replace")


def wants_html(accept: str) -> bool:
    """True when an Accept header names HTML, as a browser's does for a page."""
    return any(
        part.split(";", 1)[0].strip().lower() in ("text/html", "application/xhtml+xml") for part in accept.split(",")
    )
