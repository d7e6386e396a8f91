"""Attempts at an operation, and the handling of DynamoDB's errors."""

from __future__ import annotations

from typing import Any

import pytest

from arc.errors import StoreError
from arc.sessions.stores.dynamodb.transport import ATTEMPTS, Refusal, RetryingTransport, TryAgain, failure

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
RETRYABLE = [
    "RequestTimeout",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
]


@pytest.mark.parametrize("code", RETRYABLE)
def test_errors_that_the_sdks_retry_are_retried(code: str) -> None:
    """Every code that AWS's SDKs retry is retried."""
    assert isinstance(failure("GetItem", 400, code, "", {}), TryAgain)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_temporary_status_is_retried(status: int) -> None:
    """This is true for any code, and without a code."""
    assert isinstance(failure("GetItem", status, "Odd", "", {}), TryAgain)
    assert isinstance(failure("GetItem", status, "", "", {}), TryAgain)


def test_s42_a_refused_signature_is_reported_without_the_session_token() -> None:
    """DynamoDB's message repeats what was signed, including the token; the error has only its first line."""
    message = "The request signature we calculated does not match.\n\nx-amz-security-token:hidden-token\n"
    error = failure("GetItem", 400, "InvalidSignatureException", message, {})
    assert isinstance(error, StoreError)
    assert "does not match." in str(error)
    assert "hidden-token" not in str(error)


@pytest.mark.parametrize(
    ("raised", "sent"), [(TryAgain("SlowDown"), ATTEMPTS), (Refusal("ValidationException", ""), 1), (StoreError(""), 1)]
)
def test_only_a_temporary_failure_is_retried(raised: Exception, sent: int) -> None:
    """There are three attempts, with the longest timeouts if the time is unlimited."""
    made: list[tuple[float, float]] = []

    def send(operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        made.append(timeouts)
        raise raised

    with pytest.raises((Refusal, StoreError)):
        RetryingTransport(send, sleep=lambda _seconds: None)("GetItem", {})
    assert made == [(1.0, 2.0)] * sent
