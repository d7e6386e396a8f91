"""Routes that name their source folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tools.sandbox.apps import COUNT, says
from tests.tools.sandbox.running import running

if TYPE_CHECKING:
    from pathlib import Path


def test_function_may_be_in_the_apps_folder(tmp_path: Path) -> None:
    """`src .` is served, and changes are live."""
    (tmp_path / "app.arc").write_text("@app\ntestapp\n\n@http\n/\n  method get\n  src .\n")
    (tmp_path / "handler.py").write_text(says("first"))
    with running(tmp_path) as sandbox:
        assert sandbox.get("/").text == "first"
        (tmp_path / "handler.py").write_text(says("second"))
        assert sandbox.get("/").text == "second"


def test_routes_with_one_folder_share_a_process(tmp_path: Path) -> None:
    """They share the module's state."""
    routes = "".join(f"{path}\n  method get\n  src code/all\n" for path in ("/a", "/b"))
    (tmp_path / "app.arc").write_text(f"@app\ntestapp\n\n@http\n{routes}")
    (tmp_path / "code/all").mkdir(parents=True)
    (tmp_path / "code/all/handler.py").write_text(COUNT)
    with running(tmp_path) as sandbox:
        assert [sandbox.get(path).text for path in ("/a", "/b", "/a")] == ["1", "2", "3"]
