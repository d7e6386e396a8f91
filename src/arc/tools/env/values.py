"""Values of variables: text, byte for byte, as far as SSM and Lambda take it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_BYTES = 4096  # of a value in SSM's standard tier, and of all variables of a function in Lambda
_REFERENCE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def check_text(name: str, value: str) -> None:
    """Raise `ToolError` for a value that no environment can hold; the message never shows it."""
    if "\0" in value:
        raise ToolError(f"The value of {name} holds a NUL character, which no environment can. Encode it (base64).")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ToolError(f"The value of {name} is no text: its bytes are not UTF-8. Encode it (base64).") from None


def check_value(name: str, value: str) -> None:
    """Raise `ToolError` for a value that cannot be kept on AWS; the message never shows it."""
    check_text(name, value)
    if not value:
        raise ToolError(
            f"The value of {name} is empty, which SSM does not take. Give a value, or remove it: "
            f"arc env remove <environment> {name}"
        )
    size = len(value.encode())
    if size > _MOST_BYTES:
        raise ToolError(
            f"The value of {name} has {size:,} bytes; SSM takes {_MOST_BYTES:,}. Keep it elsewhere (S3, Secrets "
            "Manager) and set its address instead."
        )
    if _REFERENCE.search(value):
        raise ToolError(f"The value of {name} holds {{{{…}}}}, which SSM refuses. Encode it (base64).")


def check_set(function: str, variables: Mapping[str, str]) -> None:
    """Raise `ToolError` when a function's variables are more than Lambda takes.

    Lambda measures them as JSON: 4 KB at most.
    """
    size = set_bytes(variables)
    if size > _MOST_BYTES:
        largest = sorted(variables, key=lambda name: len(variables[name].encode()), reverse=True)[:3]
        shown = ", ".join(f"{name} {len(variables[name].encode()):,}" for name in largest)
        raise ToolError(
            f"The variables of {function} would have {size:,} bytes; Lambda takes {_MOST_BYTES:,} in all. "
            f"The largest values: {shown}. Remove or shorten some. Nothing was changed."
        )


def set_bytes(variables: Mapping[str, str]) -> int:
    """How large Lambda finds a set of variables, in bytes."""
    return len(json.dumps(dict(variables), ensure_ascii=False, separators=(",", ":")).encode())
