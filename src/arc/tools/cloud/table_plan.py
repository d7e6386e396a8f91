"""What a table lacks of what the manifest declares: steps that lose nothing, and what cannot be had that way."""

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
    index_name,
    is_going,
    is_ready,
    schema,
    shown_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory.tables import Index, Table
    from arc.tools.cloud.tables import Tables

    _IsDone = Callable[[Mapping[str, Any]], bool]

_OWNER = "arc:app"
_STUCK = {
    "ARCHIVED": "its KMS key could not be used for a week. Restore the table from its backup.",
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": "its KMS key cannot be used. Enable that key, and run the command again.",
}


class WrongKey(ToolError):
    """A table is there with another key than the manifest declares."""


@dataclass(frozen=True)
class Step:
    """One thing that a command does: the words it is shown by, and doing it."""

    said: str
    do: Callable[[], None] = field(repr=False)


@dataclass(frozen=True)
class TablePlan:
    """How a table comes to be as it is declared."""

    steps: tuple[Step, ...] = ()
    left: tuple[str, ...] = ()
    """What the manifest asks for and no step can bring about, a sentence each, with what to do."""
    notes: tuple[str, ...] = ()
    """What is otherwise than declared and may stay so."""


def plan_table(
    tables: Tables,
    table: Table,
    name: str,
    *,
    remedy: str,
    tags: Mapping[str, str] | None = None,
    protected: bool = False,
) -> TablePlan:
    """The plan for the table `name`, after a look at what is there.

    `tags` are those that it is to have, among others; a `protected` table cannot be deleted by mistake. Nothing
    that the manifest does not name is taken away, and a table that is tagged as another app's is left alone.
    Raises `WrongKey` with `remedy`, and what `Cloud.call` raises.
    """
    tags = tags or {}
    found = tables.find(name)
    if found is None or is_going(found):
        request = definition(table, name, tags=tags, protected=protected)
        making = Step(f"make the table {name}", partial(tables.make, request))
        return TablePlan((making, *_of_a_new_table(tables, table, name)))
    if found["TableStatus"] in _STUCK:
        return TablePlan(left=(f"The table {name} is {found['TableStatus']}: {_STUCK[found['TableStatus']]}",))
    there = shown_key(found["KeySchema"], found["AttributeDefinitions"])
    wanted = shown_key(schema(table), attributes(table))
    if there != wanted:
        raise WrongKey(
            f"The table {name} has the key {there}, and the manifest declares {wanted}. A table cannot change its key. "
            f"{remedy}"
        )
    steps = [] if is_ready(found) else [Step(f"wait until the table {name} is ready", partial(tables.wait, name))]
    if found["TableStatus"] == "CREATING":  # by a run that was interrupted; it has no TTL and backups to look at yet
        return TablePlan((*steps, *_of_a_new_table(tables, table, name)))
    there_tags = tables.tags(found["TableArn"]) if tags else {}
    owner = there_tags.get(_OWNER, tags.get(_OWNER))
    if owner != tags.get(_OWNER):
        return TablePlan(left=(_somebody_elses(name, found["TableArn"], f"{_OWNER}={owner}", tags),))
    steps += _changes(tables, table, name, found, protected=protected)
    left, index_steps = _indexes(tables, table, name, found)
    steps += index_steps
    steps += _times(tables, table, name)
    missing = {key: value for key, value in tags.items() if there_tags.get(key) != value}
    if missing:
        said = f"tag the table {name}: {', '.join(f'{key}={value}' for key, value in missing.items())}"
        steps.append(Step(said, partial(tables.tag, found["TableArn"], missing)))
    return TablePlan(tuple(steps), tuple(left), tuple(_notes(name, found)))


def _of_a_new_table(tables: Tables, table: Table, name: str) -> list[Step]:
    """What CreateTable cannot do."""
    steps = []
    if table.ttl is not None:
        steps.append(_ttl_step(tables, name, None, table.ttl))
    if table.pitr:
        steps.append(_backups_step(tables, name))
    return steps


def _changes(tables: Tables, table: Table, name: str, found: Mapping[str, Any], *, protected: bool) -> list[Step]:
    """What one UpdateTable each can mend: encryption, a stream, protection."""
    changes: list[tuple[str, _IsDone, dict[str, Any]]] = []
    if table.encrypt:
        is_encrypted = partial(_is_encrypted, _key(tables, table, found))
        change = {"SSESpecification": encryption(table)}
        changes.append((f"encrypt the table {name} with KMS", is_encrypted, change))
    if table.stream:
        change = {"StreamSpecification": definition(table, name)["StreamSpecification"]}
        changes.append((f"switch the stream of the table {name} on", _has_stream, change))
    if protected:
        changes.append((f"protect the table {name} from deletion", _is_protected, {"DeletionProtectionEnabled": True}))
    return [
        Step(said, partial(tables.update, name, is_done, **change))
        for said, is_done, change in changes
        if not is_done(found)
    ]


def _indexes(tables: Tables, table: Table, name: str, found: Mapping[str, Any]) -> tuple[list[str], list[Step]]:
    """Indexes that cannot be changed into what is declared, and steps that make missing ones, one at a time."""
    there = {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", ())}
    left: list[str] = []
    steps: list[Step] = []
    for index in table.indexes:
        own = index_name(index)
        if own not in there:
            capacity = {} if _is_billed_by_use(found) else {"ProvisionedThroughput": _capacity(found)}
            change = {
                "AttributeDefinitions": attributes(table, index),
                "GlobalSecondaryIndexUpdates": [{"Create": {**index_definition(index), **capacity}}],
            }
            said = f"add the index {own} to the table {name}"
            steps.append(Step(said, partial(tables.update, name, partial(_has_index, own), **change)))
        elif not _is_alike(index, there[own], found["AttributeDefinitions"]):
            left.append(
                f"The index {own} of the table {name} has another key or projection than the manifest declares, and an "
                f"index cannot be changed. Give the declared one a name of its own (name …), or delete the old one: "
                f"aws dynamodb update-table --table-name {name} --global-secondary-index-updates "
                f'\'[{{"Delete":{{"IndexName":"{own}"}}}}]\''
            )
    return left, steps


def _times(tables: Tables, table: Table, name: str) -> list[Step]:
    steps = []
    if table.ttl is not None and (now := tables.ttl(name)) != table.ttl:
        steps.append(_ttl_step(tables, name, now, table.ttl))
    if table.pitr and not tables.has_backups(name):
        steps.append(_backups_step(tables, name))
    return steps


def _ttl_step(tables: Tables, name: str, now: str | None, wanted: str) -> Step:
    instead = f" instead of {now}" if now else ""
    return Step(f"let the table {name} expire items by {wanted}{instead}", partial(_set_ttl, tables, name, wanted))


def _set_ttl(tables: Tables, name: str, wanted: str) -> None:
    now = tables.ttl(name)
    if now == wanted:
        return
    if now is not None:
        tables.set_ttl(name, now, on=False)
    try:
        tables.set_ttl(name, wanted, on=True)
    except Refused as refused:
        if tables.ttl(name) == wanted:  # an answer was lost, and the call made again
            return
        if refused.code != "ValidationException":
            raise
        raise ToolError(
            f"{refused} DynamoDB takes one change of a table's TTL in an hour. Run the command again then."
        ) from None


def _backups_step(tables: Tables, name: str) -> Step:
    return Step(f"keep backups of the table {name} (point-in-time recovery)", partial(tables.switch_backups_on, name))


def _key(tables: Tables, table: Table, found: Mapping[str, Any]) -> str:
    """The end of the ARN of the KMS key that a table is to be encrypted with; empty for any."""
    if not isinstance(table.encrypt, str):
        return ""
    if "alias/" not in table.encrypt or not _is_encrypted("", found):
        return table.encrypt
    try:
        return tables.key_arn(table.encrypt)  # what DynamoDB tells has no alias
    except Refused:  # who may make tables need not be allowed to look at keys
        return table.encrypt


def _is_encrypted(key: str, found: Mapping[str, Any]) -> bool:
    now = found.get("SSEDescription", {})
    is_on = now.get("Status") in ("ENABLED", "ENABLING", "UPDATING")
    return is_on and ("alias/" in key or str(now.get("KMSMasterKeyArn", "")).endswith(key))


def _has_stream(found: Mapping[str, Any]) -> bool:
    return bool(found.get("StreamSpecification", {}).get("StreamEnabled"))


def _is_protected(found: Mapping[str, Any]) -> bool:
    return bool(found.get("DeletionProtectionEnabled"))


def _has_index(name: str, found: Mapping[str, Any]) -> bool:
    return any(index["IndexName"] == name for index in found.get("GlobalSecondaryIndexes", ()))


def _is_alike(index: Index, there: Mapping[str, Any], kinds: list[dict[str, str]]) -> bool:
    wanted, projection = index_definition(index), there.get("Projection", {})
    return (
        shown_key(there["KeySchema"], kinds) == shown_key(wanted["KeySchema"], attributes(index))
        and projection.get("ProjectionType") == wanted["Projection"]["ProjectionType"]
        and sorted(projection.get("NonKeyAttributes", ())) == sorted(wanted["Projection"].get("NonKeyAttributes", ()))
    )


def _somebody_elses(name: str, arn: str, told: str, wanted: Mapping[str, str]) -> str:
    ours = " ".join(f"Key={key},Value={value}" for key, value in wanted.items())
    return (
        f"The table {name} is tagged {told}, so it is somebody else's, and left alone. Declare yours under another "
        f"name; or, if this one is yours: aws dynamodb tag-resource --resource-arn {arn} --tags {ours}"
    )


def _is_billed_by_use(found: Mapping[str, Any]) -> bool:
    return bool(found.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST")


def _capacity(found: Mapping[str, Any]) -> dict[str, int]:
    """What an index of a provisioned table gets: as much as the table itself."""
    return {kind: found["ProvisionedThroughput"][kind] for kind in ("ReadCapacityUnits", "WriteCapacityUnits")}


def _notes(name: str, found: Mapping[str, Any]) -> list[str]:
    if _is_billed_by_use(found):
        return []
    return [f"The table {name} is billed by provisioned capacity; it is left so."]
