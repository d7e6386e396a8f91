"""The local cloud's process: ministack behind the guard, which saves its data and ends when its owner has gone.

It is run as a file, by the interpreter that has ministack: nothing of `arc` is imported here.
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
from typing import Any

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
    """Run ministack as `python -m ministack` does; what it is to do lies in the environment."""
    threading.Thread(target=_end_with_the_owner, daemon=True).start()
    ministack: Any = importlib.import_module("ministack.app")
    del os.environ["LOG_LEVEL"]  # What is left in the environment reaches functions, and this may be a word of theirs.
    ministack.app = guarded(ministack.app)
    sys.argv[1:] = []
    ministack.main()


def _end_with_the_owner() -> None:
    """Wait for the end of standard input, which the owner holds open until this is to end or whatever ends it."""
    while os.read(0, 1):
        pass
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # Nobody reads any more, and a broken pipe must not stop the saving.
        os.dup2(nothing, stream)
    if os.name != "posix":
        os.kill(os.getpid(), signal.SIGTERM)
    end = time.monotonic() + _SECONDS_TO_SAVE
    os.killpg(0, signal.SIGTERM)  # Functions too: nothing is saved while one is waited for.
    if functions := sys.modules.get("ministack.core.lambda_runtime"):
        functions.reset()  # Those that do not heed the signal.
    time.sleep(max(0.0, end - time.monotonic()))
    os.killpg(0, signal.SIGKILL)


_MACHINE = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\]|[a-z0-9.-]+\.localhost)(:\d+)?", re.IGNORECASE)
# No looser than ministack's own patterns: with any other host a request goes to the services.
_API = re.compile(r"[a-f0-9]{8}\.execute-api\.localhost(:\d+)?")
_FUNCTION = re.compile(
    r"([a-z0-9]{32}|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})\.lambda-url\.[a-z0-9-]+\.localhost(:\d+)?"
)
_STAGE = "/$default"
_OWN_PATHS = "/_ministack/"
_HEALTH = "/_ministack/health"
_SENT_BY_ANY_PAGE = ("GET", "HEAD", "POST")  # without asking first, but then with no header of its choice


def guarded(app: App) -> App:
    """The ASGI application `app`, ministack's, for programs of this machine and closed to web pages.

    Open to them are the hosts of HTTP APIs and of function URLs: those are the developer's own app.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        host = hosts[0] if len(hosts) == 1 else ""
        if len(hosts) != 1:
            await _refuse(scope, receive, send, f"it has {len(hosts)} Host headers; send exactly one", 400)
        elif _API.fullmatch(host):
            await app(_in_stage(scope), receive, send)
        elif _FUNCTION.fullmatch(host) and not scope["path"].startswith(_OWN_PATHS):
            await app(scope, receive, send)
        elif reason := _refusal(scope, dict(headers), host):
            await _refuse(scope, receive, send, reason)
        else:
            await app(scope, receive, _unshared(send))

    return guard


def _in_stage(scope: Scope) -> Scope:
    """A request with the API's stage in its path: ministack has pages of its own at /login, /health and others."""
    return {**scope, "path": _STAGE + scope["path"], "raw_path": _STAGE.encode() + scope["raw_path"]}


def _refusal(scope: Scope, headers: Mapping[bytes, str], host: str) -> str:
    """Why a request to the services is refused; empty when it is not."""
    if not _MACHINE.fullmatch(host):
        return f"the host {host!r} does not name this machine; use 127.0.0.1"
    if b"origin" in headers or headers.get(b"sec-fetch-site", "none") != "none" or scope["type"] != "http":
        return "it is closed to web pages"
    if (
        scope["method"] in _SENT_BY_ANY_PAGE
        and scope["path"] != _HEALTH
        and not headers.get(b"authorization", "").startswith("AWS4-")
    ):
        return "a request must be signed, with any credentials, as the tools of AWS do"
    return ""


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str, status: int = 403) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    told = {"__type": "AccessDeniedException", "message": f"The local cloud refuses this request: {reason}."}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


def _unshared(send: Send) -> Send:
    """`send` without the headers that would let web pages read an answer."""

    async def unshared(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if not pair[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return unshared


if __name__ == "__main__":
    main()
