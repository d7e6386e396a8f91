"""Architect's HTTP functions: `handler`, `session`, `res`, `parse_body`, `csrf`, `static`, `url`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.http import csrf as csrf
    from arc.http import session as session
    from arc.http.assets import static as static
    from arc.http.body import parse_body as parse_body
    from arc.http.events import url as url
    from arc.http.lambda_handler import handler as handler
    from arc.http.manager import build_manager as build_manager
    from arc.http.reply import res as res

    session_read = session.read
    session_write = session.write

_MODULES = ("csrf", "session")
_NAMES = {
    "build_manager": ("arc.http.manager", "build_manager"),
    "handler": ("arc.http.lambda_handler", "handler"),
    "parse_body": ("arc.http.body", "parse_body"),
    "res": ("arc.http.reply", "res"),
    "session_read": ("arc.http.session", "read"),
    "session_write": ("arc.http.session", "write"),
    "static": ("arc.http.assets", "static"),
    "url": ("arc.http.events", "url"),
}
__all__ = [*sorted(_NAMES), *_MODULES]  # noqa: PLE0604  # all strings


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"arc.http.{name}")
    if name in _NAMES:
        module, attribute = _NAMES[name]
        value = getattr(import_module(module), attribute)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'arc.http' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
