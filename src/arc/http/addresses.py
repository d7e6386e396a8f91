"""Addresses of the app's own pages."""

from __future__ import annotations

import os


def url(path: str) -> str:
    """`path` below the stage of a REST API without a domain of its own: `/staging/cart` for `/cart`.

    As Node's `arc.http.helpers.url` has it, by `ARC_ENV` alone: in testing, and wherever `ARC_LOCAL` is set, the path
    itself. HTTP APIs, which Architect has made since its version 6, and APIs with a domain need none of it.
    """
    environment = os.environ.get("ARC_ENV")
    if environment in ("staging", "production") and not os.environ.get("ARC_LOCAL"):
        return f"/{environment}{path}"
    return path
