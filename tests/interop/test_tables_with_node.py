"""Any tables and indexes are read as in Architect's inventory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arc import inventory

if TYPE_CHECKING:
    from arc.inventory import Index, Table
    from tests.interop.peer import Peer

KINDS = st.sampled_from(["", "String", "string", "STRING", "Number", "number"])
SETTINGS = st.sampled_from(
    [
        *("stream true", "stream false", "encrypt true", "encrypt some-key", "PITR true", "pitr true"),
        *("expires TTL", "expires ttl", "insert Lambda", "update Lambda", "note String"),
    ]
)
BELOW = "\n    "
PROJECTIONS = st.sampled_from(
    [
        "projection all",
        "projection ALL",
        "Projection keys",
        "projection KEYS",
        "projection one Two",
        f"projection{BELOW}one",
    ]
)


def keys(kinds: tuple[str, str | None]) -> list[str]:
    """The lines of a partition key and an optional sort key."""
    partition, sort = kinds
    return [f"id *{partition}", *([] if sort is None else [f"at **{sort}"])]


BLOCKS = st.tuples(
    st.tuples(KINDS, st.none() | KINDS).map(keys),
    st.lists(SETTINGS, max_size=3, unique_by=lambda line: line.split()[0].lower()),
)
TABLES = st.dictionaries(st.sampled_from(["log.v2", "2024", "some_table", "A-b"]), BLOCKS, min_size=1, max_size=3)
INDEXES = st.lists(st.tuples(st.tuples(KINDS, st.none() | KINDS).map(keys), st.none() | PROJECTIONS), max_size=2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES, INDEXES)
def test_tables_are_read_alike(
    node_peer: Peer,
    tables: dict[str, tuple[list[str], list[str]]],
    indexes: list[tuple[list[str], str | None]],
) -> None:
    """Names, keys with their types, settings and projections are equal, in any case."""
    lines = ["@app", "myapp", "@tables"]
    for name, (key_lines, others) in tables.items():
        lines += [f'"{name}"', *(f"  {line}" for line in (*key_lines, *others))]
    lines += ["@tables-indexes"] if indexes else []
    for place, (key_lines, projection) in enumerate(indexes):
        lines += [f'"{next(iter(tables))}"', *(f"  {line}" for line in key_lines), f"  name index{place}"]
        if projection:  # Architect's parser skips some of what follows values below a key.
            is_last = place == len(indexes) - 1
            lines.append(f"  {projection if is_last else projection.replace(BELOW, ' ')}")
    text = "\n".join([*lines, ""])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "app.arc").write_text(text)
        ours = inventory.read(Path(folder), environ={})
    theirs = node_peer.ask("tables", {"HOME": "/nowhere"}, manifest=text)
    assert [plain_table(table) for table in ours.tables] == [node_table(table) for table in theirs["tables"]]
    found = [plain_index(index) for table in ours.tables for index in table.indexes]
    assert found == [node_index(index) for index in theirs["indexes"]]


def plain_key(part: Table | Index) -> list[tuple[str, str] | None]:
    """The names and types of both keys."""
    return [None if key is None else (key.name, key.kind) for key in (part.partition, part.sort)]


def plain_table(table: Table) -> dict[str, Any]:
    """A table as comparable values."""
    settings_of = {"ttl": table.ttl, "stream": table.stream, "encrypt": table.encrypt, "pitr": table.pitr}
    return {"name": table.name, "keys": plain_key(table), **settings_of}


def plain_index(index: Index) -> dict[str, Any]:
    """An index as comparable values."""
    return {"name": index.name, "keys": plain_key(index), "projection": list(index.projection)}


def node_keys(found: dict[str, Any]) -> list[tuple[str, str] | None]:
    """The names and types of both keys in Architect's terms."""
    pairs = [(found[f"{key}Key"], found[f"{key}KeyType"]) for key in ("partition", "sort")]
    return [None if name is None else (name, kind) for name, kind in pairs]


def node_table(found: dict[str, Any]) -> dict[str, Any]:
    """A table in Architect's terms, where absent settings are off."""
    settings_of = {name: found[name] or False for name in ("stream", "encrypt", "pitr")}
    return {"name": found["name"], "keys": node_keys(found), "ttl": found["ttl"], **settings_of}


def node_index(found: dict[str, Any]) -> dict[str, Any]:
    """An index in Architect's terms."""
    words = {"ALL": ["all"], "KEYS_ONLY": ["keys"]}
    projection = words.get(found["projectionType"], found["projectionAttributes"])
    return {"name": found["indexName"], "keys": node_keys(found), "projection": projection}
