"""A DynamoDB table as the manifest declares it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """An attribute that is part of a key."""

    name: str
    kind: str
    """`String` or `Number`."""


@dataclass(frozen=True)
class Index:
    """A global secondary index; without a `name` it gets one when it is created."""

    partition: Key
    sort: Key | None = None
    name: str | None = None
    projection: tuple[str, ...] = ("all",)
    """`("all",)`, `("keys",)`, or the attributes that are copied."""


@dataclass(frozen=True)
class Table:
    """A line of `@tables`, with its indexes."""

    name: str
    partition: Key
    sort: Key | None = None
    ttl: str | None = None
    """The attribute that holds the time to delete an item at, in seconds since 1970."""
    stream: bool = False
    encrypt: bool | str = False
    """True, or the id of a KMS key."""
    pitr: bool = False
    """Point-in-time recovery."""
    indexes: tuple[Index, ...] = ()
