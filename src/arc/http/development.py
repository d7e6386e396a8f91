"""What a developer should know about a request, beyond its response.

The sandbox's worker and `arc.testing` import this module and let an `Observer` observe requests. A deployed function
does neither.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from arc.errors import BadRequest, ForgedRequest, MissingField, StoreError
from arc.http.misread import misread
from arc.sessions import lifecycle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType
    from typing import Any

    from arc.http.request import Request
    from arc.http.response import PreparedResponse
    from arc.sessions.session import Session

_lock = threading.Lock()
_active: list[lifecycle.Observer | None] = []  # the one of before, and those of the blocks that have not ended
_PACKAGE, _STANDARD_LIBRARY = f"{Path(__file__).parents[1]}{os.sep}", f"{Path(os.__file__).parent}{os.sep}"
_INSTALLED = ("site-packages", "dist-packages")
_MAX_WARNINGS = 5
_MAX_TEXT = 2_000  # characters of one text in a report, which has to fit into a pipe
_WORDS = (  # of several steps, the first decides
    ("unavailable", "session unavailable"),
    ("conflict", "session saved, conflict"),
    ("dropped", "session not saved"),
    ("write_after_destroy", "session not saved"),
    ("created", "session new"),
    ("destroyed", "session ended"),
    ("regenerated", "session saved, new id"),
    ("renewed", "session renewed"),
    ("saved", "session saved"),
    ("ambiguous", "session read, several cookies"),
    ("loaded", "session read"),
    ("clock", "session refused (clock)"),
    ("absent", "no session"),
)


class Observer:
    """Observes a request. `warn` is called with a message about each probable mistake in a handler's result."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[str | None, str]] = {}

    def warn(self, message: str) -> None:
        """Show a message."""

    def step(self, name: str, reason: str) -> None:
        """Take an event or a step of a session."""

    def refused(self, error: Exception) -> None:
        """Take the error that became a 4xx or 503 response."""

    def result(self, request: Request, result: object, response: PreparedResponse) -> None:  # noqa: ARG002
        """Take what a handler returned, and the response that was made of it."""
        for message in misread(result, v2=request.shape.is_v2):
            self.warn(message)

    def assigned(self, session: Session, key: str | None) -> None:
        """Remember the app's line that assigned a key of the session."""
        frame = app_frame(sys._getframe(1))  # noqa: SLF001  # the documented way to the caller
        if frame is not None:
            self._lines.setdefault(id(session), {})[key] = describe_line(frame.f_code, frame.f_lineno)

    def unstorable(self, session: Session, error: Exception) -> None:
        """Add the app's line that assigned the faulty value to the error, as a note."""
        lines, message = self._lines.get(id(session), {}), str(error)
        keys = [key for key in lines if key is not None and message.startswith(f"session[{key!r}]")]
        line = lines.get(max(keys, key=len) if keys else None)
        if line and line not in getattr(error, "__notes__", ()):
            error.add_note(line)


class Report(Observer):
    """What the sandbox prints and shows about one request."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: dict[str, str] = {}
        self._warnings: list[str] = []
        self._problem: dict[str, str] = {}
        self._caches_by_default = False

    def warn(self, message: str) -> None:
        """Keep a message."""
        if len(self._warnings) < _MAX_WARNINGS:
            self._warnings.append(message[:_MAX_TEXT])

    def step(self, name: str, reason: str) -> None:
        """Keep a step."""
        self._steps[name] = reason

    def refused(self, error: Exception) -> None:
        """Keep the reason for a response that is not the handler's."""
        known = (kind.__name__ for kind in (MissingField, ForgedRequest) if isinstance(error, kind))
        kind = "store" if isinstance(error, StoreError) else next(known, "refused")
        self._problem = {"kind": kind, "message": str(error)[:_MAX_TEXT]}
        if isinstance(error, BadRequest):
            self._problem["line"] = last_app_line(error)

    def result(self, request: Request, result: object, response: PreparedResponse) -> None:
        """Keep what is wrong with a result, and whether its Cache-Control is the library's default."""
        super().result(request, result, response)
        self._caches_by_default = not response.has_cache_control

    def contents(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        contents: dict[str, Any] = {"session": self._session()}
        if self._warnings:
            contents["warnings"] = self._warnings
        if self._problem:
            contents["problem"] = self._problem
            if "csrf_refused" in self._steps:
                contents["problem"]["reason"] = self._steps["csrf_refused"][:_MAX_TEXT]
        if self._caches_by_default:
            contents["caches_by_default"] = True
        return contents

    def _session(self) -> str:
        """Return what became of the session, "" if it was not used."""
        word = next((word for step, word in _WORDS if step in self._steps), "")
        reason = self._steps.get("refused")
        return f"{word} ({reason} cookie)" if reason and word in ("no session", "session new") else word


def observe(observer: Observer) -> None:
    """Let `observer` observe the process's requests from now on."""
    lifecycle.observer = observer


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Let `observer` observe the process's requests within a block.

    Blocks of several threads may end in any order; the observer is that of the last one that has not ended.
    """
    with _lock:
        if not _active:
            _active.append(lifecycle.observer)
        _active.append(observer)
        lifecycle.observer = observer
    try:
        yield
    finally:
        with _lock:
            _active.remove(observer)
            lifecycle.observer = _active[-1]
            if len(_active) == 1:
                _active.clear()


# -- the app's lines


def is_app_file(file: str) -> bool:
    """Return True for a file of the app, and False for this package, installed packages and the interpreter."""
    own = file.startswith((_PACKAGE, _STANDARD_LIBRARY, "<"))
    return not own and not any(folder in file for folder in _INSTALLED)


def app_frame(frame: FrameType | None) -> FrameType | None:
    """Return `frame` or its nearest caller that runs code of the app."""
    while frame is not None and not is_app_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def describe_line(code: CodeType, number: int) -> str:
    """Return a line of code and its place, as in a traceback."""
    import linecache

    line = linecache.getline(code.co_filename, number).strip()
    return f'  File "{code.co_filename}", line {number}, in {code.co_name}\n    {line}'


def last_app_line(error: BaseException) -> str:
    """Return the last line of the app in the error's traceback, "" if there is none."""
    traceback, line = error.__traceback__, ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_app_file(code.co_filename):
            line = describe_line(code, traceback.tb_lineno)
        traceback = traceback.tb_next
    return line
