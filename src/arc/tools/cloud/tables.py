"""DynamoDB tables as the manifest declares them: their names, their definitions, and the calls for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.failures import ignoring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory.tables import Index, Key, Table
    from arc.tools.cloud.cloud import Cloud

_SECONDS_TO_BE_READY = 900  # building an index of a large table takes long
_PAUSES = (0.1, 1.0)  # seconds between two attempts, on this machine and on AWS
_NO_BACKUPS_YET = "ContinuousBackupsUnavailableException"  # the answer for the first seconds of a new table


def physical_name(app: str, environment: str, table: Table) -> str:
    """Return a table's name in an environment: `testapp-production-session`."""
    return f"{app}-{environment}-{table.name}"


def definition(
    table: Table, name: str, *, tags: Mapping[str, str] | None = None, protected: bool = False
) -> dict[str, Any]:
    """Return the CreateTable request of an on-demand table. TTL and backups need separate calls."""
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes(table, *table.indexes),
        "KeySchema": schema(table),
    }
    if table.indexes:
        request["GlobalSecondaryIndexes"] = [index_definition(index) for index in table.indexes]
    if table.stream:
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    if table.encrypt:
        request["SSESpecification"] = encryption(table)
    if tags:
        request["Tags"] = tag_list(tags)
    if protected:
        request["DeletionProtectionEnabled"] = True
    return request


def index_definition(index: Index) -> dict[str, Any]:
    """Return the definition of an index in DynamoDB's requests."""
    return {"IndexName": index.name_on_aws, "KeySchema": schema(index), "Projection": _projection(index)}


def encryption(table: Table) -> dict[str, Any]:
    """Return the request's part about encryption with KMS."""
    own = {"KMSMasterKeyId": table.encrypt} if isinstance(table.encrypt, str) else {}
    return {"Enabled": True, "SSEType": "KMS", **own}


def schema(shape: Table | Index) -> list[dict[str, str]]:
    """Return the key schema of a table or an index."""
    return [
        {"AttributeName": key.name, "KeyType": kind} for key, kind in zip(_keys(shape), ("HASH", "RANGE"), strict=False)
    ]


def attributes(*shapes: Table | Index) -> list[dict[str, str]]:
    """Return the definitions of the attributes in keys, each once."""
    kinds = {key.name: "N" if key.kind == "Number" else "S" for shape in shapes for key in _keys(shape)}
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()]


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form of AWS's requests."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def shown_key(schema: list[dict[str, str]], attributes: list[dict[str, str]]) -> str:
    """Return a key as the manifest writes it: `account *String, at **Number`."""
    kinds = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in attributes}
    names = {"N": "Number", "S": "String", "B": "Binary"}
    return ", ".join(
        f"{key['AttributeName']} {'*' if key['KeyType'] == 'HASH' else '**'}{names[kinds[key['AttributeName']]]}"
        for key in schema
    )


class Tables:
    """The calls for tables. Every method raises what `Cloud.call` raises."""

    def __init__(
        self,
        cloud: Cloud,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cloud, self._clock, self._sleep = cloud, clock, sleep
        self._pause = _PAUSES[0] if cloud.url else _PAUSES[1]

    def find(self, name: str) -> dict[str, Any] | None:
        """Return DynamoDB's description of a table, None when the table does not exist."""
        with ignoring("ResourceNotFoundException"):
            table: dict[str, Any] = self._call("describe_table", f"Reading the table {name}", TableName=name)["Table"]
            return table
        return None

    def create(self, request: Mapping[str, Any]) -> None:
        """Create a table and wait until it can be used; first wait until a table of that name is deleted.

        Another process may have created the table.
        """
        name = request["TableName"]
        self._until(lambda: not is_deleting(self.find(name)), f"The old table {name} was not deleted")
        with ignoring("ResourceInUseException"):
            self._call("create_table", f"Creating the table {name}", **request)
        self.wait(name)

    def update(self, name: str, is_done: Callable[[Mapping[str, Any]], bool], **change: Any) -> None:
        """Change a table, and wait until `is_done` accepts its description, as it may do before the change."""
        self.wait(name)
        try:
            self._call("update_table", f"Changing the table {name}", TableName=name, **change)
        except Refused:
            if not is_done(self.find(name) or {}):  # else the first answer was lost, and the call repeated
                raise
        self.wait(name, is_done)

    def wait(self, name: str, is_done: Callable[[Mapping[str, Any]], bool] = lambda _found: True) -> None:
        """Wait until a table and its indexes are ready and `is_done` accepts its description.

        Raises `ToolError` after 15 minutes.
        """

        def is_there() -> bool:
            found = self.find(name)
            return found is not None and is_ready(found) and is_done(found)

        self._until(is_there, f"The table {name} was not ready")

    def ttl(self, name: str) -> str | None:
        """Return the TTL attribute of a table; None when TTL is off."""
        answer = self._call("describe_time_to_live", f"Reading the TTL of the table {name}", TableName=name)
        current = answer["TimeToLiveDescription"]
        is_on = current.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
        return current.get("AttributeName") if is_on else None

    def set_ttl(self, name: str, attribute: str, *, on: bool) -> None:
        """Turn TTL by an attribute on or off."""
        specification = {"Enabled": on, "AttributeName": attribute}
        doing = f"Setting the TTL of the table {name}"
        self._call("update_time_to_live", doing, TableName=name, TimeToLiveSpecification=specification)

    def has_backups(self, name: str) -> bool:
        """Return whether point-in-time recovery is on."""
        answer = self._call("describe_continuous_backups", f"Reading the backups of the table {name}", TableName=name)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return bool(recovery.get("PointInTimeRecoveryStatus") == "ENABLED")

    def enable_backups(self, name: str) -> None:
        """Turn on point-in-time recovery, as soon as a new table supports it."""

        def is_on() -> bool:
            with ignoring(_NO_BACKUPS_YET):
                doing, on = f"Setting the backups of the table {name}", {"PointInTimeRecoveryEnabled": True}
                self._call("update_continuous_backups", doing, TableName=name, PointInTimeRecoverySpecification=on)
                return True
            return False

        self._until(is_on, f"The table {name} did not support backups")

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of the table with that ARN."""
        pages = self._cloud.pages(
            "dynamodb", "list_tags_of_resource", f"Reading the tags of {arn}", key="Tags", ResourceArn=arn
        )
        return {tag["Key"]: tag["Value"] for tag in pages}

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags; others remain."""
        self._call("tag_resource", f"Tagging {arn}", ResourceArn=arn, Tags=tag_list(tags))

    def key_arn(self, key: str) -> str:
        """Return the ARN of a KMS key, which may be named by an alias."""
        found = self._cloud.call("kms", "describe_key", f"Reading the key {key}", KeyId=key)
        arn: str = found["KeyMetadata"]["Arn"]
        return arn

    def _until(self, is_so: Callable[[], bool], problem: str) -> None:
        end = self._clock() + _SECONDS_TO_BE_READY
        while not is_so():
            if self._clock() >= end:
                raise ToolError(f"{problem} after {_SECONDS_TO_BE_READY} seconds. Run the command again.")
            self._sleep(self._pause)

    def _call(self, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        return self._cloud.call("dynamodb", operation, doing, **request)


def is_deleting(found: Mapping[str, Any] | None) -> bool:
    """Return whether a table is being deleted."""
    return found is not None and found["TableStatus"] == "DELETING"


def is_ready(found: Mapping[str, Any]) -> bool:
    """Return whether a table and its indexes can be used."""
    if found["TableStatus"] != "ACTIVE":
        return False
    return all(index.get("IndexStatus", "ACTIVE") == "ACTIVE" for index in found.get("GlobalSecondaryIndexes", ()))


def _keys(shape: Table | Index) -> list[Key]:
    return [key for key in (shape.partition, shape.sort) if key is not None]


def _projection(index: Index) -> dict[str, Any]:
    if index.projection == ("all",):
        return {"ProjectionType": "ALL"}
    if index.projection == ("keys",):
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.projection)}
