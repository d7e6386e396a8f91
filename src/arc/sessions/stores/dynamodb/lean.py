"""DynamoDB without boto3: signed requests over kept-alive connections."""

from __future__ import annotations

import json
import re
import threading
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from hmac import digest
from zlib import crc32

from arc.sessions.stores.dynamodb.connections import UnexpectedResponse
from arc.sessions.stores.dynamodb.transport import TryAgain, failure
from arc.sessions.text import encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from arc.sessions.stores.dynamodb.connections import Connections, Response
    from arc.sessions.stores.dynamodb.transport import Send


_OK, _SERVER_ERROR = 200, 500
_EXPIRED = ("ExpiredToken", "ExpiredTokenException")
# Errors about the form of a request and not about its content.
_FORM_ERRORS = frozenset(
    (
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SerializationException",
        "SignatureDoesNotMatch",
        "UnknownOperationException",
        "UnrecognizedClientException",
    )
)


class LeanSend:
    """One attempt through `connections` to `host`, signed with `credentials` for `region`.

    Expired credentials are read from `environ` again. `clock` returns Unix seconds.
    """

    def __init__(
        self,
        connections: Connections,
        credentials: Credentials,
        *,
        region: str,
        host: str,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connections, self._environ = connections, environ
        self._region, self._host, self._clock = region, host, clock
        self._signer = Signer(credentials, region, host, clock=clock)

    def __call__(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        """Return the response. Raises `Refusal`, `StoreError`, `TryAgain` and `UnexpectedResponse`."""
        signer, body = self._signer, _encode(request).encode()
        try:
            response = self._connections.exchange(signer.head(operation, body) + body, *timeouts)
        except OSError as error:
            raise TryAgain(f"{self._host}: {str(error) or type(error).__name__}") from None
        checksum = response.headers.get(b"x-amz-crc32", b"")
        if checksum and checksum != b"%d" % crc32(response.body):
            raise TryAgain("The response's checksum does not match its body")
        parsed = _parse(response)
        if parsed is not None and response.status == _OK:
            return parsed
        details = parsed or {}
        code, message = _code(details), str(details.get("message") or details.get("Message") or "")
        if code in _EXPIRED:
            self._reload_credentials(signer.credentials, code)
        if code in _FORM_ERRORS or (not code and response.status < _SERVER_ERROR):
            raise UnexpectedResponse(code or f"a response with status {response.status} that is not DynamoDB's")
        raise failure(operation, response.status, code, message, details)

    def _reload_credentials(self, expired: Credentials, code: str) -> None:
        """Use the environment's credentials if they differ from the expired ones."""
        fresh = Credentials.from_env(self._environ)
        if fresh is None or fresh == expired:
            raise UnexpectedResponse(code)
        self._signer = Signer(fresh, self._region, self._host, clock=self._clock)
        raise TryAgain(code)


class FallbackSend:
    """Attempts through `lean` and, after its first `UnexpectedResponse`, through the result of `boto()`.

    `on_fallback` is called once, with the reason.
    """

    def __init__(self, lean: Send, boto: Callable[[], Send], on_fallback: Callable[[str], None]) -> None:
        self._send, self._boto, self._on_fallback = lean, boto, on_fallback
        self._is_lean = True
        self._lock = threading.Lock()

    def __call__(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        """Return the response. Raises `Refusal`, `StoreError`, `TryAgain` and `ConfigurationError`."""
        try:
            return self._send(operation, request, timeouts)
        except UnexpectedResponse as reason:
            with self._lock:
                if self._is_lean:
                    self._send, self._is_lean = self._boto(), False  # This also closes the lean one's connections.
                    self._on_fallback(f"boto3 replaces the lean transport to DynamoDB after {reason}")
            raise TryAgain(str(reason)) from None  # The next attempt adapts to the time that is left.


def _base64(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return b64encode(value).decode()
    raise TypeError(f"DynamoDB does not support {type(value).__name__}.")


_encode = encoder(default=_base64, ascii_only=True)


def _parse(response: Response) -> dict[str, Any] | None:
    """Return the JSON object in a response, None for anything else."""
    if response.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        return None
    is_binary = b'"B"' in response.body or b'"BS"' in response.body
    try:
        parsed = json.loads(response.body, object_hook=_bytes if is_binary else None)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _bytes(part: dict[str, Any]) -> dict[str, Any]:
    """Decode an attribute's binary data. Nothing else in a response looks like such an attribute."""
    if len(part) == 1:
        ((kind, value),) = part.items()
        if kind == "B" and isinstance(value, str):
            return {"B": b64decode(value)}
        if kind == "BS" and isinstance(value, list):
            return {"BS": [b64decode(one) for one in value]}
    return part


def _code(error: dict[str, Any]) -> str:
    """Return the code of an error: `ThrottlingException` for `com.amazonaws.dynamodb.v20120810#ThrottlingException`."""
    return str(error.get("__type") or "").rpartition("#")[2].partition(":")[0]


CONTENT_TYPE = "application/x-amz-json-1.0"
_TARGET = "DynamoDB_20120810."
_HEADER_VALUE = re.compile(r"[!-~]+")  # visible ASCII


class Credentials:
    """An access key, its secret, and the session token of temporary credentials. The `repr` does not show them."""

    __slots__ = ("key", "secret", "token")

    def __init__(self, key: str, secret: str, token: str | None = None) -> None:
        self.key, self.secret, self.token = key, secret, token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credentials) and all(
            getattr(self, one) == getattr(other, one) for one in self.__slots__
        )

    def __hash__(self) -> int:
        return hash((self.key, self.secret, self.token))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Credentials | None:
        """Return the credentials in `environ`, None if one is missing or is not a valid header value."""
        key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
        token = environ.get("AWS_SESSION_TOKEN") or None
        if not key or not secret or not all(_HEADER_VALUE.fullmatch(text) for text in (key, secret, token or "-")):
            return None
        return cls(key, secret, token)


class Signer:
    """Signs requests to one `host` (with its port, unless that is the scheme's) in one `region`.

    `clock` returns Unix seconds.
    """

    def __init__(
        self, credentials: Credentials, region: str, host: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.credentials = credentials
        self._region, self._host, self._clock = region, host, clock
        self._key = ("", b"")  # a day, and the key that was derived for it
        token = credentials.token
        self._token_line = f"x-amz-security-token:{token}\n" if token else ""
        self._names = f"content-type;host;x-amz-date;{'x-amz-security-token;' if token else ''}x-amz-target"
        self._token_header = f"X-Amz-Security-Token: {token}\r\n" if token else ""

    def head(self, operation: str, body: bytes) -> bytes:
        """Return everything of an HTTP/1.1 request before its `body`."""
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
        known_day, key = self._key
        if known_day != day:
            key = f"AWS4{self.credentials.secret}".encode()
            for part in (day, self._region, "dynamodb", "aws4_request"):
                key = digest(key, part.encode(), "sha256")
            self._key = (day, key)
        return key
