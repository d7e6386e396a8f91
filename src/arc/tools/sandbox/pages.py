"""The pages a developer sees when an invocation failed. Whatever comes from code or visitors is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arc.tools.sandbox.failures import InvocationFailure

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
