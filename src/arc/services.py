"""The service map, as a module that can be called.

`import arc.services` and `arc.services()` both work, in any order: the module of that name is what `arc.services` is.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from arc.service_map import service_map
from arc.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ("services",)


def services(environ: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Return the service map: kinds of things (`tables`, `events`, …), each with the names and values of its things.

    `services()["tables"]["session"]` is the physical name of the table `session`. The map is read from SSM, or from
    the sandbox, once per process; `environ` is `os.environ` unless given. Raises `ConfigurationError` where the
    environment does not say which stack this is, and `StoreError` when SSM cannot be reached or refuses.
    """
    return service_map(Settings.from_env(os.environ if environ is None else environ))


class _CallableModule(ModuleType):
    """This module, whose call is a call of `services`."""

    def __call__(self, environ: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
        """Return the service map, as `services` does."""
        return services(environ)


sys.modules[__name__].__class__ = _CallableModule
