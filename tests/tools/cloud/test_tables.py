"""Tables as the manifest declares them, in a real DynamoDB API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arc.errors import ToolError
from arc.inventory import Index, Key, Table
from arc.tools.cloud.tables import Tables, definition, physical_name

SESSION = Table("session", Key("_idx", "String"), ttl="_ttl")
EMAIL = Index(Key("email", "String"))


def test_physical_name_has_app_and_environment() -> None:
    """The name is the same as in Architect."""
    assert physical_name("testapp", "production", SESSION) == "testapp-production-session"


def test_minimal_table_definition() -> None:
    """It contains only what is declared, and on-demand billing."""
    assert definition(SESSION, "t") == {
        "TableName": "t",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "_idx", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "_idx", "KeyType": "HASH"}],
    }


def test_full_table_definition() -> None:
    """Each key attribute is defined once, however many keys use it."""
    indexes = (
        Index(Key("email", "String"), Key("at", "Number"), projection=("keys",)),
        Index(Key("at", "Number"), name="byTime", projection=("email", "name")),
    )
    table = Table("log", Key("id", "String"), Key("at", "Number"), stream=True, encrypt="some-key", indexes=indexes)
    assert definition(table, "t") == {
        "TableName": "t",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "email", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "email-at-index",
                "KeySchema": [
                    {"AttributeName": "email", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "byTime",
                "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["email", "name"]},
            },
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "some-key"},
    }


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (EMAIL, "email-index"),
        (Index(Key("email", "String"), Key("at", "Number")), "email-at-index"),
        (replace(EMAIL, name="mine"), "mine"),
    ],
)
def test_index_is_named_after_its_keys(index: Index, name: str) -> None:
    """The name is Architect's, so existing queries work."""
    assert index.name_on_aws == name


class Slow:
    """A cloud whose tables stay half made."""

    url = None

    def call(self, *_: object, **__: object) -> dict[str, Any]:
        """A description of one."""
        return {"Table": {**definition(SESSION, "slow"), "TableStatus": "CREATING"}}


def test_waiting_for_a_table_times_out() -> None:
    """After 15 minutes, with one attempt a second on AWS."""
    now = 0.0
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        waits.append(seconds)

    slow: Any = Slow()
    with pytest.raises(ToolError, match="The table slow was not ready after 900 seconds"):
        Tables(slow, clock=lambda: now, sleep=sleep).wait("slow")
    assert waits == [1.0] * 900
