"""Permanent and temporary errors of DynamoDB and conflicts, each reported correctly."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from arc.errors import SessionTooLarge, StoreError
from arc.sessions.signing import sign
from arc.sessions.stores.dynamodb.transport import ATTEMPTS
from tests.sessions.making import value_of
from tests.sessions.stores.test_failing_database import a_session, manager_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.engines import Engine

_numbers = itertools.count(1)
INDEX = (
    "One or more parameter values were invalid: Type mismatch for Index Key email Expected: S Actual: NULL "
    "IndexName: email-index"
)


@pytest.fixture
def transport() -> str:
    """These tests are about the exceptions of boto3's client."""
    return "boto3"


def cancelled(*reasons: tuple[str, str]) -> ClientError:
    """Return boto3's exception for a transaction that was cancelled with these codes and texts."""
    listed = [{"Code": code, "Message": message} if message else {"Code": code} for code, message in reasons]
    text = (
        f"Transaction cancelled, please refer cancellation reasons for specific reasons {[one[0] for one in reasons]}"
    )
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": 400},
        "CancellationReasons": listed,
    }
    return ClientError(response, "TransactWriteItems")


class Cancelling:
    """A boto3 client whose first transactions raise `failures`; `transactions` counts them."""

    def __init__(self, client: Any, failures: Sequence[Exception]) -> None:
        self._client, self._failures = client, list(failures)
        self.transactions = 0

    def transact_write_items(self, **request: Any) -> Any:
        """Fail, or execute the transaction."""
        self.transactions += 1
        if self._failures:
            raise self._failures.pop(0)
        return self._client.transact_write_items(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class SignIn:
    """A sign-in whose first transactions fail. `commit` runs it."""

    def __init__(self, engine: Engine, *failures: Exception) -> None:
        table = engine.table()
        self.client = Cancelling(engine.client(), failures)
        self._manager = manager_on(self.client, table)
        self._session = self._manager.load([a_session(engine, table)])
        self._session.sign_in("ada")

    def commit(self) -> str | None:
        """Commit and return the principal of the response's cookie."""
        (cookie,) = self._manager.commit(self._session)
        return self._manager.load([value_of(cookie)]).user_id


@pytest.mark.parametrize("part", [0, 1], ids=["the new row", "the old row"])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationError", INDEX),
        ("ItemCollectionSizeLimitExceeded", "Collection size exceeded."),
        ("AccessDenied", "User is not authorized to perform this operation."),
    ],
)
def test_a_permanently_refused_transaction_reports_its_reason(
    ministack: Engine, part: int, code: str, message: str
) -> None:
    """It is sent once, and the error does not blame another request."""
    reasons = [("None", ""), ("None", "")]
    reasons[part] = (code, message)
    attempt = SignIn(ministack, *[cancelled(*reasons)] * 20)
    with pytest.raises(StoreError) as raised:
        attempt.commit()
    assert message in str(raised.value)
    assert "Other requests" not in str(raised.value)
    assert attempt.client.transactions == 1


def test_a_transaction_with_a_row_that_is_too_large_is_reported(ministack: Engine) -> None:
    """The error is the same as for an update."""
    too_large = cancelled(("ValidationError", "Item size has exceeded the maximum allowed size"), ("None", ""))
    with pytest.raises(SessionTooLarge, match="400 KB"):
        SignIn(ministack, too_large).commit()


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_throttled_transaction_is_retried_without_a_conflict(ministack: Engine, code: str) -> None:
    """A later attempt may succeed, and the number of attempts is that of any throttled call."""
    throttled = cancelled((code, "The level of throughput was exceeded."), ("None", ""))
    assert SignIn(ministack, throttled, throttled).commit() == "ada"
    attempt = SignIn(ministack, *[throttled] * 50)
    with pytest.raises(StoreError, match=code) as raised:
        attempt.commit()
    assert "Other requests" not in str(raised.value)
    assert attempt.client.transactions == ATTEMPTS


def test_a_transaction_that_conflicts_with_another_one_is_retried(ministack: Engine) -> None:
    """Two transactions on one row are a temporary conflict."""
    met = cancelled(("None", ""), ("TransactionConflict", "Transaction is ongoing for the item"))
    attempt = SignIn(ministack, *[met] * 4)
    assert attempt.commit() == "ada"
    assert attempt.client.transactions == 5


# -- tables that cannot store sessions

KEYS = {
    "another name": [("id", "S", "HASH")],
    "two attributes": [("pk", "S", "HASH"), ("sk", "S", "RANGE")],
    "a sort key": [("_idx", "S", "HASH"), ("sk", "S", "RANGE")],
    "a number": [("_idx", "N", "HASH")],
    "binary": [("_idx", "B", "HASH")],
}


def table_with(engine: Engine, key: list[tuple[str, str, str]]) -> str:
    """Return a new table with another key than a session table."""
    name, client = f"testapp-testing-other-{next(_numbers)}", engine.client()
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": part, "AttributeType": kind} for part, kind, _ in key],
        KeySchema=[{"AttributeName": part, "KeyType": kind} for part, _, kind in key],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return name


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_table_with_another_key_is_reported_at_the_first_call(
    engine: Engine, key: list[tuple[str, str, str]]
) -> None:
    """Reads and writes raise an error with the key of a session table."""
    manager = manager_on(engine.client(), table_with(engine, key))
    session = manager.load([])
    session["count"] = 1
    with pytest.raises(StoreError, match=r"its key is not _idx .*_idx \*String"):
        manager.commit(session)
    with pytest.raises(StoreError, match=r"its key is not _idx .*_idx \*String"):
        manager.load([sign("some-id", manager.keyring.signing[0])])
