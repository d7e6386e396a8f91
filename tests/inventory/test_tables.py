"""Tables and indexes are declared as in Architect, and checked against DynamoDB's limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from arc.inventory import Key, Table
from tests.inventory.writing import app, faults


def tables(folder: Path, text: str) -> tuple[Table, ...]:
    """The tables of an app with these lines."""
    return app(folder, "get /", f"@tables\n{text}").tables


@pytest.mark.parametrize(
    ("stars", "kind"),
    [("", "String"), ("String", "String"), ("string", "String"), ("NUMBER", "Number"), ("number", "Number")],
)
def test_key_type_is_optional_and_case_insensitive(stars: str, kind: str, tmp_path: Path) -> None:
    """A star alone is a string, as in Architect."""
    (table,) = tables(tmp_path, f"t\n  a *{stars}\n  b **{stars}\n  c ttl\n")
    assert (table.partition, table.sort, table.ttl) == (Key("a", kind), Key("b", kind), "c")


def test_invalid_key_type_is_a_fault(tmp_path: Path) -> None:
    """The message lists the valid types."""
    (message,) = faults(tmp_path, "@app\nmyapp\n@tables\nt\n  a *Binary\n")
    assert "'*Binary' is not a valid partition key type" in message
    assert "Write *String or *Number." in message


@pytest.mark.parametrize("name", ["2024", "a", "1-x", "log.v2", "a_b", "A" * 200])
def test_any_valid_table_name_is_accepted(name: str, tmp_path: Path) -> None:
    """With the app's name in front, a name may be short or begin with a digit."""
    assert [table.name for table in tables(tmp_path, f"{name}\n  id *\n")] == [name]


@pytest.mark.parametrize(("name", "says"), [("a/b", "is not a valid table name"), ("x" * 240, "has 257 characters")])
def test_invalid_table_name_is_a_fault(name: str, says: str, tmp_path: Path) -> None:
    """The length limit applies to the name on AWS."""
    (message,) = faults(tmp_path, f"@app\nmyapp\n@tables\n{name}\n  id *\n")
    assert says in message


def test_tables_with_different_logical_ids_are_separate(tmp_path: Path) -> None:
    """By their names in CloudFormation, where `userdata` and `user-data` are `Userdata` and `UserData`."""
    assert len(tables(tmp_path, "userdata\n  id *\nuser-data\n  id *\nab\n  id *\na.b\n  id *\n")) == 4


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("user-data", "user-data", "The table 'user-data' is already declared on line 4."),
        ("user-data", "userData", "The tables 'userData' and 'user-data' on line 4 share the logical ID UserData."),
        ("log.v2", "log_v2", "The tables 'log_v2' and 'log.v2' on line 4 share the logical ID LogV2."),
    ],
)
def test_tables_with_the_same_logical_id_are_a_fault(first: str, second: str, says: str, tmp_path: Path) -> None:
    """CloudFormation would create only one of them."""
    (message,) = faults(tmp_path, f"@app\nmyapp\n@tables\n{first}\n  id *\n{second}\n  id *\n")
    assert says in message


@pytest.mark.parametrize("line", ["{} *String", "id *String\n  {} **String", "id *String\n  {} TTL"])
def test_attribute_name_over_255_characters_is_a_fault(line: str, tmp_path: Path) -> None:
    """This applies to keys and TTL; 255 characters are accepted."""
    text = "@app\nmyapp\n@tables\nt\n  "
    assert faults(tmp_path, text + line.format("x" * 255)) == []
    (message,) = faults(tmp_path, text + line.format("x" * 256))
    assert "has 256 characters" in message


@pytest.mark.parametrize(
    ("written", "projection"),
    [
        ("projection ALL", ("all",)),
        ("projection all", ("all",)),
        ("Projection Keys", ("keys",)),
        ("projection email Name", ("email", "Name")),
        ("projection\n    email", ("email",)),
    ],
)
def test_projection_keywords_are_case_insensitive(written: str, projection: tuple[str, ...], tmp_path: Path) -> None:
    """Attribute names keep their case."""
    inventory = app(tmp_path, "get /", f"@tables\nt\n  id *\n@tables-indexes\nt\n  at *Number\n  {written}\n")
    assert inventory.warnings == ()
    assert [index.projection for table in inventory.tables for index in table.indexes] == [projection]


@pytest.mark.parametrize(("line", "says"), [("name x", "'x' is not a valid index name"), ("projection x {}", "256")])
def test_invalid_index_is_a_fault(line: str, says: str, tmp_path: Path) -> None:
    """Names have at least 3 characters, and projected attributes at most 255."""
    text = f"@app\nmyapp\n@tables\nt\n  id *\n@tables-indexes\nt\n  at *\n  {line.format('x' * 256)}\n"
    (message,) = faults(tmp_path, text)
    assert says in message


@pytest.mark.parametrize("line", ["insert Lambda", "update Lambda", "destroy Lambda"])
def test_trigger_lines_are_ignored_with_a_warning(line: str, tmp_path: Path) -> None:
    """Old manifests declare triggers this way; they have no effect in an index either."""
    inventory = app(tmp_path, "get /", f"@tables\nt\n  id *\n  {line}\n@tables-indexes\nt\n  at *\n  {line}\n")
    assert [len(table.indexes) for table in inventory.tables] == [1]
    assert [
        f"'{line}' below the {what} 't' has no effect" in warning
        for what, warning in zip(("table", "index of"), inventory.warnings, strict=True)
    ] == [True, True]
