"""Names of variables: which an environment may set, and which belong to the tools or to Lambda."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.inventory.preferences import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


DEPLOYED = tuple(name for name in ENVIRONMENTS if name != "testing")
SEALED = "jwe"
SECRET, FALLBACKS = "ARC_APP_SECRET", "ARC_APP_SECRET_FALLBACKS"
STORE, OLD_STORE = "ARC_SESSION_TABLE_NAME", "SESSION_TABLE_NAME"
ROTATION = "rotation"  # the memo of a rotation of the secret that has begun and not ended

# Architect's, for every function alike; deployment sets them.
RESERVED = frozenset(
    (
        "ARC_APP_NAME",
        "ARC_DISABLE_ENV_VARS",
        "ARC_ENV",
        "ARC_ROLE",
        "ARC_SANDBOX",
        "ARC_STACK_NAME",
        "ARC_WSS_URL",
        "NODE_ENV",
    )
)
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
_LAMBDAS = frozenset(
    (
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    )
)
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_PLAIN = (STORE, OLD_STORE, "ARC_TRUSTED_ORIGINS")


def check_name(name: str) -> None:
    """Raise `ToolError` for a name that is reserved, or that Lambda would refuse."""
    fault = fault_of(name)
    if fault is not None:
        raise ToolError(fault)


def fault_of(name: str) -> str | None:
    """Why `name` cannot be that of a variable, with what to do; None for a good one."""
    if name in RESERVED:
        return f"{name} is reserved: the tools set it for each function. Choose another name."
    if name in _LAMBDAS:
        return f"{name} is reserved: AWS Lambda sets it for each function. Choose another name."
    if not _NAME.fullmatch(name):
        return (
            f"{name!r} cannot be the name of a variable: Lambda takes a letter first, then letters, digits and '_', "
            "two characters at least. Choose another name."
        )
    return None


def is_secret(name: str) -> bool:
    """True when the value of a variable is masked: all but the names of tables and origins may hold a secret."""
    return name not in _PLAIN


def unknown_environment(word: str, choices: Sequence[str] = ENVIRONMENTS, *, others: Sequence[str] = ()) -> str:
    """Return the message for `word`, which is not one of `choices`: the likely meaning and the choices.

    `others` are words that `word` may be a misspelling of and that are not environments.
    """
    known = (*choices, *others)
    close = [one for one in known if word and one.startswith(word)] or difflib.get_close_matches(word, known, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    return f"Unknown environment {word!r}.{meant} {choose(choices)}"


def choose(choices: Sequence[str]) -> str:
    """Return the sentence that names the `choices`, of which there are two or more."""
    return f"Choose {', '.join(choices[:-1])} or {choices[-1]}."


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
