"""Choosing the transport to DynamoDB: the lean one, or boto3 for settings that only boto3 supports."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.sessions.stores.dynamodb.lean import Credentials, LeanSend

# Variables that only botocore supports, with the values that have no effect. Variables for timeouts and attempts are
# missing, because both transports have fixed ones.
_ONLY_BOTO3 = {
    "AWS_PROFILE": (),
    "AWS_DEFAULT_PROFILE": (),
    "AWS_CONFIG_FILE": (),
    "AWS_SHARED_CREDENTIALS_FILE": (),
    "AWS_CREDENTIAL_FILE": (),
    "AWS_CREDENTIAL_EXPIRATION": (),
    "AWS_CA_BUNDLE": (),
    "REQUESTS_CA_BUNDLE": (),
    "AWS_USE_FIPS_ENDPOINT": ("false",),
    "AWS_USE_DUALSTACK_ENDPOINT": ("false",),
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": ("false",),
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": ("preferred", "disabled"),
    "AWS_AUTH_SCHEME_PREFERENCE": (),
    "AWS_SIGV4A_SIGNING_REGION_SET": (),
    "AWS_ENDPOINT_DISCOVERY_ENABLED": ("false", "auto"),
    "AWS_DATA_PATH": (),
    "AWS_CSM_ENABLED": ("false",),
    "AWS_RETRY_MODE": ("legacy", "standard"),
    "AWS_DEFAULTS_MODE": ("legacy", "standard"),
    "BOTO_CONFIG": (),
}
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_FILES = (".aws/config", ".aws/credentials")
# The supported partitions of https://docs.aws.amazon.com/general/latest/gr/ddb.html
_SUFFIXES = (
    (re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx|us-gov)-[a-z]+-[0-9]+"), "amazonaws.com"),
    (re.compile(r"cn-[a-z]+-[0-9]+"), "amazonaws.com.cn"),
)
_ENDPOINT = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?")
_LAST_PORT = 65_535


def obstacle(environ: Mapping[str, str], region: str | None, endpoint: str | None, *, local: bool) -> str | None:
    """Return what the lean transport does not support in `environ`, as the end of a sentence; None if it supports all.

    `endpoint` is an address of DynamoDB that replaces AWS's own. With `local`, variables about AWS's addresses and
    credentials do not matter.
    """
    if not local:
        for name, harmless in _ONLY_BOTO3.items():
            if environ.get(name) and environ[name].lower() not in harmless:
                return f"does not read {name}, which is set"
        for name in _PROXIES:
            if environ.get(name):
                return f"does not use proxies, and {name} is set"
        home = environ.get("HOME")
        for file in _FILES if home else ():
            if os.path.exists(f"{home}/{file}"):  # noqa: PTH110  # importing pathlib would slow down a cold start
                return f"does not read ~/{file}, which exists"
    if region is None:
        return "needs AWS_REGION, which is not set"
    if address(region, endpoint) is None:
        return f"does not support the region {region!r}" + (f" or the address {endpoint!r}" if endpoint else "")
    return None


def address(region: str, endpoint: str | None) -> tuple[str, str, int] | None:
    """Return scheme, host and port of DynamoDB; None for an unknown region or an invalid endpoint."""
    suffix = next((suffix for pattern, suffix in _SUFFIXES if pattern.fullmatch(region)), None)
    if suffix is None:
        return None
    match = _ENDPOINT.fullmatch(endpoint or f"https://dynamodb.{region}.{suffix}")
    if match is None:
        return None
    port = int(match[3]) if match[3] else 443 if match[1] == "https" else 80
    return (match[1], match[2].lower(), port) if 0 < port <= _LAST_PORT else None


def configured_endpoint(environ: Mapping[str, str]) -> str | None:
    """Return the address in AWS's variables that replaces DynamoDB's own, the more specific variable first."""
    return environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ.get("AWS_ENDPOINT_URL") or None


def lean_send(
    environ: Mapping[str, str], credentials: Credentials, place: tuple[str, str, int], region: str
) -> LeanSend:
    """Return the lean transport to a `place`, which `address` returned."""
    from arc.sessions.stores.dynamodb.connections import Connections
    from arc.sessions.stores.dynamodb.lean import LeanSend

    scheme, host, port = place
    shown = host if port == (443 if scheme == "https" else 80) else f"{host}:{port}"
    connections = Connections(host.strip("[]"), port, tls=scheme == "https")
    return LeanSend(connections, credentials, region=region, host=shown, environ=environ)
