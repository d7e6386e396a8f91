"""Behavior of DynamoDB on AWS that the local cloud lacks, with prepared answers; AWS is not called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from arc.errors import ToolError
from arc.inventory import Index, Key, Table
from arc.tools.cloud.cloud import Cloud, Refused, local_cloud
from arc.tools.cloud.table_plan import Plan, plan_table
from arc.tools.cloud.tables import Tables
from tests.engines import Engine, fresh_app

PLAIN = Table("log", Key("id", "String"))
EMAIL = Index(Key("email", "String"))
KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"

Answer = Callable[[int, dict[str, Any]], Any]


class Dynamo(Cloud):
    """The local cloud with prepared `answers` by operation, which are called with the number of the call.

    None passes the call on to the local cloud; an exception is raised. `asked` has the requests, by operation.
    """

    def __init__(self, url: str, **answers: Answer) -> None:
        super().__init__(local_cloud(url, "us-east-1")._session, url=url)
        self.answers, self.asked = answers, dict[str, list[dict[str, Any]]]()

    def call(self, service: str, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        """Return the prepared answer, or the local cloud's."""
        asked = self.asked.setdefault(operation, [])
        asked.append(request)
        own = self.answers.get(operation)
        found = own(len(asked), request) if own is not None else None
        if isinstance(found, Exception):
            raise found
        answer: dict[str, Any] = found if found is not None else super().call(service, operation, doing, **request)
        return answer


class Place:
    """A name without a table, and a clock that advances only during waits."""

    def __init__(self, engine: Engine) -> None:
        self.name, self.url, self.client, self.now = fresh_app(), engine.url, engine.client(), 0.0

    def plan(self, table: Table, **answers: Answer) -> Plan:
        """Return the plan for a table."""
        return self.plan_in(Dynamo(self.url, **answers), table)

    def plan_in(self, cloud: Cloud, table: Table) -> Plan:
        """Return the plan in that cloud."""
        return plan_table(Tables(cloud, clock=lambda: self.now, sleep=self.wait), table, self.name, remedy="")

    def make(self, table: Table, **answers: Answer) -> list[str]:
        """Take the steps, and return their actions."""
        plan = self.plan(table, **answers)
        for step in plan.steps:
            step.do()
        return [step.action.replace(self.name, "it") for step in plan.steps]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def described(self, **otherwise: Any) -> dict[str, Any]:
        """Return the table's description with the changes `otherwise`."""
        found: dict[str, Any] = self.client.describe_table(TableName=self.name)
        found["Table"].update(otherwise)
        return found


@pytest.fixture
def place(cloud: Engine) -> Place:
    """A name without a table."""
    return Place(cloud)


def refused(code: str) -> Refused:
    """A refusal with that code."""
    return Refused(f"{code}: no", code)


def test_backups_are_enabled_once_a_new_table_supports_them(place: Place) -> None:
    """In its first seconds it does not."""
    table = replace(PLAIN, pitr=True)
    place.make(
        table,
        update_continuous_backups=lambda number, _: (
            refused("ContinuousBackupsUnavailableException") if number < 4 else None
        ),
    )
    assert place.plan(table) == Plan()
    assert place.now > 0


def test_refused_backups_are_not_retried(place: Place) -> None:
    """Only one refusal is temporary."""
    with pytest.raises(Refused):
        place.make(replace(PLAIN, pitr=True), update_continuous_backups=lambda *_: refused("LimitExceededException"))
    assert place.now == 0


def test_second_ttl_change_says_when_to_continue(place: Place) -> None:
    """DynamoDB allows one change an hour: the old attribute is off, and the next run turns the new one on."""
    place.make(replace(PLAIN, ttl="old"))
    (step,) = place.plan(
        replace(PLAIN, ttl="until"),
        update_time_to_live=lambda number, _: refused("ValidationException") if number > 1 else None,
    ).steps
    with pytest.raises(ToolError, match=r"one change of a table's TTL in an hour\. Run the command again"):
        step.do()
    assert place.make(replace(PLAIN, ttl="until")) == ["set the TTL attribute of the table it to until"]
    assert place.plan(replace(PLAIN, ttl="until")) == Plan()


def test_table_is_created_after_its_deletion(place: Place) -> None:
    """The step waits until the old table is deleted."""
    place.make(PLAIN)

    def going(number: int, _: dict[str, Any]) -> Any:
        if number == 4:
            place.client.delete_table(TableName=place.name)
        return place.described(TableStatus="DELETING") if number < 4 else None

    assert place.make(PLAIN, describe_table=going) == ["create the table it"]
    assert place.described()["Table"]["TableStatus"] == "ACTIVE"


def test_table_of_an_interrupted_run_is_completed(place: Place) -> None:
    """TTL and backups are not read before the table exists."""
    place.make(PLAIN)
    table = replace(PLAIN, ttl="until", pitr=True)
    cloud = Dynamo(
        place.url,
        describe_table=lambda number, _: place.described(TableStatus="CREATING") if number < 4 else None,
        describe_time_to_live=lambda *_: None if place.now else refused("ResourceNotFoundException"),
        describe_continuous_backups=lambda *_: None if place.now else refused("TableNotFoundException"),
    )
    plan = place.plan_in(cloud, table)
    assert [step.action.replace(place.name, "it") for step in plan.steps] == [
        "wait until the table it is ready",
        "set the TTL attribute of the table it to until",
        "turn on point-in-time recovery of the table it",
    ]
    for step in plan.steps:
        step.do()
    assert place.plan(table) == Plan()


@pytest.mark.parametrize("status", ["ARCHIVED", "INACCESSIBLE_ENCRYPTION_CREDENTIALS"])
def test_unusable_table_is_reported(place: Place, status: str) -> None:
    """Waiting would not help."""
    place.make(PLAIN)
    plan = place.plan(replace(PLAIN, ttl="until"), describe_table=lambda *_: place.described(TableStatus=status))
    assert plan.steps == []
    assert plan.left[0].startswith(f"The table {place.name} is {status}: its KMS key")


def test_step_waits_until_an_index_is_ready(place: Place) -> None:
    """DynamoDB builds one at a time, and describes a new one a moment later."""
    place.make(PLAIN)
    before = place.described()
    status = {3: None, 4: "CREATING", 5: "CREATING"}

    def late(number: int, _: dict[str, Any]) -> Any:
        if number not in status:
            return None
        if status[number] is None:
            return before
        indexes = place.described()["Table"]["GlobalSecondaryIndexes"]
        return place.described(GlobalSecondaryIndexes=[{**index, "IndexStatus": "CREATING"} for index in indexes])

    cloud = Dynamo(place.url, describe_table=late)
    (step,) = place.plan_in(cloud, replace(PLAIN, indexes=(EMAIL,))).steps
    step.do()
    assert len(cloud.asked["describe_table"]) == 6
    assert cloud.asked["update_table"][0]["AttributeDefinitions"] == [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "email", "AttributeType": "S"},
    ]


def test_index_of_a_provisioned_table_gets_the_same_capacity(place: Place) -> None:
    """AWS requires one."""
    place.client.create_table(
        TableName=place.name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 3, "WriteCapacityUnits": 2},
    )
    cloud = Dynamo(place.url)
    (step,) = place.plan_in(cloud, replace(PLAIN, indexes=(EMAIL,))).steps
    step.do()
    (update,) = cloud.asked["update_table"][0]["GlobalSecondaryIndexUpdates"]
    assert update["Create"]["ProvisionedThroughput"] == {"ReadCapacityUnits": 3, "WriteCapacityUnits": 2}


@pytest.mark.parametrize(
    ("declared", "meant", "steps"),
    [
        ("alias/mine", KEY, 0),
        ("arn:aws:kms:us-east-1:000000000000:alias/mine", KEY, 0),
        ("alias/mine", KEY.replace("1234abcd", "ffffffff"), 1),
        (KEY, "", 0),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", "", 0),
        ("ffffffff-12ab-34cd-56ef-1234567890ab", "", 1),
        ("alias/mine", None, 0),
    ],
)
def test_kms_key_may_be_an_id_an_arn_or_an_alias(place: Place, declared: str, meant: str | None, steps: int) -> None:
    """DynamoDB returns the ARN; KMS resolves an alias, where that is allowed."""
    place.make(PLAIN)
    sse = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY}
    plan = place.plan(
        replace(PLAIN, encrypt=declared),
        describe_table=lambda *_: place.described(SSEDescription=sse),
        describe_key=lambda *_: (
            {"KeyMetadata": {"Arn": meant}} if meant is not None else refused("AccessDeniedException")
        ),
    )
    assert len(plan.steps) == steps
