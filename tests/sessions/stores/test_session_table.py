"""The session table: the first name that exists, is allowed, and can store sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import StoreError
from arc.sessions.stores.dynamodb.table import SessionTable
from arc.sessions.stores.dynamodb.transport import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

ABSENT = Refusal("ResourceNotFoundException", "Requested resource not found")
DENIED = Refusal("AccessDeniedException", "User: x is not authorized to perform: dynamodb:GetItem")
OTHER_KEY = Refusal("ValidationException", "The provided key element does not match the schema")
NO_NAME = Refusal("ValidationException", "Value 'a b' at 'tableName' failed to satisfy constraint")
OF_THE_REQUEST = Refusal("ValidationException", "Type mismatch for Index Key email Expected: S Actual: NULL")
MET = Refusal("ConditionalCheckFailedException", "The conditional request failed")


class Account:
    """Tables by name, each with the error that it returns, None for a table that works."""

    def __init__(self, *names: str, **tables: Exception | None) -> None:
        self.tables = tables
        self.requested: list[str] = []
        self.yielded: list[str] = []
        self.names = names
        self.seconds = 0.0
        self.table = SessionTable(
            self._answer, self._names, remedy=lambda: "Make it: arc create", monotonic=lambda: self.seconds
        )

    def get(self) -> list[str]:
        """Return the names that one read requests."""
        self.requested.clear()
        self.table("GetItem", {})
        return list(self.requested)

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        assert operation == "GetItem"
        self.requested.append(request["TableName"])
        error = self.tables.get(request["TableName"], ABSENT)
        if error is not None:
            raise error
        return {}

    def _names(self) -> Iterator[str]:
        for name in self.names:
            self.yielded.append(name)
            yield name


def test_names_are_requested_one_at_a_time() -> None:
    """If the first table works, no other name is requested, because that may need a call."""
    account = Account("mine", "mapped", mine=None)
    assert account.get() == ["mine"]
    assert account.yielded == ["mine"]


@pytest.mark.parametrize("refusal", [ABSENT, DENIED, OTHER_KEY, NO_NAME], ids=["absent", "denied", "key", "no name"])
def test_other_tables_are_skipped(refusal: Refusal) -> None:
    """A role with access to one table gets "access denied" for all other names."""
    account = Account("session", "shop-staging-session", **{"session": refusal, "shop-staging-session": None})
    assert account.get() == ["session", "shop-staging-session"]
    assert account.get() == ["shop-staging-session"]


@pytest.mark.parametrize("refusal", [OF_THE_REQUEST, MET], ids=["validation", "condition"])
def test_a_table_that_refuses_the_request_is_the_table(refusal: Refusal) -> None:
    """An error that is not about the table is raised to the store."""
    account = Account("mine", "other", mine=refusal, other=None)
    with pytest.raises(Refusal, match=refusal.code):
        account.get()
    assert account.requested == ["mine"]


def test_s38_a_role_without_access_is_reported_with_the_names() -> None:
    """If no name is allowed, the message has AWS's error, the names and what to check."""
    account = Account("session", "shop-staging-session", **{"session": DENIED, "shop-staging-session": DENIED})
    with pytest.raises(StoreError, match=r"on session and shop-staging-session: .*not authorized.* role"):
        account.get()


def test_a_table_with_another_key_is_reported_before_missing_ones() -> None:
    """The error is about the table that exists."""
    with pytest.raises(StoreError, match=r"The table session cannot store sessions, because its key is not _idx"):
        Account("session", "shop-staging-session", session=OTHER_KEY).get()


def test_a_table_that_is_created_later_is_found() -> None:
    """A process that found no table searches again at the next request."""
    account = Account("session", "shop-staging-session")
    with pytest.raises(StoreError, match=r"under session and shop-staging-session\. Make it: arc create"):
        account.get()
    account.tables["shop-staging-session"] = None
    assert account.get() == ["session", "shop-staging-session"]
    assert account.yielded == ["session", "shop-staging-session"]


def test_names_without_a_table_are_requested_again_within_a_minute() -> None:
    """A table that the service map gets later is found, without a request for each session."""
    account = Account("session")
    for _ in range(3):
        with pytest.raises(StoreError):
            account.get()
    assert account.yielded == ["session"]
    account.names, account.tables["Mapped-1"] = ("session", "Mapped-1"), None
    account.seconds = 60
    assert account.get() == ["session", "Mapped-1"]


def test_a_deleted_table_is_searched_again() -> None:
    """A table that was replaced by one with another name is found by the same process."""
    account = Account("session", "shop-staging-session", session=None)
    account.get()
    account.tables = {"shop-staging-session": None}
    assert account.get()[-1] == "shop-staging-session"
    assert account.get() == ["shop-staging-session"]


def test_s38_an_outage_selects_and_skips_no_name() -> None:
    """A name whose request failed is neither used from then on nor skipped."""
    account = Account("session", "other", session=StoreError("down"), other=None)
    with pytest.raises(StoreError, match="down"):
        account.get()
    assert account.requested == ["session"]
    account.tables["session"] = ABSENT
    assert account.get() == ["session", "other"]


def test_a_table_that_has_gone_is_forgotten() -> None:
    """Where no other name leads to one, each name is asked for once at the next request, and not the lost one twice."""
    account = Account("session", "other", session=None)
    account.get()
    account.tables = {}
    for _ in range(2):
        account.requested.clear()
        with pytest.raises(StoreError):
            account.table("GetItem", {})
    assert account.requested == ["session", "other"]


def test_names_are_known_for_half_a_minute_from_when_they_were_asked_for() -> None:
    """However long the process has run by then, to the second."""
    account = Account("session")
    account.seconds = 1000
    for later in (0, 29, 30, 31, 60):
        account.seconds = 1000 + later
        with pytest.raises(StoreError):
            account.get()
    assert account.yielded == ["session"] * 3


def test_each_part_of_a_transaction_names_the_table() -> None:
    """The request as a whole does not."""
    asked: list[dict[str, Any]] = []

    def transport(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {}

    table = SessionTable(transport, lambda: ["session"], remedy=lambda: "")
    parts: list[Any] = [{"Put": {"Item": {}}}, {"ConditionCheck": {"Key": {}}}]
    table("TransactWriteItems", {"TransactItems": parts, "ClientRequestToken": "once"})
    table("GetItem", {"Key": {}})
    named = [{"Put": {"TableName": "session", "Item": {}}}, {"ConditionCheck": {"TableName": "session", "Key": {}}}]
    assert asked == [
        {"TransactItems": named, "ClientRequestToken": "once"},
        {"TableName": "session", "Key": {}},
    ]
