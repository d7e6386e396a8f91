"""Attempts at an operation, and the handling of DynamoDB's errors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from arc.errors import StoreError
from arc.sessions.stores.dynamodb.transport import ATTEMPTS, Refusal, RetryingTransport, TryAgain, failure, pause

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


# -- pauses and time


def pauses(*, left: float | None = None, attempts: int = ATTEMPTS) -> list[float]:
    """The longest pauses after each attempt, with the seconds that are left."""
    return [pause(attempt, lambda size: b"\xff" * size, left) for attempt in range(attempts)]


def test_pauses_double_up_to_a_second() -> None:
    """Each is a random part of twice the one before, from 50 ms, and none is longer than a second."""
    assert pauses(attempts=7) == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0])
    assert pause(3, bytes, None) == 0
    assert pause(0, lambda size: b"\x80" + bytes(size - 1), None) == pytest.approx(0.025)


def test_no_pause_outlasts_the_functions_time() -> None:
    """What is left is the longest pause, and a function past its time makes none."""
    assert pauses(left=0.07) == pytest.approx([0.05, 0.07, 0.07])
    assert pauses(left=-1) == [0, 0, 0]


class Passing:
    """Attempts that all fail for now; `timeouts` and `pauses` are those that were made.

    `left` are the seconds that are left when these are chosen, in turn; the last ones stay.
    """

    def __init__(self, *left: float | None) -> None:
        self.timeouts: list[tuple[float, float]] = []
        self.pauses: list[float] = []
        self._left = list(left)
        self._transport = RetryingTransport(
            self._send, random=lambda size: b"\xff" * size, sleep=self.pauses.append, left=self._now_left
        )

    def error(self) -> str:
        """What is raised in the end."""
        with pytest.raises(StoreError) as raised:
            self._transport("GetItem", {})
        return str(raised.value)

    def _now_left(self) -> float | None:
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]

    def _send(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        self.timeouts.append(timeouts)
        raise TryAgain("SlowDown")


def test_no_pause_follows_the_last_attempt() -> None:
    """Three attempts have two pauses between them, and the error names the operation and the failure."""
    passing = Passing(None)
    assert re.search(r"\bGetItem\b.*\bSlowDown\.", passing.error())
    assert len(passing.timeouts) == 3
    assert passing.pauses == pytest.approx([0.05, 0.1])


def test_a_pause_between_attempts_is_within_the_functions_time() -> None:
    """Each is as short as what the attempt before it has left."""
    passing = Passing(3.0, 0.04, 3.0, 0.03, 3.0)
    passing.error()
    assert passing.pauses == pytest.approx([0.04, 0.03])


@pytest.mark.parametrize(
    ("left", "timeouts"),
    [
        (None, (1.0, 2.0)),
        (3.0, (1.0, 2.0)),
        (2.9, (0.5, 1.0)),
        (1.5, (0.5, 1.0)),
        (1.4, (0.25, 0.5)),
        (0.75, (0.25, 0.5)),
        (0.35, (0.1, 0.25)),
    ],
)
def test_an_attempt_takes_no_longer_than_is_left(left: float | None, timeouts: tuple[float, float]) -> None:
    """The longest times to connect and to read that fit together, to the very end."""
    passing = Passing(left)
    passing.error()
    assert passing.timeouts == [timeouts] * ATTEMPTS


def test_without_time_nothing_is_sent() -> None:
    """The error names the operation, and no attempt is made that the function could not wait for."""
    passing = Passing(0.34)
    assert "GetItem" in passing.error()
    assert passing.timeouts == []
