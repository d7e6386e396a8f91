"""Calling DynamoDB: retries, timeouts and errors."""

from __future__ import annotations

import os
import time

from arc.errors import StoreError
from arc.sessions.visit import time_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    # Sends a request for an operation (`"GetItem"`, …) and returns the response. Raises `Refusal` and `StoreError`.
    Transport = Callable[[str, dict[str, Any]], dict[str, Any]]
    # Makes one attempt, with seconds to connect and to read. Also raises `TryAgain` and `ConfigurationError`.
    Send = Callable[[str, dict[str, Any], tuple[float, float]], dict[str, Any]]

ATTEMPTS = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds; a pause is a random part of a duration that doubles
TIMEOUTS = ((1.0, 2.0), (0.5, 1.0), (0.25, 0.5), (0.1, 0.25))  # seconds to connect and to read; the first that fits
_RETRYABLE = (
    frozenset(  # https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, and DynamoDB's own
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
)
_REFUSALS = frozenset(
    (
        "AccessDeniedException",
        "ConditionalCheckFailedException",
        "ValidationException",
        "ResourceNotFoundException",
    )
)
_THROTTLED = frozenset(("ThrottlingError", "ProvisionedThroughputExceeded"))  # as reasons of a cancelled transaction
_CONFLICTS = frozenset(("ConditionalCheckFailed", "TransactionConflict"))  # as reasons, of other requests
_TOO_MANY, _SERVER_ERROR = 429, 500


class Refusal(Exception):
    """An error of DynamoDB that the store handles. Never leaves the core.

    `code` is the name of DynamoDB's exception. `item` is the row that failed a condition, if the response has it.
    `reasons` are the codes and rows for the parts of a cancelled transaction.
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
    """A failure that another attempt may avoid. Its text is a sentence or the name of an error."""


class RetryingTransport:
    """Calls DynamoDB through `send`, which never retries.

    Makes up to `ATTEMPTS` attempts with random pauses, within the seconds that are `left` to the invocation.
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
        """Return the response. Raises `Refusal`, `StoreError`, and `ConfigurationError` without a region."""
        for attempt in range(ATTEMPTS):
            try:
                return self._send(operation, request, self._timeouts(operation))
            except TryAgain as failure:
                last = str(failure)
            if attempt + 1 < ATTEMPTS:
                self._sleep(pause(attempt, self._random, self._left()))
        sentence = last if last.endswith((".", "!", "?")) else f"{last}."
        raise StoreError(f"{operation} failed {ATTEMPTS} times on DynamoDB: {sentence} Try again later.")

    def _timeouts(self, operation: str) -> tuple[float, float]:
        left = self._left()
        for timeouts in TIMEOUTS:
            if left is None or sum(timeouts) <= left:
                return timeouts
        raise StoreError(f"No time is left for {operation}, because the function is about to reach its timeout.")


def pause(attempt: int, random: Callable[[int], bytes], left: float | None) -> float:
    """Return the seconds to wait after `attempt` (from 0): a random part of a duration that doubles (full jitter).

    The result is at most `left`.
    """
    whole: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
    if left is not None:
        whole = max(0.0, min(whole, left))
    return whole * int.from_bytes(random(4), "big") / 2**32


def failure(operation: str, status: int, code: str, message: str, response: Mapping[str, Any]) -> Exception:
    """Return the exception for an error of DynamoDB: `Refusal`, `TryAgain` or `StoreError`.

    `response` may contain the row (`Item`) or the reasons (`CancellationReasons`).
    """
    if code == "TransactionCanceledException":
        return _cancellation(message, response.get("CancellationReasons") or ())
    if code in _REFUSALS:
        return Refusal(code, message, response.get("Item"))
    if code in _RETRYABLE or status == _TOO_MANY or status >= _SERVER_ERROR:
        return TryAgain(code or "an error of the service")
    # The other lines of a message about a signature repeat what was signed, including the session token.
    message = message.partition("\n")[0]
    return StoreError(
        f"DynamoDB refused {operation}: {code}{message and f' ({message})'}.{clock_remedy(code, message)} "
        "Check the function's credentials and its role's permissions for the session table."
    )


def _cancellation(message: str, reasons: Sequence[dict[str, Any]]) -> Exception:
    """Return the exception for a cancelled transaction: a conflict, throttling, or a permanent refusal."""
    codes = [str(one.get("Code")) for one in reasons]
    causes = {code: str(one.get("Message", "")) for code, one in zip(codes, reasons, strict=True) if code != "None"}
    if causes and not causes.keys() & _CONFLICTS:
        code, text = next(iter(causes.items()))
        if code in _THROTTLED:
            return TryAgain(code)
        return Refusal("ValidationException" if code == "ValidationError" else code, text)
    rows = [one.get("Item") for one in reasons]
    return Refusal("TransactionCanceledException", message, reasons=list(zip(codes, rows, strict=True)))


def clock_remedy(code: str, message: str) -> str:
    """Return what to do when AWS refused a signature because of its time, "" for other refusals."""
    text = f"{code}: {message}"
    words = ("Signature expired", "not yet current", "RequestExpired", "RequestTimeTooSkewed")
    return " Set this machine's clock, which differs from AWS's." if any(word in text for word in words) else ""
