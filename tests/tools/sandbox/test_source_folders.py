"""Routes that name their source folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tools.sandbox.apps import COUNT, says
from tests.tools.sandbox.running import running

if TYPE_CHECKING:
    from pathlib import Path


def test_a_function_may_lie_in_the_apps_own_folder(tmp_path: Path) -> None:
    """`src .` is served, and a saved file is live as anywhere."""
    (tmp_path / "app.arc").write_text("@app\ntestapp\n\n@http\n/\n  method get\n  src .\n")
    (tmp_path / "handler.py").write_text(says("first"))
    with running(tmp_path) as sandbox:
        assert sandbox.get("/").text == "first"
        (tmp_path / "handler.py").write_text(says("second"))
        assert sandbox.get("/").text == "second"
