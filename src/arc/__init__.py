"""Sessions for Python web functions, the Architect way.

Every name is imported at its first use, so a cold start imports only what it needs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc import events as events
    from arc import http as http
    from arc import queues as queues
    from arc import tables as tables
    from arc import testing as testing
    from arc import ws as ws
    from arc.errors import ArcError as ArcError
    from arc.errors import BadRequest as BadRequest
    from arc.errors import ConfigurationError as ConfigurationError
    from arc.errors import ForgedRequest as ForgedRequest
    from arc.errors import FreshSignInRequired as FreshSignInRequired
    from arc.errors import LateChange as LateChange
    from arc.errors import MissingField as MissingField
    from arc.errors import MissingSecret as MissingSecret
    from arc.errors import SessionTooLarge as SessionTooLarge
    from arc.errors import StoreError as StoreError
    from arc.errors import UnknownEvent as UnknownEvent
    from arc.errors import UnknownQueue as UnknownQueue
    from arc.errors import UnknownTable as UnknownTable
    from arc.http.request import Request as Request
    from arc.http.result import Response as Response
    from arc.services import services as services
    from arc.sessions.lifecycle import Event as Event
    from arc.sessions.session import Session as Session
    from arc.settings import Settings as Settings

_MODULES = ("events", "http", "queues", "services", "tables", "testing", "ws")
_ERRORS = (
    *("ArcError", "BadRequest", "ConfigurationError", "ForgedRequest", "FreshSignInRequired", "LateChange"),
    *("MissingField", "MissingSecret", "SessionTooLarge", "StoreError", "UnknownEvent", "UnknownQueue", "UnknownTable"),
)
_NAMES = {
    **dict.fromkeys(_ERRORS, "arc.errors"),
    "Event": "arc.sessions.lifecycle",
    "Request": "arc.http.request",
    "Response": "arc.http.result",
    "Session": "arc.sessions.session",
    "Settings": "arc.settings",
}
__all__ = [*sorted(_NAMES), *_MODULES]  # noqa: PLE0604  # all strings


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"arc.{name}")
    if name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    advice = ". The service map is arc.services()" if name == "reflect" else ""  # its name in early Architect
    raise AttributeError(f"module 'arc' has no attribute {name!r}{advice}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
