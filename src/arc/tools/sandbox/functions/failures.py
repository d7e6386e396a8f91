"""The ways in which an invocation can fail, each with a status and the texts for a page and the terminal."""

from __future__ import annotations

import signal
from typing import Any


class InvocationFailure(Exception):
    """An invocation without a result. `title`, `detail`, `traceback`, `place` and `code` are texts.

    All but the first may be empty. `code` is the app's line that failed, or code to paste; `place` is its file.
    """

    status = 500
    message = "Internal Server Error"
    is_printed = False
    """True if the worker has printed it."""

    def __init__(self, title: str, detail: str = "", traceback: str = "", *, place: str = "", code: str = "") -> None:
        self.title, self.detail, self.traceback, self.place, self.code = title, detail, traceback, place, code
        super().__init__(f"{title} {detail}".strip())


class Raised(InvocationFailure):
    """The handler raised an exception, or could not be imported."""

    is_printed = True

    @classmethod
    def from_report(cls, report: Any, *, importing: bool = False) -> Raised:
        """Return the failure for an error report of awslambdaric (a dict with `errorType`, `errorMessage`, …)."""
        fields = report if isinstance(report, dict) else {}
        kind, message = str(fields.get("errorType", "")), str(fields.get("errorMessage", ""))
        title = "The handler could not be imported." if importing else "The handler raised an exception."
        traceback = str(fields.get("traceback") or "".join(map(str, fields.get("stackTrace") or ())))
        if advice := fields.get("advice"):
            title, traceback, message = str(fields.get("title", title)), "", f"{message}\n\n{advice}"
        place, code = str(fields.get("place", "")), str(fields.get("code", ""))
        return cls(title, f"{kind}: {message}" if message else kind, traceback, place=place, code=code)


class TimedOut(InvocationFailure):
    """The handler did not return within the function's timeout."""

    status = 504
    message = "Endpoint request timed out"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"The handler did not return within {seconds} second{'' if seconds == 1 else 's'}.",
            "Its process was killed. Set a longer timeout in config.arc: @aws, timeout (seconds, at most 900).",
        )


class Exited(InvocationFailure):
    """The worker's process ended before the handler returned."""

    def __init__(self, code: int, *, importing: bool = False) -> None:
        how = f"exit code {code}" if code >= 0 else f"killed by {_signal_name(-code)}"
        when = "while the handler was being imported" if importing else "before the handler returned"
        super().__init__(f"The function's process ended {when} ({how}).", "The next request starts a new process.")


class NoHandler(InvocationFailure):
    """The route has no handler file yet."""

    def __init__(self, name: str, file: str, folder: str) -> None:
        hint = f"Create {file}, or run: arc init {folder}"
        code = f"import arc\n\n@arc.http.handler\ndef handler(req):\n    return {{'html': '<h1>{name}</h1>'}}"
        super().__init__(f"{name} has no handler yet.", hint, place=file, code=code.replace("'", '"'))


class NotPython(InvocationFailure):
    """The route's function is written in another language."""

    status = 501
    message = "Not Implemented"

    def __init__(self, name: str, language: str, file: str) -> None:
        super().__init__(
            f"{name} is not a Python function ({language}).",
            "This sandbox runs only Python functions; use Architect's sandbox for others. To port the function, "
            f"write {file} and remove the other runtime from its config.arc.",
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
