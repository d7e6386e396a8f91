"""For tests of applications: `App`, a browser, events and a clock. For tests of session stores: `StoreContract`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.testing.app import App as App
    from arc.testing.browser import Browser as Browser
    from arc.testing.browser import Clock as Clock
    from arc.testing.browser import Page as Page
    from arc.testing.contract import StoreContract as StoreContract
    from arc.testing.events import alb as alb
    from arc.testing.events import function_url as function_url
    from arc.testing.events import payload_v1 as payload_v1
    from arc.testing.events import payload_v2 as payload_v2
    from arc.testing.events import vpc_lattice as vpc_lattice

_NAMES = {
    "App": "arc.testing.app",
    **dict.fromkeys(("Browser", "Clock", "Page"), "arc.testing.browser"),
    "StoreContract": "arc.testing.contract",
    **dict.fromkeys(("alb", "function_url", "payload_v1", "payload_v2", "vpc_lattice"), "arc.testing.events"),
}
__all__ = sorted(_NAMES)  # noqa: PLE0605  # a list of strings


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'arc.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
