"""The runtime's settings. Only this module reads `ARC_*` variables."""

from __future__ import annotations

from arc.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

WEEK = 604_800
_MOST_SECONDS = 10**10
_LAST_PORT = 65_535
_LEAST_BYTES, _MOST_BYTES = 1024, 400 * 1024  # DynamoDB's limit for a row is 400 KB.
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # RFC 9110 §5.6.2
_TRANSPORTS = ("boto3", "lean")
_ENCRYPTIONS = ("A256GCM", "A192GCM", "A128GCM")


class Settings:
    """The validated settings. Every argument has the default of an unset variable.

    - `idle` and `absolute` are lifetimes in seconds.
    - `table` is `"jwe"` for the sealed cookie, otherwise the name of a table. `migrate_from` is the previous `table`.
    - `max_bytes` is the largest row of a table. With `consistent_read` false, reads may be slightly outdated.
    - `transport` is `"boto3"` or `"lean"`, None for an automatic choice.
    - `sandbox_ports` is None outside a sandbox. `sandbox_on_aws` is true in a sandbox that uses AWS's tables.
    - `trusted_origins` are other origins, `scheme://host[:port]`, whose pages may submit the app's forms.
    - `wss_url` is the address of the app's web sockets, which is not checked.

    Raises `ConfigurationError`, which names the variable and the remedy.
    """

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
        self.trusted_origins = tuple(map(self._trusted_origin, trusted_origins))
        self.wss_url = wss_url
        self._check()

    @property
    def testing(self) -> bool:
        """True in the testing environment outside Lambda, the only place where development keys are accepted."""
        return self.environment == "testing" and not self.in_lambda

    @property
    def local(self) -> bool:
        """True when tables and service map are the sandbox's, as they always are in testing (Architect's rule)."""
        if self.environment in ("staging", "production"):
            return self.sandbox_ports is not None and not self.sandbox_on_aws
        return self.environment == "testing"

    @property
    def secure(self) -> bool:
        """True when cookies are `Secure`: in every environment except testing (Architect's rule)."""
        return self.environment != "testing"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from `environ` (usually `os.environ`). Raises `ConfigurationError`."""

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
            table=_read_alias(environ, "ARC_SESSION_TABLE_NAME", "SESSION_TABLE_NAME") or "jwe",
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
                f"ARC_SESSION_COOKIE_NAME is {self.cookie_name!r}, which is not a valid cookie name. "
                "Use letters, digits, '-' and '_'."
            )
        if any(not "!" <= character <= "~" or character in ';,"\\' for character in self.path):
            raise ConfigurationError(
                f"ARC_SESSION_PATH is {self.path!r}. Use visible ASCII without ';', ',', quotes and backslashes."
            )
        if not self.path.startswith("/"):
            raise ConfigurationError(f"ARC_SESSION_PATH is {self.path!r}. A cookie's path must start with '/'.")
        if self.same_site not in ("Lax", "Strict", "None"):
            raise ConfigurationError(f"ARC_SESSION_SAME_SITE is {self.same_site!r}. Use Lax, Strict or None.")
        if self.same_site == "None" and not self.secure:
            raise ConfigurationError(
                "ARC_SESSION_SAME_SITE=None requires a Secure cookie, and cookies are not Secure with ARC_ENV=testing. "
                "Use Lax in testing, and None only in staging and production."
            )
        self._check_prefix()

    def _cookie_domain(self, text: str) -> str | None:
        """Normalize the cookie's domain. In testing it is None for this machine's own names."""
        from arc.hosts import domain_fault, likely_domain

        name = text.lower().removeprefix(".")
        if self.environment == "testing" and name in ("localhost", "127.0.0.1", "[::1]"):
            return None
        fault = domain_fault(name)
        if not fault:
            return name
        suggestion = likely_domain(text)
        remedy = f"Use {suggestion}, or unset it" if suggestion else "Unset ARC_SESSION_DOMAIN"
        raise ConfigurationError(f"ARC_SESSION_DOMAIN is {text!r}, which {fault}. {remedy} for a host-only cookie.")

    def _trusted_origin(self, text: str) -> str:
        from arc.hosts import likely_origin, origin

        normalized = origin(text)
        if not normalized:
            raise ConfigurationError(
                f"ARC_TRUSTED_ORIGINS contains {text!r}, which is not an origin. Use scheme://host or "
                f"scheme://host:port, without a path or a wildcard, such as {likely_origin(text)}."
            )
        if self.secure and not normalized.startswith("https:"):
            raise ConfigurationError(
                f"ARC_TRUSTED_ORIGINS contains {text!r}, which is not https, so that others can change its pages. "
                f"Use {likely_origin(text)}."
            )
        return normalized

    def _check_prefix(self) -> None:
        """Check the rules that browsers enforce for a prefix of the cookie's name (RFC 6265bis §4.1.3)."""
        name = self.cookie_name.lower()
        if name.startswith(("__secure-", "__host-")) and not self.secure:
            raise ConfigurationError(
                f"The cookie name {self.cookie_name!r} requires a Secure cookie, and cookies are not Secure with "
                "ARC_ENV=testing. Unset ARC_SESSION_COOKIE_NAME in testing."
            )
        if name.startswith("__host-") and (self.domain or self.path != "/"):
            raise ConfigurationError(
                f"The cookie name {self.cookie_name!r} allows no domain and only the path '/'. "
                "Unset ARC_SESSION_DOMAIN and ARC_SESSION_PATH, or choose a name without '__Host-'."
            )


def _read_alias(environ: Mapping[str, str], first: str, second: str) -> str | None:
    """Return the value of a setting that has two names. Raises `ConfigurationError` if their values differ."""
    one, other = environ.get(first) or None, environ.get(second) or None
    if one and other and one != other:
        raise ConfigurationError(f"{first} is {one!r} but {second} is {other!r}. Set only one of them.")
    return one or other


def _seconds(environ: Mapping[str, str], *names: str) -> int | None:
    """Return the first of `names` that is set, as a positive whole number of seconds."""
    for name in names:
        text = environ.get(name)
        if not text:
            continue
        try:  # Architect accepts numbers like 6.048e5.
            number = float(text)
        except ValueError:
            number = 0.0
        if not 1 <= number <= _MOST_SECONDS or number != int(number):
            raise ConfigurationError(f"{name} is {text!r}. Use whole seconds, such as {WEEK} for a week.")
        return int(number)
    return None


def _bytes(environ: Mapping[str, str], name: str) -> int | None:
    """Return a size in bytes within DynamoDB's limit for a row."""
    text = environ.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not _LEAST_BYTES <= int(text) <= _MOST_BYTES:
        raise ConfigurationError(f"{name} is {text!r}. Use a number of bytes from {_LEAST_BYTES} to {_MOST_BYTES}.")
    return int(text)


def _flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = (environ.get(name) or str(default)).lower()
    if text not in ("true", "false"):
        raise ConfigurationError(f"{name} is {environ[name]!r}. Set it to true or false.")
    return text == "true"


def _fallbacks(text: str | None) -> tuple[str, ...]:
    """Return the secrets in a JSON list. The error never shows the text, because it contains secrets."""
    if text is None:
        return ()
    import json  # The import is slow, and most apps have none of what needs it.

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
    """Return the words of a list, which are separated by commas or spaces, or are a JSON list of strings."""
    if text is not None and text.startswith("["):
        import json

        try:
            words = json.loads(text)
        except ValueError:
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return tuple(words)
    return tuple((text or "").replace(",", " ").split())


def sandbox_static(environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the sandbox's static folder, an absolute path, and the texts that it ignores; None without one."""
    import json

    try:
        static = json.loads(environ.get("ARC_SANDBOX") or "{}").get("static")
        return (str(static["folder"]), tuple(static["ignore"])) if static else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _ports(text: str | None) -> Mapping[str, int] | None:
    """Return the sandbox's ports by name, such as `_arc` and `tables`; None outside a sandbox."""
    if text is None:
        return None
    import json

    try:
        ports = json.loads(text)["ports"]
        return {name: port for name, port in ports.items() if type(port) is int and 0 < port <= _LAST_PORT}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}  # The user of a port reports that it is missing.
