"""The service map, as a module that can be called.

`import arc.services` and `arc.services()` both work, in any order, because `arc.services` always is this module.
"""

from __future__ import annotations

import sys
from types import ModuleType

from arc.service_map import service_map, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ("services",)


def services(environ: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Return the service map: for each kind of resource (`tables`, `events`, …) a dict of names and values.

    `services()["tables"]["session"]` is the physical name of the table `session`. The map is read once per process,
    from SSM or from the sandbox. `environ` defaults to `os.environ`.

    Raises `ConfigurationError` if the environment does not name a stack, and `StoreError` if SSM cannot be reached or
    refuses.
    """
    return service_map(settings_of(environ))


class _CallableModule(ModuleType):
    """This module. Calling it calls `services`."""

    def __call__(self, environ: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
        """Return the service map, as `services` does."""
        return services(environ)


sys.modules[__name__].__class__ = _CallableModule
