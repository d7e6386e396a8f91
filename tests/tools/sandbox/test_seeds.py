"""The contents of `sandbox-seed.json`, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arc.errors import ToolError
from arc.inventory import Key, Table
from arc.tools.sandbox.cloud.local_tables import read_seeds

if TYPE_CHECKING:
    from pathlib import Path

TABLES = (Table("products", Key("id", "String"), Key("at", "Number")), Table("session", Key("_idx", "String")))


def test_rows_are_converted_to_dynamodbs_json(tmp_path: Path) -> None:
    """All JSON types are supported, nested as well, and numbers keep all digits."""
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


def test_missing_file_has_no_seeds(tmp_path: Path) -> None:
    """The file is optional."""
    assert read_seeds(tmp_path, TABLES) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "sandbox-seed.json is not JSON: Expecting property name"),
        ('{"products": [{"id": "a", "at": NaN}]}', "sandbox-seed.json is not JSON: NaN is not a valid number"),
        ("[" * 100_000, "sandbox-seed.json is not JSON: "),
        ("[]", "sandbox-seed.json is not an object. Write {"),
        ('{"nobody": []}', "sandbox-seed.json: unknown table 'nobody'. The manifest declares products, session."),
        ('{"products": {}}', "sandbox-seed.json: 'products' is not a list of rows."),
        ('{"products": ["a"]}', "sandbox-seed.json: row 1 of products is not an object."),
        (
            '{"products": [{"id": "a", "at": 1}, {"id": "b"}]}',
            "row 2 of products lacks the key 'at'. Add it as a Number.",
        ),
        ('{"products": [{"id": "", "at": 1}]}', "row 1 of products has \"\" as the key 'id'. Use a String."),
        ('{"products": [{"id": 1.5, "at": 1}]}', "has 1.5 as the key 'id'. Use a String."),
        ('{"products": [{"id": "a", "at": true}]}', "has true as the key 'at'. Use a Number."),
        ('{"products": [{"id": "a", "at": null}]}', "has null as the key 'at'. Use a Number."),
    ],
)
def test_error_names_file_row_and_key(tmp_path: Path, text: str, expected: str) -> None:
    """The message also shows the expected format."""
    (tmp_path / "sandbox-seed.json").write_text(text, encoding="utf-8")
    with pytest.raises(ToolError) as raised:
        read_seeds(tmp_path, TABLES)
    assert expected in str(raised.value)
    assert str(raised.value).startswith("sandbox-seed.json")


def test_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    """There is no traceback."""
    (tmp_path / "sandbox-seed.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ToolError, match=r"sandbox-seed\.json cannot be read: .*UTF-8"):
        read_seeds(tmp_path, TABLES)
