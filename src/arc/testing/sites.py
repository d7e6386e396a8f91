"""Which hosts are one site to a browser: those below one registrable domain (HTML, "Same site")."""

from __future__ import annotations

import re
from itertools import pairwise

# Names below which anybody can have one, of the Public Suffix List: those that an app on AWS meets.
_SHARED = re.compile(
    r"(?:execute-api\.[a-z0-9-]+\.amazonaws\.com|lambda-url\.[a-z0-9-]+\.on\.aws|[a-z0-9-]+\.elb\.amazonaws\.com"
    r"|elb\.[a-z0-9-]+\.amazonaws\.com|s3[a-z0-9.-]*\.amazonaws\.com|cloudfront\.net|amplifyapp\.com"
    r"|(?:co|com|net|org|gov|edu|ac)\.[a-z]{2})"
)


def is_address(host: str) -> bool:
    """True for an IP address, which has no domain."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def is_public_suffix(name: str) -> bool:
    """True for a name below which anybody can have one, such as `com`, `co.uk` or `cloudfront.net`.

    The whole Public Suffix List is not consulted: one label, AWS's shared hosts, and the like of `co.uk` count.
    """
    return not is_address(name) and ("." not in name or _SHARED.fullmatch(name) is not None)


def site_of(host: str) -> str:
    """The registrable domain of `host`, and `host` itself where it has none."""
    labels = host.split(".")
    if is_address(host) or is_public_suffix(host):
        return host
    names = [".".join(labels[start:]) for start in range(len(labels))]
    return next(name for name, parent in pairwise(names) if is_public_suffix(parent))
