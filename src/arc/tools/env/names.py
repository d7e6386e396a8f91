"""Names of variables: which an environment may set, and which belong to the tools or to Lambda."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.inventory.preferences import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

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
