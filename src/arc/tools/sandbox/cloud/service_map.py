"""The service map of a sandbox: SSM's answer to whoever asks what the app is made of.

Node's `@architect/functions` and Python's `architect-functions` ask `POST /_arc/ssm` on the port that
`ARC_SANDBOX` calls `_arc`, in SSM's JSON 1.1 protocol.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from arc.tools.sandbox.front.hosts import names_loopback
from arc.tools.sandbox.front.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = "/_arc"
_HEADERS = [(b"content-type", b"application/x-amz-json-1.1"), (b"cache-control", b"no-store")]
_OPERATION = "AmazonSSM.GetParametersByPath"


def is_internal(path: str) -> bool:
    """True for what the sandbox answers itself."""
    return path == _FOLDER or path.startswith(f"{_FOLDER}/")


def is_this_machine(client: tuple[str, int] | None) -> bool:
    """True for the address of a caller on this machine."""
    return client is not None and (client[0].startswith("127.") or client[0] in ("::1", "::ffff:127.0.0.1"))


def answer(method: str, path: str, headers: Mapping[str, str], body: bytes, services: Mapping[str, str]) -> Reply:
    """The answer to a request under `/_arc`; `headers` have lower-case names.

    `services` has the parameters without their stack (`tables/session`): there is one app here, whatever stack
    is asked for. Only programs on this machine are answered: a web page could read from it what it must not.
    """
    host = headers.get("host", "")
    if not names_loopback(host):
        return _reply(403, {"message": f"The host {host!r} is not this machine. Ask localhost."})
    if "origin" in headers:
        return _reply(403, {"message": "Web pages are not answered here."})
    if path.rstrip("/") != f"{_FOLDER}/ssm":
        return _reply(404, {"message": f"There is nothing at {path}. The sandbox has {_FOLDER}/ssm."})
    if method != "POST" or headers.get("x-amz-target") != _OPERATION:
        return _refused("UnknownOperationException", f"The sandbox knows {_OPERATION} alone, as a POST.")
    try:
        wanted = json.loads(body)["Path"]
    except (ValueError, TypeError, KeyError, RecursionError):
        wanted = None
    if not isinstance(wanted, str) or not wanted.startswith("/"):
        return _refused("ValidationException", "GetParametersByPath takes a Path that begins with a slash.")
    below = wanted.rstrip("/") + "/"
    stack = below.split("/")[1]
    named = {f"/{stack}/{name}": value for name, value in services.items()}
    parameters = [
        {"Name": name, "Type": "String", "Value": value, "Version": 1, "DataType": "text"}
        for name, value in sorted(named.items())
        if stack and name.startswith(below)
    ]
    return _reply(200, {"Parameters": parameters})


def _refused(kind: str, message: str) -> Reply:
    return _reply(400, {"__type": kind, "message": message})


def _reply(status: int, content: object) -> Reply:
    return Reply(status, list(_HEADERS), json.dumps(content).encode())
