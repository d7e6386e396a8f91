"""Secrets that seal sessions: new ones, those that variables hold, and whether the runtime takes one."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from arc.errors import ConfigurationError, ToolError
from arc.sessions.keyring import Keyring
from arc.settings import Settings
from arc.tools.env.variables import FALLBACKS, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from arc.tools.cloud.functions import Function

_BYTES = 32  # 43 characters, of which the runtime's key takes the first 32: 192 bits of chance
_OF_KEYS = ("ARC_APP_SECRET_ALGO", "ARC_FORCE_LEGACY_JWE_SECRET")


def new_secret(*, random: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """A random secret for `ARC_APP_SECRET`: 43 characters of base64url, the first always a letter or a digit.

    So it can be typed anywhere, and is never taken for an option.
    """
    while True:
        secret = random(_BYTES)
        if secret[0] not in "-_":
            return secret


def fallbacks_of(variables: Mapping[str, str]) -> list[str]:
    """The secrets that open and do not seal. Raises `ToolError` for a list that no function could read."""
    try:
        found = json.loads(variables.get(FALLBACKS) or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        raise ToolError(
            f"{FALLBACKS} is no JSON list of secrets, so no function can read it. Mend it first: arc env "
            f"<environment> {FALLBACKS} '[\"older secret\"]', or remove it."
        )
    return found


def listed(fallbacks: Sequence[str]) -> str:
    """The value of `ARC_APP_SECRET_FALLBACKS` for these secrets."""
    return json.dumps(list(fallbacks), ensure_ascii=False, separators=(",", ":"))


def sealing_functions_cut_off(functions: Iterable[Function], after: Mapping[str, str], environment: str) -> list[str]:
    """Return the names of functions whose sessions would end if their environment's variables were `after`.

    Such a function seals with a usable secret that is not the one in `after`. Its sessions survive only if `after`
    still opens them and the function accepts the new secret already, as a rotation arranges.
    """
    secret, opened = after.get(SECRET), set(_fallbacks_or_none(after))
    names = []
    for function in functions:
        own = function.variables.get(SECRET)
        if not own or own == secret or not _is_usable(own, function.variables, environment):
            continue
        if own not in opened or secret not in _fallbacks_or_none(function.variables):
            names.append(function.name)
    return names


def _fallbacks_or_none(variables: Mapping[str, str]) -> list[str]:
    try:
        return fallbacks_of(variables)
    except ToolError:
        return []


def _is_usable(secret: str, variables: Mapping[str, str], environment: str) -> bool:
    try:
        return Judge(variables, environment).fault(secret) is None
    except ConfigurationError:
        return False


class Judge:
    """What the runtime makes of secrets in an environment with `variables`, which say how keys come from secrets.

    Its methods raise `ConfigurationError` when those themselves cannot be read.
    """

    def __init__(self, variables: Mapping[str, str], environment: str) -> None:
        self._environ = {name: variables[name] for name in _OF_KEYS if name in variables} | {"ARC_ENV": environment}
        Settings.from_env(self._environ)

    def fault(self, secret: str, warn: Callable[[str], None] = lambda _: None) -> str | None:
        """Why no function can run with `secret`, None for one that is good; `warn` is told of a poor one."""
        try:
            Keyring(Settings.from_env(self._environ | {SECRET: secret}), warn=warn)
        except ConfigurationError as error:
            return str(error).partition(". ")[0]  # the rest says how to set another, which would sign people out
        return None

    def are_twins(self, secret: str, other: str) -> bool:
        """True when both give one key, so that changing from one to the other would change nothing."""
        environ = self._environ | {SECRET: secret, FALLBACKS: listed([other])}
        return Keyring(Settings.from_env(environ), warn=lambda _: None).has_duplicate_keys
