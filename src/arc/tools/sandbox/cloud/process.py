"""The local cloud's process: ministack, behind a guard against web pages, until the process that started it ends.

It is run as a script by an interpreter with ministack, and imports nothing of `arc`.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping
    from typing import Any

    Scope = Mapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]


_SECONDS_TO_SAVE = 10


def main() -> None:
    """Run ministack as `python -m ministack` does, configured by environment variables."""
    threading.Thread(target=_end_with_owner, daemon=True).start()
    ministack: Any = importlib.import_module("ministack.app")
    del os.environ["LOG_LEVEL"]  # Functions inherit the environment, and may use this name themselves.
    ministack.app = guarded(ministack.app)
    sys.argv[1:] = []
    ministack.main()


def _end_with_owner() -> None:
    """Wait until the owner closes standard input or dies, then save the data and end."""
    while os.read(0, 1):
        pass
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # A broken pipe must not prevent saving.
        os.dup2(null, stream)
    if os.name != "posix":
        os.kill(os.getpid(), signal.SIGTERM)
    end = time.monotonic() + _SECONDS_TO_SAVE
    os.killpg(0, signal.SIGTERM)  # This includes functions, which delay saving.
    if functions := sys.modules.get("ministack.core.lambda_runtime"):
        functions.reset()  # This ends functions that ignore SIGTERM.
    time.sleep(max(0.0, end - time.monotonic()))
    os.killpg(0, signal.SIGKILL)


_MACHINE = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\]|[a-z0-9.-]+\.localhost)(:\d+)?", re.IGNORECASE)
# These must not be looser than ministack's patterns: it routes all other hosts to the services.
_API = re.compile(r"[a-f0-9]{8}\.execute-api\.localhost(:\d+)?")
_FUNCTION = re.compile(
    r"([a-z0-9]{32}|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})\.lambda-url\.[a-z0-9-]+\.localhost(:\d+)?"
)
_STAGE = "/$default"
_OWN_PATHS = "/_ministack/"
_HEALTH = "/_ministack/health"
_WITHOUT_PREFLIGHT = ("GET", "HEAD", "POST")  # A page can send these to any host, but without custom headers.


def guarded(app: App) -> App:
    """Return ministack's ASGI application `app` closed to web pages.

    Hosts of HTTP APIs and function URLs stay open to them, because they belong to the developer's app.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        host = hosts[0] if len(hosts) == 1 else ""
        if len(hosts) != 1:
            await _refuse(scope, receive, send, f"It has {len(hosts)} Host headers. Send exactly one.", 400)
        elif _API.fullmatch(host):
            await app(_in_stage(scope), receive, send)
        elif _FUNCTION.fullmatch(host) and not scope["path"].startswith(_OWN_PATHS):
            await app(scope, receive, send)
        elif reason := _refusal(scope, dict(headers), host):
            await _refuse(scope, receive, send, reason)
        else:
            await app(scope, receive, _without_cors(send))

    return guard


def _in_stage(scope: Scope) -> Scope:
    """Add the API's stage to the path, because ministack handles /login, /health and other paths itself."""
    return {**scope, "path": _STAGE + scope["path"], "raw_path": _STAGE.encode() + scope["raw_path"]}


def _refusal(scope: Scope, headers: Mapping[bytes, str], host: str) -> str:
    """Return why a request to the services is refused, or an empty string."""
    if not _MACHINE.fullmatch(host):
        return f"The host {host!r} is not this machine. Use 127.0.0.1."
    if b"origin" in headers or headers.get(b"sec-fetch-site", "none") != "none" or scope["type"] != "http":
        return "The local cloud is closed to web pages."
    if (
        scope["method"] in _WITHOUT_PREFLIGHT
        and scope["path"] != _HEALTH
        and not headers.get(b"authorization", "").startswith("AWS4-")
    ):
        return "The request is not signed. Sign it with any credentials, as AWS tools do."
    return ""


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str, status: int = 403) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    content = {"__type": "AccessDeniedException", "message": f"The local cloud refuses this request. {reason}"}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(content).encode()})


def _without_cors(send: Send) -> Send:
    """Return `send` without the headers that let web pages read a response."""

    async def send_without_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message["headers"] if not pair[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": headers}
        await send(message)

    return send_without_cors


if __name__ == "__main__":
    main()
