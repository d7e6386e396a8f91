"""Lets an editor attach to this process with debugpy, which nothing else of the tools imports."""

from __future__ import annotations

import os
import socket
import sys

from .reporting import report


def wait() -> None:
    """Listen on a free loopback port, tell the sandbox which, and return once an editor is attached.

    The port takes the secret that the sandbox alone is told: debugpy lets anybody in, and would read a web page's
    POST, whose header `Content-Length` is that of the protocol.
    """
    import debugpy

    secret = os.urandom(16).hex()
    with socket.socket() as free:  # debugpy before 1.8.22 does not say which one it has taken
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    debugpy.listen(("127.0.0.1", port), in_process_debug_adapter=True)
    import pydevd  # debugpy has it in a folder of its own, which it finds by now

    pydevd.get_global_debugger().authentication.access_token = secret
    if "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = debugpy.breakpoint
    report("debugger", {"port": port, "secret": secret})
    debugpy.wait_for_client()
