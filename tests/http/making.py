"""Applications for tests: a handler and its browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import arc
from arc.testing import Browser
from tests.sessions.making import Made


def browser(function: Callable[..., Any], made: Made | None = None, **options: Any) -> Browser:
    """A browser in front of `function` as a handler, with sessions of `made`."""
    made = made or Made()
    return Browser(arc.http.handler(manager=made.manager, **options)(function), clock=made.clock)
