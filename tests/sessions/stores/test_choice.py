"""The choice of a transport from a function's variables."""

from __future__ import annotations

from typing import Any

import pytest

from arc.errors import ConfigurationError
from arc.http.manager import send_of
from arc.sessions.stores.dynamodb.boto import BotoSend
from arc.sessions.stores.dynamodb.choice import address, configured_endpoint
from arc.sessions.stores.dynamodb.lean import FallbackSend
from arc.settings import Settings

LAMBDA = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "hidden-secret",
    "AWS_SESSION_TOKEN": "hidden-token",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_NAME": "f",
    "ARC_ENV": "production",
    "HOME": "/nowhere",
}
SANDBOX = {
    "ARC_ENV": "testing",
    "ARC_SANDBOX": '{"ports": {"tables": 5555}}',
    "AWS_ACCESS_KEY_ID": "dummy",
    "AWS_SECRET_ACCESS_KEY": "dummy",
    "AWS_REGION": "us-west-2",
}


def chosen(environ: dict[str, str]) -> str:
    """Return the name of the transport of a function with these variables."""
    send: Any = send_of(Settings.from_env(environ), environ, lambda _reason: None)
    return {FallbackSend: "lean", BotoSend: "boto3"}[type(send)]


def test_a_function_on_lambda_has_the_lean_transport() -> None:
    """Lambda's three variables and a region are enough, and an address or harmless settings change nothing."""
    assert chosen(LAMBDA) == "lean"
    assert chosen({**LAMBDA, "AWS_ENDPOINT_URL": "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com"}) == "lean"
    assert chosen({**LAMBDA, "AWS_USE_FIPS_ENDPOINT": "false", "AWS_RETRY_MODE": "standard"}) == "lean"
    assert chosen({**LAMBDA, "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "5"}) == "lean"


ONLY_BOTO3 = [
    ("AWS_PROFILE", "dev"),
    ("AWS_DEFAULT_PROFILE", "dev"),
    ("AWS_CONFIG_FILE", "/etc/aws"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/etc/aws"),
    ("AWS_CA_BUNDLE", "/etc/ca.pem"),
    ("REQUESTS_CA_BUNDLE", "/etc/ca.pem"),
    ("AWS_USE_FIPS_ENDPOINT", "true"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "required"),
    ("AWS_CREDENTIAL_EXPIRATION", "2026-11-26T00:00:00Z"),
    ("AWS_RETRY_MODE", "adaptive"),
    ("HTTPS_PROXY", "http://proxy:3128"),
    ("https_proxy", "http://proxy:3128"),
    ("AWS_REGION", "us-iso-east-1"),
    ("AWS_REGION", "us_east_1"),
    ("AWS_ENDPOINT_URL", "localhost:8000"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000/path"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://user@localhost:8000"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000\r\nX: y"),
    ("AWS_SECRET_ACCESS_KEY", ""),
    ("AWS_SESSION_TOKEN", "hidden-token\r\nX: y"),
]


@pytest.mark.parametrize(("name", "value"), ONLY_BOTO3)
def test_settings_that_only_boto3_supports_choose_boto3(name: str, value: str) -> None:
    """With ARC_SESSION_TRANSPORT=lean, they are an error that shows no secret."""
    assert chosen({**LAMBDA, name: value}) == "boto3"
    with pytest.raises(ConfigurationError, match="ARC_SESSION_TRANSPORT is 'lean'") as error:
        chosen({**LAMBDA, name: value, "ARC_SESSION_TRANSPORT": "lean"})
    assert "hidden" not in str(error.value)


def test_credentials_without_a_token_choose_boto3() -> None:
    """A person's credentials have no token, and only ARC_SESSION_TRANSPORT=lean chooses the lean transport for them."""
    static = {name: value for name, value in LAMBDA.items() if name != "AWS_SESSION_TOKEN"}
    assert chosen(static) == "boto3"
    assert chosen({**static, "ARC_SESSION_TRANSPORT": "lean"}) == "lean"


def test_outside_lambda_boto3_is_used_with_any_credentials() -> None:
    """A test suite with moto, which intercepts only boto3, also sets a session token and a region."""
    suite = {name: value for name, value in LAMBDA.items() if name != "AWS_LAMBDA_FUNCTION_NAME"}
    assert chosen(suite) == "boto3"
    assert chosen({**suite, "ARC_SESSION_TRANSPORT": "lean"}) == "lean"


def test_arc_session_transport_can_choose_boto3() -> None:
    """It does so on Lambda and in a sandbox."""
    assert chosen({**LAMBDA, "ARC_SESSION_TRANSPORT": "boto3"}) == "boto3"
    assert chosen({**SANDBOX, "ARC_SESSION_TRANSPORT": "boto3"}) == "boto3"


def test_a_sandbox_has_the_transport_of_lambda() -> None:
    """Functions run the same code as in production, with dummy credentials and without proxies."""
    assert chosen(SANDBOX) == "lean"
    assert chosen({**SANDBOX, "HTTP_PROXY": "http://proxy:3128", "AWS_CA_BUNDLE": "/etc/ca.pem"}) == "lean"


@pytest.mark.parametrize("endpoint", ["", "https://dynamodb.us-east-1.amazonaws.com"])
@pytest.mark.parametrize("transport", ["", "lean", "boto3"])
def test_testing_never_talks_to_aws(endpoint: str, transport: str) -> None:
    """Without a local address, each transport raises an error with a remedy before it sends anything."""
    environ = {**SANDBOX, "ARC_SANDBOX": "", "AWS_ENDPOINT_URL": endpoint, "ARC_SESSION_TRANSPORT": transport}
    send = send_of(Settings.from_env(environ), environ, lambda _reason: None)
    with pytest.raises(ConfigurationError, match="AWS_ENDPOINT_URL_DYNAMODB"):
        send("GetItem", {}, (1.0, 2.0))


@pytest.mark.parametrize("text", ["leen", "boto", "LEAN"])
def test_an_unknown_transport_is_an_error_that_names_both(text: str) -> None:
    """The error has the value, the variable and the valid values."""
    with pytest.raises(ConfigurationError, match=rf"ARC_SESSION_TRANSPORT is '{text}'\. Use boto3 or lean\."):
        Settings.from_env({"ARC_SESSION_TRANSPORT": text})


@pytest.mark.parametrize(
    ("region", "endpoint", "found"),
    [
        ("eu-west-1", None, ("https", "dynamodb.eu-west-1.amazonaws.com", 443)),
        ("us-gov-west-1", None, ("https", "dynamodb.us-gov-west-1.amazonaws.com", 443)),
        ("cn-north-1", None, ("https", "dynamodb.cn-north-1.amazonaws.com.cn", 443)),
        ("us-east-1", "http://LocalHost:8000/", ("http", "localhost", 8000)),
        ("us-east-1", "http://[::1]:8000", ("http", "[::1]", 8000)),
        ("us-east-1", "http://localhost", ("http", "localhost", 80)),
        ("us-east-1", "http://localhost:99999", None),
        ("eusc-de-east-1", None, None),
    ],
)
def test_the_address_of_a_region(region: str, endpoint: str | None, found: tuple[str, str, int] | None) -> None:
    """It agrees with botocore's rules in the supported partitions."""
    assert address(region, endpoint) == found


def test_the_more_specific_address_wins() -> None:
    """AWS_ENDPOINT_URL_DYNAMODB wins over AWS_ENDPOINT_URL, and an empty one counts as unset."""
    both = {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_DYNAMODB": "http://b"}
    assert configured_endpoint(both) == "http://b"
    assert configured_endpoint({**both, "AWS_ENDPOINT_URL_DYNAMODB": ""}) == "http://a"
    assert configured_endpoint({}) is None
