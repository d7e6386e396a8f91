"""The DynamoDB APIs of the tests are real, and only this machine can reach them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.engines import Engine

LISTENS = "0A"  # the state of a listening socket in /proc/net/tcp
LOOPBACK = "0100007F"


def listening(process: int) -> list[tuple[str, int]]:
    """The addresses, as Linux writes them, and ports where a process listens, over IPv4 and IPv6."""
    mine = {str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir() if link.is_symlink()}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
    ]
    places = [fields[1].split(":") for fields in lines if fields[3] == LISTENS and f"socket:[{fields[9]}]" in mine]
    return [(address, int(port, 16)) for address, port in places]


def test_engine_stores_an_item(engine: Engine) -> None:
    """A table can be created, and its items can be read."""
    client, name = engine.client(), engine.table()
    client.put_item(TableName=name, Item={"_idx": {"S": "a"}, "cart": {"L": [{"N": "1"}]}})
    got = client.get_item(TableName=name, Key={"_idx": {"S": "a"}}, ConsistentRead=True)
    assert got["Item"] == {"_idx": {"S": "a"}, "cart": {"L": [{"N": "1"}]}}
    assert "Item" not in client.get_item(TableName=name, Key={"_idx": {"S": "b"}}, ConsistentRead=True)


def test_tables_are_separate(engine: Engine) -> None:
    """Every test has a separate table."""
    client, one, other = engine.client(), engine.table(), engine.table()
    client.put_item(TableName=one, Item={"_idx": {"S": "a"}})
    assert "Item" not in client.get_item(TableName=other, Key={"_idx": {"S": "a"}})


def test_engine_checks_conditions(engine: Engine) -> None:
    """A false condition refuses the write."""
    client, name = engine.client(), engine.table()
    put = {"TableName": name, "ConditionExpression": "attribute_not_exists(#i)", "Item": {"_idx": {"S": "a"}}}
    client.put_item(**put, ExpressionAttributeNames={"#i": "_idx"})
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        client.put_item(**put, ExpressionAttributeNames={"#i": "_idx"})


@pytest.mark.parametrize("ttl", ["_ttl", "other", None])
def test_ttl_is_enabled_if_requested(ministack: Engine, ttl: str | None) -> None:
    """A table expires its rows by the requested attribute, or has no TTL."""
    described = ministack.client().describe_time_to_live(TableName=ministack.table(ttl=ttl))["TimeToLiveDescription"]
    assert described["TimeToLiveStatus"] == ("ENABLED" if ttl else "DISABLED")
    assert described.get("AttributeName") == ttl


def test_engine_listens_only_on_loopback(engine: Engine) -> None:
    """It has one socket, on 127.0.0.1 and the port in its address."""
    assert listening(engine.process.pid) == [(LOOPBACK, engine.port)]
