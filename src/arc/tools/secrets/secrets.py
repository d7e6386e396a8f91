"""Creates secrets, reads them from variables, and checks with the runtime's own code whether it can use them."""

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

_BYTES = 32  # 43 characters; the key is the first 32, which are 192 random bits
_OF_KEYS = ("ARC_APP_SECRET_ALGO", "ARC_FORCE_LEGACY_JWE_SECRET")


def new_secret(*, random: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Return a random secret for `ARC_APP_SECRET`: 43 characters of base64url.

    The first one is a letter or a digit, so that no command takes the secret for an option.
    """
    while True:
        secret = random(_BYTES)
        if secret[0] not in "-_":
            return secret


def fallbacks_of(variables: Mapping[str, str]) -> list[str]:
    """Return the secrets that open sessions and do not seal them. Raises `ToolError` for an invalid list."""
    try:
        found = json.loads(variables.get(FALLBACKS) or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        raise ToolError(
            f"{FALLBACKS} is not a JSON list of secrets, so no function can read it. Set a list, such as "
            f'["older secret"], with `arc env ENVIRONMENT {FALLBACKS}`, or remove the variable.'
        )
    return found


def fallbacks_value(fallbacks: Sequence[str]) -> str:
    """Return the value of `ARC_APP_SECRET_FALLBACKS` for these secrets."""
    return json.dumps(list(fallbacks), ensure_ascii=False, separators=(",", ":"))


def sealing_functions_cut_off(functions: Iterable[Function], after: Mapping[str, str], environment: str) -> list[str]:
    """Return the names of functions whose sessions would end if their environment's variables were `after`.

    Such a function seals with a usable secret that is not the one in `after`. Its sessions survive only if `after`
    still opens them and the function already accepts the new secret, as during a rotation.
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
        return SecretValidator(variables, environment).fault(secret) is None
    except ConfigurationError:
        return False


class SecretValidator:
    """Checks secrets with the runtime's own code, in an environment whose `variables` say how keys are derived.

    Raises `ConfigurationError` when those variables are invalid.
    """

    def __init__(self, variables: Mapping[str, str], environment: str) -> None:
        self._environ = {name: variables[name] for name in _OF_KEYS if name in variables} | {"ARC_ENV": environment}
        Settings.from_env(self._environ)

    def fault(self, secret: str, warn: Callable[[str], None] = lambda _: None) -> str | None:
        """Return why no function can run with `secret`, or None; `warn` is called for a weak secret."""
        try:
            Keyring(Settings.from_env(self._environ | {SECRET: secret}), warn=warn)
        except ConfigurationError as error:
            # The rest says how to set another secret, which would sign visitors out.
            return str(error).partition(". ")[0]
        return None

    def have_same_key(self, secret: str, other: str) -> bool:
        """Return True when both have the same key, so that replacing one with the other would change nothing."""
        environ = self._environ | {SECRET: secret, FALLBACKS: fallbacks_value([other])}
        return Keyring(Settings.from_env(environ), warn=lambda _: None).has_duplicate_keys
