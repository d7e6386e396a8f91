"""DynamoDB tables as the manifest declares them: their names, their definitions, and calls about them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory.tables import Index, Key, Table
    from arc.tools.cloud.cloud import Cloud

_SECONDS_TO_BE_READY = 900  # an index of a large table takes its time
_PAUSES = (0.1, 1.0)  # seconds between two looks, on this machine and on AWS
_BACKUPS_BEGIN = "ContinuousBackupsUnavailableException"  # a new table cannot keep backups for its first seconds


def physical_name(app: str, environment: str, table: Table) -> str:
    """What a table is called in an environment: `testapp-production-session`."""
    return f"{app}-{environment}-{table.name}"


def definition(
    table: Table, name: str, *, tags: Mapping[str, str] | None = None, protected: bool = False
) -> dict[str, Any]:
    """The CreateTable request of a table, billed by use. Time to live and backups are calls of their own."""
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
    """An index as DynamoDB's requests define it."""
    return {"IndexName": index_name(index), "KeySchema": schema(index), "Projection": _projection(index)}


def index_name(index: Index) -> str:
    """What an index is called: its own name, or that of its keys, as Architect names it."""
    return index.name or "-".join([*(key.name for key in _keys(index)), "index"])


def encryption(table: Table) -> dict[str, Any]:
    """How a table is encrypted with a key in KMS."""
    own = {"KMSMasterKeyId": table.encrypt} if isinstance(table.encrypt, str) else {}
    return {"Enabled": True, "SSEType": "KMS", **own}


def schema(shape: Table | Index) -> list[dict[str, str]]:
    """The key schema of a table or an index."""
    return [
        {"AttributeName": key.name, "KeyType": kind} for key, kind in zip(_keys(shape), ("HASH", "RANGE"), strict=False)
    ]


def attributes(*shapes: Table | Index) -> list[dict[str, str]]:
    """The definitions of the attributes that keys are made of, each once."""
    kinds = {key.name: "N" if key.kind == "Number" else "S" for shape in shapes for key in _keys(shape)}
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()]


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS writes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def shown_key(schema: list[dict[str, str]], attributes: list[dict[str, str]]) -> str:
    """A key as the manifest writes it: `account *String, at **Number`."""
    kinds = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in attributes}
    names = {"N": "Number", "S": "String", "B": "Binary"}
    return ", ".join(
        f"{key['AttributeName']} {'*' if key['KeyType'] == 'HASH' else '**'}{names[kinds[key['AttributeName']]]}"
        for key in schema
    )


class Tables:
    """Calls about tables. Every method raises what `Cloud.call` raises."""

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
        """A table as DynamoDB describes it, None when there is none."""
        try:
            found: dict[str, Any] = self._call("describe_table", f"Looking for the table {name}", TableName=name)
        except Refused as refused:
            if refused.code == "ResourceNotFoundException":
                return None
            raise
        table: dict[str, Any] = found["Table"]
        return table

    def make(self, request: Mapping[str, Any]) -> None:
        """Make a table, unless somebody has just done it, and wait until it can be used.

        One of that name that is being deleted is gone before.
        """
        name = request["TableName"]
        self._until(lambda: not is_going(self.find(name)), f"The old table {name} was not gone")
        try:
            self._call("create_table", f"Making the table {name}", **request)
        except Refused as refused:
            if refused.code != "ResourceInUseException":
                raise
        self.wait(name)

    def update(self, name: str, is_done: Callable[[Mapping[str, Any]], bool], **change: Any) -> None:
        """Change a table, and wait until its description `is_done`; a change that is there already is none."""
        self.wait(name)
        try:
            self._call("update_table", f"Changing the table {name}", TableName=name, **change)
        except Refused:
            if not is_done(self.find(name) or {}):  # otherwise an answer was lost, and the call made again
                raise
        self.wait(name, is_done)

    def wait(self, name: str, is_done: Callable[[Mapping[str, Any]], bool] = lambda _found: True) -> None:
        """Return when a table and its indexes are ready and its description `is_done`.

        Raises `ToolError` when that takes too long.
        """

        def is_there() -> bool:
            found = self.find(name)
            return found is not None and is_ready(found) and is_done(found)

        self._until(is_there, f"The table {name} was not ready")

    def ttl(self, name: str) -> str | None:
        """The attribute that holds the time to delete an item at; None when nothing is deleted."""
        told = self._call("describe_time_to_live", f"Reading the TTL of the table {name}", TableName=name)
        now = told["TimeToLiveDescription"]
        is_on = now.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
        return now.get("AttributeName") if is_on else None

    def set_ttl(self, name: str, attribute: str, *, on: bool) -> None:
        """Switch the time to live on an attribute on or off."""
        specification = {"Enabled": on, "AttributeName": attribute}
        doing = f"Setting the TTL of the table {name}"
        self._call("update_time_to_live", doing, TableName=name, TimeToLiveSpecification=specification)

    def has_backups(self, name: str) -> bool:
        """True when a table can be brought back as it was at any time (point-in-time recovery)."""
        told = self._call("describe_continuous_backups", f"Reading the backups of the table {name}", TableName=name)
        recovery = told["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return bool(recovery.get("PointInTimeRecoveryStatus") == "ENABLED")

    def switch_backups_on(self, name: str) -> None:
        """Begin to keep what a table needs to be brought back (point-in-time recovery), once a new table can."""

        def is_on() -> bool:
            try:
                self._call(
                    "update_continuous_backups",
                    f"Setting the backups of the table {name}",
                    TableName=name,
                    PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
                )
            except Refused as refused:
                if refused.code != _BACKUPS_BEGIN:
                    raise
                return False
            return True

        self._until(is_on, f"The table {name} could not keep backups")

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of the table with that ARN."""
        pages = self._cloud.pages(
            "dynamodb", "list_tags_of_resource", f"Reading the tags of {arn}", key="Tags", ResourceArn=arn
        )
        return {tag["Key"]: tag["Value"] for tag in pages}

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags, and leave others as they are."""
        self._call("tag_resource", f"Tagging {arn}", ResourceArn=arn, Tags=tag_list(tags))

    def key_arn(self, key: str) -> str:
        """The ARN of a key in KMS, which may be named by an alias."""
        found = self._cloud.call("kms", "describe_key", f"Looking for the key {key}", KeyId=key)
        arn: str = found["KeyMetadata"]["Arn"]
        return arn

    def _until(self, is_so: Callable[[], bool], otherwise: str) -> None:
        end = self._clock() + _SECONDS_TO_BE_READY
        while not is_so():
            if self._clock() >= end:
                raise ToolError(f"{otherwise} after {_SECONDS_TO_BE_READY} seconds. Run the command again.")
            self._sleep(self._pause)

    def _call(self, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        return self._cloud.call("dynamodb", operation, doing, **request)


def is_going(found: Mapping[str, Any] | None) -> bool:
    """True for a table that is being deleted."""
    return found is not None and found["TableStatus"] == "DELETING"


def is_ready(found: Mapping[str, Any]) -> bool:
    """True for a table that can be used and whose indexes can."""
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
