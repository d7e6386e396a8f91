"""Error pages: for an exception that a handler returned, and for a request that was refused."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STATUS_ATTRIBUTES = ("status", "code", "statusCode")
_ERROR_STATUSES = range(400, 600)
_DEFAULT_STATUS = 500


def error_page(error: Exception) -> tuple[int, str]:
    """Return the status and the HTML page for an exception that a handler returned.

    The status is the exception's `status`, `code` or `statusCode` if it is between 400 and 599, else 500. The page
    shows the exception's type and message, escaped. The traceback is logged and never sent.
    """
    from html import escape
    from logging import getLogger

    values = (getattr(error, name, None) for name in _STATUS_ATTRIBUTES)
    status = next((value for value in values if type(value) is int and value in _ERROR_STATUSES), _DEFAULT_STATUS)
    getLogger("arc").error("The handler returned an exception; sent status %s.", status, exc_info=error)
    name = type(error).__name__
    return status, _page(f"{status} error" if name == "Exception" else f"{status} error: {escape(name)}", str(error))


def refusal(status: int, message: str, accept: str) -> dict[str, Any]:
    """Return the response to a refused request: HTML if its Accept header lists it, else JSON."""
    if "text/html" not in accept.lower():
        return {"status": status, "json": {"message": message}}
    from http import HTTPStatus

    phrase = next((known.phrase for known in HTTPStatus if known == status), "Error")
    return {"status": status, "html": _page(f"{status} {phrase}", message)}


def _page(title: str, text: str) -> str:
    """Return a page with `title`, which is HTML already, and `text`, which is escaped."""
    from html import escape

    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{title}</title></head>\n<body><h1>{title}</h1><p>{escape(text)}</p></body>\n</html>\n"
    )
