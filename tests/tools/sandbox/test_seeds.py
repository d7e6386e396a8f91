"""What `sandbox-seed.json` may hold, and what is said about what it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arc.errors import ToolError
from arc.inventory import Key, Table
from arc.tools.sandbox.cloud.local_tables import read_seeds

if TYPE_CHECKING:
    from pathlib import Path

TABLES = (Table("products", Key("id", "String"), Key("at", "Number")), Table("session", Key("_idx", "String")))


def test_rows_are_given_as_dynamodb_takes_them(tmp_path: Path) -> None:
    """Every kind of JSON value, at any depth; no digit of a number is lost."""
    (tmp_path / "sandbox-seed.json").write_text(
        '{"products": [{"id": "a", "at": 1, "price": 0.1234567890123456789, "on": true, "none": null,'
        ' "tags": ["x", 2], "deep": {"é": {}}}], "session": []}',
        encoding="utf-8",
    )
    row = {
        "id": {"S": "a"},
        "at": {"N": "1"},
        "price": {"N": "0.1234567890123456789"},
        "on": {"BOOL": True},
        "none": {"NULL": True},
        "tags": {"L": [{"S": "x"}, {"N": "2"}]},
        "deep": {"M": {"é": {"M": {}}}},
    }
    assert read_seeds(tmp_path, TABLES) == {"products": [row], "session": []}


def test_an_app_needs_no_seeds(tmp_path: Path) -> None:
    """Without the file there are none."""
    assert read_seeds(tmp_path, TABLES) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "sandbox-seed.json is not JSON: Expecting property name"),
        ('{"products": [{"id": "a", "at": NaN}]}', "sandbox-seed.json is not JSON: NaN is no number"),
        ("[" * 100_000, "sandbox-seed.json is not JSON: "),
        ("[]", "sandbox-seed.json is not an object. Write {"),
        ('{"nobody": []}', "rows for a table 'nobody', and the manifest declares products, session."),
        ('{"products": {}}', "sandbox-seed.json: 'products' does not hold a list of rows."),
        ('{"products": ["a"]}', "sandbox-seed.json: row 1 of products is not an object."),
        (
            '{"products": [{"id": "a", "at": 1}, {"id": "b"}]}',
            "row 2 of products lacks the key 'at'. Give it a Number.",
        ),
        ('{"products": [{"id": "", "at": 1}]}', "row 1 of products has the key 'id' as \"\". Give it a String."),
        ('{"products": [{"id": 1.5, "at": 1}]}', "has the key 'id' as 1.5. Give it a String."),
        ('{"products": [{"id": "a", "at": true}]}', "has the key 'at' as true. Give it a Number."),
        ('{"products": [{"id": "a", "at": null}]}', "has the key 'at' as null. Give it a Number."),
    ],
)
def test_a_fault_names_file_row_and_key(tmp_path: Path, text: str, told: str) -> None:
    """And how it is written."""
    (tmp_path / "sandbox-seed.json").write_text(text, encoding="utf-8")
    with pytest.raises(ToolError) as raised:
        read_seeds(tmp_path, TABLES)
    assert told in str(raised.value)
    assert str(raised.value).startswith("sandbox-seed.json")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Instead of a traceback."""
    (tmp_path / "sandbox-seed.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ToolError, match=r"sandbox-seed\.json cannot be read: .*UTF-8"):
        read_seeds(tmp_path, TABLES)
