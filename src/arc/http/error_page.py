"""The page for an exception that a handler returned, instead of raising it."""

from __future__ import annotations

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
    title = f"{status} error" if name == "Exception" else f"{status} error: {escape(name)}"
    return status, (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{title}</title></head>\n<body><h1>{title}</h1><p>{escape(str(error))}</p></body>\n</html>\n"
    )
