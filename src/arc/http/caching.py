"""What a response tells caches: what it varies by, and that one which depends on a visitor's session is private.

`Vary: Cookie` alone does not protect: a CDN may leave cookies out of its cache key.
"""

from __future__ import annotations

from arc.http.fields import joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    from arc.http.fields import ResponseHeaders

UNCACHED = "no-cache, no-store, must-revalidate, max-age=0, s-maxage=0"  # Architect's default for HTML and JSON
CACHED = "max-age=86400"  # Architect's default for the rest
PRIVATE = "private, no-store"


def mark_private(
    headers: ResponseHeaders, *, explicit: bool, sets_cookie: bool, on_override: Callable[[str], None] | None
) -> None:
    """Change `headers` of a response whose handler took the session.

    `explicit` says that the application chose its Cache-Control; a cacheable one stands, unless the
    response sets a session cookie: then `on_override` is told the value that was replaced.
    """
    vary_by(headers, "Cookie")
    if not explicit:
        headers.own["cache-control"] = PRIVATE
    elif sets_cookie:
        _override(headers.own, "cache-control", on_override)
    if sets_cookie:
        for name in [name for name in headers.given if _is_for_caches(name)]:
            _override(headers.given, name, on_override)


def vary_by(headers: ResponseHeaders, field: str) -> None:
    """Add `field` to the Vary of `headers`, which stays as it is where it has the field, or `*` (RFC 9110 §12.5.5)."""
    before = headers.own.get("vary")
    values = headers.take_every("vary") if before is None else [before]
    if not values:
        headers.own["vary"] = field
        return
    fields = [one.strip() for value in values for one in value.split(",") if one.strip()]
    if "*" in fields:
        fields = ["*"]
    elif field.lower() not in (one.lower() for one in fields):
        fields.append(field)
    headers.own["vary"] = ", ".join(fields)


def _override(headers: MutableMapping[str, Any], name: str, on_override: Callable[[str], None] | None) -> None:
    old = joined(headers[name])
    if _is_cacheable(old):
        headers[name] = PRIVATE
        if on_override is not None:
            on_override(old)


def _is_for_caches(name: str) -> bool:
    """True for what only a CDN obeys, before Cache-Control (RFC 9213, Surrogate-Control)."""
    name = name.lower()
    return name == "surrogate-control" or name.endswith("cdn-cache-control")


def _is_cacheable(value: str) -> bool:
    """True unless the value keeps shared caches from storing: `private` without field names, or `no-store`."""
    return not {"private", "no-store"} & {directive.strip().lower() for directive in value.split(",")}
