"""DynamoDB tables as the manifest declares them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.inventory.table import Index, Key, Table

_SECONDS_TO_BE_ACTIVE = 60
_PAUSE = 0.1


def physical_name(app: str, environment: str, table: Table) -> str:
    """What a table is called in an environment: `testapp-production-session`."""
    return f"{app}-{environment}-{table.name}"


def definition(table: Table, name: str) -> dict[str, Any]:
    """The CreateTable request of a table, billed by use. Time to live and backups are calls of their own."""
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": _attributes(table, *table.indexes),
        "KeySchema": _schema(table),
    }
    if table.indexes:
        request["GlobalSecondaryIndexes"] = [
            {"IndexName": index_name(index), "KeySchema": _schema(index), "Projection": _projection(index)}
            for index in table.indexes
        ]
    if table.stream:
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    if table.encrypt:
        request["SSESpecification"] = {"Enabled": True, "SSEType": "KMS"}
        if isinstance(table.encrypt, str):
            request["SSESpecification"]["KMSMasterKeyId"] = table.encrypt
    return request


def index_name(index: Index) -> str:
    """What an index is called: its own name, or that of its keys, as Architect names it."""
    return index.name or "-".join([*(key.name for key in _keys(index)), "index"])


def ensure(client: Any, table: Table, name: str, *, remedy: str, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Make the table when it is not there, and add what has been declared since; True when it is new.

    What is added: indexes, a stream, the attribute of the time to live. Nothing is taken away. Raises
    `ToolError` with `remedy` when the table has another key: no table can change that.
    """
    try:
        found = client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        client.create_table(**definition(table, name))
        _wait(client, name, sleep)
        _set_ttl(client, table, name)
        return True
    there, wanted = (
        _shown(found["KeySchema"], found["AttributeDefinitions"]),
        _shown(_schema(table), _attributes(table)),
    )
    if there != wanted:
        raise ToolError(
            f"The table {name} has the key {there}, and the manifest declares {wanted}. "
            f"A table cannot change its key. {remedy}"
        )
    _wait(client, name, sleep)
    for change in _missing(definition(table, name), found):
        client.update_table(TableName=name, **change)
        _wait(client, name, sleep)
    _set_ttl(client, table, name)
    return False


def _missing(wanted: dict[str, Any], found: dict[str, Any]) -> list[dict[str, Any]]:
    """The UpdateTable requests for what a table lacks: one may make one index."""
    there = {index["IndexName"] for index in found.get("GlobalSecondaryIndexes", ())}
    changes: list[dict[str, Any]] = [
        {
            "AttributeDefinitions": wanted["AttributeDefinitions"],
            "GlobalSecondaryIndexUpdates": [{"Create": index}],
        }
        for index in wanted.get("GlobalSecondaryIndexes", ())
        if index["IndexName"] not in there
    ]
    if "StreamSpecification" in wanted and not found.get("StreamSpecification", {}).get("StreamEnabled"):
        changes.append({"StreamSpecification": wanted["StreamSpecification"]})
    return changes


def _set_ttl(client: Any, table: Table, name: str) -> None:
    now = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    enabled = now.get("AttributeName") if now.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") else None
    if enabled == table.ttl or table.ttl is None:
        return
    for attribute, on in ((enabled, False), (table.ttl, True)):
        if attribute is not None:
            specification = {"Enabled": on, "AttributeName": attribute}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def _wait(client: Any, name: str, sleep: Callable[[float], None]) -> None:
    for _ in range(int(_SECONDS_TO_BE_ACTIVE / _PAUSE)):
        if client.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE":
            return
        sleep(_PAUSE)
    raise ToolError(f"The table {name} was not ready after {_SECONDS_TO_BE_ACTIVE} seconds. Run the command again.")


def _keys(shape: Table | Index) -> list[Key]:
    return [key for key in (shape.partition, shape.sort) if key is not None]


def _schema(shape: Table | Index) -> list[dict[str, str]]:
    return [
        {"AttributeName": key.name, "KeyType": kind} for key, kind in zip(_keys(shape), ("HASH", "RANGE"), strict=False)
    ]


def _attributes(*shapes: Table | Index) -> list[dict[str, str]]:
    kinds = {key.name: "N" if key.kind == "Number" else "S" for shape in shapes for key in _keys(shape)}
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()]


def _projection(index: Index) -> dict[str, Any]:
    if index.projection == ("all",):
        return {"ProjectionType": "ALL"}
    if index.projection == ("keys",):
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.projection)}


def _shown(schema: list[dict[str, str]], attributes: list[dict[str, str]]) -> str:
    """A key as the manifest writes it: `account *String, at **Number`."""
    kinds = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in attributes}
    return ", ".join(
        f"{key['AttributeName']} {'*' if key['KeyType'] == 'HASH' else '**'}"
        f"{'Number' if kinds[key['AttributeName']] == 'N' else 'String'}"
        for key in schema
    )
