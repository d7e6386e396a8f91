"""Parsing the names of hosts and origins."""

from __future__ import annotations

_PORTS = {"http": 80, "https": 443}
_LONGEST_LABEL, _LONGEST_NAME = 63, 253  # RFC 1035 §2.3.4
# Public suffixes at AWS, and how many labels before one still do not identify a customer.
_SHARED = {
    "amazonaws.com": 2,
    "amazonaws.com.cn": 2,
    "on.aws": 2,
    "cloudfront.net": 0,
    "amplifyapp.com": 0,
    "awsapprunner.com": 1,
    "elasticbeanstalk.com": 1,
}
_LAST_PORT = 65_535
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_IPV6 = frozenset("0123456789abcdef:.")


def origin(text: str) -> str:
    """Normalize an http or https origin `scheme://host[:port]` for comparisons. Return "" for any other `text`.

    Scheme and host become lower case, and the scheme's default port is removed (RFC 9110 §4.2.3).
    """
    scheme, _, authority = text.lower().partition("://")
    name, port = _split(authority)
    if scheme not in _PORTS or not _is_host(name):
        return ""
    if port in ("", str(_PORTS[scheme])):
        return f"{scheme}://{name}"
    if len(port) > len(str(_LAST_PORT)):  # Python converts at most 4,300 digits, and visitors can send more.
        return ""
    is_port = port.isascii() and port.isdigit() and not port.startswith("0") and int(port) <= _LAST_PORT
    return f"{scheme}://{name}:{port}" if is_port else ""


def likely_origin(text: str) -> str:
    """Suggest an origin for `text`, which is an address or a pattern."""
    return origin(f"https://{_authority(text)}") or "https://www.example.com"


def host_name(authority: str) -> str:
    """Return the name in a Host header, in lower case and without the port."""
    return _split(authority.lower())[0]


def is_within(name: str, domain: str) -> bool:
    """True when the host `name` matches a cookie's `domain` (RFC 6265bis §5.1.3)."""
    return name == domain or name.endswith(f".{domain}")


def domain_fault(name: str) -> str:
    """Return why browsers reject a cookie whose Domain is `name`, "" if they accept it.

    `name` is in lower case and without a leading dot. Of the public suffixes, only those of AWS are known.
    Source: RFC 6265bis §5.6.3 and §5.7.
    """
    labels = name.split(".")
    if name.startswith("[") or name.count(":") > 1 or labels[-1].isdigit():
        return "is an address, and a cookie's domain must be a name"
    if set(name) - _NAME or not all(0 < len(label) <= _LONGEST_LABEL for label in labels) or len(name) > _LONGEST_NAME:
        return "is not a valid host name"
    if len(labels) == 1:
        return "is a top-level domain, for which browsers reject cookies"
    for suffix, more in _SHARED.items():
        if name == suffix or (name.endswith(f".{suffix}") and name.removesuffix(f".{suffix}").count(".") < more):
            return "is shared by many customers of AWS, so that browsers reject cookies for it"
    return ""


def likely_domain(text: str) -> str:
    """Suggest a domain for `text`, which is an address or a pattern. Return "" if none is valid."""
    name = _split(_authority(text.lower()))[0]
    try:
        name = ".".join(filter(None, name.split("."))).encode("idna").decode()
    except UnicodeError:
        return ""
    return "" if domain_fault(name) else name


def _authority(text: str) -> str:
    """Return the host, with its port, in something like an address."""
    rest = text.partition("://")[2] or text
    for end in "/?#":
        rest = rest.partition(end)[0]
    return rest.rpartition("@")[2].removeprefix("*").lstrip(".")


def _split(authority: str) -> tuple[str, str]:
    """Return the host and the port, "" without one."""
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon and not port.endswith("]") else (authority, "")


def _is_host(name: str) -> bool:
    if name.startswith("[") and name.endswith("]"):
        return ":" in name and set(name[1:-1]) <= _IPV6
    return bool(name) and set(name) <= _NAME and all(name.removesuffix(".").split("."))
