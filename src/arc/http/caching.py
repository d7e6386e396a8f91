"""What a response tells caches: what it varies by, and that one which depends on a visitor's session is private.

`Vary: Cookie` alone does not protect: a CDN may leave cookies out of its cache key.
"""

from __future__ import annotations

from arc.http.fields import joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Fields = dict[str, str | list[str]]

UNCACHED = "no-cache, no-store, must-revalidate, max-age=0, s-maxage=0"  # Architect's default for HTML and JSON
CACHED = "max-age=86400"  # Architect's default for the rest
PRIVATE = "private, no-store"


def mark_private(
    headers: Fields, *, explicit: bool, sets_cookie: bool, on_override: Callable[[str], None] | None
) -> None:
    """Change `headers` of a response whose handler took the session.

    `explicit` says that the application chose its Cache-Control; a cacheable one stands, unless the
    response sets a session cookie: then `on_override` is told the value that was replaced.
    """
    vary_by(headers, "Cookie")
    if not explicit:
        headers["cache-control"] = PRIVATE
    if not sets_cookie:
        return
    for name in [name for name in headers if _is_cache_control(name)]:
        old = joined(headers[name])
        if _is_cacheable(old):
            headers[name] = PRIVATE
            if on_override is not None:
                on_override(old)


def vary_by(headers: Fields, field: str) -> None:
    """Add `field` to the Vary of `headers`, which stays as it is where it has the field, or `*` (RFC 9110 §12.5.5)."""
    names = [name for name in headers if name.lower() == "vary"]
    if not names:
        headers["vary"] = field
        return
    fields = [one.strip() for name in names for one in joined(headers.pop(name)).split(",") if one.strip()]
    if "*" in fields:
        fields = ["*"]
    elif field.lower() not in (one.lower() for one in fields):
        fields.append(field)
    headers["vary"] = ", ".join(fields)


def _is_cache_control(name: str) -> bool:
    """True for Cache-Control and for those that only a CDN obeys, before it (RFC 9213, Surrogate-Control)."""
    name = name.lower()
    return name in ("cache-control", "surrogate-control") or name.endswith("cdn-cache-control")


def _is_cacheable(value: str) -> bool:
    """True unless the value keeps shared caches from storing: `private` without field names, or `no-store`."""
    return not {"private", "no-store"} & {directive.strip().lower() for directive in value.split(",")}
