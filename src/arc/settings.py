"""The runtime's settings, and the only place that reads `ARC_*` variables."""

from __future__ import annotations

import json

from arc.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

WEEK = 604_800
LONGEST_COOKIE = 400 * 86_400  # RFC 6265bis §5.5: user agents cap a cookie's age at 400 days.
_MOST_SECONDS = 10**10
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # RFC 9110 §5.6.2
_ENCRYPTIONS = ("A256GCM", "A192GCM", "A128GCM")


class Settings:
    """What the runtime was told, validated. Every argument has the default of an unset variable.

    `idle` and `absolute` are lifetimes in seconds; `table` is `"jwe"` for the sealed cookie, otherwise
    the name of a table. Raises `ConfigurationError` naming the variable and its remedy.
    """

    __slots__ = (
        "absolute",
        "app_name",
        "cookie_name",
        "domain",
        "enc",
        "environment",
        "fallbacks",
        "idle",
        "in_lambda",
        "legacy",
        "path",
        "same_site",
        "secret",
        "table",
    )

    def __init__(
        self,
        *,
        environment: str | None = None,
        in_lambda: bool = False,
        app_name: str | None = None,
        secret: str | None = None,
        fallbacks: tuple[str, ...] = (),
        enc: str = "A256GCM",
        legacy: bool = False,
        table: str = "jwe",
        idle: int = WEEK,
        absolute: int | None = None,
        cookie_name: str = "_idx",
        domain: str | None = None,
        path: str = "/",
        same_site: str = "Lax",
    ) -> None:
        self.environment, self.in_lambda, self.app_name = environment, in_lambda, app_name
        self.secret, self.fallbacks, self.enc, self.legacy = secret, fallbacks, enc, legacy
        self.table, self.idle, self.absolute = table, idle, absolute
        self.cookie_name, self.domain, self.path, self.same_site = cookie_name, domain, path, same_site
        self._check()

    @property
    def testing(self) -> bool:
        """True in the testing environment outside Lambda: the only place where development keys are good."""
        return self.environment == "testing" and not self.in_lambda

    @property
    def secure(self) -> bool:
        """True when cookies carry `Secure`: in every environment but testing (ARCHITECT's rule)."""
        return self.environment != "testing"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that `environ` (usually `os.environ`) holds. Raises `ConfigurationError`."""

        def get(name: str) -> str | None:
            return environ.get(name) or None

        return cls(
            environment=get("ARC_ENV"),
            in_lambda="AWS_LAMBDA_FUNCTION_NAME" in environ and "ARC_SANDBOX" not in environ,
            app_name=get("ARC_APP_NAME"),
            secret=get("ARC_APP_SECRET"),
            fallbacks=_fallbacks(get("ARC_APP_SECRET_FALLBACKS")),
            enc=get("ARC_APP_SECRET_ALGO") or "A256GCM",
            legacy=get("ARC_FORCE_LEGACY_JWE_SECRET") is not None,
            table=_agreed(environ, "ARC_SESSION_TABLE_NAME", "SESSION_TABLE_NAME") or "jwe",
            idle=_seconds(environ, "ARC_SESSION_TTL", "SESSION_TTL") or WEEK,
            absolute=_seconds(environ, "ARC_SESSION_ABSOLUTE_TTL"),
            cookie_name=get("ARC_SESSION_COOKIE_NAME") or "_idx",
            domain=get("ARC_SESSION_DOMAIN") or get("SESSION_DOMAIN"),
            path=get("ARC_SESSION_PATH") or "/",
            same_site=(get("ARC_SESSION_SAME_SITE") or "Lax").capitalize(),
        )

    def _check(self) -> None:
        if self.enc not in _ENCRYPTIONS:
            raise ConfigurationError(f"ARC_APP_SECRET_ALGO is {self.enc!r}. Use one of {', '.join(_ENCRYPTIONS)}.")
        if not self.cookie_name or not set(self.cookie_name) <= _TOKEN:
            raise ConfigurationError(
                f"ARC_SESSION_COOKIE_NAME is {self.cookie_name!r}, which is no cookie name. "
                "Use letters, digits, '-' and '_'."
            )
        for variable, value in (("ARC_SESSION_DOMAIN", self.domain or ""), ("ARC_SESSION_PATH", self.path)):
            if any(not "!" <= character <= "~" or character in ';,"\\' for character in value):
                raise ConfigurationError(
                    f"{variable} is {value!r}. A cookie attribute takes visible ASCII only, without ';', ',' or quotes."
                )
        if not self.path.startswith("/"):
            raise ConfigurationError(f"ARC_SESSION_PATH is {self.path!r}. A cookie's path starts with '/'.")
        if self.same_site not in ("Lax", "Strict", "None"):
            raise ConfigurationError(f"ARC_SESSION_SAME_SITE is {self.same_site!r}. Use Lax, Strict or None.")
        if self.same_site == "None" and not self.secure:
            raise ConfigurationError(
                "ARC_SESSION_SAME_SITE=None demands a Secure cookie, and ARC_ENV=testing sends none. "
                "Use Lax in testing, None in staging and production only."
            )
        self._check_prefix()

    def _check_prefix(self) -> None:
        """Cookie name prefixes, RFC 6265bis §4.1.3: browsers drop a cookie that breaks their rules."""
        name = self.cookie_name.lower()
        if name.startswith(("__secure-", "__host-")) and not self.secure:
            raise ConfigurationError(
                f"The cookie name {self.cookie_name!r} demands a Secure cookie, and ARC_ENV=testing sends none. "
                "Unset ARC_SESSION_COOKIE_NAME in testing."
            )
        if name.startswith("__host-") and (self.domain or self.path != "/"):
            raise ConfigurationError(
                f"The cookie name {self.cookie_name!r} allows neither a domain nor a path but '/'. "
                "Unset ARC_SESSION_DOMAIN and ARC_SESSION_PATH, or choose a name without '__Host-'."
            )


def _agreed(environ: Mapping[str, str], first: str, second: str) -> str | None:
    """The value of two names for one setting; they may not disagree."""
    one, other = environ.get(first) or None, environ.get(second) or None
    if one and other and one != other:
        raise ConfigurationError(f"{first} is {one!r} but {second} is {other!r}. Set one of them, or both alike.")
    return one or other


def _seconds(environ: Mapping[str, str], *names: str) -> int | None:
    """The first of `names` that is set, as a positive whole number of seconds."""
    for name in names:
        text = environ.get(name)
        if not text:
            continue
        try:  # Architect reads numbers like 6.048e5 here.
            number = float(text)
        except ValueError:
            number = 0.0
        if not 1 <= number <= _MOST_SECONDS or number != int(number):
            raise ConfigurationError(
                f"{name} is {text!r}. Give a lifetime in whole seconds, such as {WEEK} for a week."
            )
        return int(number)
    return None


def _fallbacks(text: str | None) -> tuple[str, ...]:
    """The secrets in a JSON list. The message never shows the text: it holds secrets."""
    if text is None:
        return ()
    try:
        secrets = json.loads(text)
    except ValueError:
        secrets = None
    if not isinstance(secrets, list) or not all(isinstance(secret, str) and secret for secret in secrets):
        raise ConfigurationError(
            'ARC_APP_SECRET_FALLBACKS is not a JSON list of secrets. Write it as ["older secret", "oldest secret"].'
        )
    return tuple(secrets)
