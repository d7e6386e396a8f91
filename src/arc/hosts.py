"""Names of hosts and origins, as operators and browsers write them."""

from __future__ import annotations

_PORTS = {"http": 80, "https": 443}
_LONGEST_LABEL, _LONGEST_NAME = 63, 253  # RFC 1035 §2.3.4
# Suffixes of hosts at AWS, and how many labels before them do not make a customer's host yet.
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
    """The origin `scheme://host[:port]` in the form that compares; "" when `text` is not one of http or https.

    Scheme and host are in lower case, and the scheme's own port is left out (RFC 9110 §4.2.3).
    """
    scheme, _, authority = text.lower().partition("://")
    name, port = _split(authority)
    if scheme not in _PORTS or not _is_host(name):
        return ""
    if port in ("", str(_PORTS[scheme])):
        return f"{scheme}://{name}"
    if len(port) > len(str(_LAST_PORT)):  # Python converts no more than 4,300 digits, and a visitor sends any number.
        return ""
    is_port = port.isascii() and port.isdigit() and not port.startswith("0") and int(port) <= _LAST_PORT
    return f"{scheme}://{name}:{port}" if is_port else ""


def likely_origin(text: str) -> str:
    """The origin that was probably meant by `text`, an address or a pattern."""
    return origin(f"https://{_authority(text)}") or "https://www.example.com"


def host_name(authority: str) -> str:
    """The name in a Host header, in lower case and without the port."""
    return _split(authority.lower())[0]


def is_within(name: str, domain: str) -> bool:
    """True when a cookie for `domain` belongs to the host called `name` (RFC 6265bis §5.1.3)."""
    return name == domain or name.endswith(f".{domain}")


def domain_fault(name: str) -> str:
    """Why browsers ignore a cookie whose Domain is `name` (in lower case, without a leading dot), "" if they take it.

    Source: RFC 6265bis §5.6.3 and §5.7; of the public suffixes, those that AWS gives to functions.
    """
    labels = name.split(".")
    if name.startswith("[") or name.count(":") > 1 or labels[-1].isdigit():
        return "is an address, and a cookie's domain has to be a name"
    if set(name) - _NAME or not all(0 < len(label) <= _LONGEST_LABEL for label in labels) or len(name) > _LONGEST_NAME:
        return "is not the name of a host"
    if len(labels) == 1:
        return "has one label, and browsers take no cookie for a whole top-level domain"
    for suffix, more in _SHARED.items():
        if name == suffix or (name.endswith(f".{suffix}") and name.removesuffix(f".{suffix}").count(".") < more):
            return "is shared by many customers of AWS, so that browsers take no cookie for it"
    return ""


def likely_domain(text: str) -> str:
    """The domain that was probably meant by `text`, an address or a pattern; "" when there is none."""
    name = _split(_authority(text.lower()))[0]
    try:
        name = ".".join(filter(None, name.split("."))).encode("idna").decode()
    except UnicodeError:
        return ""
    return "" if domain_fault(name) else name


def _authority(text: str) -> str:
    """The host, with its port, of something like an address."""
    rest = text.partition("://")[2] or text
    for end in "/?#":
        rest = rest.partition(end)[0]
    return rest.rpartition("@")[2].removeprefix("*").lstrip(".")


def _split(authority: str) -> tuple[str, str]:
    """The host and the port, "" without one."""
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon and not port.endswith("]") else (authority, "")


def _is_host(name: str) -> bool:
    if name.startswith("[") and name.endswith("]"):
        return ":" in name and set(name[1:-1]) <= _IPV6
    return bool(name) and set(name) <= _NAME and all(name.removesuffix(".").split("."))
