"""Which table sessions live in: the first of its names that is there, may be used, and can store sessions."""

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
    """Tables by name, each with what it answers: an error, or nothing for a table that works."""

    def __init__(self, *names: str, **tables: Exception | None) -> None:
        self.tables = tables
        self.asked: list[str] = []
        self.given: list[str] = []
        self.names = names
        self.seconds = 0.0
        self.table = SessionTable(
            self._answer, self._names, remedy="Make it: arc create", monotonic=lambda: self.seconds
        )

    def get(self) -> list[str]:
        """The names asked for during one read."""
        self.asked.clear()
        self.table("GetItem", {})
        return list(self.asked)

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        assert operation == "GetItem"
        self.asked.append(request["TableName"])
        error = self.tables.get(request["TableName"], ABSENT)
        if error is not None:
            raise error
        return {}

    def _names(self) -> Iterator[str]:
        for name in self.names:
            self.given.append(name)
            yield name


def test_names_are_asked_for_one_at_a_time() -> None:
    """No further name is looked up, which may cost a call of its own, when the first one is the table."""
    account = Account("mine", "mapped", mine=None)
    assert account.get() == ["mine"]
    assert account.given == ["mine"]


@pytest.mark.parametrize("refusal", [ABSENT, DENIED, OTHER_KEY, NO_NAME], ids=["absent", "denied", "key", "no name"])
def test_a_name_that_is_not_the_session_table_is_passed_over(refusal: Refusal) -> None:
    """A role that may use one table only gets "access denied" for every other name."""
    account = Account("session", "shop-staging-session", **{"session": refusal, "shop-staging-session": None})
    assert account.get() == ["session", "shop-staging-session"]
    assert account.get() == ["shop-staging-session"]


@pytest.mark.parametrize("refusal", [OF_THE_REQUEST, MET], ids=["validation", "condition"])
def test_a_table_that_refuses_the_request_is_the_table(refusal: Refusal) -> None:
    """What another table would refuse as well is passed on to the store."""
    account = Account("mine", "other", mine=refusal, other=None)
    with pytest.raises(Refusal, match=refusal.code):
        account.get()
    assert account.asked == ["mine"]


def test_s38_a_role_without_access_is_reported_with_the_names() -> None:
    """Where no name is allowed, the message has what AWS said, the names and what to check."""
    account = Account("session", "shop-staging-session", **{"session": DENIED, "shop-staging-session": DENIED})
    with pytest.raises(StoreError, match=r"not authorized.*Looked for session and shop-staging-session\..* role"):
        account.get()


def test_a_table_with_another_key_is_reported_before_names_that_are_missing() -> None:
    """The table that exists is what its operator wants to hear of."""
    with pytest.raises(StoreError, match=r"The table session is no session table: its key is not _idx"):
        Account("session", "shop-staging-session", session=OTHER_KEY).get()


def test_a_table_that_is_made_later_is_found() -> None:
    """A warm process that found no table looks for it again at the next request."""
    account = Account("session", "shop-staging-session")
    with pytest.raises(StoreError, match=r"looked for session and shop-staging-session\. Make it: arc create"):
        account.get()
    account.tables["shop-staging-session"] = None
    assert account.get() == ["session", "shop-staging-session"]
    assert account.given == ["session", "shop-staging-session"]


def test_names_that_led_nowhere_are_asked_for_anew_within_a_minute() -> None:
    """A table that the service map has later is found, and the map is not asked for at every request."""
    account = Account("session")
    for _ in range(3):
        with pytest.raises(StoreError):
            account.get()
    assert account.given == ["session"]
    account.names, account.tables["Mapped-1"] = ("session", "Mapped-1"), None
    account.seconds = 60
    assert account.get() == ["session", "Mapped-1"]


def test_a_table_that_has_gone_is_looked_for_again() -> None:
    """A table that was replaced by one of another name is found without a new process."""
    account = Account("session", "shop-staging-session", session=None)
    account.get()
    account.tables = {"shop-staging-session": None}
    assert account.get()[-1] == "shop-staging-session"
    assert account.get() == ["shop-staging-session"]


def test_s38_an_outage_decides_nothing() -> None:
    """A name that could not be asked for is neither kept nor passed over."""
    account = Account("session", "other", session=StoreError("down"), other=None)
    with pytest.raises(StoreError, match="down"):
        account.get()
    assert account.asked == ["session"]
    account.tables["session"] = ABSENT
    assert account.get() == ["session", "other"]
