"""Whether functions could run with a set of variables: asked of the runtime itself, and of DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arc.errors import ArcError, MissingSecret, ToolError
from arc.sessions.keyring import Keyring
from arc.settings import Settings
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.parameters import mapped_tables
from arc.tools.cloud.tables import Tables, shown_key
from arc.tools.env.variables import OLD_STORE, SEALED, SECRET, STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.tools.cloud.cloud import Cloud

_SESSIONS_KEY = "_idx *String"


def check_settings(
    before: Mapping[str, str], after: Mapping[str, str], *, app: str, environment: str, warn: Callable[[str], None]
) -> str | None:
    """What was wrong `before` already and still is; None when functions can read their settings `after` a change.

    Raises `ToolError` when they could not, though they could before. `warn` is told of weak secrets; no message
    holds a secret.
    """
    fault = settings_fault(after, app=app, environment=environment, warn=warn)
    if fault is None or fault == settings_fault(before, app=app, environment=environment):
        return fault
    raise ToolError(f"With this, functions in {environment} could not keep sessions: {fault}\nNothing was changed.")


def settings_fault(
    variables: Mapping[str, str], *, app: str, environment: str, warn: Callable[[str], None] = lambda _: None
) -> str | None:
    """What the runtime would raise for `variables` in a function of `environment`, None for nothing.

    A secret that is not set is no fault here: it may come with the next command. `warn` is told what is weak in the
    one that seals; fallbacks are on their way out.
    """

    def warn_of_sealing(sentence: str) -> None:
        if sentence.startswith(f"{SECRET} "):
            warn(sentence)

    environ = {"ARC_APP_NAME": app, "ARC_ENV": environment, **variables}
    if environment != "testing":
        environ["AWS_LAMBDA_FUNCTION_NAME"] = app
    if variables.get(OLD_STORE):
        environ[STORE] = variables[OLD_STORE]
    try:
        Keyring(Settings.from_env(environ), warn=warn_of_sealing)
    except MissingSecret:
        return None
    except ArcError as error:
        return str(error)
    return None


def check_table(cloud: Cloud, value: str, *, app: str, environment: str, warn: Callable[[str], None]) -> None:
    """Raise `ToolError` when `value` of `SESSION_TABLE_NAME` names no table that holds sessions.

    It may be `jwe`, a table's own name, or the manifest's. `warn` is told when DynamoDB does not remove ended
    sessions from the table.
    """
    if value == SEALED:
        return
    tables = Tables(cloud)
    mapped = mapped_tables(cloud, app, environment).get(value, value)
    names = dict.fromkeys((mapped, f"{app}-{environment}-{value}", value))
    for name in names:
        found = _found(tables, name)
        if found is None:
            continue
        key = shown_key(found["KeySchema"], found["AttributeDefinitions"])
        if key != _SESSIONS_KEY:
            raise ToolError(
                f"The table {name} cannot hold sessions: its key is {key}, not {_SESSIONS_KEY}. Nothing was changed."
            )
        if tables.ttl(name) != "_ttl":
            warn(
                f"Ended sessions stay in the table {name} for ever: its TTL is not on '_ttl'. Write '_ttl TTL' below "
                f"the table in the manifest, and: arc create {environment}"
            )
        return
    raise ToolError(
        f"There is no table {value!r} in {cloud.region}; looked for {' and '.join(names)}. Make it: arc create "
        f"{environment}, or set the variable nevertheless with --force. Nothing was changed."
    )


def _found(tables: Tables, name: str) -> Mapping[str, Any] | None:
    """The table of that name, None without one, and for a name that no table can have."""
    try:
        return tables.find(name)
    except Refused as refused:
        if refused.code == "ValidationException":
            return None
        raise
