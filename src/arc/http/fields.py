"""A response's header fields and cookies as the application gave them, checked."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Fields = dict[str, str | list[str]]

_GIVEN = frozenset(("headers", "multiValueHeaders", "cookies", "cookie"))
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # RFC 9110 §5.6.2
_RESERVED = "%:/?#[]@!$&'()*+,;=~"  # RFC 3986 §2.2; % for what is encoded already
_URI = frozenset(f"{_RESERVED}-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_HOST = _URI - set("%/?#@!$&'()*+,;=~")  # a host and its port
_ALLOW_ORIGIN = "access-control-allow-origin"
_CONTROLS = frozenset(map(chr, range(32))) - {"\t"} | {"\x7f"}


def given(result: Mapping[str, Any]) -> tuple[Fields, list[str]]:
    """The application's headers, and its Set-Cookie strings from wherever it put them.

    Names are spelt as the application spells them. `multiValueHeaders` go before `headers` of the same
    name, as in API Gateway.
    """
    if _GIVEN.isdisjoint(result):
        return {}, []
    multiple = {name: _values(name, item) for name, item in _items(result, "multiValueHeaders")}
    taken = {name.lower() for name in multiple}
    headers: Fields = {
        name: _value(name, item) for name, item in _items(result, "headers") if name.lower() not in taken
    }
    cookies = [_cookie("cookie", result["cookie"])] if result.get("cookie") else []
    cookies += [_cookie("cookies", cookie) for cookie in _list(result)]
    for name in [name for name in headers if name.lower() == "set-cookie"]:
        cookies.append(str(headers.pop(name)))
    for name, values in multiple.items():
        if name.lower() == "set-cookie":
            cookies += values
        else:
            headers[name] = values
    return headers, list(dict.fromkeys(cookie for cookie in cookies if cookie))


class ResponseHeaders:
    """The headers of a response: `own`, with names in lower case, and `given`, as the application spells them.

    Most responses are given none, and then nothing is searched for. A name is in one of the two.
    """

    __slots__ = ("given", "own")

    def __init__(self, own: dict[str, str], given: Fields) -> None:
        self.own, self.given = own, given

    def copied(self) -> ResponseHeaders:
        """The same headers, to be changed apart from these."""
        return ResponseHeaders(dict(self.own), dict(self.given))

    def all(self) -> Fields:
        """Every header by its name."""
        return {**self.own, **self.given}

    def take(self, name: str) -> str:
        """Remove the given header `name` in every spelling; its value, the exact spelling's first, or ""."""
        given = self.given
        if not given:
            return ""
        spellings = [one for one in given if one.lower() == name]
        if len(spellings) > 1:
            spellings.sort(key=lambda one: one != name)
        values = [given.pop(spelling) for spelling in spellings]
        return next((text for value in values if (text := joined(value))), "")

    def take_every(self, name: str) -> list[str]:
        """Remove the given header `name` in every spelling; all its values in order."""
        given = self.given
        return [joined(given.pop(one)) for one in [one for one in given if one.lower() == name]] if given else []

    def put(self, name: str, value: str) -> None:
        """Set the header `name`, which is in lower case, in place of every other spelling."""
        self.take(name)
        self.own[name] = value

    def encode_locations(self) -> None:
        """Percent-encode each given Location, a URI reference (RFC 9110 §10.2.2). What is encoded already stays."""
        for name in [name for name in self.given if name.lower() == "location"]:
            value = self.given[name]
            self.given[name] = uri(value) if isinstance(value, str) else [uri(one) for one in value]

    def weaken_etags(self) -> None:
        """Make each strong ETag weak: it names the bytes of a body that is sent in another form (RFC 9110 §8.8.3)."""
        for name in [name for name in self.given if name.lower() == "etag"]:
            value = joined(self.given[name])
            self.given[name] = f"W/{value}" if value.startswith('"') else value

    def allow_origin(self, cors: object) -> None:
        """Let scripts read the response: `cors` is True for those of any site, or an origin, whose cookies come too.

        Raises `TypeError` and `ValueError` for what is neither (WHATWG Fetch, "CORS protocol").
        """
        if not isinstance(cors, bool | str):
            raise TypeError(
                f"The response's 'cors' is of type {type(cors).__name__}. Return True, or an origin: "
                "'https://app.example'."
            )
        if cors is True or cors == "*":
            self.put(_ALLOW_ORIGIN, "*")
            return
        scheme, _, host = str(cors).partition("://")
        if not scheme or not host or not _HOST.issuperset(host):
            raise ValueError(
                f"The response's 'cors' is {cors!r}. Return True for every origin, or one origin with its scheme and "
                "without a path: 'https://app.example'."
            )
        self.put(_ALLOW_ORIGIN, text("cors", cors))
        self.put("access-control-allow-credentials", "true")

    @property
    def open_to_every_origin(self) -> bool:
        """True when scripts of any site may read the response, which browsers grant only without cookies."""
        if self.own.get(_ALLOW_ORIGIN) == "*":
            return True
        return any(name.lower() == _ALLOW_ORIGIN and value == "*" for name, value in self.given.items())


def joined(value: str | list[str]) -> str:
    """A header's values as one."""
    return value if isinstance(value, str) else ", ".join(value)


def merged(own: Sequence[str], session: Sequence[str]) -> list[str]:
    """The application's cookies, then the session's; of two for one name, domain and path the session's."""
    if not session or not own:
        return list(dict.fromkeys(session or own))
    ours = {_identity(cookie) for cookie in session}
    return [*(cookie for cookie in own if _identity(cookie) not in ours), *dict.fromkeys(session)]


def text(key: str, value: object) -> str:
    """The text under `key`, "" for None. Raises `TypeError`, and `ValueError` for control characters."""
    if value is None or value is False:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"The response's {key!r} is of type {type(value).__name__}. Return a str.")
    return _clean(key, value)


def _items(result: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    headers = result.get(key)
    if headers is None:
        return []
    if not isinstance(headers, Mapping):
        raise TypeError(f"The response's {key!r} is of type {type(headers).__name__}. Return a dict of header names.")
    for name in headers:
        if not isinstance(name, str) or not name or not _TOKEN.issuperset(name):
            raise ValueError(f"In the response's {key!r} is {name!r}, which is no header name.")
    return list(headers.items())


def _values(name: str, values: object) -> list[str]:
    if not isinstance(values, list | tuple):
        raise TypeError(
            f"The response's multiValueHeaders[{name!r}] is of type {type(values).__name__}. Return a list of str."
        )
    return [_value(name, value) for value in values]


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        raise TypeError(
            f"The response's header {name!r} is of type {type(value).__name__}. Return a str or a number; "
            "several values go under 'multiValueHeaders'."
        )
    return _clean(name, value)


def _list(result: Mapping[str, Any]) -> Sequence[object]:
    cookies = result.get("cookies") or ()
    if not isinstance(cookies, list | tuple):
        raise TypeError(
            f"The response's 'cookies' is of type {type(cookies).__name__}. Return a list of Set-Cookie strings, "
            "or a single one under 'cookie'."
        )
    return cookies


def _cookie(key: str, cookie: object) -> str:
    if not isinstance(cookie, str):
        raise TypeError(
            f"In the response's {key!r} is a value of type {type(cookie).__name__}. A Set-Cookie string is a str."
        )
    return _clean(key, cookie)


def uri(location: str) -> str:
    """`location` percent-encoded as a URI reference; what is encoded already stays. Raises `ValueError`."""
    if "%" not in location and _URI.issuperset(location):
        return location
    import re
    from urllib.parse import quote

    try:
        encoded = quote(location.strip(" \t"), safe=_RESERVED)
    except UnicodeEncodeError:
        raise ValueError("The response's 'location' holds half a surrogate pair, which UTF-8 cannot carry.") from None
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", encoded)


def _clean(name: str, value: str) -> str:
    if not value.isprintable() and not _CONTROLS.isdisjoint(value):
        raise ValueError(f"The response's {name!r} has a line break or another control character in it.")
    return value


def _identity(cookie: str) -> tuple[str, str, str]:
    """Name, domain and path: what makes two cookies one (RFC 6265bis §5.7)."""
    pair, *attributes = cookie.split(";")
    domain = path = ""
    for attribute in attributes:
        word, _, value = attribute.partition("=")
        if word.strip().lower() == "domain":
            domain = value.strip().lower().lstrip(".")
        elif word.strip().lower() == "path":
            path = value.strip()
    return pair.partition("=")[0].strip(), domain, path
