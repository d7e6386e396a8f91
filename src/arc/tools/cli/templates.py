"""What `arc init` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arc.inventory import Route

IGNORED = """\
# Secrets and preferences of one machine
.env
preferences.arc
prefs.arc
.preferences.arc
.prefs.arc

# What Python makes
__pycache__/
.venv/
"""

REQUIREMENTS = """\
# What your functions import, one package on each line. The sandbox has arc-sessions already; deployed it belongs here.
"""

_COUNTER = """\
import arc


@arc.http.handler
def handler(req):
    visits = req.session.increment("visits")
    return {"html": f"<!doctype html><title>Visits</title><h1>Visits: {visits}</h1>"}
"""

_PAGE = """\
import arc


@arc.http.handler
def handler(req):
    return {"html": "<!doctype html><title>%(name)s</title><h1>%(name)s</h1>"}
"""

_ANSWER = """\
import arc


@arc.http.handler
def handler(req):
    return {"json": {"route": "%(name)s"}}
"""

_EMPTY = """\
import arc


@arc.http.handler
def handler(req):
    return {"status": 204}
"""


def manifest_of(app: str, runtime: str | None = None) -> str:
    """Return the text of a new app's manifest; without a `runtime` it names none."""
    aws = f"\n@aws\nruntime {runtime}\n" if runtime else ""
    return f"@app\n{app}\n\n@http\nget /\n{aws}"


def handler_of(route: Route) -> str:
    """The code of a route's first handler: a counter for the home page, a small answer for any other."""
    if route.path == "/" and route.method in ("get", "any"):
        return _COUNTER
    if route.method in ("head", "options"):
        return _EMPTY
    return (_PAGE if route.method in ("get", "any") else _ANSWER) % {"name": route.name}
