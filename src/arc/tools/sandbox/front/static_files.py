"""The sandbox's static files, which a deployed app has in a bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from arc.errors import ToolError
from arc.inventory.files import check_within
from arc.inventory.static import STATIC_PATH
from arc.tools.sandbox.front.reply import Reply, message_reply
from arc.tools.static_files import MAX_SIZE, etag, find_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from arc.inventory import Static


def is_static(static: Static, method: str, path: str) -> bool:
    """Return True for a request that the app's static folder answers, and no function does."""
    return method in ("GET", "HEAD") and path.startswith(f"{STATIC_PATH}/") and static.folder.is_dir()


def answer(root: Path, static: Static, path: str, if_none_match: Sequence[str]) -> Reply:
    """Return the response to a request for an encoded `path`. Browsers ask again each time, so edits show at once.

    `root` is the app's folder. A link that leads out of it, made after the app was read, is not followed.
    """
    place = unquote(path.removeprefix(f"{STATIC_PATH}/"))
    try:
        file = find_file(static, place)
        if file is None:
            return message_reply(404, "Not Found")
        check_within(root, file.path)
        size = file.path.stat().st_size
        content = file.path.read_bytes() if size <= MAX_SIZE else b""
    except (OSError, ToolError):  # The name is too long, the file was deleted or cannot be read, or is outside.
        return message_reply(404, "Not Found")
    if size > MAX_SIZE:
        hint = f"{place} is {size:,} bytes, and Lambda sends static files of at most {MAX_SIZE:,}."
        body = json.dumps({"message": hint}).encode()
        return Reply(413, [(b"content-type", b"application/json")], body, hint)
    tag = etag(content)
    headers = [(b"cache-control", b"no-cache"), (b"etag", tag.encode())]
    known = {one.strip().removeprefix("W/") for value in if_none_match for one in value.split(",")}
    if known & {tag, "*"}:
        return Reply(304, headers, b"")
    kind = file.content_type.encode()
    return Reply(200, [(b"content-type", kind), (b"x-content-type-options", b"nosniff"), *headers], content)
