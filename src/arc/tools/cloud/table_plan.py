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
    is_ready,
    schema,
    shown_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory.table import Index, Table
    from arc.tools.cloud.tables import Tables


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
    that the manifest does not name is taken away. Raises `WrongKey` with `remedy`, and what `Cloud.call` raises.
    """
    found = tables.find(name)
    if found is None:
        return TablePlan(tuple(_making(tables, table, name, tags or {}, protected=protected)))
    there = shown_key(found["KeySchema"], found["AttributeDefinitions"])
    wanted = shown_key(schema(table), attributes(table))
    if there != wanted:
        raise WrongKey(
            f"The table {name} has the key {there}, and the manifest declares {wanted}. A table cannot change its key. "
            f"{remedy}"
        )
    steps = [] if is_ready(found) else [Step(f"wait until the table {name} is ready", partial(tables.wait, name))]
    steps += _changes(tables, table, name, found, protected=protected)
    left, index_steps = _indexes(tables, table, name, found)
    steps += index_steps
    steps += _times(tables, table, name)
    missing = {} if not tags else _missing(tags, tables.tags(found["TableArn"]))
    if missing:
        said = f"tag the table {name}: {', '.join(f'{key}={value}' for key, value in missing.items())}"
        steps.append(Step(said, partial(tables.tag, found["TableArn"], missing)))
    return TablePlan(tuple(steps), tuple(left), tuple(_notes(name, found)))


def _making(tables: Tables, table: Table, name: str, tags: Mapping[str, str], *, protected: bool) -> list[Step]:
    request = definition(table, name, tags=tags, protected=protected)
    steps = [Step(f"make the table {name}", partial(tables.make, request))]
    if table.ttl is not None:
        steps.append(_ttl_step(tables, name, None, table.ttl))
    if table.pitr:
        steps.append(_backups_step(tables, name))
    return steps


def _changes(tables: Tables, table: Table, name: str, found: Mapping[str, Any], *, protected: bool) -> list[Step]:
    """What one UpdateTable each can mend: encryption, a stream, protection."""
    changes: list[tuple[str, dict[str, Any]]] = []
    if table.encrypt and not _is_encrypted(table, found):
        changes.append((f"encrypt the table {name} with KMS", {"SSESpecification": encryption(table)}))
    if table.stream and not found.get("StreamSpecification", {}).get("StreamEnabled"):
        stream = definition(table, name)["StreamSpecification"]
        changes.append((f"switch the stream of the table {name} on", {"StreamSpecification": stream}))
    if protected and not found.get("DeletionProtectionEnabled"):
        changes.append((f"protect the table {name} from deletion", {"DeletionProtectionEnabled": True}))
    return [Step(said, partial(tables.update, name, **change)) for said, change in changes]


def _indexes(tables: Tables, table: Table, name: str, found: Mapping[str, Any]) -> tuple[list[str], list[Step]]:
    """Indexes that cannot be changed into what is declared, and steps that make missing ones, one at a time."""
    there = {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", ())}
    left: list[str] = []
    steps: list[Step] = []
    for index in table.indexes:
        own = index_name(index)
        if own not in there:
            change = {
                "AttributeDefinitions": attributes(table, *table.indexes),
                "GlobalSecondaryIndexUpdates": [{"Create": index_definition(index)}],
            }
            steps.append(Step(f"add the index {own} to the table {name}", partial(tables.update, name, **change)))
        elif not _is_alike(index, there[own]):
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


def _is_encrypted(table: Table, found: Mapping[str, Any]) -> bool:
    now = found.get("SSEDescription", {})
    if now.get("Status") not in ("ENABLED", "ENABLING", "UPDATING"):
        return False
    return not isinstance(table.encrypt, str) or str(now.get("KMSMasterKeyArn", "")).endswith(table.encrypt)


def _is_alike(index: Index, there: Mapping[str, Any]) -> bool:
    wanted, projection = index_definition(index), there.get("Projection", {})
    return (
        there["KeySchema"] == wanted["KeySchema"]
        and projection.get("ProjectionType") == wanted["Projection"]["ProjectionType"]
        and sorted(projection.get("NonKeyAttributes", ())) == sorted(wanted["Projection"].get("NonKeyAttributes", ()))
    )


def _missing(tags: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if there.get(key) != value}


def _notes(name: str, found: Mapping[str, Any]) -> list[str]:
    if found.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST":
        return []
    return [f"The table {name} is billed by provisioned capacity; it is left so."]
