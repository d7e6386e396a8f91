"""Ctrl-C ends a command that would wait: for calls that are throttled, and for functions that are Pending."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from tests.cloud_faults import FaultyCloud
from tests.deployed import deploy
from tests.engines import Engine, fresh_app
from tests.tools.operator import Operator, parameters

GET, UPDATE = "lambda.GetFunctionConfiguration", "lambda.UpdateFunctionConfiguration"
THREADS, ATTEMPTS = 8, 12


def interrupt(faulty: FaultyCloud, operator: Operator, call: str, fault: str, *, at: int) -> None:
    """Press Ctrl-C when the `call`, which always meets the `fault`, comes that often; the command ends cleanly."""
    aimed = threading.Event()

    def faults(name: str, _number: int) -> str | None:
        if name != call:
            return None
        if faulty.calls.count(name) == at:
            assert aimed.wait(30)
            command.send_signal(signal.SIGINT)
        return fault

    faulty.begin(faults)
    with operator.start("env", "staging", "GREETING", "hello") as command:
        aimed.set()
        said, complained = command.communicate(timeout=60)
    assert command.returncode == 130, complained
    assert "Traceback" not in said + complained


def test_interrupted_command_repeats_no_call(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """Every thread's pause ends; the exit status is that of Ctrl-C, and there is no traceback."""
    app = fresh_app()
    deploy(cloud, app, names=[f"Get{number}" for number in range(THREADS)])
    interrupt(faulty, Operator(tmp_path, app, faulty.environ(tmp_path)), GET, "throttle", at=THREADS)
    assert faulty.calls.count(GET) < THREADS * ATTEMPTS / 2
    assert "ssm.PutParameter" not in faulty.calls


def test_interrupted_command_does_not_wait_for_pending_functions(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path
) -> None:
    """Ctrl-C ends the wait for functions that Lambda is still creating; the variable is kept for the next run."""
    app = fresh_app()
    deploy(cloud, app, names=["GetIndex", "GetMore"])
    interrupt(faulty, Operator(tmp_path, app, faulty.environ(tmp_path)), UPDATE, "pending", at=ATTEMPTS)
    assert faulty.calls.count(UPDATE) < ATTEMPTS + 2 * 2
    assert parameters(cloud, app) == {"GREETING": "hello"}
