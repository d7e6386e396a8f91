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
_LAST_PORT = 65_535
_LEAST_BYTES, _MOST_BYTES = 1024, 400 * 1024  # DynamoDB keeps at most 400 KB in a row.
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # RFC 9110 §5.6.2
_TRANSPORTS = ("boto3", "lean")
_ENCRYPTIONS = ("A256GCM", "A192GCM", "A128GCM")


class Settings:
    """What the runtime was told, validated. Every argument has the default of an unset variable.

    `idle` and `absolute` are lifetimes in seconds; `table` is `"jwe"` for the sealed cookie, otherwise
    the name of a table; `migrate_from` names in the same way where sessions were kept before. `max_bytes` is
    the largest row of a table, and `consistent_read` false lets its reads be a moment old. `transport` is `"boto3"`
    or `"lean"` to choose by hand how a table is asked. `sandbox_ports`
    is None outside a sandbox; `sandbox_on_aws` tells that one uses AWS's own tables. `trusted_origins` are those
    beside its own whose pages may send the application's forms, as `scheme://host[:port]`. `wss_url`
    is the address of the app's web sockets, unchecked. Raises `ConfigurationError` naming the variable and its remedy.
    """

    __slots__ = (
        "absolute",
        "app_name",
        "consistent_read",
        "cookie_name",
        "domain",
        "enc",
        "environment",
        "fallbacks",
        "idle",
        "in_lambda",
        "legacy",
        "max_bytes",
        "migrate_from",
        "path",
        "region",
        "same_site",
        "sandbox_on_aws",
        "sandbox_ports",
        "secret",
        "stack_name",
        "table",
        "transport",
        "trusted_origins",
        "wss_url",
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
        migrate_from: str | None = None,
        max_bytes: int = 65_536,
        consistent_read: bool = True,
        transport: str | None = None,
        idle: int = WEEK,
        absolute: int | None = None,
        cookie_name: str = "_idx",
        domain: str | None = None,
        path: str = "/",
        same_site: str = "Lax",
        region: str | None = None,
        stack_name: str | None = None,
        sandbox_ports: Mapping[str, int] | None = None,
        sandbox_on_aws: bool = False,
        trusted_origins: tuple[str, ...] = (),
        wss_url: str | None = None,
    ) -> None:
        self.environment, self.in_lambda, self.app_name = environment, in_lambda, app_name
        self.secret, self.fallbacks, self.enc, self.legacy = secret, fallbacks, enc, legacy
        self.table, self.idle, self.absolute = table, idle, absolute
        self.migrate_from = migrate_from if migrate_from != table else None
        self.max_bytes, self.consistent_read, self.transport = max_bytes, consistent_read, transport
        self.cookie_name, self.path, self.same_site = cookie_name, path, same_site
        self.domain = self._cookie_domain(domain) if domain else None
        self.region, self.stack_name = region, stack_name
        self.sandbox_ports, self.sandbox_on_aws = sandbox_ports, sandbox_on_aws
        self.trusted_origins = tuple(map(self._trusted, trusted_origins))
        self.wss_url = wss_url
        self._check()

    @property
    def testing(self) -> bool:
        """True in the testing environment outside Lambda: the only place where development keys are good."""
        return self.environment == "testing" and not self.in_lambda

    @property
    def local(self) -> bool:
        """True when tables and service map are the sandbox's: in testing always (Architect's rule)."""
        if self.environment in ("staging", "production"):
            return self.sandbox_ports is not None and not self.sandbox_on_aws
        return self.environment == "testing"

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
            migrate_from=get("ARC_SESSION_MIGRATE_FROM"),
            max_bytes=_bytes(environ, "ARC_SESSION_MAX_BYTES") or 65_536,
            consistent_read=_flag(environ, "ARC_SESSION_CONSISTENT_READ", default=True),
            transport=get("ARC_SESSION_TRANSPORT"),
            idle=_seconds(environ, "ARC_SESSION_TTL", "SESSION_TTL") or WEEK,
            absolute=_seconds(environ, "ARC_SESSION_ABSOLUTE_TTL"),
            cookie_name=get("ARC_SESSION_COOKIE_NAME") or "_idx",
            domain=get("ARC_SESSION_DOMAIN") or get("SESSION_DOMAIN"),
            path=get("ARC_SESSION_PATH") or "/",
            same_site=(get("ARC_SESSION_SAME_SITE") or "Lax").capitalize(),
            region=get("AWS_REGION") or get("AWS_DEFAULT_REGION"),
            stack_name=get("ARC_STACK_NAME"),
            sandbox_ports=_ports(get("ARC_SANDBOX")),
            sandbox_on_aws=get("ARC_LOCAL") is not None,
            trusted_origins=_words(get("ARC_TRUSTED_ORIGINS")),
            wss_url=get("ARC_WSS_URL"),
        )

    def _check(self) -> None:
        if self.enc not in _ENCRYPTIONS:
            raise ConfigurationError(f"ARC_APP_SECRET_ALGO is {self.enc!r}. Use one of {', '.join(_ENCRYPTIONS)}.")
        if self.transport is not None and self.transport not in _TRANSPORTS:
            raise ConfigurationError(f"ARC_SESSION_TRANSPORT is {self.transport!r}. Use {' or '.join(_TRANSPORTS)}.")
        if not self.cookie_name or not set(self.cookie_name) <= _TOKEN:
            raise ConfigurationError(
                f"ARC_SESSION_COOKIE_NAME is {self.cookie_name!r}, which is no cookie name. "
                "Use letters, digits, '-' and '_'."
            )
        if any(not "!" <= character <= "~" or character in ';,"\\' for character in self.path):
            raise ConfigurationError(
                f"ARC_SESSION_PATH is {self.path!r}. A cookie's path takes visible ASCII only, without ';', ',' or "
                "quotes."
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

    def _cookie_domain(self, text: str) -> str | None:
        """The cookie's domain as browsers compare it; None for this machine's own names in testing."""
        from arc.hosts import domain_fault, likely_domain

        name = text.lower().removeprefix(".")
        if self.environment == "testing" and name in ("localhost", "127.0.0.1", "[::1]"):
            return None
        fault = domain_fault(name)
        if not fault:
            return name
        meant = likely_domain(text)
        remedy = f"Write {meant}, or unset it" if meant else "Unset ARC_SESSION_DOMAIN"
        raise ConfigurationError(
            f"ARC_SESSION_DOMAIN is {text!r}, which {fault}. {remedy}, so that the cookie belongs to the host alone."
        )

    def _trusted(self, text: str) -> str:
        """A trusted origin in the form that compares."""
        from arc.hosts import likely_origin, origin

        compared = origin(text)
        if not compared:
            raise ConfigurationError(
                f"ARC_TRUSTED_ORIGINS has {text!r}, which is not an origin. Write each one as scheme://host or "
                f"scheme://host:port, without a path or a wildcard, such as {likely_origin(text)}."
            )
        if self.secure and not compared.startswith("https:"):
            raise ConfigurationError(
                f"ARC_TRUSTED_ORIGINS has {text!r}, whose pages anyone on the network can change. "
                f"Serve them by TLS and write {likely_origin(text)}."
            )
        return compared

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


def _bytes(environ: Mapping[str, str], name: str) -> int | None:
    """A size that DynamoDB takes in a row."""
    text = environ.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not _LEAST_BYTES <= int(text) <= _MOST_BYTES:
        raise ConfigurationError(f"{name} is {text!r}. Give a number of bytes from {_LEAST_BYTES} to {_MOST_BYTES}.")
    return int(text)


def _flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = (environ.get(name) or str(default)).lower()
    if text not in ("true", "false"):
        raise ConfigurationError(f"{name} is {environ[name]!r}. Set it to true or false.")
    return text == "true"


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


def _words(text: str | None) -> tuple[str, ...]:
    """The words of a list: separated by commas or spaces, or a JSON list of strings."""
    if text is not None and text.startswith("["):
        try:
            words = json.loads(text)
        except ValueError:
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return tuple(words)
    return tuple((text or "").replace(",", " ").split())


def _ports(text: str | None) -> Mapping[str, int] | None:
    """The sandbox's ports by name, `_arc` and `tables` among them; None outside a sandbox."""
    if text is None:
        return None
    try:
        ports = json.loads(text)["ports"]
        return {name: port for name, port in ports.items() if type(port) is int and 0 < port <= _LAST_PORT}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}  # who needs a port says that it is missing
