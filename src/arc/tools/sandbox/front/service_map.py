"""The sandbox's service map, from which Architect's libraries read the physical names of tables, and the ports.

Node's `@architect/functions` and Python's `architect-functions` send `POST /_arc/ssm`, in SSM's JSON 1.1 protocol, to
the port that `ARC_SANDBOX` calls `_arc`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from arc.tools.sandbox.front.hosts import names_loopback
from arc.tools.sandbox.front.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = "/_arc"
_HEADERS = ((b"content-type", b"application/x-amz-json-1.1"), (b"cache-control", b"no-store"))
_OPERATION = "AmazonSSM.GetParametersByPath"


def is_internal(path: str) -> bool:
    """Return True for a path that the sandbox answers itself."""
    return path == _FOLDER or path.startswith(f"{_FOLDER}/")


def is_this_machine(client: tuple[str, int] | None) -> bool:
    """Return True for the address of a client on this machine."""
    return client is not None and (client[0].startswith("127.") or client[0] in ("::1", "::ffff:127.0.0.1"))


def answer(method: str, path: str, headers: Mapping[str, str], body: bytes, services: Mapping[str, str]) -> Reply:
    """Return the response to a request below `/_arc`; `headers` have lower-case names.

    `services` contains the parameters without their stack (`tables/session`), because a sandbox has one app, whatever
    the stack in the request. Requests from web pages are refused.
    """
    host = headers.get("host", "")
    if not names_loopback(host):
        return _reply(403, {"message": f"The host {host!r} is not this machine. Use localhost."})
    if "origin" in headers:
        return _reply(403, {"message": "Web pages cannot read the service map."})
    if path.rstrip("/") != f"{_FOLDER}/ssm":
        return _reply(404, {"message": f"Unknown path {path!r}. Use {_FOLDER}/ssm."})
    if method != "POST" or headers.get("x-amz-target") != _OPERATION:
        return _refuse("UnknownOperationException", f"Unknown operation. The sandbox supports POST of {_OPERATION}.")
    try:
        prefix = json.loads(body)["Path"]
    except (ValueError, TypeError, KeyError, RecursionError):
        prefix = None
    if not isinstance(prefix, str) or not prefix.startswith("/"):
        return _refuse("ValidationException", "Path is missing or does not start with a slash.")
    prefix = prefix.rstrip("/") + "/"
    stack = prefix.split("/")[1]
    parameters = [
        {"Name": name, "Type": "String", "Value": value, "Version": 1, "DataType": "text"}
        for name, value in sorted((f"/{stack}/{name}", value) for name, value in services.items())
        if stack and name.startswith(prefix)
    ]
    return _reply(200, {"Parameters": parameters})


def _refuse(kind: str, message: str) -> Reply:
    return _reply(400, {"__type": kind, "message": message})


def _reply(status: int, content: object) -> Reply:
    return Reply(status, list(_HEADERS), json.dumps(content).encode())
