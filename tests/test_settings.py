"""Settings from the environment: valid values, and errors for the operator."""

from __future__ import annotations

import pytest

from arc.errors import ConfigurationError
from arc.settings import Settings


def test_an_empty_environment_is_valid() -> None:
    """Without variables, all defaults apply, and the cookie is sealed."""
    settings = Settings.from_env({})
    assert (settings.table, settings.enc, settings.idle, settings.absolute) == ("jwe", "A256GCM", 604_800, None)
    assert (settings.cookie_name, settings.path, settings.same_site, settings.domain) == ("_idx", "/", "Lax", None)
    assert settings.secure
    assert not settings.testing


def test_every_variable_is_read() -> None:
    """Each ARC_ variable sets its attribute."""
    settings = Settings.from_env(
        {
            "ARC_ENV": "staging",
            "ARC_APP_NAME": "shop",
            "ARC_APP_SECRET": "secret",
            "ARC_APP_SECRET_FALLBACKS": '["one", "two"]',
            "ARC_APP_SECRET_ALGO": "A128GCM",
            "ARC_FORCE_LEGACY_JWE_SECRET": "1",
            "ARC_SESSION_TABLE_NAME": "shop-staging-session",
            "ARC_SESSION_TRANSPORT": "boto3",
            "ARC_SESSION_TTL": "6.048e5",
            "ARC_SESSION_ABSOLUTE_TTL": "86400",
            "ARC_SESSION_COOKIE_NAME": "__Secure-s",
            "ARC_SESSION_DOMAIN": "example.com",
            "ARC_SESSION_PATH": "/app",
            "ARC_SESSION_SAME_SITE": "strict",
            "ARC_STACK_NAME": "ShopStaging",
            "ARC_TRUSTED_ORIGINS": "https://www.example.com,HTTPS://App.Example.com:443 https://b.example:8443",
            "ARC_LOCAL": "1",
            "AWS_REGION": "eu-west-1",
        }
    )
    assert (settings.environment, settings.app_name, settings.secret) == ("staging", "shop", "secret")
    assert (settings.fallbacks, settings.enc, settings.legacy) == (("one", "two"), "A128GCM", True)
    assert (settings.table, settings.idle, settings.absolute) == ("shop-staging-session", 604_800, 86_400)
    assert (settings.cookie_name, settings.domain, settings.path) == ("__Secure-s", "example.com", "/app")
    assert (settings.same_site, settings.transport) == ("Strict", "boto3")
    assert settings.trusted_origins == ("https://www.example.com", "https://app.example.com", "https://b.example:8443")
    assert (settings.stack_name, settings.sandbox_on_aws, settings.region) == ("ShopStaging", True, "eu-west-1")


def test_the_older_names_are_read() -> None:
    """SESSION_TABLE_NAME, SESSION_TTL and SESSION_DOMAIN work without the prefix."""
    settings = Settings.from_env({"SESSION_TABLE_NAME": "t", "SESSION_TTL": "60", "SESSION_DOMAIN": "example.com"})
    assert (settings.table, settings.idle, settings.domain) == ("t", 60, "example.com")


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"ARC_SESSION_TABLE_NAME": "jwe", "SESSION_TABLE_NAME": "t"}, "SESSION_TABLE_NAME"),
        ({"ARC_APP_SECRET_ALGO": "A512GCM"}, "ARC_APP_SECRET_ALGO"),
        ({"ARC_SESSION_TTL": "a week"}, "ARC_SESSION_TTL"),
        ({"SESSION_TTL": "-1"}, "SESSION_TTL"),
        ({"ARC_SESSION_TTL": "nan"}, "ARC_SESSION_TTL"),
        ({"ARC_SESSION_TTL": "1.5"}, "ARC_SESSION_TTL"),
        ({"ARC_SESSION_ABSOLUTE_TTL": "0"}, "ARC_SESSION_ABSOLUTE_TTL"),
        ({"ARC_APP_SECRET_FALLBACKS": "hidden-secret"}, "ARC_APP_SECRET_FALLBACKS"),
        ({"ARC_APP_SECRET_FALLBACKS": '{"a": "hidden-secret"}'}, "ARC_APP_SECRET_FALLBACKS"),
        ({"ARC_SESSION_SAME_SITE": "sometimes"}, "ARC_SESSION_SAME_SITE"),
    ],
)
def test_a_wrong_variable_is_named_and_no_secret_shown(environ: dict[str, str], named: str) -> None:
    """The message has the variable and the remedy, and never a secret."""
    with pytest.raises(ConfigurationError, match=named) as error:
        Settings.from_env(environ)
    assert "hidden-secret" not in str(error.value)


@pytest.mark.parametrize(
    "environ",
    [
        {"ARC_ENV": "testing", "ARC_SESSION_SAME_SITE": "None"},
        {"ARC_ENV": "testing", "ARC_SESSION_COOKIE_NAME": "__Secure-s"},
        {"ARC_ENV": "testing", "ARC_SESSION_COOKIE_NAME": "__Host-s"},
        {"ARC_SESSION_COOKIE_NAME": "__Host-s", "ARC_SESSION_DOMAIN": "example.com"},
        {"ARC_SESSION_COOKIE_NAME": "__host-s", "ARC_SESSION_PATH": "/app"},
    ],
)
def test_s24_cookies_that_browsers_reject_are_refused(environ: dict[str, str]) -> None:
    """SameSite=None without Secure and an invalid name prefix are errors of the operator."""
    with pytest.raises(ConfigurationError, match=r"Secure|__[Hh]ost-"):
        Settings.from_env(environ)


def test_s24_secure_in_every_environment_but_testing() -> None:
    """Only with ARC_ENV=testing, cookies are not Secure."""
    secure = {
        name: Settings.from_env({"ARC_ENV": name}).secure for name in ("testing", "staging", "production", "other")
    }
    assert secure == {"testing": False, "staging": True, "production": True, "other": True}


@pytest.mark.parametrize("value", ["a b", "a;b", "a,b", "a\r\nb", "\x7f", "é", 'a"b'])
@pytest.mark.parametrize("variable", ["ARC_SESSION_COOKIE_NAME", "ARC_SESSION_DOMAIN", "ARC_SESSION_PATH"])
def test_s29_characters_that_break_a_header_are_refused(variable: str, value: str) -> None:
    """Control characters, separators, spaces and non-ASCII are refused in name, domain and path."""
    with pytest.raises(ConfigurationError, match=variable):
        Settings.from_env({variable: "/" + value if variable.endswith("PATH") else value})


def test_testing_on_lambda_is_not_testing() -> None:
    """Development keys are refused on real Lambda and accepted in the sandbox."""
    function = {"ARC_ENV": "testing", "AWS_LAMBDA_FUNCTION_NAME": "f"}
    assert not Settings.from_env(function).testing
    assert Settings.from_env({**function, "ARC_SANDBOX": "{}"}).testing


@pytest.mark.parametrize(
    ("environment", "sandbox", "local_variable", "local"),
    [
        ("testing", None, None, True),
        ("testing", "{}", "1", True),
        ("staging", None, None, False),
        ("staging", "{}", None, True),
        ("production", "{}", None, True),
        ("production", "{}", "1", False),
        (None, "{}", None, False),
        ("other", "{}", None, False),
    ],
)
def test_where_tables_are_local(
    environment: str | None, sandbox: str | None, local_variable: str | None, local: bool
) -> None:
    """Testing is local, and so are staging and production in a sandbox, unless ARC_LOCAL selects AWS's tables."""
    named = {"ARC_ENV": environment, "ARC_SANDBOX": sandbox, "ARC_LOCAL": local_variable}
    assert Settings.from_env({name: value for name, value in named.items() if value is not None}).local is local


def test_the_ports_of_the_sandbox_are_read() -> None:
    """ARC_SANDBOX has the ports of the service map and the tables."""
    text = '{"ports": {"http": 3333, "_arc": 2222, "tables": 5555}, "version": "6.0.0"}'
    assert Settings.from_env({"ARC_SANDBOX": text}).sandbox_ports == {"http": 3333, "_arc": 2222, "tables": 5555}
    assert Settings.from_env({}).sandbox_ports is None


@pytest.mark.parametrize(
    "text",
    [
        *("true", "{}", "[]", "no JSON", '"ports"', '{"ports": [1]}', "[" * 100_000),
        *('{"ports": {"_arc": "x"}}', '{"ports": {"_arc": 65536, "tables": 0, "http": -1, "events": true}}'),
    ],
)
def test_an_invalid_arc_sandbox_is_a_sandbox_without_ports(text: str) -> None:
    """A missing port does not affect sessions that need none."""
    assert Settings.from_env({"ARC_SANDBOX": text}).sandbox_ports == {}


def test_the_region_is_read_from_either_variable() -> None:
    """AWS_DEFAULT_REGION is used if AWS_REGION is not set."""
    assert Settings.from_env({"AWS_DEFAULT_REGION": "eu-west-1"}).region == "eu-west-1"
    assert Settings.from_env({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}).region == "eu-west-2"
    assert Settings.from_env({}).region is None


def test_the_address_of_sockets_is_read_unchecked() -> None:
    """ARC_WSS_URL concerns only `arc.ws`, so an invalid value does not affect sessions."""
    assert Settings.from_env({"ARC_WSS_URL": "nonsense"}).wss_url == "nonsense"
    assert Settings.from_env({"ARC_WSS_URL": ""}).wss_url is None


def test_a_list_of_origins_may_be_json() -> None:
    """The list may be JSON like ARC_APP_SECRET_FALLBACKS, and without it no other origin is trusted."""
    listed = Settings.from_env({"ARC_TRUSTED_ORIGINS": '["https://a.example", "https://b.example"]'})
    assert listed.trusted_origins == ("https://a.example", "https://b.example")
    assert (
        Settings.from_env({}).trusted_origins == Settings.from_env({"ARC_TRUSTED_ORIGINS": " "}).trusted_origins == ()
    )


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("https://shop.example/", "https://shop.example"),
        ("https://shop.example/cart?a=1", "https://shop.example"),
        ("shop.example", "https://shop.example"),
        ("*.shop.example", "https://shop.example"),
        ("https://*.shop.example:8443", "https://shop.example:8443"),
        ("https://ada@shop.example", "https://shop.example"),
        ("*", "https://www.example.com"),
        ("null", "https://null"),
        ("ftp://shop.example", "https://shop.example"),
        ("http://shop.example", "https://shop.example"),
        ("https://shop.example:port", "https://www.example.com"),
        ("https://sh\u00f6p.example", "https://www.example.com"),
        ("[1]", "https://www.example.com"),
        ('["https://a.example", 1]', "https://www.example.com"),
    ],
)
def test_an_invalid_trusted_origin_is_refused_with_a_suggestion(text: str, suggestion: str) -> None:
    """An address, a pattern, a host and an origin without TLS would never match."""
    with pytest.raises(ConfigurationError, match="ARC_TRUSTED_ORIGINS") as error:
        Settings.from_env({"ARC_ENV": "production", "ARC_TRUSTED_ORIGINS": text})
    assert suggestion in str(error.value)


def test_an_origin_without_tls_can_be_trusted_in_testing() -> None:
    """A front end can run on another port of localhost."""
    testing = Settings.from_env({"ARC_ENV": "testing", "ARC_TRUSTED_ORIGINS": "http://localhost:5173"})
    assert testing.trusted_origins == ("http://localhost:5173",)
