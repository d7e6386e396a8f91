"""What a table lacks of what the manifest declares, in a real DynamoDB API: steps that lose nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arc.inventory import Index, Key, Table
from arc.tools.cloud.cloud import local_cloud
from arc.tools.cloud.table_plan import TablePlan, WrongKey, plan_table
from arc.tools.cloud.tables import Tables
from tests.cloud_faults import FaultyCloud, on
from tests.engines import Engine, fresh_app

SESSION = Table("session", Key("_idx", "String"), ttl="_ttl")
PLAIN = Table("log", Key("id", "String"))
EMAIL = Index(Key("email", "String"))
TAGS = {"arc:app": "shop", "arc:environment": "production"}
READS = ("Describe", "List")


class Place:
    """A name for a table that no other test has, and what is there under it."""

    def __init__(self, engine: Engine, faulty: FaultyCloud) -> None:
        self.name, self.client, self.faulty = fresh_app(), engine.client(), faulty

    def plan(self, table: Table, **options: Any) -> TablePlan:
        """What is to be done, after a look."""
        return plan_table(
            Tables(local_cloud(self.faulty.url, "us-east-1")), table, self.name, remedy="Do this.", **options
        )

    def make(self, table: Table, **options: Any) -> list[str]:
        """Do it; how each step was shown."""
        plan = self.plan(table, **options)
        for step in plan.steps:
            step.do()
        return [step.said.replace(self.name, "it") for step in plan.steps]

    @property
    def table(self) -> dict[str, Any]:
        """The table as DynamoDB describes it."""
        found: dict[str, Any] = self.client.describe_table(TableName=self.name)["Table"]
        return found

    @property
    def ttl(self) -> str | None:
        """The attribute by which items expire."""
        told = self.client.describe_time_to_live(TableName=self.name)["TimeToLiveDescription"]
        return told.get("AttributeName") if told["TimeToLiveStatus"] == "ENABLED" else None

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        told = self.client.list_tags_of_resource(ResourceArn=self.table["TableArn"])["Tags"]
        return {tag["Key"]: tag["Value"] for tag in told}

    @property
    def has_backups(self) -> bool:
        """True with point-in-time recovery."""
        told = self.client.describe_continuous_backups(TableName=self.name)["ContinuousBackupsDescription"]
        return bool(told["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED")


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


def test_a_table_is_made_with_all_that_is_declared(place: Place) -> None:
    """Key, indexes, stream, encryption, protection, tags, TTL and backups."""
    assert place.make(FULL, tags=TAGS, protected=True) == [
        "make the table it",
        "let the table it expire items by until",
        "keep backups of the table it (point-in-time recovery)",
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
    """It looks, and finds everything as it is to be; rows stay."""
    place.make(table, tags=TAGS, protected=True)
    place.faulty.begin(lambda _name, _number: None)
    assert place.plan(table, tags=TAGS, protected=True) == TablePlan()
    assert place.make(table, tags=TAGS, protected=True) == []
    assert all(name.partition(".")[2].startswith(READS) for name in place.faulty.calls), place.faulty.calls


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (PLAIN, replace(PLAIN, ttl="until"), "let the table it expire items by until"),
        (
            replace(PLAIN, ttl="old"),
            replace(PLAIN, ttl="until"),
            "let the table it expire items by until instead of old",
        ),
        (PLAIN, replace(PLAIN, pitr=True), "keep backups of the table it (point-in-time recovery)"),
        (PLAIN, replace(PLAIN, stream=True), "switch the stream of the table it on"),
        (PLAIN, replace(PLAIN, encrypt=True), "encrypt the table it with KMS"),
        (PLAIN, replace(PLAIN, indexes=(EMAIL,)), "add the index email-index to the table it"),
    ],
)
def test_what_is_declared_later_is_mended(place: Place, before: Table, after: Table, said: str) -> None:
    """By one step each, with the rows that are there; then nothing is left to do."""
    place.make(before)
    place.client.put_item(TableName=place.name, Item={"id": {"S": "a"}})
    assert place.make(after) == [said]
    assert place.plan(after) == TablePlan()
    assert place.client.scan(TableName=place.name)["Items"] == [{"id": {"S": "a"}}]


def test_two_indexes_are_two_steps(place: Place) -> None:
    """DynamoDB makes one at a time."""
    place.make(PLAIN)
    steps = place.make(replace(PLAIN, indexes=(EMAIL, Index(Key("at", "Number")))))
    assert steps == ["add the index email-index to the table it", "add the index at-index to the table it"]
    assert len(place.table["GlobalSecondaryIndexes"]) == 2


def test_tags_and_protection_are_mended(place: Place) -> None:
    """Other tags stay; what is protected stays protected."""
    place.make(PLAIN, tags={"mine": "1", "arc:environment": "staging"})
    steps = place.make(PLAIN, tags=TAGS, protected=True)
    assert steps == ["protect the table it from deletion", "tag the table it: arc:app=shop, arc:environment=production"]
    assert place.tags == {**TAGS, "mine": "1"}
    assert place.table["DeletionProtectionEnabled"] is True
    assert place.plan(PLAIN) == TablePlan()


def test_a_table_of_another_app_is_left_alone(place: Place) -> None:
    """`shop` with a table `production-x` in staging, and `shop-staging` with `x` in production, mean one name."""
    place.make(PLAIN, tags={"arc:app": "other", "arc:environment": "production"})
    plan = place.plan(replace(PLAIN, ttl="until"), tags=TAGS, protected=True)
    assert plan.steps == ()
    (left,) = plan.left
    assert left.startswith(f"The table {place.name} is tagged arc:app=other, so it is somebody else's, and left alone.")
    assert left.endswith("--tags Key=arc:app,Value=shop Key=arc:environment,Value=production")


def test_what_the_manifest_does_not_name_stays(place: Place) -> None:
    """An index, a stream, a TTL, backups."""
    place.make(FULL)
    smaller = replace(FULL, ttl=None, stream=False, encrypt=False, pitr=False, indexes=())
    assert place.plan(smaller) == TablePlan()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (PLAIN, "id *String"),
        (Table("t", Key("_idx", "Number")), "_idx *Number"),
        (Table("t", Key("_idx", "String"), Key("at", "Number")), "_idx *String, at **Number"),
    ],
)
def test_another_key_cannot_be_had(place: Place, table: Table, told: str) -> None:
    """Both keys are told as the manifest writes them, and what to do; the table stays as it was."""
    place.make(SESSION)
    with pytest.raises(WrongKey) as raised:
        place.plan(table)
    assert str(raised.value) == (
        f"The table {place.name} has the key _idx *String, and the manifest declares {told}. "
        "A table cannot change its key. Do this."
    )


@pytest.mark.parametrize(
    "index",
    [
        Index(Key("at", "Number"), name="mine"),
        Index(Key("email", "Number"), name="mine"),
        Index(Key("email", "String"), name="mine", projection=("keys",)),
    ],
)
def test_an_index_that_cannot_be_changed_is_told(place: Place, index: Index) -> None:
    """With what to do; everything else of the plan is done."""
    place.make(replace(PLAIN, indexes=(replace(EMAIL, name="mine"),)))
    plan = place.plan(replace(PLAIN, indexes=(index,), ttl="until"))
    (left,) = plan.left
    assert left.startswith(f"The index mine of the table {place.name} has another key or projection")
    assert f"aws dynamodb update-table --table-name {place.name}" in left
    assert [step.said for step in plan.steps] == [f"let the table {place.name} expire items by until"]


def test_provisioned_capacity_is_left_and_told(place: Place) -> None:
    """How a table is billed is its owner's choice."""
    place.client.create_table(
        TableName=place.name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    plan = place.plan(PLAIN)
    assert plan.steps == ()
    assert plan.notes == (f"The table {place.name} is billed by provisioned capacity; it is left so.",)


@pytest.mark.parametrize("name", ["CreateTable", "UpdateTimeToLive", "UpdateContinuousBackups"])
@pytest.mark.parametrize("fault", ["lost", "throttle", "error"])
@pytest.mark.sampled(3)
def test_calls_that_fail_on_the_way_are_made_again(place: Place, name: str, fault: str) -> None:
    """Also when they took effect and only the answer was lost."""
    place.faulty.begin(on(f"dynamodb.{name}", fault))
    place.make(FULL, tags=TAGS)
    assert place.plan(FULL, tags=TAGS) == TablePlan()


@pytest.mark.parametrize(
    "change",
    [{"stream": True}, {"encrypt": True}, {"indexes": (EMAIL,)}],
    ids=["stream", "encrypt", "indexes"],
)
def test_a_change_whose_answer_was_lost_is_done(place: Place, change: dict[str, Any]) -> None:
    """The call is made again, and refused then: what is there already is no fault."""
    place.make(PLAIN)
    place.faulty.begin(on("dynamodb.UpdateTable", "lost"))
    place.make(replace(PLAIN, **change))
    assert place.plan(replace(PLAIN, **change)) == TablePlan()
