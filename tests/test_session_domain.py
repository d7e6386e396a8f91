"""ARC_SESSION_DOMAIN: a domain that browsers reject is an error with a suggestion."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import ConfigurationError, ToolError
from arc.settings import Settings
from arc.tools.env.checks import check_settings

UNSET = "Unset ARC_SESSION_DOMAIN"
WRONG = [
    ("https://shop.example", "Use shop.example"),
    ("https://ada@www.shop.example:8443/cart?a=1#b", "Use www.shop.example"),
    ("shop.example:8443", "Use shop.example"),
    ("shop.example/", "Use shop.example"),
    ("shop.example?x", "Use shop.example"),
    ("*.shop.example", "Use shop.example"),
    ("shop..example", "Use shop.example"),
    ("shop.example.", "Use shop.example"),
    ("a@shop.example", "Use shop.example"),
    ("shop.example, www.shop.example", UNSET),
    ("shöp.example", "Use xn--shp-tna.example"),
    (f"{'a' * 64}.example", UNSET),
    (".".join(["a" * 63] * 4), UNSET),
    ("none", UNSET),
    ("com", UNSET),
    ("localhost", UNSET),
    (".", UNSET),
    ("https://", UNSET),
    ("127.0.0.1", UNSET),
    ("http://192.0.2.1:3333", UNSET),
    ("[::1]", UNSET),
    ("2001:db8::1", UNSET),
    ("amazonaws.com", UNSET),
    ("eu-west-1.amazonaws.com", UNSET),
    ("execute-api.eu-west-1.amazonaws.com", UNSET),
    ("https://execute-api.eu-west-1.amazonaws.com", UNSET),
    ("execute-api.cn-north-1.amazonaws.com.cn", UNSET),
    ("us-east-1.elb.amazonaws.com", UNSET),
    ("lambda-url.eu-west-1.on.aws", UNSET),
    ("vpc-lattice-svcs.eu-west-1.on.aws", UNSET),
    ("on.aws", UNSET),
    (".cloudfront.net", UNSET),
    ("amplifyapp.com", UNSET),
    ("eu-west-1.awsapprunner.com", UNSET),
    ("eu-west-1.elasticbeanstalk.com", UNSET),
]


@pytest.mark.parametrize("environment", ["testing", "staging", "production"])
@pytest.mark.parametrize(("text", "remedy"), WRONG)
def test_a_domain_that_browsers_reject_is_refused_with_a_suggestion(environment: str, text: str, remedy: str) -> None:
    """The error suggests the valid name within the value, or says what to do."""
    if environment == "testing" and text in ("localhost", "127.0.0.1", "[::1]"):
        assert Settings.from_env({"ARC_ENV": environment, "ARC_SESSION_DOMAIN": text}).domain is None
        return
    with pytest.raises(ConfigurationError) as error:
        Settings.from_env({"ARC_ENV": environment, "ARC_SESSION_DOMAIN": text})
    assert str(error.value).startswith(f"ARC_SESSION_DOMAIN is {text!r}")
    assert remedy in str(error.value)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("shop.example", "shop.example"),
        (".shop.example", "shop.example"),
        ("SHOP.Example", "shop.example"),
        ("a_b.shop.co.uk", "a_b.shop.co.uk"),
        ("xn--shp-tna.example", "xn--shp-tna.example"),
        ("abc123.execute-api.eu-west-1.amazonaws.com", "abc123.execute-api.eu-west-1.amazonaws.com"),
        ("abc123.lambda-url.eu-west-1.on.aws", "abc123.lambda-url.eu-west-1.on.aws"),
        ("d111111abcdef8.cloudfront.net", "d111111abcdef8.cloudfront.net"),
        ("shop-1.us-east-1.elb.amazonaws.com", "shop-1.us-east-1.elb.amazonaws.com"),
        ("myamazonaws.com", "myamazonaws.com"),
    ],
)
def test_a_valid_domain_is_normalized(text: str, domain: str) -> None:
    """It becomes lower case and loses a leading dot (RFC 6265bis §5.6.3)."""
    assert Settings.from_env({"ARC_ENV": "production", "ARC_SESSION_DOMAIN": text}).domain == domain


@given(st.text(max_size=30) | st.from_regex(r"\A(https?://)?[a-z*.]{0,12}(:[0-9]{1,5})?(/[a-z]*)?\Z"))
def test_any_value_is_a_valid_domain_or_an_error(text: str) -> None:
    """A valid domain has at least two labels, and a suggested one is valid."""
    try:
        domain = Settings(environment="production", domain=text).domain
    except ConfigurationError as error:
        shown = re.search(r"Use ([^ ]+), ", str(error))
        if shown:
            assert Settings(environment="production", domain=shown[1]).domain == shown[1]
        return
    assert domain is None or re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", domain)


def test_arc_env_refuses_it_too() -> None:
    """`arc env` validates the same settings, so that no function gets such a domain."""
    with pytest.raises(ToolError, match=r"Use example\.com"):
        check_settings(
            {}, {"ARC_SESSION_DOMAIN": "https://example.com"}, app="shop", environment="staging", warn=lambda _: None
        )
