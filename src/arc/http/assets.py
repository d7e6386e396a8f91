"""The addresses of an app's static files."""

from __future__ import annotations

import os
from functools import lru_cache

from arc.errors import ConfigurationError
from arc.settings import sandbox_static

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NEVER = ("node_modules", "readme.md", "static.json")  # Architect's list; it ignores hidden files one by one
_MANIFEST = ("vendor", "shared", "static.json")  # where Architect puts it in a function
_SAFE = "/~!$&'()*+,;=:@"  # characters of a path, RFC 3986 §3.3


def static(path: str, environ: Mapping[str, str] | None = None) -> str:
    """Return the address of a file in the app's static folder: `/_static/site.css` for `site.css`.

    Where `@static` has `fingerprint true`, a deployed function returns the name that changes with the file's content:
    `/_static/site-6bf1794b4c.css`. A query or a fragment stays at the end. `environ` is `os.environ` by default. In
    the sandbox, raises `ConfigurationError` for a file that does not exist or is not served.
    """
    variables = os.environ if environ is None else environ
    end = min((position for mark in "?#" if (position := path.find(mark)) >= 0), default=len(path))
    place, rest = path[:end].lstrip("/"), path[end:]
    local = sandbox_static(variables)
    if local is not None and place:
        _check(place, *local)
    elif local is None:
        root = variables.get("LAMBDA_TASK_ROOT")
        place = _manifest(root).get(place, place) if root else place
    from urllib.parse import quote

    return f"/_static/{quote(place, safe=_SAFE)}{rest}"


def is_served(place: str, ignore: Iterable[str] = ()) -> bool:
    """Return whether visitors may have the file at `place` in the static folder, such as `css/site.css`.

    Hidden files, what Architect never serves, and paths that contain a text of `ignore` are not served.
    """
    parts = place.split("/")
    if any(not part or part.startswith(".") for part in parts) or any(mark in place for mark in "\\\0"):
        return False
    return not any(text in place for text in (*_NEVER, *ignore))


def _check(place: str, folder: str, ignore: Iterable[str]) -> None:
    """Raise `ConfigurationError` for a file that the sandbox does not serve."""
    if not is_served(place, ignore):
        raise ConfigurationError(
            f"The static file {place!r} is not served: it is hidden, or `ignore` in @static excludes it. Rename it."
        )
    from pathlib import Path

    if not Path(folder, *place.split("/")).is_file():
        raise ConfigurationError(f"Unknown static file {place!r}. Create it in {folder}, or correct the name.")


@lru_cache(maxsize=1)
def _manifest(root: str) -> dict[str, str]:
    """Return the fingerprinted names of the deployed files; empty where files have their own names."""
    import json
    from pathlib import Path

    try:
        return dict(json.loads(Path(root, *_MANIFEST).read_bytes()))
    except FileNotFoundError:
        return {}
