"""Tables as the manifest declares them, in a real DynamoDB API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import ToolError
from arc.inventory import Index, Key, Table
from arc.tools.cloud.clients import local_client, refusals
from arc.tools.cloud.tables import definition, ensure, index_name, physical_name

if TYPE_CHECKING:
    from tests.engines import Engine

SESSION = Table("session", Key("_idx", "String"), ttl="_ttl")
EMAIL = Index(Key("email", "String"))
REMEDY = "Do this."


def described(engine: Engine, name: str) -> dict[str, Any]:
    """A table as DynamoDB tells it."""
    found: dict[str, Any] = engine.client().describe_table(TableName=name)["Table"]
    return found


def ttl_of(engine: Engine, name: str) -> tuple[str, str | None]:
    """Whether rows are deleted by time, and by which attribute."""
    told = engine.client().describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return told["TimeToLiveStatus"], told.get("AttributeName")


def made(engine: Engine, table: Table, name: str) -> bool:
    """True when `ensure` made the table."""
    return ensure(engine.client(), table, name, remedy=REMEDY)


def test_a_tables_name_has_app_and_environment() -> None:
    """As Architect's `create` names it."""
    assert physical_name("testapp", "production", SESSION) == "testapp-production-session"


def test_the_request_of_the_smallest_table() -> None:
    """Nothing in it that was not declared; billed by use."""
    assert definition(SESSION, "t") == {
        "TableName": "t",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "_idx", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "_idx", "KeyType": "HASH"}],
    }


def test_the_request_of_a_table_with_everything() -> None:
    """Each attribute of a key is defined once, however many keys have it."""
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
def test_an_index_without_a_name_is_called_after_its_keys(index: Index, name: str) -> None:
    """As Architect calls it, so that queries written for it run."""
    assert index_name(index) == name


def test_a_table_is_made_once(ministack: Engine) -> None:
    """The second time finds it as it is, with its rows."""
    assert made(ministack, SESSION, "once")
    ministack.client().put_item(TableName="once", Item={"_idx": {"S": "a"}})
    assert not made(ministack, SESSION, "once")
    assert ministack.items("once") == [{"_idx": {"S": "a"}}]
    assert ttl_of(ministack, "once") == ("ENABLED", "_ttl")


def test_what_is_declared_later_is_added(ministack: Engine) -> None:
    """Indexes, a stream and the time to live come to a table that is there."""
    plain = Table("log", Key("id", "String"))
    grown = replace(plain, ttl="until", stream=True, indexes=(EMAIL, Index(Key("at", "Number"))))
    made(ministack, plain, "grows")
    assert ttl_of(ministack, "grows")[0] == "DISABLED"
    assert not made(ministack, grown, "grows")
    table = described(ministack, "grows")
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {"email-index", "at-index"}
    assert table["StreamSpecification"]["StreamEnabled"] is True
    assert ttl_of(ministack, "grows") == ("ENABLED", "until")


def test_another_attribute_of_the_time_to_live_takes_over(ministack: Engine) -> None:
    """DynamoDB has one at a time."""
    made(ministack, replace(SESSION, ttl="expires"), "moves")
    made(ministack, SESSION, "moves")
    assert ttl_of(ministack, "moves") == ("ENABLED", "_ttl")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (Table("t", Key("id", "String")), "id *String"),
        (Table("t", Key("_idx", "Number")), "_idx *Number"),
        (Table("t", Key("_idx", "String"), Key("at", "Number")), "_idx *String, at **Number"),
    ],
)
def test_another_key_is_refused_with_both(ministack: Engine, table: Table, told: str) -> None:
    """As the manifest writes them, and with what to do; the table stays as it was."""
    made(ministack, SESSION, "kept")
    with pytest.raises(ToolError) as raised:
        made(ministack, table, "kept")
    assert str(raised.value) == (
        f"The table kept has the key _idx *String, and the manifest declares {told}. "
        "A table cannot change its key. Do this."
    )
    assert described(ministack, "kept")["KeySchema"] == [{"AttributeName": "_idx", "KeyType": "HASH"}]


def test_a_table_that_never_gets_ready_is_an_error() -> None:
    """After about a minute of asking."""
    waits: list[float] = []
    with pytest.raises(ToolError, match="The table t was not ready after 60 seconds"):
        ensure(_Slow(), SESSION, "t", remedy=REMEDY, sleep=waits.append)
    assert sum(waits) == pytest.approx(60)


class _Slow:
    """A DynamoDB whose tables stay half made."""

    def describe_table(self, **_: object) -> dict[str, Any]:
        schema = {"KeySchema": [{"AttributeName": "_idx", "KeyType": "HASH"}]}
        return {"Table": {**schema, **definition(SESSION, "t"), "TableStatus": "CREATING"}}


def test_what_a_service_refuses_says_what_was_done(ministack: Engine) -> None:
    """With AWS's own words, and without boto3's."""
    client = local_client("dynamodb", ministack.url, "us-east-1")
    with pytest.raises(ToolError, match=r"^Reading it: ResourceNotFoundException: "), refusals("Reading it"):
        client.scan(TableName="nobodys")


def test_a_service_that_cannot_be_reached_is_an_error_of_the_tools() -> None:
    """Not a traceback."""
    client = local_client("dynamodb", "http://127.0.0.1:9", "us-east-1")
    with pytest.raises(ToolError, match=r"^Reading it: .*127\.0\.0\.1:9"), refusals("Reading it"):
        client.scan(TableName="any")
