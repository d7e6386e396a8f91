"""Apps with functions in Python and in other languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.running import running

if TYPE_CHECKING:
    from pathlib import Path

NODE = "export const handler = async () => ({})\n"


def test_python_routes_are_served_beside_those_in_node(tmp_path: Path) -> None:
    """A route in Node has one line in the terminal, and its page says why it is not served."""
    write_app(
        tmp_path,
        {"get /": says("python"), "get /both": says("not asked")},
        {
            "src/http/get-old/index.mjs": NODE,
            "src/http/get-both/config.arc": "@aws\nruntime nodejs22.x\n",
        },
    )
    with (tmp_path / "app.arc").open("a") as manifest:
        manifest.write("get /old\n")
    with running(tmp_path) as sandbox:
        assert sandbox.get("/").text == "python"
        for path in ("/old", "/both"):
            answer = sandbox.get(path, accept="text/html")
            assert answer.status == 501
            assert f"get {path} is not a Python function" in answer.text
            assert sandbox.get(path).text == '{"message":"Not Implemented"}'
        warning = (
            "Warning: The sandbox runs Python only and does not serve get /both (nodejs22.x), get /old (index.mjs).\n"
        )
        assert sandbox.output.count(warning) == 1
        assert "no handler yet" not in sandbox.output


def test_function_can_be_ported_while_the_sandbox_runs(tmp_path: Path) -> None:
    """Replacing its files needs no restart."""
    write_app(tmp_path, {"get /": says("python")})
    handler = tmp_path / "src/http/get-index/handler.py"
    handler.unlink()
    (tmp_path / "src/http/get-index/index.mjs").write_text(NODE)
    with running(tmp_path) as sandbox:
        assert sandbox.get("/").status == 501
        handler.write_text(says("ported"))
        assert sandbox.get("/").text == "ported"
