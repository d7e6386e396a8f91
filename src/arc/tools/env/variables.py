"""Names and values of variables: what an environment may set, and what SSM and Lambda accept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.inventory.findings import choose, did_you_mean
from arc.inventory.preferences import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


DEPLOYED = tuple(name for name in ENVIRONMENTS if name != "testing")
SEALED = "jwe"
SECRET, FALLBACKS = "ARC_APP_SECRET", "ARC_APP_SECRET_FALLBACKS"
STORE, OLD_STORE = "ARC_SESSION_TABLE_NAME", "SESSION_TABLE_NAME"
ROTATION = "rotation"  # the memo of a rotation that is in progress

# Deployment sets these in every function, as Architect does.
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
_NOT_SECRET = (STORE, OLD_STORE, "ARC_TRUSTED_ORIGINS")  # names of tables, and origins

_MOST_BYTES = 4096  # of a value in SSM's standard tier, and of all variables of a function in Lambda
_REQUEST_LIMIT = 5120  # bytes; a request that changes a function's configuration must be smaller
_REVISION = "-".join("0" * digits for digits in (8, 4, 4, 4, 12))  # a UUID, as Lambda's revisions are
_REFERENCE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def check_name(name: str) -> None:
    """Raise `ToolError` for a name that is reserved, or that Lambda would refuse."""
    fault = fault_of(name)
    if fault is not None:
        raise ToolError(fault)


def fault_of(name: str) -> str | None:
    """Return why a variable cannot have this name, with what to do; None for a valid name."""
    if name in RESERVED or name in _LAMBDAS:
        owner = "arc" if name in RESERVED else "AWS Lambda"
        return f"{name} is reserved: {owner} sets it in every function. Choose another name."
    if not _NAME.fullmatch(name):
        meant = re.sub(r"[ .-]", "_", name)
        return (
            f"Invalid variable name {name!r}: Lambda requires at least two characters, a letter first, then letters, "
            f"digits or '_'. {f'Write {meant}.' if _NAME.fullmatch(meant) else 'Choose another name.'}"
        )
    return None


def left_out(names: Iterable[str], environment: str) -> list[str]:
    """Return a note for each name that an environment has in SSM and its functions cannot have."""
    faults = {name: fault for name in names if (fault := fault_of(name)) is not None}
    return [f"{name} is set in {environment} but left out of its functions. {fault}" for name, fault in faults.items()]


def is_secret(name: str) -> bool:
    """Return True for a variable whose value may be secret."""
    return name not in _NOT_SECRET


def masked(name: str, value: str) -> str:
    """Return the value as every output shows it: masked, unless it cannot be secret."""
    return "********" if is_secret(name) else value


def check_text(name: str, value: str) -> None:
    """Raise `ToolError` for a value that no environment variable can have; the message never shows it."""
    if "\0" in value:
        raise ToolError(f"The value of {name} contains a NUL character. Encode it, for example with base64.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ToolError(f"The value of {name} is not valid UTF-8. Encode it, for example with base64.") from None


def check_value(name: str, value: str) -> None:
    """Raise `ToolError` for a value that cannot be stored in SSM; the message never shows it."""
    check_text(name, value)
    if not value:
        raise ToolError(
            f"The value of {name} is empty, and SSM accepts no empty values. Set another value, or run "
            f"`arc env remove ENVIRONMENT {name}`."
        )
    size = len(value.encode())
    if size > _MOST_BYTES:
        raise ToolError(
            f"The value of {name} is {size:,} bytes, and SSM's limit is {_MOST_BYTES:,}. Store it elsewhere, for "
            "example in S3 or Secrets Manager, and set its address instead."
        )
    if _REFERENCE.search(value):
        raise ToolError(
            f"The value of {name} contains {{{{…}}}}, which SSM refuses. Encode it, for example with base64."
        )


def check_set(function: str, variables: Mapping[str, str]) -> None:
    """Raise `ToolError` when a function's variables exceed Lambda's limits.

    Lambda limits their size as JSON to 4 KB, and the body of the request that sets them to under 5,120 bytes.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
    """
    size = set_bytes(variables)
    if size > _MOST_BYTES:
        largest = _largest({name: len(value.encode()) for name, value in variables.items()})
        raise ToolError(
            f"The variables of {function} would be {size:,} bytes, and Lambda's limit is {_MOST_BYTES:,} in total. "
            f"{largest} Remove or shorten some. Nothing was changed."
        )
    size = request_bytes(variables)
    if size >= _REQUEST_LIMIT:
        largest = _largest({name: len(json.dumps(value)[1:-1]) for name, value in variables.items()})
        raise ToolError(
            f"The request that updates {function} would be {size:,} bytes, and Lambda requires less than "
            f"{_REQUEST_LIMIT:,}; a character beyond ASCII counts as 6 or 12. {largest} Remove or shorten some, or "
            "encode them with base64. Nothing was changed."
        )


def set_bytes(variables: Mapping[str, str]) -> int:
    """Return the size of a set of variables as Lambda measures it, in bytes."""
    return len(json.dumps(dict(variables), ensure_ascii=False, separators=(",", ":")).encode())


def request_bytes(variables: Mapping[str, str]) -> int:
    """Return the size of the body that boto3 sends to set a function's variables, in bytes."""
    return len(json.dumps({"Environment": {"Variables": dict(variables)}, "RevisionId": _REVISION}))


def _largest(sizes: Mapping[str, int]) -> str:
    """Return a sentence that names the three largest values."""
    names = sorted(sizes, key=lambda name: sizes[name], reverse=True)[:3]
    return f"The largest values: {', '.join(f'{name} {sizes[name]:,}' for name in names)}."


def unknown_environment(word: str, choices: Sequence[str] = ENVIRONMENTS, *, others: Sequence[str] = ()) -> str:
    """Return the message for `word`, which is not one of `choices`.

    `others` are words that `word` may be a misspelling of and that are not environments.
    """
    if word == "testing":
        return f"testing is not deployed: `arc sandbox` runs it on this machine. {choose(choices)}"
    known, lower = (*choices, *others), word.lower()
    begun = [one for one in known if word and one.startswith(lower)]
    meant = did_you_mean(lower, begun or known, cutoff=0 if begun else 0.6)
    return f"Unknown environment {word!r}. {meant}{choose(choices)}"


def unknown_variable(name: str, environment: str, names: Sequence[str]) -> str:
    """Return the message for a variable to remove that is not among the `names` in an environment."""
    choices = choose(names) if names else f"{environment} has no variables."
    return f"{name} is not set in {environment}. {did_you_mean(name, names)}{choices} Nothing was changed."
