"""The sandbox: runs an app on this machine as AWS would.

server        sockets, servers, signals                gateway      request -> event -> function -> response
application   the inventory, read again when saved     function     code version, workers, waiting events
worker        one process                              runtime_api  what a worker talks to
bootstrap/    what runs inside a worker                local_tables the app's tables, made and seeded
local_cloud   AWS's services in a process of their own cloud_state  their data between runs, for one process at a time
cloud_guard   keeps web pages out of them              shared_cloud one local cloud for the sandbox and commands
service_map   the tables as other libraries find them  debugging    ports where editors attach to functions
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from arc.tools.sandbox.server import serve as serve

__all__ = ["serve"]


def __getattr__(name: str) -> object:
    """Load `serve` when it is first used: workers read this package's files and need nothing of it."""
    if name == "serve":
        from arc.tools.sandbox.server import serve

        return serve
    raise AttributeError(name)
