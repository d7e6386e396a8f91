"""DynamoDB as a function: operation name and JSON in, JSON out."""

from __future__ import annotations

import os
import threading
import time

from arc.errors import StoreError
from arc.sessions.stores.dynamodb.clients import cause, clock_remedy, no_credentials
from arc.sessions.time_left import time_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol
else:
    Protocol = object

ATTEMPTS = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds; each pause is a random part of twice the one before
TIMEOUTS = ((1.0, 2.0), (0.5, 1.0), (0.25, 0.5), (0.1, 0.25))  # seconds to connect and to read; the first that fits
_AGAIN = frozenset(
    (
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "LimitExceededException",
        "InternalServerError",
        "InternalFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
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
_SERVER_ERROR = 500


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


class Transport(Protocol):
    """What the store asks of DynamoDB."""

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to `operation` (`"GetItem"`, …). Raises `Refusal`, `StoreError`."""


class BotoTransport:
    """DynamoDB through boto3, which is imported at the first call.

    `client(connect, read)` makes a client with these timeouts in seconds that never retries by itself: every
    attempt is made here, `ATTEMPTS` of them, with random pauses between and within the time that is left to
    the invocation.
    """

    def __init__(
        self,
        client: Callable[[float, float], Any],
        *,
        random: Callable[[int], bytes] = os.urandom,
        sleep: Callable[[float], None] = time.sleep,
        left: Callable[[], float | None] = time_left,
    ) -> None:
        self._make, self._random, self._sleep, self._left = client, random, sleep, left
        self._clients: dict[tuple[float, float], Any] = {}
        self._lock = threading.Lock()  # A boto3 session makes one client at a time.

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises `Refusal`, `StoreError`, and `ConfigurationError` where no region is set."""
        for attempt in range(ATTEMPTS):
            try:
                return self._ask(operation, request)
            except _TryAgain as failure:
                last = failure
            if attempt + 1 < ATTEMPTS:
                self._sleep(pause(attempt, self._random, self._left()))
        raise StoreError(f"DynamoDB did not do {operation} in {ATTEMPTS} attempts: {cause(last)} Try again later.")

    def _ask(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        client = self._client(operation)
        from botocore import exceptions

        try:
            answer: dict[str, Any] = getattr(client, _method(operation))(**request)
        except exceptions.ClientError as error:
            raise _failure(error.response, operation) from None
        except exceptions.ParamValidationError as error:
            raise Refusal("ValidationException", str(error)) from None
        except (exceptions.HTTPClientError, exceptions.BotoCoreError, OSError) as error:
            raise no_credentials(error, f"for {operation}") or _TryAgain(cause(error)) from None
        return answer

    def _client(self, operation: str) -> Any:
        left = self._left()
        for timeouts in TIMEOUTS:
            if left is None or sum(timeouts) <= left:
                with self._lock:
                    if timeouts not in self._clients:
                        self._clients[timeouts] = self._make(*timeouts)
                    return self._clients[timeouts]
        raise StoreError(f"No time is left for {operation}: the function is about to reach its timeout.")


class _TryAgain(Exception):
    """A failure that another attempt may not meet."""


def pause(attempt: int, random: Callable[[int], bytes], left: float | None) -> float:
    """The seconds to wait after `attempt` (from 0): a random part of a pause that doubles (full jitter).

    It never outlasts the seconds that are `left`.
    """
    whole: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
    if left is not None:
        whole = max(0.0, min(whole, left))
    return whole * int.from_bytes(random(4), "big") / 2**32


def _method(operation: str) -> str:
    """`GetItem` as boto3 calls it: `get_item`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]


def _failure(response: dict[str, Any], operation: str) -> Exception:
    error = response.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    if code == "TransactionCanceledException":
        return _cancellation(message, response.get("CancellationReasons", ()))
    if code in _FOR_THE_STORE:
        return Refusal(code, message, response.get("Item"))
    if code in _AGAIN or response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR:
        return _TryAgain(code or "an error of the service")
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
            return _TryAgain(code)
        return Refusal("ValidationException" if code == "ValidationError" else code, text)
    rows = [one.get("Item") for one in reasons]
    return Refusal("TransactionCanceledException", message, reasons=list(zip(codes, rows, strict=True)))
