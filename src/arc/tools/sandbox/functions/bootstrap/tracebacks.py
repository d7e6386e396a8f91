"""Describes an exception of the handler: its traceback without this package's frames, and the app's line."""

from __future__ import annotations

import os
import re
import traceback

from .app_code import is_installed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any

_ASSIGNED = re.compile(r'  File "(?P<file>.*)", line (?P<number>\d+), in (?P<name>.*)\n')
# Of C0 and C1 except line breaks and tabs, and those that reverse the text's direction.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PACKAGE = os.path.join(os.path.abspath(__file__ + "/../../../../.."), "")
_UNDECORATED = "The handler lacks @arc.http.handler."
_CALLED_BY_LAMBDA = (
    "Lambda calls a handler with an event and a context. Decorate this one with @arc.http.handler, so that it is "
    "called with a request."
)
_WITHOUT_REQUEST = "The handler does not take the request."
_CALLED_WITH_REQUEST = "@arc.http.handler calls it with a request, and with the context if it has a second argument."


def describe(error: BaseException, frames: TracebackType | None, root: str) -> dict[str, str]:
    """Return what the sandbox shows about `error`: `traceback`, and `place` and `code`, which are the app's line.

    `frames` is the part of its traceback to show. The app's line of a session that cannot be stored is in a note of the
    error, because the handler has returned by then. `root` is the app's folder.
    """
    notes = getattr(error, "__notes__", [])
    assigned = next(filter(None, map(_ASSIGNED.match, notes)), None)
    notes[:] = [note for note in notes if not _ASSIGNED.match(note)]
    shown = traceback.TracebackException(type(error), error, frames)
    for one in _chain(shown):
        own = [frame for frame in one.stack if not _is_machinery(frame.filename)]
        one.stack = traceback.StackSummary.from_list(own)
    line = _last_line(error, frames, root)
    if assigned is not None and line is None:
        line = traceback.FrameSummary(assigned["file"], int(assigned["number"]), assigned["name"])
        shown.stack = traceback.StackSummary.from_list([line])
    elif not shown.stack and not isinstance(error, SyntaxError):  # A mistake of this package.
        shown = traceback.TracebackException(type(error), error, frames)
    described = {"traceback": "".join(shown.format())}
    if line is not None:
        described |= {"place": f"{place(line.filename, root)}, line {line.lineno}", "code": line.line or ""}
    return described


def describe_call(
    error: BaseException, frames: TracebackType | None, handler: Callable[..., Any], root: str
) -> dict[str, str] | None:
    """Return what the sandbox shows about a handler that cannot be called, None for any other error."""
    is_machinery = all(_is_machinery(frame.filename) for frame in traceback.extract_tb(frames))
    if not isinstance(error, TypeError) or not is_machinery or "positional argument" not in str(error):
        return None
    function = getattr(handler, "__wrapped__", handler)
    title, advice = (_UNDECORATED, _CALLED_BY_LAMBDA) if frames is None else (_WITHOUT_REQUEST, _CALLED_WITH_REQUEST)
    file = getattr(getattr(function, "__code__", None), "co_filename", "")
    text = "".join(traceback.format_exception_only(type(error), error))
    return {
        "title": title,
        "advice": advice,
        "traceback": f"{text}{title} {advice}\n",
        "place": place(file, root),
        "code": f"import arc\n\n@arc.http.handler\ndef {getattr(function, '__name__', 'handler')}(req):\n    …",
    }


def printable(text: str) -> str:
    """Return `text` with escaped control characters: an error's message may quote a visitor, and terminals obey."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def _chain(shown: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    chained: traceback.TracebackException | None = shown
    while chained is not None:
        yield chained
        chained = chained.__cause__ or chained.__context__


def _last_line(error: BaseException, frames: TracebackType | None, root: str) -> traceback.FrameSummary | None:
    """Return the last of the app's lines in the traceback, or that of a syntax error; None without one."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return traceback.FrameSummary(error.filename, error.lineno, "")
    found = [frame for frame in traceback.extract_tb(frames) if _is_of_app(frame.filename, root)]
    return found[-1] if found else None


def place(file: str, root: str) -> str:
    """Return a file of the app relative to the app's folder, and any other file as it is."""
    return os.path.relpath(file, root) if _is_of_app(file, root) else file


def _is_of_app(file: str, root: str) -> bool:
    prefix = os.path.join(os.path.realpath(root), "")
    file = os.path.realpath(file)
    return file.startswith(prefix) and not is_installed(file[len(prefix) :]) and not _is_machinery(file)


def _is_machinery(file: str) -> bool:
    """Return True for a file of this package, and for the interpreter's own modules of the import system."""
    return file.startswith((_PACKAGE, "<frozen "))
