"""Names of variables: which an environment may set, and which belong to the tools or to Lambda."""

from __future__ import annotations

import re

from arc.errors import ToolError
from arc.inventory.preferences import ENVIRONMENTS

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
