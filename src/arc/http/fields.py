"""The header fields and cookies of a response: reads and checks what the application returned."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Fields = dict[str, str | list[str]]

_HEADER_KEYS = frozenset(("headers", "multiValueHeaders", "cookies", "cookie"))
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # RFC 9110 §5.6.2
_RESERVED = "%:/?#[]@!$&'()*+,;=~"  # RFC 3986 §2.2, and % for what is encoded already
_URI = frozenset(f"{_RESERVED}-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_HOST = _URI - set("%/?#@!$&'()*+,;=~")  # a host and its port
_ALLOW_ORIGIN = "access-control-allow-origin"
_CONTROLS = frozenset(map(chr, range(32))) - {"\t"} | {"\x7f"}


def read_headers(result: Mapping[str, Any]) -> tuple[Fields, list[str]]:
    """Return the application's headers, and its Set-Cookie strings from every key that may hold them.

    Header names keep their spelling. `multiValueHeaders` take precedence over `headers`, as in API Gateway. Raises
    `TypeError` and `ValueError`.
    """
    if _HEADER_KEYS.isdisjoint(result):
        return {}, []
    multiple = {name: _read_values(name, values) for name, values in _items(result, "multiValueHeaders")}
    names = {name.lower() for name in multiple}
    headers: Fields = {
        name: _read_value(name, value) for name, value in _items(result, "headers") if name.lower() not in names
    }
    cookies = [_read_cookie("cookie", result["cookie"])] if result.get("cookie") else []
    cookies += [_read_cookie("cookies", cookie) for cookie in _cookie_list(result)]
    for name in [name for name in headers if name.lower() == "set-cookie"]:
        cookies.append(str(headers.pop(name)))
    for name, values in multiple.items():
        if name.lower() == "set-cookie":
            cookies += values
        else:
            headers[name] = values
    return headers, list(dict.fromkeys(cookie for cookie in cookies if cookie))


class ResponseHeaders:
    """The headers of a response: `computed` ones in lower case, and `custom` ones as the application spells them.

    A header is in one of the two. Most responses have no custom headers, so nothing is searched for.
    """

    __slots__ = ("computed", "custom")

    def __init__(self, computed: dict[str, str], custom: Fields) -> None:
        self.computed, self.custom = computed, custom

    def copy(self) -> ResponseHeaders:
        """Return an independent copy."""
        return ResponseHeaders(dict(self.computed), dict(self.custom))

    def all(self) -> Fields:
        """Return every header by its name."""
        return {**self.computed, **self.custom}

    def take(self, name: str) -> str:
        """Remove the custom header `name` in every spelling. Return its value, of the exact spelling first, or ""."""
        custom = self.custom
        if not custom:
            return ""
        spellings = [spelling for spelling in custom if spelling.lower() == name]
        if len(spellings) > 1:
            spellings.sort(key=lambda spelling: spelling != name)
        values = [custom.pop(spelling) for spelling in spellings]
        return next((text for value in values if (text := join_values(value))), "")

    def take_all(self, name: str) -> list[str]:
        """Remove the custom header `name` in every spelling. Return its values in order."""
        custom = self.custom
        if not custom:
            return []
        return [join_values(custom.pop(spelling)) for spelling in [one for one in custom if one.lower() == name]]

    def put(self, name: str, value: str) -> None:
        """Set the header `name`, which is in lower case, in place of every other spelling."""
        self.take(name)
        self.computed[name] = value

    def encode_locations(self) -> None:
        """Percent-encode each custom Location, a URI reference (RFC 9110 §10.2.2)."""
        for name in [name for name in self.custom if name.lower() == "location"]:
            value = self.custom[name]
            self.custom[name] = encode_uri(value) if isinstance(value, str) else [encode_uri(uri) for uri in value]

    def weaken_etags(self) -> None:
        """Make each strong ETag weak, because it identifies the body before compression (RFC 9110 §8.8.3)."""
        for name in [name for name in self.custom if name.lower() == "etag"]:
            value = join_values(self.custom[name])
            self.custom[name] = f"W/{value}" if value.startswith('"') else value

    def allow_origin(self, cors: object) -> None:
        """Allow scripts of other sites to read the response (WHATWG Fetch, "CORS protocol").

        `cors` is True for every origin, or one origin, whose requests may carry cookies. Raises `TypeError` and
        `ValueError` for other values.
        """
        if not isinstance(cors, bool | str):
            raise wrong_type("'cors'", cors, "Return True, or an origin: 'https://app.example'.")
        if cors is True or cors == "*":
            self.put(_ALLOW_ORIGIN, "*")
            return
        scheme, _, host = str(cors).partition("://")
        if not scheme or not host or not _HOST.issuperset(host):
            raise ValueError(
                f"The response's 'cors' is {cors!r}. Return True for every origin, or one origin with its scheme and "
                "without a path: 'https://app.example'."
            )
        self.put(_ALLOW_ORIGIN, read_text("cors", cors))
        self.put("access-control-allow-credentials", "true")

    @property
    def allow_every_origin(self) -> bool:
        """True if scripts of any site may read the response, which browsers allow only without cookies."""
        if self.computed.get(_ALLOW_ORIGIN) == "*":
            return True
        custom = self.custom
        return bool(custom) and any(name.lower() == _ALLOW_ORIGIN and value == "*" for name, value in custom.items())


def join_values(value: str | list[str]) -> str:
    """Return the values of a header as one."""
    return value if isinstance(value, str) else ", ".join(value)


def merge_cookies(custom: Sequence[str], session: Sequence[str]) -> list[str]:
    """Return the application's cookies, then the session's, which replace those with their name, domain and path."""
    if not session or not custom:
        return list(dict.fromkeys(session or custom))
    replaced = {_cookie_key(cookie) for cookie in session}
    return [*(cookie for cookie in custom if _cookie_key(cookie) not in replaced), *dict.fromkeys(session)]


def wrong_type(what: str, value: object, advice: str) -> TypeError:
    """Return the error for a part of a response whose value has an unsupported type."""
    return TypeError(f"The response's {what} is of type {type(value).__name__}. {advice}")


def read_text(key: str, value: object) -> str:
    """Return the text under `key`, "" for None. Raises `TypeError`, and `ValueError` for control characters."""
    if value is None or value is False:
        return ""
    if not isinstance(value, str):
        raise wrong_type(repr(key), value, "Return a str.")
    return _check(key, value)


def encode_uri(location: str) -> str:
    """Return `location` percent-encoded as a URI reference. Existing escapes are kept. Raises `ValueError`."""
    if "%" not in location and _URI.issuperset(location):
        return location
    import re
    from urllib.parse import quote

    try:
        encoded = quote(location.strip(" \t"), safe=_RESERVED)
    except UnicodeEncodeError:
        raise ValueError(
            "The response's 'location' contains an unpaired surrogate, which UTF-8 cannot encode. "
            "Decode input with errors='replace'."
        ) from None
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", encoded)


def _items(result: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    headers = result.get(key)
    if headers is None:
        return []
    if not isinstance(headers, Mapping):
        raise wrong_type(repr(key), headers, "Return a dict of header names.")
    for name in headers:
        if not isinstance(name, str) or not name or not _TOKEN.issuperset(name):
            raise ValueError(f"The response's {key!r} has an invalid header name: {name!r}.")
    return list(headers.items())


def _read_values(name: str, values: object) -> list[str]:
    if not isinstance(values, list | tuple):
        raise wrong_type(f"multiValueHeaders[{name!r}]", values, "Return a list of str.")
    return [_read_value(name, value) for value in values]


def _read_value(name: str, value: object) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        advice = "Return a str or a number, or several values under 'multiValueHeaders'."
        raise wrong_type(f"header {name!r}", value, advice)
    return _check(name, value)


def _cookie_list(result: Mapping[str, Any]) -> Sequence[object]:
    cookies = result.get("cookies") or ()
    if not isinstance(cookies, list | tuple):
        advice = "Return a list of Set-Cookie strings, or a single one under 'cookie'."
        raise wrong_type("'cookies'", cookies, advice)
    return cookies


def _read_cookie(key: str, cookie: object) -> str:
    if not isinstance(cookie, str):
        raise wrong_type(f"cookie under {key!r}", cookie, "Return Set-Cookie strings as str.")
    return _check(key, cookie)


def _check(name: str, value: str) -> str:
    if not value.isprintable() and not _CONTROLS.isdisjoint(value):
        raise ValueError(f"The response's {name!r} contains a line break or another control character.")
    return value


def _cookie_key(cookie: str) -> tuple[str, str, str]:
    """Return the name, domain and path, which identify a cookie (RFC 6265bis §5.7)."""
    pair, *attributes = cookie.split(";")
    domain = path = ""
    for attribute in attributes:
        word, _, value = attribute.partition("=")
        if word.strip().lower() == "domain":
            domain = value.strip().lower().lstrip(".")
        elif word.strip().lower() == "path":
            path = value.strip()
    return pair.partition("=")[0].strip(), domain, path
