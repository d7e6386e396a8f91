"""Checks whether functions could run with a set of variables, with the runtime's own code and in DynamoDB."""

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
    """Return the fault that the settings have both `before` and `after` a change; None when there is none after it.

    `warn` is called for a weak secret; no message contains a secret. Raises `ToolError` for a new fault.
    """
    fault = settings_fault(after, app=app, environment=environment, warn=warn)
    if fault is None or fault == settings_fault(before, app=app, environment=environment):
        return fault
    raise ToolError(f"This change would break sessions in {environment}: {fault}\nNothing was changed.")


def settings_fault(
    variables: Mapping[str, str], *, app: str, environment: str, warn: Callable[[str], None] = lambda _: None
) -> str | None:
    """Return the error that the runtime would raise for `variables` in `environment`, or None.

    A missing secret is not a fault here, because the next command may set it. `warn` is called when the secret that
    seals is weak, and not for a weak fallback, which will be retired.
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
    """Raise `ToolError` unless `value` of `SESSION_TABLE_NAME` is `jwe` or names a table that can store sessions.

    A table is named by its physical name or as in the manifest. `warn` is called when DynamoDB does not delete
    expired sessions from it.
    """
    if value == SEALED:
        return
    tables = Tables(cloud)
    mapped = mapped_tables(cloud, app, environment).get(value, value)
    names = dict.fromkeys((mapped, f"{app}-{environment}-{value}", value))
    for name in names:
        found = _find(tables, name)
        if found is None:
            continue
        key = shown_key(found["KeySchema"], found["AttributeDefinitions"])
        if key != _SESSIONS_KEY:
            raise ToolError(
                f"The table {name} cannot store sessions, because its key is {key}. Use a table with the key "
                f"{_SESSIONS_KEY}. Nothing was changed."
            )
        if tables.ttl(name) != "_ttl":
            warn(
                f"Expired sessions stay in the table {name} forever, because its TTL is not on '_ttl'. Add '_ttl TTL' "
                f"to the table in the manifest, and run `arc create {environment}`."
            )
        return
    raise ToolError(
        f"Unknown table {value!r} in {cloud.region}; looked for {' and '.join(names)}. Create it with "
        f"`arc create {environment}`, or set the variable anyway with --force. Nothing was changed."
    )


def _find(tables: Tables, name: str) -> Mapping[str, Any] | None:
    """Return the table of that name; None without one, and for a name that DynamoDB does not allow."""
    try:
        return tables.find(name)
    except Refused as refused:
        if refused.code == "ValidationException":
            return None
        raise
