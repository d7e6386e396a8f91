"""Parsing Cookie headers and building Set-Cookie headers."""

from __future__ import annotations

import locale
import time
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.cookie import MAX_HEADER, SessionCookie, parse, set_cookie, values
from arc.settings import Settings

NOW = 1_800_000_000
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def made(value: str = "v", name: str = "_idx", **attributes: Any) -> str:
    """Return a Set-Cookie string with the usual attributes and these."""
    usual = {"max_age": 604_800, "now": NOW, "domain": None, "path": "/", "secure": True, "same_site": "Lax"}
    return set_cookie(name, value, **{**usual, **attributes})


# -- Cookie headers


@pytest.mark.parametrize(
    ("header", "pairs"),
    [
        ("", []),
        (";", []),
        (" ; ;\t;", []),
        ("a=1", [("a", "1")]),
        ("a=1; b=2;c=3", [("a", "1"), ("b", "2"), ("c", "3")]),
        ("a=1; a=2", [("a", "1"), ("a", "2")]),
        ("a=1=2==", [("a", "1=2==")]),
        ("a=", [("a", "")]),
        (" \ta \t=\t 1 \t", [("a", "1")]),
        ("a=1\n; b=2\x0b; \x0cc=\xa03\x85", [("a", "1\n"), ("b", "2\x0b"), ("\x0cc", "\xa03\x85")]),
        ("=1; a=2; = ;=; \t=3", [("a", "2")]),
        ("nameless; a=2", [("a", "2")]),
        ('a="1"; b="2; c="', [("a", '"1"'), ("b", '"2'), ("c", '"')]),
        ('a="1; b=2"', [("a", '"1'), ("b", '2"')]),
        ("a=x,b=y", [("a", "x,b=y")]),
        ("A=1; a=2", [("A", "1"), ("a", "2")]),
        ("X=X; XSRF-TOKEN-X=1", [("X", "X"), ("XSRF-TOKEN-X", "1")]),
        ("$Version=1; a=2; $Path=/", [("$Version", "1"), ("a", "2"), ("$Path", "/")]),
        ('bad name=1; {"json": true}; a=\\"\\\\; _idx=ok', [("bad name", "1"), ("a", '\\"\\\\'), ("_idx", "ok")]),
    ],
)
def test_s27_a_cookie_header_is_read_pair_by_pair(header: str, pairs: list[tuple[str, str]]) -> None:
    """Only spaces and tabs are trimmed, nameless pairs are ignored, and quotes are literal."""
    assert parse(header) == pairs


def test_s08_the_longest_header_is_read_and_a_longer_one_is_not() -> None:
    """A header of `MAX_HEADER` characters has pairs, and a longer one has none and counts as one value."""
    longest = "a=%31;".ljust(MAX_HEADER, ";")
    assert (parse(longest), values([longest], "a")) == ([("a", "%31")], ["1"])
    assert (parse(longest + ";"), values([longest + ";"], "a")) == ([], [longest + ";"])


@given(st.text(max_size=300) | st.text('ab=; \t"\\,%', max_size=300))
def test_s27_no_header_raises(header: str) -> None:
    """Any header is parsed into pairs that have names and are at most as many as its parts."""
    pairs = parse(header)
    assert all(name.strip(" \t") == name != "" for name, _ in pairs)
    assert len(pairs) <= header.count(";") + 1
    assert values([header], "a") is not None


class Counted(str):
    """A text that counts how often it is searched or split."""

    __slots__ = ("calls",)
    calls: int

    def split(self, *arguments: Any) -> list[str]:
        """Split and count."""
        self.calls = getattr(self, "calls", 0) + 1
        return super().split(*arguments)


@pytest.mark.parametrize("piece", ["\\", '"', '\\"', ";", "; ", "=", "a=;", "%", " ", "\t;", '="\\;', "%4"])
def test_s27_the_parser_is_linear(piece: str) -> None:
    """64 KB of adversarial input is split once, and no part is scanned twice."""
    header = Counted(piece * (65_536 // len(piece)) + "; _idx=ok")
    pairs = parse(header)
    assert header.calls == 1
    assert sum(len(name) + len(value) for name, value in pairs) <= len(header)
    assert values([str(header)], "_idx") == ["ok"]


def test_s27_a_long_value_is_decoded_once() -> None:
    """4 KB of escapes are decoded in one pass, and longer values are not decoded."""
    assert values(["a=" + "%41" * 1_366], "a") == ["A" * 1_366]
    for longer in ("%41" * 1_367, "%41" * 21_845, "%" * 65_536):
        assert values(["a=" + longer], "a") == [longer]


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ('"v"', "v"),
        ('""v""', '"v"'),
        ('"', '"'),
        ('""', ""),
        ('"v', '"v'),
        ('v"', 'v"'),
        ("'v'", "'v'"),
        ("a%2Bb%2F%3D", "a+b/="),
        ('"a%2bb"', "a+b"),
        ("%22v%22", '"v"'),
        ("%C3%A9%F0%9F%98%80", "é😀"),
        ("é%41", "éA"),
        ("a+b", "a+b"),
        ("%", "%"),
        ("%4", "%4"),
        ("%zz%41", "%zz%41"),
        ("%41%", "%41%"),
        ("% 1", "% 1"),
        ("%é1", "%é1"),
        ("%٤١", "%٤١"),
        ("%FF", "%FF"),
        ("%C3%41", "%C3%41"),
        ("%C0%80", "%C0%80"),
        ("%ED%A0%80", "%ED%A0%80"),
    ],
)
def test_s27_our_own_value_is_unquoted_and_decoded(sent: str, value: str) -> None:
    """One pair of quotes is removed and escapes are decoded as decodeURIComponent does, unless it would throw."""
    assert values([f"x=1; _idx={sent}; y=2"], "_idx") == [value]


def test_values_are_read_from_all_headers_in_order() -> None:
    """All cookies of a name in several headers are found, and no others."""
    headers = ["before=0", "_idx=1; other=2", "x=_idx", "_idx=3;_idx=4", "my_idx=5; _idx2=6; _IDX=7"]
    assert values(headers, "_idx") == ["1", "3", "4"]


# -- Set-Cookie headers


def test_a_cookie_has_nodes_attributes_in_nodes_order() -> None:
    """Name, Max-Age, Domain, Path, Expires, HttpOnly, Secure, SameSite."""
    assert made(domain="example.com", path="/app") == (
        "_idx=v; Max-Age=604800; Domain=example.com; Path=/app; Expires=Fri, 22 Jan 2027 08:00:00 GMT; "
        "HttpOnly; Secure; SameSite=Lax"
    )


def test_a_cookie_without_a_max_age_ends_with_the_browser() -> None:
    """Without a `max_age`, Max-Age and Expires are missing."""
    assert made(max_age=None) == "_idx=v; Path=/; HttpOnly; Secure; SameSite=Lax"


@given(st.text(PRINTABLE.replace(";", "").replace(",", ""), max_size=80))
def test_a_value_is_encoded_as_encodeuricomponent_does(value: str) -> None:
    """Everything except letters, digits and -_.!~*'() is percent-encoded, and decoding restores the value."""
    pair = made(value).partition(";")[0]
    assert pair == "_idx=" + quote(value, safe="-_.!~*'()")
    assert values([pair], "_idx") == [value]


@pytest.mark.parametrize("environment", [{}, {"secure": False}, {"domain": "example.com"}, {"same_site": "Strict"}])
def test_s24_every_cookie_has_httponly_and_samesite(environment: dict[str, Any]) -> None:
    """HttpOnly and SameSite are always present, and Secure if configured, also in cookies that clear."""
    settings = {name: value for name, value in environment.items() if name != "secure"}
    settings["environment"] = "production" if environment.get("secure", True) else "testing"
    for cookie in (made(**environment), *SessionCookie(Settings(**settings)).clear()):
        attributes = cookie.split("; ")
        assert "HttpOnly" in attributes
        assert f"SameSite={environment.get('same_site', 'Lax')}" in attributes
        assert ("Secure" in attributes) is environment.get("secure", True)


@pytest.mark.parametrize("same_site", ["", "lax", "none", "Lax; Domain=x", "Whatever"])
def test_s24_any_other_samesite_is_refused(same_site: str) -> None:
    """An unknown SameSite is refused, because browsers interpret it differently."""
    with pytest.raises(ValueError, match="SameSite"):
        made(same_site=same_site)


def test_s24_samesite_none_requires_secure() -> None:
    """SameSite=None without Secure is refused, because browsers reject it."""
    assert made(same_site="None").endswith("Secure; SameSite=None")
    with pytest.raises(ValueError, match="Secure"):
        made(same_site="None", secure=False)


def test_s23_the_clearing_cookie_repeats_the_attributes() -> None:
    """The cookie that clears differs only in value, Max-Age and Expires."""
    attributes: dict[str, Any] = {"domain": "example.com", "path": "/app", "same_site": "Strict"}
    cleared, _ = SessionCookie(Settings(environment="production", **attributes)).clear()
    assert cleared == (
        "_idx=; Max-Age=0; Domain=example.com; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT; "
        "HttpOnly; Secure; SameSite=Strict"
    )
    set_before = made(**attributes).split("; ")
    kept = [one for one in cleared.split("; ") if not one.startswith(("_idx", "Max-Age", "Expires"))]
    assert kept == [one for one in set_before if not one.startswith(("_idx", "Max-Age", "Expires"))]


@pytest.mark.parametrize(
    ("max_age", "written"), [(1, 1), (0, 0), (-1, 0), (-(10**12), 0), (400 * 86_400, 34_560_000), (10**12, 34_560_000)]
)
def test_s19_max_age_is_limited_to_0_to_400_days(max_age: int, written: int) -> None:
    """A longer age is reduced, a negative one becomes 0, and Expires agrees."""
    cookie = made(max_age=max_age)
    assert f"; Max-Age={written}; " in cookie
    assert f"Expires={formatdate(NOW + written if written else 0, usegmt=True)};" in cookie


@given(st.integers(0, 4_102_444_800))
def test_expires_is_an_imf_fixdate(now: int) -> None:
    """The date equals that of the standard library, at any second of this century."""
    assert f"Expires={formatdate(now + 1, usegmt=True)};" in made(max_age=1, now=now)


def test_expires_is_english_in_any_locale() -> None:
    """The process's locale does not change the names of days and months."""
    before = locale.setlocale(locale.LC_TIME)
    tried = []
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "ja_JP.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            tried.append(time.strftime("%A", time.gmtime(NOW)))
            assert "Expires=Fri, 22 Jan 2027" in made()
    finally:
        locale.setlocale(locale.LC_TIME, before)
    assert tried


BAD = [*map(chr, range(0x21)), "\x7f", ";", ",", "é", "\x80", "😀", "\ud800", "a\r\nSet-Cookie: b=c"]


@pytest.mark.parametrize("bad", BAD, ids=ascii)
@pytest.mark.parametrize("place", ["name", "value", "domain", "path"])
def test_s29_characters_that_break_the_header_are_refused(place: str, bad: str) -> None:
    """Control characters, `;`, `,`, space, DEL and non-ASCII are refused in name, value, domain and path."""
    for text in (bad, f"/a{bad}", f"{bad}a", f"a{bad}b"):
        with pytest.raises(ValueError, match="cookie"):
            made(**{place: text})
        if place != "value":
            with pytest.raises(ValueError, match="cookie"):
                made(value="", max_age=0, **{place: text})


@pytest.mark.parametrize("name", ["", "a=b", "a b", "(a)", "a/b", 'a"b', "a@b", "a[0]", "a{b}", "a\\b", "a:b", "a?"])
def test_s29_a_name_is_a_token(name: str) -> None:
    """A cookie's name may contain only the characters of an HTTP token."""
    with pytest.raises(ValueError, match="not a valid cookie name"):
        made(name=name)


def test_s29_a_refused_value_is_not_shown() -> None:
    """The error shows the cookie's name and not its value, which may be a secret."""
    with pytest.raises(ValueError, match="_idx") as error:
        made("secret;")
    assert "secret" not in str(error.value)


def test_s25_the_length_is_not_limited() -> None:
    """The store limits the length, and raises `SessionTooLarge`."""
    assert made("v" * 5_000).startswith("_idx=" + "v" * 5_000)


def test_only_space_and_tab_around_a_value_are_trimmed() -> None:
    """Alone in its header or beside others."""
    for header in ("_idx= \ta\x0c\t ", "a=1; _idx=\t a\x0c \t"):
        assert values([header], "_idx") == ["a\x0c"]


@pytest.mark.parametrize("attribute", ["domain", "path"])
def test_s29_a_refused_attribute_is_named(attribute: str) -> None:
    """The message names the attribute, and shows what it was."""
    attributes: dict[str, Any] = {"max_age": 60, "now": 0, "domain": None, "path": "/", "secure": True}
    with pytest.raises(ValueError, match=rf"'a;b' .*\b{attribute}\b"):
        set_cookie("_idx", "v", **{**attributes, attribute: "a;b"}, same_site="Lax")
