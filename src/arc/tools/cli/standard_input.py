"""Values that come over standard input, so that no title of a process and no history of a shell has them."""

from __future__ import annotations

import getpass
import sys

from arc.errors import ToolError


def value_from_standard_input(key: str) -> str:
    """The text of standard input without its last line end; on a terminal it is asked for, unseen.

    Raises `ToolError` for bytes that are not UTF-8.
    """
    if sys.stdin.isatty():
        return getpass.getpass(f"{key}: ")
    try:
        value = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise ToolError(
            f"Standard input is not UTF-8, so it cannot be the value of {key}. Encode it first: base64 file | arc …"
        ) from None
    for end in ("\r\n", "\n"):
        if value.endswith(end):
            return value.removesuffix(end)
    return value
