"""Plans for tables in a real DynamoDB API: steps towards the manifest that lose nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arc.inventory import Index, Key, Table
from arc.tools.cloud.cloud import local_cloud
from arc.tools.cloud.table_plan import Plan, WrongKey, plan_table
from arc.tools.cloud.tables import Tables
from tests.cloud_faults import FaultyCloud, on
from tests.engines import Engine, fresh_app

SESSION = Table("session", Key("_idx", "String"), ttl="_ttl")
PLAIN = Table("log", Key("id", "String"))
EMAIL = Index(Key("email", "String"))
TAGS = {"arc:app": "shop", "arc:environment": "production"}
READS = ("Describe", "List")


class Place:
    """A unique name for a table, and the table of that name."""

    def __init__(self, engine: Engine, faulty: FaultyCloud) -> None:
        self.name, self.client, self.faulty = fresh_app(), engine.client(), faulty

    def plan(self, table: Table, **options: Any) -> Plan:
        """Return the plan for a table."""
        return plan_table(
            Tables(local_cloud(self.faulty.url, "us-east-1")), table, self.name, remedy="Do this.", **options
        )

    def make(self, table: Table, **options: Any) -> list[str]:
        """Take the steps, and return their actions."""
        plan = self.plan(table, **options)
        for step in plan.steps:
            step.do()
        return [step.action.replace(self.name, "it") for step in plan.steps]

    @property
    def table(self) -> dict[str, Any]:
        """The table as DynamoDB describes it."""
        found: dict[str, Any] = self.client.describe_table(TableName=self.name)["Table"]
        return found

    @property
    def ttl(self) -> str | None:
        """The attribute by which items expire."""
        answer = self.client.describe_time_to_live(TableName=self.name)["TimeToLiveDescription"]
        return answer.get("AttributeName") if answer["TimeToLiveStatus"] == "ENABLED" else None

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        answer = self.client.list_tags_of_resource(ResourceArn=self.table["TableArn"])["Tags"]
        return {tag["Key"]: tag["Value"] for tag in answer}

    @property
    def has_backups(self) -> bool:
        """True with point-in-time recovery."""
        answer = self.client.describe_continuous_backups(TableName=self.name)["ContinuousBackupsDescription"]
        return bool(answer["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED")


@pytest.fixture
def place(cloud: Engine, faulty: FaultyCloud) -> Place:
    """A name without a table."""
    return Place(cloud, faulty)


FULL = Table(
    "log",
    Key("id", "String"),
    Key("at", "Number"),
    ttl="until",
    stream=True,
    encrypt=True,
    pitr=True,
    indexes=(EMAIL, Index(Key("at", "Number"), name="byTime", projection=("email",))),
)


def test_table_is_created_with_every_setting(place: Place) -> None:
    """Key, indexes, stream, encryption, protection, tags, TTL and backups."""
    assert place.make(FULL, tags=TAGS, protected=True) == [
        "create the table it",
        "set the TTL attribute of the table it to until",
        "turn on point-in-time recovery of the table it",
    ]
    table = place.table
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["id", "at"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {"email-index", "byTime"}
    assert table["StreamSpecification"]["StreamEnabled"] is True
    assert table["SSEDescription"]["SSEType"] == "KMS"
    assert table["DeletionProtectionEnabled"] is True
    assert (place.ttl, place.tags, place.has_backups) == ("until", TAGS, True)


@pytest.mark.parametrize("table", [SESSION, FULL, PLAIN], ids=["session", "full", "plain"])
def test_a_second_run_changes_nothing(place: Place, table: Table) -> None:
    """It only reads, and rows remain."""
    place.make(table, tags=TAGS, protected=True)
    place.faulty.begin(lambda _name, _number: None)
    assert place.plan(table, tags=TAGS, protected=True) == Plan()
    assert place.make(table, tags=TAGS, protected=True) == []
    assert all(name.partition(".")[2].startswith(READS) for name in place.faulty.calls), place.faulty.calls


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (PLAIN, replace(PLAIN, ttl="until"), "set the TTL attribute of the table it to until"),
        (
            replace(PLAIN, ttl="old"),
            replace(PLAIN, ttl="until"),
            "set the TTL attribute of the table it to until instead of old",
        ),
        (PLAIN, replace(PLAIN, pitr=True), "turn on point-in-time recovery of the table it"),
        (PLAIN, replace(PLAIN, stream=True), "turn on the stream of the table it"),
        (PLAIN, replace(PLAIN, encrypt=True), "encrypt the table it with KMS"),
        (PLAIN, replace(PLAIN, indexes=(EMAIL,)), "add the index email-index to the table it"),
    ],
)
def test_new_declaration_is_one_step(place: Place, before: Table, after: Table, said: str) -> None:
    """Rows remain, and then the plan is empty."""
    place.make(before)
    place.client.put_item(TableName=place.name, Item={"id": {"S": "a"}})
    assert place.make(after) == [said]
    assert place.plan(after) == Plan()
    assert place.client.scan(TableName=place.name)["Items"] == [{"id": {"S": "a"}}]


def test_two_indexes_are_two_steps(place: Place) -> None:
    """DynamoDB creates one at a time."""
    place.make(PLAIN)
    steps = place.make(replace(PLAIN, indexes=(EMAIL, Index(Key("at", "Number")))))
    assert steps == ["add the index email-index to the table it", "add the index at-index to the table it"]
    assert len(place.table["GlobalSecondaryIndexes"]) == 2


def test_tags_and_protection_are_added(place: Place) -> None:
    """Other tags and protection remain."""
    place.make(PLAIN, tags={"mine": "1", "arc:environment": "staging"})
    steps = place.make(PLAIN, tags=TAGS, protected=True)
    assert steps == ["protect the table it from deletion", "tag the table it: arc:app=shop, arc:environment=production"]
    assert place.tags == {**TAGS, "mine": "1"}
    assert place.table["DeletionProtectionEnabled"] is True
    assert place.plan(PLAIN) == Plan()


def test_table_of_another_app_is_not_changed(place: Place) -> None:
    """`shop` with a table `production-x` in staging, and `shop-staging` with `x` in production, share a name."""
    place.make(PLAIN, tags={"arc:app": "other", "arc:environment": "production"})
    plan = place.plan(replace(PLAIN, ttl="until"), tags=TAGS, protected=True)
    assert plan.steps == []
    (left,) = plan.left
    assert left.startswith(f"The table {place.name} belongs to another app: it is tagged arc:app=other.")
    assert left.endswith("--tags Key=arc:app,Value=shop Key=arc:environment,Value=production")


def test_undeclared_settings_remain(place: Place) -> None:
    """An index, a stream, a TTL and backups."""
    place.make(FULL)
    smaller = replace(FULL, ttl=None, stream=False, encrypt=False, pitr=False, indexes=())
    assert place.plan(smaller) == Plan()


@pytest.mark.parametrize(
    ("table", "declared"),
    [
        (PLAIN, "id *String"),
        (Table("t", Key("_idx", "Number")), "_idx *Number"),
        (Table("t", Key("_idx", "String"), Key("at", "Number")), "_idx *String, at **Number"),
    ],
)
def test_different_key_is_an_error(place: Place, table: Table, declared: str) -> None:
    """The message has both keys as the manifest writes them; the table is not changed."""
    place.make(SESSION)
    with pytest.raises(WrongKey) as raised:
        place.plan(table)
    assert str(raised.value) == (
        f"The table {place.name} has the key _idx *String, but the manifest declares {declared}. "
        "A table's key cannot be changed. Do this."
    )


@pytest.mark.parametrize(
    "index",
    [
        Index(Key("at", "Number"), name="mine"),
        Index(Key("email", "Number"), name="mine"),
        Index(Key("email", "String"), name="mine", projection=("keys",)),
    ],
)
def test_index_that_cannot_be_changed_is_reported(place: Place, index: Index) -> None:
    """The message says what to do, and the plan has the other steps."""
    place.make(replace(PLAIN, indexes=(replace(EMAIL, name="mine"),)))
    plan = place.plan(replace(PLAIN, indexes=(index,), ttl="until"))
    (left,) = plan.left
    assert left.startswith(f"The index mine of the table {place.name} has another key or projection")
    assert f"aws dynamodb update-table --table-name {place.name}" in left
    assert [step.action for step in plan.steps] == [f"set the TTL attribute of the table {place.name} to until"]


def test_provisioned_capacity_is_noted(place: Place) -> None:
    """Billing is the owner's choice."""
    place.client.create_table(
        TableName=place.name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    plan = place.plan(PLAIN)
    assert plan.steps == []
    assert plan.notes == [f"The table {place.name} has provisioned capacity, which is not changed."]


@pytest.mark.parametrize("name", ["CreateTable", "UpdateTimeToLive", "UpdateContinuousBackups"])
@pytest.mark.parametrize("fault", ["lost", "throttle", "error"])
@pytest.mark.sampled(3)
def test_failed_calls_are_repeated(place: Place, name: str, fault: str) -> None:
    """They may have taken effect before the answer was lost."""
    place.faulty.begin(on(f"dynamodb.{name}", fault))
    place.make(FULL, tags=TAGS)
    assert place.plan(FULL, tags=TAGS) == Plan()


@pytest.mark.parametrize(
    "change",
    [{"stream": True}, {"encrypt": True}, {"indexes": (EMAIL,)}],
    ids=["stream", "encrypt", "indexes"],
)
def test_change_is_complete_after_a_lost_answer(place: Place, change: dict[str, Any]) -> None:
    """The repeated call is refused, and the change exists."""
    place.make(PLAIN)
    place.faulty.begin(on("dynamodb.UpdateTable", "lost"))
    place.make(replace(PLAIN, **change))
    assert place.plan(replace(PLAIN, **change)) == Plan()
