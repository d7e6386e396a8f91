"""No output, log, exception or process list contains a secret, except with `--show`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud_faults import FaultyCloud, Plan
from tests.deployed import deploy
from tests.engines import Engine, fresh_app
from tests.tools.operator import Operator, parameters

SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"
PROC = Path("/proc/self")
OLD = "swordfish-swordfish-swordfish-swordfish"


def nothing(_name: str, _number: int) -> None:
    """A plan without faults."""


def failing(name: str, _number: int) -> str | None:
    """A plan by which no function is ever updated."""
    return "error" if name == "lambda.UpdateFunctionConfiguration" else None


COMMANDS: list[tuple[str, list[str], str, Plan]] = [
    ("a secret is set", ["env", "staging", "ARC_APP_SECRET", SECRET], "", nothing),
    ("from standard input", ["env", "staging", "ARC_APP_SECRET", "-"], SECRET, nothing),
    ("in JSON", ["env", "--add", "--env", "staging", "ARC_APP_SECRET", SECRET, "--json"], "", nothing),
    ("from a file", ["env", "staging", "--from-file", "secrets.env"], "", nothing),
    ("from a file with a fault", ["env", "staging", "--from-file", "faulty.env"], "", nothing),
    ("from a file that is none", ["env", "staging", "--from-file", "broken.env"], "", nothing),
    ("functions fail", ["env", "staging", "ARC_APP_SECRET", SECRET], "", failing),
    ("functions fail, in JSON", ["env", "staging", "ARC_APP_SECRET", SECRET, "--json"], "", failing),
    ("it is too large", ["env", "staging", "GREETING", SECRET * 120], "", nothing),
    ("it is a reference", ["env", "staging", "GREETING", f"{{{{{SECRET}}}}}"], "", nothing),
    ("the name is wrong", ["env", "staging", "ARC_ENV", SECRET], "", nothing),
    ("no list of fallbacks", ["env", "staging", "ARC_APP_SECRET_FALLBACKS", SECRET], "", nothing),
    ("a list of fallbacks", ["env", "staging", "ARC_APP_SECRET_FALLBACKS", f'["{SECRET}"]'], "", nothing),
    ("two words", ["env", "staging", "GREETING", SECRET, SECRET], "", nothing),
    ("the environment is wrong", ["env", "stagin", "ARC_APP_SECRET", SECRET], "", nothing),
    ("all are shown", ["env"], "", nothing),
    ("one is shown", ["env", "staging"], "", nothing),
    ("shown in JSON", ["env", "staging", "--json"], "", nothing),
    ("verify finds drift", ["env", "verify", "staging", "--check"], "", nothing),
    ("verify syncs", ["env", "verify", "staging"], "", nothing),
    ("verify in JSON", ["env", "verify", "staging", "--json"], "", nothing),
    ("verify fails", ["env", "verify", "staging"], "", failing),
    ("it may not be removed", ["env", "remove", "staging", "ARC_APP_SECRET"], "", nothing),
    ("it is removed", ["env", "remove", "staging", "ARC_APP_SECRET", "--force"], "", nothing),
    ("it may not be replaced", ["env", "staging", "ARC_APP_SECRET", "swordfish and more words"], "", nothing),
]


@pytest.fixture
def operator(tmp_path: Path, cloud: Engine, faulty: FaultyCloud) -> Operator:
    """Return the operator of an app whose one function has another secret than SSM."""
    app = fresh_app()
    operator = Operator(tmp_path / app, app, faulty.environ(tmp_path))
    (operator.folder / ".env").write_text(f"ARC_APP_SECRET={SECRET}\n")
    (operator.folder / "secrets.env").write_text(f"ARC_APP_SECRET={SECRET}\n")
    (operator.folder / "faulty.env").write_text(f"GREETING={SECRET}\n1ST={SECRET}\n")
    (operator.folder / "broken.env").write_text(f"GREETING='{SECRET}\n")
    cloud.client("ssm").put_parameter(Name=f"/{app}/staging/ARC_APP_SECRET", Value=OLD, Type="SecureString")
    deploy(cloud, app, names=["GetIndex"], variables={"ARC_APP_SECRET": SECRET, "LEFT_OVER": SECRET})
    return operator


@pytest.mark.parametrize(("words", "given", "plan"), [one[1:] for one in COMMANDS], ids=[one[0] for one in COMMANDS])
@pytest.mark.sampled(6)
def test_no_command_prints_a_secret(
    operator: Operator, faulty: FaultyCloud, words: list[str], given: str, plan: Plan
) -> None:
    """Neither its input, nor what it found in a file, in SSM or in a function."""
    faulty.begin(plan)
    done = operator.arc(*words, given=given)
    output = done.stdout + done.stderr
    assert output
    assert "Traceback" not in output
    assert "hunter2" not in output
    assert "swordfish" not in output


def test_show_prints_secrets(operator: Operator) -> None:
    """The other commands could have printed them, too."""
    assert OLD in operator.does("env", "staging", "--show")
    assert SECRET in operator.does("env", "testing", "--show")


@pytest.mark.parametrize("words", [["env", "staging", "GREETING"], ["env", "-a", "-e", "staging", "GREETING", "-"]])
@pytest.mark.sampled(1)
def test_a_value_from_standard_input_is_not_in_the_process_list(
    operator: Operator, cloud: Engine, faulty: FaultyCloud, words: list[str]
) -> None:
    """At none of its calls, where the system has /proc."""
    titles: list[bytes] = []
    process: subprocess.Popen[str] | None = None

    def look(before: bool) -> None:
        if before and process is not None and PROC.is_dir():
            titles.append(Path(f"/proc/{process.pid}/cmdline").read_bytes())

    faulty.begin(lambda _name, _number: look)
    process = operator.start_alone(*words, given=SECRET)
    with process:
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert titles or not PROC.is_dir()
    assert not any(b"hunter2" in title for title in titles)
    assert parameters(cloud, operator.name)["GREETING"] == SECRET


def test_a_traceback_shows_no_value(operator: Operator) -> None:
    """The `repr` of objects with variables, which tracebacks and logs contain, shows no value."""
    code = """
import sys
from pathlib import Path
from arc import inventory as inventories
from arc.tools.cloud.cloud import aws_cloud
from arc.tools.env.change import VariablesChange
from arc.tools.env.deployed import Deployed
inventory = inventories.read(Path())
cloud = aws_cloud(inventory.aws)
change = VariablesChange(cloud, inventory, "staging", {"GREETING": sys.argv[1]})
outcome = change.run()
print(inventory, cloud, change, outcome, Deployed(cloud, inventory, "staging").read(lambda *_: None))
"""
    run = subprocess.run(
        [sys.executable, "-c", code, SECRET],
        cwd=operator.folder,
        env=operator.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "GetIndex" in run.stdout
    assert "hunter2" not in run.stdout + run.stderr
    assert "swordfish" not in run.stdout + run.stderr
