"""Signature Version 4 of requests to DynamoDB.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import re
import time
from hashlib import sha256
from hmac import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONTENT_TYPE = "application/x-amz-json-1.0"
_TARGET = "DynamoDB_20120810."
_OF_A_HEADER = re.compile(r"[!-~]+")  # visible ASCII: nothing that ends a header


class Credentials:
    """An access key, its secret, and the session token of those that expire. Their `repr` shows none of them."""

    __slots__ = ("key", "secret", "token")

    def __init__(self, key: str, secret: str, token: str | None = None) -> None:
        self.key, self.secret, self.token = key, secret, token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credentials) and (self.key, self.secret, self.token) == (
            other.key,
            other.secret,
            other.token,
        )

    def __hash__(self) -> int:
        return hash((self.key, self.secret, self.token))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Credentials | None:
        """Those that `environ` holds; None where one is missing or could not stand in a header."""
        key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
        token = environ.get("AWS_SESSION_TOKEN") or None
        if not key or not secret or not all(_OF_A_HEADER.fullmatch(text) for text in (key, secret, token or "-")):
            return None
        return cls(key, secret, token)


class Signer:
    """The heads of signed requests to one `host` (with its port unless that is the scheme's) of one `region`.

    `clock` gives Unix seconds.
    """

    def __init__(
        self, credentials: Credentials, region: str, host: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.credentials = credentials
        self._region, self._host, self._clock = region, host, clock
        self._key = ("", b"")  # of the day for which it was derived
        token = credentials.token
        self._token_line = f"x-amz-security-token:{token}\n" if token else ""
        self._names = f"content-type;host;x-amz-date;{'x-amz-security-token;' if token else ''}x-amz-target"
        self._token_header = f"X-Amz-Security-Token: {token}\r\n" if token else ""

    def head(self, operation: str, body: bytes) -> bytes:
        """All of an HTTP/1.1 request before its `body`."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        day = now[:8]
        canonical = (
            f"POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{self._host}\nx-amz-date:{now}\n{self._token_line}"
            f"x-amz-target:{_TARGET}{operation}\n\n{self._names}\n{sha256(body).hexdigest()}"
        )
        scope = f"{day}/{self._region}/dynamodb/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = digest(self._key_of(day), text.encode(), "sha256").hex()
        return (
            f"POST / HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: {CONTENT_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nAccept-Encoding: identity\r\nUser-Agent: arc-sessions\r\n"
            f"X-Amz-Date: {now}\r\n{self._token_header}X-Amz-Target: {_TARGET}{operation}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={self.credentials.key}/{scope}, "
            f"SignedHeaders={self._names}, Signature={signature}\r\n\r\n"
        ).encode()

    def _key_of(self, day: str) -> bytes:
        known, key = self._key
        if known != day:
            key = f"AWS4{self.credentials.secret}".encode()
            for part in (day, self._region, "dynamodb", "aws4_request"):
                key = digest(key, part.encode(), "sha256")
            self._key = (day, key)
        return key
