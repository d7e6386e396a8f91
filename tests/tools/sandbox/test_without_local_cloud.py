"""A sandbox with tables in an environment that lacks the extra `local`: every message names the same command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tools.sandbox.cloud import dynamodb, write_tables
from tests.tools.sandbox.environments import LOCAL_CLOUD, Environment
from tests.tools.sandbox.running import running

if TYPE_CHECKING:
    from pathlib import Path

USES = """
import arc

def handler(event, context):
    return {"statusCode": 200, "body": arc.tables.table("products").name}
"""
NEEDED = "pip install 'arc-sessions[local]' (a running sandbox notices it)"


def body(text: str) -> str:
    """Return the text of a page."""
    return text.replace("&#x27;", "'")


@pytest.mark.parametrize("first", [(), ("boto", "s3transfer")], ids=["sandbox", "sandbox,aws"])
def test_table_works_once_the_local_cloud_is_installed(tmp_path: Path, first: tuple[str, ...]) -> None:
    """The page and the terminal name one command, and the next request after it finds the table."""
    environment = Environment(tmp_path / "venv", without=(*LOCAL_CLOUD, "s3transfer"))
    if first:
        environment.add(*first)
    app = write_tables(tmp_path / "app", {"get /": USES})
    with running(app, python=(environment.python,)) as sandbox:
        assert f"Warning: The app runs without its tables. To create them, run: {NEEDED}\n" in sandbox.output
        answer = sandbox.get("/", accept="text/html")
        assert answer.status == 500
        assert f"Tables on this machine need the local cloud, which is not installed. Run: {NEEDED}" in body(
            answer.text
        )
        assert "[aws]" not in answer.text
        assert "@tables" not in answer.text
        environment.add(*LOCAL_CLOUD, "s3transfer")
        assert sandbox.get("/").text == "testapp-testing-products"
        assert dynamodb(sandbox).list_tables()["TableNames"] == ["testapp-testing-products", "testapp-testing-session"]


def test_misspelled_table_has_a_suggestion(tmp_path: Path) -> None:
    """Its declaration exists, so none is suggested."""
    with running(write_tables(tmp_path, {"get /": USES.replace("products", "product")})) as sandbox:
        answer = sandbox.get("/", accept="text/html")
        assert "Did you mean 'products'?" in body(answer.text)
        assert "@tables" not in answer.text
