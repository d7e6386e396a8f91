"""Lets an editor attach to this process with debugpy, which only this module imports."""

from __future__ import annotations

import os
import socket
import sys

from .invocations import report


def wait() -> None:
    """Listen on a free loopback port, report it to the sandbox, and return once an editor has attached.

    The port requires a secret that only the sandbox receives. debugpy accepts any client, and would read a web page's
    POST, because the header `Content-Length` is that of its protocol.
    """
    import debugpy

    secret = os.urandom(16).hex()
    with socket.socket() as free:  # debugpy before 1.8.22 does not return the port that it has chosen.
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    debugpy.listen(("127.0.0.1", port), in_process_debug_adapter=True)
    import pydevd  # It is in a folder of debugpy, which is on the path once debugpy is imported.

    pydevd.get_global_debugger().authentication.access_token = secret
    if "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = debugpy.breakpoint
    report("debugger", {"port": port, "secret": secret})
    debugpy.wait_for_client()
