"""The steps that bring a DynamoDB table in line with the manifest without losing anything.

`plan_table` compares what exists with what is declared. What no step can change is reported instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.tables import (
    attributes,
    definition,
    encryption,
    index_definition,
    is_deleting,
    is_ready,
    schema,
    shown_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory.tables import Index, Table
    from arc.tools.cloud.tables import Tables

_OWNER = "arc:app"
_STUCK = {
    "ARCHIVED": "its KMS key could not be used for a week. Restore the table from its backup.",
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": "its KMS key cannot be used. Enable that key, and run the command again.",
}


class WrongKey(ToolError):
    """A table exists with another key than the manifest declares."""


@dataclass(frozen=True)
class Step:
    """One change: `action` is a phrase for it such as `create the table x`, and `do` makes it."""

    action: str
    do: Callable[[], None] = field(repr=False)


@dataclass
class Plan:
    """What a command does, and what it reports."""

    steps: list[Step] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What the manifest declares and no step can change: a sentence each, with what to do."""
    notes: list[str] = field(default_factory=list)
    """Differences that may remain."""

    def add(self, action: str, do: Callable[..., None], *arguments: Any, **options: Any) -> None:
        """Add a step that calls `do` with the given arguments."""
        self.steps.append(Step(action, partial(do, *arguments, **options)))

    def extend(self, other: Plan) -> None:
        """Add everything of another plan."""
        self.steps += other.steps
        self.left += other.left
        self.notes += other.notes


def plan_table(
    tables: Tables,
    table: Table,
    name: str,
    *,
    remedy: str,
    tags: Mapping[str, str] | None = None,
    protected: bool = False,
) -> Plan:
    """Compare the table `name` on AWS with its declaration.

    `tags` are added to those it has, and a `protected` table cannot be deleted by mistake. What the manifest does not
    declare remains, and a table that is tagged as another app's is not changed. Raises `WrongKey` with `remedy`, and
    what `Cloud.call` raises.
    """
    planner = _Planner(tables, table, name, tags or {}, protected=protected)
    found = tables.find(name)
    if found is None or is_deleting(found):
        planner.create()
    elif found["TableStatus"] in _STUCK:
        planner.plan.left.append(f"The table {name} is {found['TableStatus']}: {_STUCK[found['TableStatus']]}")
    else:
        key = shown_key(found["KeySchema"], found["AttributeDefinitions"])
        declared = shown_key(schema(table), attributes(table))
        if key != declared:
            raise WrongKey(
                f"The table {name} has the key {key}, but the manifest declares {declared}. A table's key cannot be "
                f"changed. {remedy}"
            )
        planner.compare(found)
    return planner.plan


class _Planner:
    """Collects the `plan` for one table."""

    def __init__(self, tables: Tables, table: Table, name: str, tags: Mapping[str, str], *, protected: bool) -> None:
        self.plan = Plan()
        self._tables, self._table, self._name, self._tags, self._protected = tables, table, name, tags, protected

    def create(self) -> None:
        request = definition(self._table, self._name, tags=self._tags, protected=self._protected)
        self.plan.add(f"create the table {self._name}", self._tables.create, request)
        self._finish_creation()

    def compare(self, found: Mapping[str, Any]) -> None:
        name, arn = self._name, found["TableArn"]
        if not is_ready(found):
            self.plan.add(f"wait until the table {name} is ready", self._tables.wait, name)
        if found["TableStatus"] == "CREATING":  # by an interrupted run: its TTL and backups cannot be read yet
            self._finish_creation()
            return
        tags = self._tables.tags(arn) if self._tags else {}
        if tags.get(_OWNER, self._tags.get(_OWNER)) != self._tags.get(_OWNER):
            pairs = " ".join(f"Key={key},Value={value}" for key, value in self._tags.items())
            belongs = (
                f"The table {name} belongs to another app: it is tagged {_OWNER}={tags[_OWNER]}. Declare the table "
                "under another name or, if it is yours, tag it: "
                f"aws dynamodb tag-resource --resource-arn {arn} --tags {pairs}"
            )
            self.plan = Plan(left=[belongs])
            return
        self._compare_settings(found)
        for index in self._table.indexes:
            self._compare_index(index, found)
        ttl = self._tables.ttl(name) if self._table.ttl is not None else None
        if ttl != self._table.ttl:
            self._set_ttl(ttl)
        if self._table.pitr and not self._tables.has_backups(name):
            self._enable_backups()
        missing = {key: value for key, value in self._tags.items() if tags.get(key) != value}
        if missing:
            pairs = ", ".join(f"{key}={value}" for key, value in missing.items())
            self.plan.add(f"tag the table {name}: {pairs}", self._tables.tag, arn, missing)
        if not _is_on_demand(found):
            self.plan.notes.append(f"The table {name} has provisioned capacity, which is not changed.")

    def _finish_creation(self) -> None:
        """Add the steps for settings that CreateTable does not take."""
        if self._table.ttl is not None:
            self._set_ttl(None)
        if self._table.pitr:
            self._enable_backups()

    def _set_ttl(self, current: str | None) -> None:
        instead = f" instead of {current}" if current else ""
        action = f"set the TTL attribute of the table {self._name} to {self._table.ttl}{instead}"
        self.plan.add(action, _set_ttl, self._tables, self._name, self._table.ttl)

    def _enable_backups(self) -> None:
        action = f"turn on point-in-time recovery of the table {self._name}"
        self.plan.add(action, self._tables.enable_backups, self._name)

    def _compare_settings(self, found: Mapping[str, Any]) -> None:
        """Add the steps that are one UpdateTable each: encryption, a stream, protection."""
        table, name = self._table, self._name
        if table.encrypt:
            is_encrypted = partial(_is_encrypted, self._kms_key(found))
            self._update(f"encrypt the table {name} with KMS", is_encrypted, found, SSESpecification=encryption(table))
        if table.stream:
            stream = definition(table, name)["StreamSpecification"]
            self._update(f"turn on the stream of the table {name}", _has_stream, found, StreamSpecification=stream)
        if self._protected:
            action = f"protect the table {name} from deletion"
            self._update(action, _is_protected, found, DeletionProtectionEnabled=True)

    def _update(
        self, action: str, is_done: Callable[[Mapping[str, Any]], bool], found: Mapping[str, Any], **change: Any
    ) -> None:
        if not is_done(found):
            self.plan.add(action, self._tables.update, self._name, is_done, **change)

    def _kms_key(self, found: Mapping[str, Any]) -> str:
        """Return the end of the ARN of the declared KMS key; empty for any key."""
        declared = self._table.encrypt
        if not isinstance(declared, str):
            return ""
        if "alias/" not in declared or not _is_encrypted("", found):
            return declared
        try:
            return self._tables.key_arn(declared)  # DynamoDB's description names the key without its alias
        except Refused:  # who may create tables need not be allowed to read keys
            return declared

    def _compare_index(self, index: Index, found: Mapping[str, Any]) -> None:
        """Add the step that creates a missing index (DynamoDB creates one at a time), or report another index."""
        name, own = self._name, index.name_on_aws
        existing = _find_index(own, found)
        if existing is None:
            create: dict[str, Any] = index_definition(index)
            if not _is_on_demand(found):
                kinds = ("ReadCapacityUnits", "WriteCapacityUnits")
                create["ProvisionedThroughput"] = {kind: found["ProvisionedThroughput"][kind] for kind in kinds}
            self._update(
                f"add the index {own} to the table {name}",
                lambda found: _find_index(own, found) is not None,
                found,
                AttributeDefinitions=attributes(self._table, index),
                GlobalSecondaryIndexUpdates=[{"Create": create}],
            )
        elif not _is_alike(index, existing, found["AttributeDefinitions"]):
            self.plan.left.append(
                f"The index {own} of the table {name} has another key or projection than the manifest declares, and an "
                f"index cannot be changed. Give the declared index another name, or delete the existing one: "
                f"aws dynamodb update-table --table-name {name} --global-secondary-index-updates "
                f'\'[{{"Delete":{{"IndexName":"{own}"}}}}]\''
            )


def _set_ttl(tables: Tables, name: str, attribute: str) -> None:
    current = tables.ttl(name)
    if current == attribute:
        return
    if current is not None:
        tables.set_ttl(name, current, on=False)
    try:
        tables.set_ttl(name, attribute, on=True)
    except Refused as refused:
        if tables.ttl(name) == attribute:  # the first answer was lost, and the call repeated
            return
        if refused.code != "ValidationException":
            raise
        raise ToolError(
            f"{refused} DynamoDB allows one change of a table's TTL in an hour. Run the command again after that."
        ) from None


def _is_encrypted(key: str, found: Mapping[str, Any]) -> bool:
    current = found.get("SSEDescription", {})
    is_on = current.get("Status") in ("ENABLED", "ENABLING", "UPDATING")
    return is_on and ("alias/" in key or str(current.get("KMSMasterKeyArn", "")).endswith(key))


def _has_stream(found: Mapping[str, Any]) -> bool:
    return bool(found.get("StreamSpecification", {}).get("StreamEnabled"))


def _is_protected(found: Mapping[str, Any]) -> bool:
    return bool(found.get("DeletionProtectionEnabled"))


def _find_index(name: str, found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((index for index in found.get("GlobalSecondaryIndexes", ()) if index["IndexName"] == name), None)


def _is_on_demand(found: Mapping[str, Any]) -> bool:
    return bool(found.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST")


def _is_alike(index: Index, existing: Mapping[str, Any], kinds: list[dict[str, str]]) -> bool:
    declared, projection = index_definition(index), existing.get("Projection", {})
    return (
        shown_key(existing["KeySchema"], kinds) == shown_key(declared["KeySchema"], attributes(index))
        and projection.get("ProjectionType") == declared["Projection"]["ProjectionType"]
        and sorted(projection.get("NonKeyAttributes", ())) == sorted(declared["Projection"].get("NonKeyAttributes", ()))
    )
