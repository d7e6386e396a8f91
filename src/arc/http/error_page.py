"""Pages for errors: an exception that a handler returned, and a request that is refused."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FIRST, _LAST, _DEFAULT = 400, 599, 500


def error_page(error: Exception) -> tuple[int, str]:
    """Status and HTML for `error`: its `status`, `code` or `statusCode` (400 to 599), else 500.

    Shows the type and the message, escaped. The traceback goes to the log and never to the visitor.
    """
    from html import escape
    from logging import getLogger

    status = next(
        (
            given
            for name in ("status", "code", "statusCode")
            if type(given := getattr(error, name, None)) is int and _FIRST <= given <= _LAST
        ),
        _DEFAULT,
    )
    getLogger("arc").error("The handler returned an exception, answered %s.", status, exc_info=error)
    name = type(error).__name__
    return status, _page(f"{status} error" if name == "Exception" else f"{status} error: {escape(name)}", str(error))


def refusal(status: int, message: str, accept: str) -> dict[str, Any]:
    """The response to a refused request: HTML for a browser that shows a page, as its Accept header says, else JSON."""
    if "text/html" not in accept.lower():
        return {"status": status, "json": {"message": message}}
    from http import HTTPStatus

    phrase = next((one.phrase for one in HTTPStatus if one == status), "Error")
    return {"status": status, "html": _page(f"{status} {phrase}", message)}


def _page(title: str, text: str) -> str:
    """A page with `title`, which is HTML, and `text`, which is not."""
    from html import escape

    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{title}</title></head>\n<body><h1>{title}</h1><p>{escape(text)}</p></body>\n</html>\n"
    )
