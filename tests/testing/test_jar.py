"""The test browser's cookie jar follows RFC 6265bis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.testing import Clock
from arc.testing.jar import CookieJar, cookie_date

HOST = "app.example.com"
FRAGMENTS = (
    "a=1", "a=", "=1", "_idx", "__Host-a=1", ";", "; ", "Max-Age=", "Max-Age=²", "Max-Age=-", "Max-Age=" + "9" * 5000,
    "Expires=", "Expires=Thu, 32 Feb 99999 25:61:61", "Expires=1:2:3 4 jan 70", "Domain=", "Domain=.", "Domain=..com",
    "Domain=é", "Domain=com", "Path=", "Path=x", "Path=/é", "SameSite=", "SameSite=None", "Secure", "\x00", "\ud800",
)  # fmt: skip


def jar(*cookies: str, host: str = HOST, path: str = "/", secure: bool = True) -> CookieJar:
    """A jar that received these Set-Cookie headers."""
    made = CookieJar(Clock())
    for cookie in cookies:
        made.receive(cookie, host, secure=secure, path=path)
    return made


@given(parts=st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=20))), host=st.text(max_size=20))
def test_set_cookie_headers_never_raise(parts: list[str], host: str) -> None:
    """The jar stores or ignores any header that a handler sends."""
    made = jar("".join(parts), "; ".join(parts), host=host)
    assert len(made.send(host, "/", secure=True)) <= len(made) <= 2


@given(seconds=st.integers(-11_000_000_000, 250_000_000_000))
def test_server_dates_are_read(seconds: int) -> None:
    """Every second from 1601 to 9892 in the format of RFC 9110 is read as that second."""
    from email.utils import formatdate

    if "-" not in (text := formatdate(seconds, usegmt=True)):
        assert cookie_date(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:00:10 GMT", 10),
        ("Thursday, 01-Jan-70 00:00:10 GMT", 10),
        ("Thu Jan  1 00:00:10 1970", 10),
        ("1 january 1970 0:0:10", 10),
        ("00:00:10 1970 Jan 1", 10),
        ("Fri, 01-Jan-69 00:00:00 GMT", 3_124_224_000),
        ("01 Jan 2027 00:00:00 +0200", 1_798_761_600),
        ("29 Feb 2027 00:00:00", None),
        ("01 Jan 1600 00:00:00", None),
        ("01 Jan 2027 24:00:00", None),
        ("01 Jan 2027", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_dates_are_read_as_browsers_read_them(text: str, seconds: int | None) -> None:
    """The parts of a date may have any order, and a nonexistent day is no date (RFC 6265bis §5.1.1)."""
    assert cookie_date(text) == seconds


@pytest.mark.parametrize(
    "cookie",
    [
        "a=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
        "a=1; Expires=Thu Jan 01 1970 00:00:00",
        "a=1; Max-Age=0",
        "a=1; Max-Age=-1",
        "a=1; Max-Age=-" + "9" * 1000,
        "a=1; Max-Age=00000000000000000000",
    ],
)
def test_expired_cookie_is_removed(cookie: str) -> None:
    """An expiry in the past, in any of a browser's date formats, removes the cookie."""
    assert len(jar("a=0", cookie)) == 0


@pytest.mark.parametrize(
    "attribute",
    ["Max-Age=²", "Max-Age=1.5", "Max-Age=", "Expires=never", "Expires=Thu, 30 Feb 2020 00:00:00 GMT"],
)
def test_invalid_lifetime_is_ignored(attribute: str) -> None:
    """The cookie is stored as one without a lifetime."""
    assert len(jar(f"a=1; {attribute}")) == 1


def test_distant_expiry_is_shortened() -> None:
    """The limit is 400 days for both attributes."""
    clock = Clock()
    made = CookieJar(clock)
    made.receive("a=1; Expires=Fri, 31 Dec 2099 23:59:59 GMT", HOST, secure=True)
    made.receive("b=1; Max-Age=" + "9" * 1000, HOST, secure=True)
    clock.forward(days=400, seconds=-1)
    assert len(made) == 2
    clock.forward(1)
    assert len(made) == 0


@pytest.mark.parametrize(
    ("host", "domain", "sent_to"),
    [
        (HOST, "example.com", [HOST, "example.com", "x.app.example.com"]),
        (HOST, ".EXAMPLE.com", [HOST, "example.com", "x.app.example.com"]),
        (HOST, "app.example.com", [HOST, "x.app.example.com"]),
        (HOST, "", [HOST]),
        (HOST, "ample.com", []),
        (HOST, "x.app.example.com", []),
        (HOST, "com", []),
        ("shop.co.uk", "co.uk", []),
        ("localhost", "localhost", ["localhost"]),
        ("a.localhost", "localhost", []),
        ("127.0.0.1", "0.0.1", []),
        ("127.0.0.1", "127.0.0.1", ["127.0.0.1"]),
        ("k1.lambda-url.eu-west-1.on.aws", "lambda-url.eu-west-1.on.aws", []),
        ("d1.cloudfront.net", "cloudfront.net", []),
    ],
)
def test_domains(host: str, domain: str, sent_to: list[str]) -> None:
    """A cookie is sent to its domain and below, an address has no parents, and a public suffix has no cookies."""
    made = jar(f"a=1; Domain={domain}", host=host)
    hosts = (HOST, "example.com", "x.app.example.com", "shop.co.uk", "localhost", "a.localhost", "127.0.0.1", "0.0.1")
    assert {one for one in hosts if made.send(one, "/", secure=True)} == set(sent_to)


def test_last_attribute_of_a_name_counts() -> None:
    """Of two paths the later one is used, and an empty one is the folder of the request."""
    assert jar("a=1; Path=/x; Path=/y").send(HOST, "/y", secure=True) == ["a=1"]
    assert jar("a=1; Path=/x; Path=", path="/z/page").send(HOST, "/z", secure=True) == ["a=1"]
    assert jar("a=1; Path=/" + "x" * 2000, path="/z/page").send(HOST, "/z", secure=True) == ["a=1"]


def test_cookie_without_a_name() -> None:
    """Text without an equals sign is a value and is sent as it is, and empty text is no cookie."""
    assert jar("token; Path=/").send(HOST, "/", secure=True) == ["token"]
    assert len(jar("", "=", "; Path=/", "__Host-a; Path=/; Secure", "a=\x00")) == 0


def test_size_is_counted_in_bytes() -> None:
    """Browsers count the bytes of UTF-8, not characters."""
    assert len(jar("a=" + "é" * 2048)) == 0
    assert len(jar("a=" + "é" * 2047)) == 1


def test_host_prefix_requires_the_path_attribute() -> None:
    """__Host- requires Path=/ in the header."""
    assert len(jar("__Host-a=1; Secure")) == 0
    assert len(jar("__HOST-a=1; Secure; Path=/")) == 1


def test_plain_http_cannot_shadow_a_secure_cookie() -> None:
    """A response without TLS cannot replace or shadow a Secure cookie of the same name."""
    made = jar("a=1; Secure; Path=/", "b=1; Secure; Path=/x")
    for cookie in ("a=2; Path=/", "a=2; Path=/x", "a=2; Domain=example.com; Path=/x", "b=2; Path=/x/y"):
        made.receive(cookie, HOST, secure=False)
    assert len(made) == 2
    made.receive("b=2; Path=/", HOST, secure=False)
    assert len(made) == 3


def test_samesite_limits_sending_and_storing() -> None:
    """The default is Lax, and an embedded response of another site sets only None."""
    cookies = ("a=1; SameSite=Strict", "b=2; SameSite=Lax", "c=3", "d=4; SameSite=None; Secure", "e=5; SameSite=odd")
    made = jar(*cookies)
    assert made.send(HOST, "/", secure=True) == ["a=1", "b=2", "c=3", "d=4", "e=5"]
    assert made.send(HOST, "/", secure=True, same_site=("lax", "none")) == ["b=2", "c=3", "d=4", "e=5"]
    assert made.send(HOST, "/", secure=True, same_site=("none",)) == ["d=4"]
    embedded = CookieJar(Clock())
    for cookie in cookies:
        embedded.receive(cookie, HOST, secure=True, embedded=True)
    assert embedded.send(HOST, "/", secure=True) == ["d=4"]
