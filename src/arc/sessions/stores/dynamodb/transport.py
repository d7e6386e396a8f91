"""DynamoDB as a function: operation name and JSON in, JSON out."""

from __future__ import annotations

import os
import time

from arc.errors import StoreError
from arc.sessions.time_left import time_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Protocol
else:
    Protocol = object

ATTEMPTS = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds; each pause is a random part of twice the one before
TIMEOUTS = ((1.0, 2.0), (0.5, 1.0), (0.25, 0.5), (0.1, 0.25))  # seconds to connect and to read; the first that fits
_AGAIN = frozenset(  # https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, and DynamoDB's own
    (
        "BandwidthLimitExceeded",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    )
)
_FOR_THE_STORE = frozenset(
    (
        "AccessDeniedException",
        "ConditionalCheckFailedException",
        "ValidationException",
        "ResourceNotFoundException",
    )
)
_THROTTLED = frozenset(("ThrottlingError", "ProvisionedThroughputExceeded"))  # as reasons of a transaction
_OF_OTHERS = frozenset(("ConditionalCheckFailed", "TransactionConflict"))  # reasons: another request came first
_TOO_MANY, _SERVER_ERROR = 429, 500


class Refusal(Exception):
    """An answer of DynamoDB's that the store acts on; never leaves the core.

    `code` is the name of DynamoDB's exception. `item` is the row that did not meet a condition, where the
    service tells it; `reasons` are the codes and rows of a cancelled transaction, one for each of its parts.
    """

    def __init__(
        self,
        code: str,
        message: str,
        item: dict[str, Any] | None = None,
        reasons: Sequence[tuple[str, dict[str, Any] | None]] = (),
    ) -> None:
        self.code, self.message, self.item, self.reasons = code, message, item, tuple(reasons)
        super().__init__(f"{code}: {message}")


class TryAgain(Exception):
    """A failure that another attempt may not meet; its text is a sentence or the name of an error."""


class Transport(Protocol):
    """What the store asks of DynamoDB."""

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to `operation` (`"GetItem"`, …). Raises `Refusal`, `StoreError`."""


class Send(Protocol):
    """One attempt at an operation, within `timeouts`: seconds to connect and to read."""

    def __call__(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        """The answer. Raises `Refusal`, `StoreError`, `TryAgain`, `ConfigurationError`."""


class RetryingTransport:
    """DynamoDB through `send`, which never retries by itself.

    Every attempt is made here, `ATTEMPTS` of them, with random pauses between and within the time that is left to
    the invocation.
    """

    def __init__(
        self,
        send: Send,
        *,
        random: Callable[[int], bytes] = os.urandom,
        sleep: Callable[[float], None] = time.sleep,
        left: Callable[[], float | None] = time_left,
    ) -> None:
        self._send, self._random, self._sleep, self._left = send, random, sleep, left

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises `Refusal`, `StoreError`, and `ConfigurationError` where no region is set."""
        for attempt in range(ATTEMPTS):
            try:
                return self._send(operation, request, self._timeouts(operation))
            except TryAgain as failure:
                last = str(failure)
            if attempt + 1 < ATTEMPTS:
                self._sleep(pause(attempt, self._random, self._left()))
        sentence = last if last.endswith((".", "!", "?")) else f"{last}."
        raise StoreError(f"DynamoDB did not do {operation} in {ATTEMPTS} attempts: {sentence} Try again later.")

    def _timeouts(self, operation: str) -> tuple[float, float]:
        left = self._left()
        for timeouts in TIMEOUTS:
            if left is None or sum(timeouts) <= left:
                return timeouts
        raise StoreError(f"No time is left for {operation}: the function is about to reach its timeout.")


def pause(attempt: int, random: Callable[[int], bytes], left: float | None) -> float:
    """The seconds to wait after `attempt` (from 0): a random part of a pause that doubles (full jitter).

    It never outlasts the seconds that are `left`.
    """
    whole: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
    if left is not None:
        whole = max(0.0, min(whole, left))
    return whole * int.from_bytes(random(4), "big") / 2**32


def failure(operation: str, status: int, code: str, message: str, answer: Mapping[str, Any]) -> Exception:
    """What an error of DynamoDB's is to the store: `Refusal`, `TryAgain` or `StoreError`.

    `answer` may hold the row (`Item`) or the reasons (`CancellationReasons`).
    """
    if code == "TransactionCanceledException":
        return _cancellation(message, answer.get("CancellationReasons") or ())
    if code in _FOR_THE_STORE:
        return Refusal(code, message, answer.get("Item"))
    if code in _AGAIN or status == _TOO_MANY or status >= _SERVER_ERROR:
        return TryAgain(code or "an error of the service")
    # After its first line, DynamoDB's message about a refused signature repeats what was signed: the session token too.
    message = message.partition("\n")[0]
    return StoreError(
        f"DynamoDB refused {operation}: {code}{message and f' ({message})'}.{clock_remedy(code, message)} "
        "Check the credentials of the function and that its role may use the session table."
    )


def _cancellation(message: str, reasons: Sequence[dict[str, Any]]) -> Exception:
    """What a cancelled transaction is by its reasons: another request's doing, throttling, or refused for good."""
    codes = [str(one.get("Code")) for one in reasons]
    causes = {code: str(one.get("Message", "")) for code, one in zip(codes, reasons, strict=True) if code != "None"}
    if causes and not causes.keys() & _OF_OTHERS:
        code, text = next(iter(causes.items()))
        if code in _THROTTLED:
            return TryAgain(code)
        return Refusal("ValidationException" if code == "ValidationError" else code, text)
    rows = [one.get("Item") for one in reasons]
    return Refusal("TransactionCanceledException", message, reasons=list(zip(codes, rows, strict=True)))


def clock_remedy(code: str, message: str) -> str:
    """What to do where AWS refused a signature for its time, empty for any other refusal."""
    text = f"{code}: {message}"
    words = ("Signature expired", "not yet current", "RequestExpired", "RequestTimeTooSkewed")
    return " Set this machine's clock: it differs from that of AWS." if any(word in text for word in words) else ""
