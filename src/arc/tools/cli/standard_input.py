"""Values from a prompt or standard input, which neither the process list nor the shell's history shows."""

from __future__ import annotations

import sys

import typer

from arc.errors import ToolError


def read_value(key: str) -> str:
    """Return the value of `key`, from a prompt without echo on a terminal, else from standard input.

    One line end at the end of standard input is dropped. Raises `ToolError` for bytes that are not UTF-8.
    """
    if sys.stdin is None:  # The caller has closed it.
        return ""
    if sys.stdin.isatty():
        try:
            return str(typer.prompt(key, hide_input=True, err=True))
        except typer.Abort:
            raise KeyboardInterrupt from None
    try:
        value = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise ToolError(
            f"The value of {key} on standard input is not UTF-8. Encode it first, for example with `base64 file`."
        ) from None
    for end in ("\r\n", "\n"):
        if value.endswith(end):
            return value.removesuffix(end)
    return value
