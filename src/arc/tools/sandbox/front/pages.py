"""The pages that the sandbox shows in a browser in place of a response without an explanation.

They need nothing but themselves, and everything in them is escaped.
"""

from __future__ import annotations

import gzip
import os
import re
from dataclasses import replace
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING, Any

from arc import inventory as inventories
from arc.tools.sandbox.front.reply import Reply, message_reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from arc.inventory import Route
    from arc.tools.sandbox.functions.failures import InvocationFailure

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #f5f6f8; --dim: #5b6577; --line: #d4d9e1; --code: #fff;
  --mark: #b42318; --warn: #fff4e0; --link: #175cd3 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --paper: #14181f; --dim: #9aa5b8; --line: #343c4a;
  --code: #1d232d; --mark: #ff9c8f; --warn: #3a2c10; --link: #84b4ff } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: var(--ink); background: var(--paper) }
main { max-width: 60rem; margin: 0 auto; padding: clamp(1rem, 4vw, 3rem) clamp(1rem, 4vw, 2rem) }
a { color: var(--link) } h1 { font-size: 1.4rem; line-height: 1.25; margin: .25rem 0 .75rem; overflow-wrap: anywhere }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem } p { margin: .5rem 0; overflow-wrap: anywhere }
.label { color: var(--dim); margin: 0; overflow-wrap: anywhere } .detail { white-space: pre-wrap }
.place { color: var(--dim); font-size: .875rem; margin: 1rem 0 .25rem; overflow-wrap: anywhere }
pre, code { font: 13px/1.5 ui-monospace, monospace } pre { background: var(--code); border: 1px solid var(--line);
  border-radius: .5rem; margin: 0; padding: .75rem 1rem; overflow-x: auto }
pre.line { border-left: 4px solid var(--mark); white-space: pre-wrap; overflow-wrap: anywhere }
ul { list-style: none; margin: .5rem 0; padding: 0 } li { padding: .25rem 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere } li span { display: inline-block; min-width: 4.5rem; color: var(--dim) }
aside { background: var(--warn); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem;
  margin: 0 0 1.5rem } aside pre { background: none; border: 0; padding: 0; white-space: pre-wrap;
  overflow-wrap: anywhere }
"""
# The banner has its own style, because it is put into pages of the app.
_BANNER_STYLE = (
    "position:fixed;left:0;right:0;bottom:0;z-index:2147483647;margin:0;padding:8px 16px;max-height:40vh;overflow:auto;"
    "background:#7a2e0e;color:#fff;font:13px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere"
)
_CSRF_FIELD = '<form method="post" action="…">\n  {arc.http.csrf.field(req)}'
_CSRF_ADVICE = "Put the field into the form, in the f-string of its page"
_CSRF_FOR_SCRIPTS = (
    "<p>A script sends <code>arc.http.csrf.token(req)</code> in the header <code>x-csrf-token</code>.</p>"
)
_ADD_A_ROUTE = "<p>To add a route, write it below <code>@http</code> in the manifest and run <code>arc init</code>.</p>"
_MANIFEST_NOTE = "The app's files have an error, so the sandbox serves the app as it was before:"
MISSING_FIELD = "MissingField"  # the kind of problem that `arc.http.development` reports for it
_LINE = re.compile(r'  File "(?P<file>.*)", line (?P<number>\d+), in .*\n(?P<code>.*)')
_MOST_LIKELY = 3
_STATIC_ELSEWHERE = re.compile(r"/(static|public|assets)/")  # where other frameworks serve them
_NO_STORE = (b"cache-control", b"no-store")
_HTML = (b"content-type", b"text/html; charset=utf-8")


def wants_html(accept: str) -> bool:
    """Return True for an Accept header that names HTML, as a browser's does for a page."""
    types = (part.split(";", 1)[0].strip().lower() for part in accept.split(","))
    return any(media in ("text/html", "application/xhtml+xml") for media in types)


def failure_reply(route: str, failure: InvocationFailure, accept: str, fault: str = "") -> Reply:
    """Return the response for a failure in `route`: a page if the Accept header names HTML, JSON otherwise.

    `fault` is what is wrong with the app's files, empty if nothing is.
    """
    if not wants_html(accept):
        return message_reply(failure.status, failure.message)
    return Reply(failure.status, [_HTML, _NO_STORE], failure_page(route, failure, fault))


def failure_page(route: str, failure: InvocationFailure, fault: str = "") -> bytes:
    """Return the page for a failure in `route`: the message, the app's line or code to paste, and the traceback."""
    parts = [_detail(failure.detail)]
    if failure.place:
        parts.append(_code(failure.code, failure.place, "line" if failure.traceback else ""))
    if failure.traceback:
        parts.append(f"<h2>Traceback</h2><pre>{escape(failure.traceback)}</pre>")
    return _page(f"{failure.status} · {route}", failure.title, parts, fault)


def not_found_reply(method: str, path: str, routes: Sequence[Route], accept: str, fault: str) -> Reply:
    """Return the response to a request without a route: a page that lists the routes, or API Gateway's JSON.

    `path` is as the client sent it, without the query.
    """
    if not wants_html(accept):
        return message_reply(404, "Not Found")
    shown = path if path.isprintable() else ascii(path)[1:-1]
    others = [route for route in routes if inventories.match([route], route.method, path)]
    if others:
        verbs = " and ".join(sorted({route.method.upper() for route in others}))
        title = f"{shown} has no {method} route."
        detail = f"The request was {method} {shown}. This path has routes for {verbs} only."
        likely: list[Route] = others
    else:
        title = f"No route has the path {shown}."
        detail = f"The request was {method} {shown}."
        if folder := _STATIC_ELSEWHERE.match(path):
            detail += f" Static files are served below /_static/, not below {folder[0]}."
        likely = _likely(path, routes)
    parts = [_detail(detail)]
    if likely:
        parts.append(f"<h2>Did you mean</h2>{_list(likely)}")
    rest = [route for route in routes if route not in likely]
    if rest:
        parts.append(f"<h2>{'Other routes' if likely else 'Routes'}</h2>{_list(rest)}")
    parts.append(_ADD_A_ROUTE)
    return Reply(404, [_HTML, _NO_STORE], _page(f"404 · {method} {shown}", title, parts, fault))


def _likely(path: str, routes: Sequence[Route]) -> list[Route]:
    """Return the routes whose paths resemble `path`, most similar first."""
    without_slash = [route for route in routes if route.path == (path.rstrip("/") or "/")]
    paths = get_close_matches(path.lower(), [route.path.lower() for route in routes], _MOST_LIKELY, 0.6)
    close = [route for like in dict.fromkeys(paths) for route in routes if route.path.lower() == like]
    return list(dict.fromkeys((*without_slash, *close)))


def problem_reply(reply: Reply, route: str, problem: Mapping[str, Any], root: Path, fault: str) -> Reply:
    """Return the response with a page in place of its body, if the worker has reported a problem for which one exists.

    Status and cookies stay. `root` is the app's folder.
    """
    kind, message = str(problem.get("kind", "")), str(problem.get("message", ""))
    reason = str(problem.get("reason", ""))
    parts = [_detail(message)]
    if kind == "ForgedRequest":
        title = "The CSRF check refused this request."
        if reason:
            parts.append(f"<h2>The check that failed</h2>{_detail(reason.partition(': ')[2])}")
        if "has no CSRF token" in message:
            parts += ["<h2>What to do</h2>", _code(_CSRF_FIELD, _CSRF_ADVICE), _CSRF_FOR_SCRIPTS]
    elif kind == "store":
        title = "A store failed, so the response is 503."
    elif kind == MISSING_FIELD:
        title = message
        parts = [_detail("A visitor gets this message with status 400. Use get() for a field that may be absent.")]
    else:
        return reply
    line = _LINE.fullmatch(str(problem.get("line", "")))
    if line is not None and kind == MISSING_FIELD:
        place = f"{line['file'].removeprefix(f'{root}{os.sep}')}, line {line['number']}"
        parts.append(_code(line["code"].strip(), place, "line"))
    page = _page(f"{reply.status} · {route}", title, parts, fault)
    headers = [pair for pair in reply.headers if pair[0] not in (b"content-encoding", b"content-type")]
    return replace(reply, headers=[*headers, _HTML], body=page)


def with_banner(reply: Reply, fault: str) -> Reply:
    """Return a page of the app with a banner that shows `fault`, or the response itself if it is not a page."""
    if not reply.header(b"content-type").startswith(b"text/html"):
        return reply
    text = escape(f"{_MANIFEST_NOTE}\n{fault}")
    banner = f'<div role="alert" style="{_BANNER_STYLE}">{text}</div>'.encode()
    body = _decoded(reply.body, reply.header(b"content-encoding"))
    if body is None:
        return reply
    headers = [pair for pair in reply.headers if pair[0] != b"content-encoding"]
    return replace(reply, headers=headers, body=body + banner)


def _decoded(body: bytes, encoding: bytes) -> bytes | None:
    """Return a body without its content encoding, None if it cannot be decoded."""
    if not encoding:
        return body
    try:
        if encoding == b"br":
            import brotli

            return bytes(brotli.decompress(body))
        return gzip.decompress(body) if encoding == b"gzip" else None
    except Exception:  # noqa: BLE001  # Each codec has exceptions of its own, and Brotli may not be installed.
        return None


def _page(label: str, title: str, parts: Sequence[str], fault: str) -> bytes:
    """Return a page with a `label` and `title`, which are text, and `parts`, which are HTML."""
    banner = f"<aside><p>{_MANIFEST_NOTE}</p><pre>{escape(fault)}</pre></aside>" if fault else ""
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(label)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>\n'
        f'<main>{banner}<p class="label">{escape(label)}</p><h1>{escape(title)}</h1>\n{"".join(parts)}</main></html>\n'
    ).encode("utf-8", "replace")


def _detail(text: str) -> str:
    return f'<p class="detail">{escape(text)}</p>' if text else ""


def _code(code: str, place: str, kind: str = "") -> str:
    return f'<p class="place">{escape(place)}</p><pre class="{kind}"><code>{escape(code)}</code></pre>'


def _list(routes: Sequence[Route]) -> str:
    return f"<ul>{''.join(map(_item, routes))}</ul>"


def _item(route: Route) -> str:
    path = escape(route.path)
    is_link = route.method in ("get", "any") and ":" not in path and "*" not in path
    shown = f'<a href="{path}">{path}</a>' if is_link else path
    return f"<li><span>{escape(route.method.upper())}</span> {shown}</li>"
