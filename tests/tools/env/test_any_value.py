"""Any text survives the way from `arc env` over SSM and Lambda into a running function, and back."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arc import inventory as inventories
from arc.errors import ToolError
from arc.tools.cloud.parameters import Parameters
from arc.tools.env.change import VariablesChange
from arc.tools.env.variables import check_value
from tests.deployed import deploy, zipped
from tests.engines import Engine, fresh_app
from tests.tools.operator import Operator, parameters
from tests.tools.pauses import quick_cloud, short

# Whatever quotes, comments, escapes, numbers and spaces may do to a value that something else reads as code.
ODD = st.sampled_from(
    [
        *(
            "00123",
            "1e3",
            "true",
            "null",
            " ",
            "\t",
            "\n",
            "\r\n",
            "'",
            '"',
            "`",
            "\\",
            "#",
            "$HOME",
            "${X}",
            "=",
            "%s",
        ),
        *("é", "🎉", "\u2028", "\x01", "\x7f", "{", "}", "-", "--show", "&<>", "😀\u200d"),
    ]
)
TEXT = st.lists(
    ODD | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), min_size=1, max_size=8
)
VALUES = TEXT.map("".join).filter(bool)
ECHO = """
import json
import os

def handler(event, context):
    print("asked")
    found = {name: value for name, value in os.environ.items() if name.startswith("VALUE_")}
    return {"statusCode": 200, "body": json.dumps(found)}
"""


def kept(value: str) -> bool:
    """True for a value that is not refused."""
    try:
        check_value("KEY", value)
    except ToolError:
        return False
    return True


@settings(max_examples=settings().max_examples // 7, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES.filter(kept), min_size=4, max_size=12))
def test_any_text_survives_ssm_and_lambda(cloud: Engine, tmp_path: Path, values: list[str]) -> None:
    """Twelve values at a time, read from SSM, from Lambda and in a running function."""
    app = fresh_app()
    inventory = inventories.read(Operator(tmp_path / app, app, {}).folder, environ={})
    functions = deploy(cloud, app, names=["GetIndex"], code=zipped(ECHO))
    wanted = {f"VALUE_{number}": value for number, value in enumerate(values)}
    local = quick_cloud(cloud.url)
    assert VariablesChange(local, inventory, "staging", dict(wanted), sleep=short).run().in_sync
    assert parameters(cloud, app) == wanted
    assert Parameters(local, app, "staging").read() == wanted
    own = functions.variables("GetIndex")
    assert {name: own[name] for name in wanted} == wanted
    answer = cloud.client("lambda").invoke(FunctionName=functions.functions["GetIndex"], Payload=b"{}")
    assert json.loads(json.loads(answer["Payload"].read())["body"]) == wanted


@settings(max_examples=settings().max_examples // 7, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES.filter(lambda value: kept(value) and value[-1] != "\r"))  # one line end may be two characters
def test_any_text_can_be_an_argument(cloud: Engine, tmp_path: Path, value: str) -> None:
    """The JSON of `--show` contains the same value."""
    app = fresh_app()
    operator = Operator(tmp_path / app, app, cloud.environ(tmp_path))
    if value != "-":
        operator.does("env", "staging", "GREETING", value)
        assert operator.json("env", "staging", "--show")["environments"]["staging"] == {"GREETING": value}
    operator.does("env", "staging", "PIPED", "-", given=f"{value}\n")
    assert parameters(cloud, app)["PIPED"] == value
