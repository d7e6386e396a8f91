"""Values of variables: text, byte for byte, as far as SSM and Lambda take it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_BYTES = 4096  # of a value in SSM's standard tier, and of all variables of a function in Lambda
_REQUEST_LIMIT = 5120  # bytes, of a request to change a function's configuration: it must be smaller
_REVISION = "-".join("0" * digits for digits in (8, 4, 4, 4, 12))  # a UUID, as Lambda's revisions are
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

    Lambda measures them as JSON, 4 KB at most, and the body of the request that brings them, smaller than 5,120 bytes.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
    """
    size = set_bytes(variables)
    if size > _MOST_BYTES:
        largest = _largest({name: len(value.encode()) for name, value in variables.items()})
        raise ToolError(
            f"The variables of {function} would have {size:,} bytes; Lambda takes {_MOST_BYTES:,} in all. "
            f"{largest} Remove or shorten some. Nothing was changed."
        )
    size = request_bytes(variables)
    if size >= _REQUEST_LIMIT:
        largest = _largest({name: len(json.dumps(value)[1:-1]) for name, value in variables.items()})
        raise ToolError(
            f"The request that gives {function} its variables would have {size:,} bytes; Lambda takes less than "
            f"{_REQUEST_LIMIT:,}, and a character beyond ASCII counts 6 or 12. {largest} Remove or shorten some, or "
            "encode them (base64). Nothing was changed."
        )


def set_bytes(variables: Mapping[str, str]) -> int:
    """Return the size of a set of variables as Lambda measures it, in bytes."""
    return len(json.dumps(dict(variables), ensure_ascii=False, separators=(",", ":")).encode())


def request_bytes(variables: Mapping[str, str]) -> int:
    """Return the size of the body that boto3 sends to give a function its variables, in bytes."""
    return len(json.dumps({"Environment": {"Variables": dict(variables)}, "RevisionId": _REVISION}))


def _largest(sizes: Mapping[str, int]) -> str:
    """Return a sentence with the three largest values by name."""
    names = sorted(sizes, key=lambda name: sizes[name], reverse=True)[:3]
    return f"The largest values: {', '.join(f'{name} {sizes[name]:,}' for name in names)}."
