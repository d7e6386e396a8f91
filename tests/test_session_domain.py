"""ARC_SESSION_DOMAIN: what no browser would take is refused, with the name to write."""

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
    ("https://shop.example", "Write shop.example"),
    ("https://ada@www.shop.example:8443/cart?a=1#b", "Write www.shop.example"),
    ("shop.example:8443", "Write shop.example"),
    ("shop.example/", "Write shop.example"),
    ("shop.example?x", "Write shop.example"),
    ("*.shop.example", "Write shop.example"),
    ("shop..example", "Write shop.example"),
    ("shop.example.", "Write shop.example"),
    ("a@shop.example", "Write shop.example"),
    ("shop.example, www.shop.example", UNSET),
    ("shöp.example", "Write xn--shp-tna.example"),
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
def test_a_domain_that_browsers_ignore_is_refused_with_the_name_to_write(
    environment: str, text: str, remedy: str
) -> None:
    """With scheme, port, path, wildcard or empty label the name in it is shown; without a good one, what to do."""
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
def test_a_domain_that_browsers_take_is_written_as_they_compare_it(text: str, domain: str) -> None:
    """In lower case, without the dot that is ignored (RFC 6265bis §5.6.3)."""
    assert Settings.from_env({"ARC_ENV": "production", "ARC_SESSION_DOMAIN": text}).domain == domain


@given(st.text(max_size=30) | st.from_regex(r"\A(https?://)?[a-z*.]{0,12}(:[0-9]{1,5})?(/[a-z]*)?\Z"))
def test_whatever_is_set_is_a_name_that_browsers_take_or_an_error(text: str) -> None:
    """A domain that is taken has two labels at least, and the one that an error shows is taken."""
    try:
        domain = Settings(environment="production", domain=text).domain
    except ConfigurationError as error:
        shown = re.search(r"Write ([^ ]+), ", str(error))
        if shown:
            assert Settings(environment="production", domain=shown[1]).domain == shown[1]
        return
    assert domain is None or re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", domain)


def test_arc_env_refuses_it_too() -> None:
    """`arc env` asks the same settings, so that no function ever gets such a domain."""
    with pytest.raises(ToolError, match=r"Write example\.com"):
        check_settings(
            {}, {"ARC_SESSION_DOMAIN": "https://example.com"}, app="shop", environment="staging", warn=lambda _: None
        )
