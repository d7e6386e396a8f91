"""DynamoDB without boto3: requests signed here, over connections of our own."""

from __future__ import annotations

import json
import re
import threading
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from hmac import digest
from zlib import crc32

from arc.sessions.stores.dynamodb.connections import NotUnderstood
from arc.sessions.stores.dynamodb.transport import TryAgain, failure
from arc.sessions.text import encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from arc.sessions.stores.dynamodb.connections import Answer, Connections
    from arc.sessions.stores.dynamodb.transport import Send


_OK, _SERVER_ERROR = 200, 500
_EXPIRED = ("ExpiredToken", "ExpiredTokenException")
# Errors about how a request was made, rather than about what it asks for.
_OF_THE_REQUEST = frozenset(
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

    Credentials that have expired are read from `environ` once more. `clock` gives Unix seconds.
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
        """The answer. Raises `Refusal`, `StoreError`, `TryAgain`, `NotUnderstood`."""
        signer, body = self._signer, _encode(request).encode()
        try:
            answer = self._connections.exchange(signer.head(operation, body) + body, *timeouts)
        except OSError as error:
            raise TryAgain(f"{self._host}: {str(error) or type(error).__name__}") from None
        checksum = answer.headers.get(b"x-amz-crc32", b"")
        if checksum and checksum != b"%d" % crc32(answer.body):
            raise TryAgain("The answer's checksum is not that of its body")
        parsed = _parsed(answer)
        if parsed is not None and answer.status == _OK:
            return parsed
        refused = parsed or {}
        code, message = _code(refused), str(refused.get("message") or refused.get("Message") or "")
        if code in _EXPIRED:
            self._read_again(signer.credentials, code)
        if code in _OF_THE_REQUEST or (not code and answer.status < _SERVER_ERROR):
            raise NotUnderstood(code or f"an answer with status {answer.status} that is not DynamoDB's")
        raise failure(operation, answer.status, code, message, refused)

    def _read_again(self, expired: Credentials, code: str) -> None:
        """Take the environment's credentials where they are others than those that have expired."""
        fresh = Credentials.from_env(self._environ)
        if fresh is None or fresh == expired:
            raise NotUnderstood(code)
        self._signer = Signer(fresh, self._region, self._host, clock=self._clock)
        raise TryAgain(code)


class HandingOver:
    """Attempts through `lean`, and through what `boto` makes from the first answer on that `lean` does not understand.

    `on_hand_over` is called once, with the reason.
    """

    def __init__(self, lean: Send, boto: Callable[[], Send], on_hand_over: Callable[[str], None]) -> None:
        self._send, self._boto, self._on_hand_over = lean, boto, on_hand_over
        self._is_lean = True
        self._lock = threading.Lock()

    def __call__(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        """The answer. Raises `Refusal`, `StoreError`, `TryAgain`, `ConfigurationError`."""
        try:
            return self._send(operation, request, timeouts)
        except NotUnderstood as reason:
            with self._lock:
                if self._is_lean:
                    self._send, self._is_lean = self._boto(), False  # The lean one goes, and its connections with it.
                    self._on_hand_over(f"the database is asked through boto3 from now on, after {reason}")
            raise TryAgain(str(reason)) from None  # within the time that is left now


def _base64(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return b64encode(value).decode()
    raise TypeError(f"DynamoDB takes no {type(value).__name__}.")


_encode = encoder(default=_base64, ascii_only=True)


def _parsed(answer: Answer) -> dict[str, Any] | None:
    """The JSON object that an answer holds, None for any other."""
    if answer.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        return None
    is_binary = b'"B"' in answer.body or b'"BS"' in answer.body
    try:
        parsed = json.loads(answer.body, object_hook=_bytes if is_binary else None)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _bytes(part: dict[str, Any]) -> dict[str, Any]:
    """An attribute's binary data as bytes; of whatever else an answer is made of, nothing looks like one."""
    if len(part) == 1:
        ((kind, value),) = part.items()
        if kind == "B" and isinstance(value, str):
            return {"B": b64decode(value)}
        if kind == "BS" and isinstance(value, list):
            return {"BS": [b64decode(one) for one in value]}
    return part


def _code(error: dict[str, Any]) -> str:
    """The name of an error: `com.amazonaws.dynamodb.v20120810#ThrottlingException` is `ThrottlingException`."""
    return str(error.get("__type") or "").rpartition("#")[2].partition(":")[0]


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
