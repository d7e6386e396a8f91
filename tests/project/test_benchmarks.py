"""`python -m benchmarks`: it measures what its tables claim, and reports failures in plain sentences."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import main
from benchmarks.database_server import Server
from benchmarks.environments import OURS, BenchmarkError, peers, with_speed
from benchmarks.fresh import Program, start_times
from benchmarks.payloads import PAYLOADS, event, size
from benchmarks.process import Process, interleave
from benchmarks.results import Row, Table, as_markdown, as_rich

ROOT = Path(__file__).parents[2]
TABLE = Table(
    "Sealed sessions",
    "CPU time per call.",
    "µs",
    [
        Row.of("change, 54 B", "arc-sessions", [4000, 2000, 3000], 1e3),
        Row.of("change, 54 B", "arc-sessions[speed]", [1500, 1500], 1e3),
        Row.of("count", "floor", [1_234_000], 1e3),
    ],
    "arc-sessions",
)


def ignore(_: str) -> None:
    """Report no progress."""


@pytest.mark.parametrize("expected", [54, 523, 2206])
def test_payloads_have_the_size_in_their_name(expected: int) -> None:
    """This holds for the JSON of each session before and after the change."""
    data = PAYLOADS[expected]
    assert size(data) == expected
    assert size({**data, "count": data["count"] + 1}) == expected


def test_each_event_is_a_new_object() -> None:
    """Two invocations with the same cookie do not share an event."""
    first, second = event("_idx=a"), event("_idx=a")
    assert first == second
    assert first is not second


def test_every_operation_is_measured_once_a_round() -> None:
    """The process reports its operations, and each has one time for each round."""
    with Process("ours", OURS, "benchmarks.candidates", "arc-sessions") as process:
        samples = interleave([process], ignore, rounds=2)
    names = ["change-54", "change-523", "change-2206", "read-2206", "count"]
    assert list(samples) == [(name, "ours") for name in names]
    assert all(len(times) == 2 and min(times) > 0 for times in samples.values())


def test_failing_candidate_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    """Its error is on standard error, and one sentence names the candidate."""
    with pytest.raises(BenchmarkError, match="The process of a stranger ended; its error is above"):
        Process("a stranger", OURS, "benchmarks.candidates", "stranger")
    assert "KeyError: 'stranger'" in capfd.readouterr().err


@pytest.mark.parametrize("client", ["lean", "boto3", "bare"])
def test_database_clients_have_no_conflicts(capfd: pytest.CaptureFixture[str], client: str) -> None:
    """The server answers like DynamoDB without concurrent requests, so nothing is logged."""
    with Server(7) as port:
        variables = {
            "ARC_SESSION_TABLE_NAME": "app-production-session",
            "AWS_SESSION_TOKEN": "token",
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}",
            **({} if client == "bare" else {"ARC_SESSION_TRANSPORT": client}),
        }
        words = ("benchmarks.database_clients", client, str(port), "54")
        with Process(client, OURS, *words, variables=variables) as process:
            assert process.operations == ["request-54"]
            assert process.measure("request-54", 2) > 0
    assert capfd.readouterr().err == ""


def test_failing_program_is_named() -> None:
    """The message names the program and shows the error, and its time is not used."""
    with pytest.raises(BenchmarkError, match=r"broken failed(?s:.*)ZeroDivisionError"):
        start_times("first response", [Program("broken", OURS, "1 / 0")], ignore)


def test_missing_environments_are_errors_with_the_command(tmp_path: Path) -> None:
    """The message names the missing folder and `make bench`."""
    with pytest.raises(BenchmarkError, match=r"^\.venv/peers, the peers' environment, is missing .* `make bench`"):
        peers(tmp_path)
    with pytest.raises(BenchmarkError, match=r"^\.venv/speed does not contain orjson\. Run `make bench`"):
        with_speed(tmp_path)


def test_versions_are_those_of_the_environment() -> None:
    """Packages that are not installed are omitted."""
    assert OURS.versions("arc-sessions", "no-such-package") == ["arc-sessions 0.1.0"]


def test_ratios_compare_rows_of_the_same_operation() -> None:
    """The median or the minimum is compared; an operation without a reference has no ratio."""
    by_minimum = Table(TABLE.title, TABLE.note, TABLE.unit, TABLE.rows, TABLE.reference, ratio_of="minimum")
    assert [TABLE.ratio(row) for row in TABLE.rows] == [1.0, 0.5, None]
    assert [by_minimum.ratio(row) for row in TABLE.rows] == [1.0, 0.75, None]


def test_results_are_a_markdown_page() -> None:
    """The page has the date, the machine, the versions and every row."""
    page = as_markdown(
        [TABLE], date="2026-11-27", machine="CPU, 2 cores", python="CPython 3.11", versions={"peers": ["flask 3.1.3"]}
    )
    assert "- 2026-11-27\n- CPU, 2 cores\n- CPython 3.11\n- peers: flask 3.1.3\n" in page
    assert page.endswith(
        """\
## Sealed sessions

CPU time per call.

| operation | candidate | median, µs | [minimum] | × ours |
| :-- | :-- | --: | --: | --: |
| change, 54 B | arc-sessions | 3.00 | [2.00] | 1.00 |
|  | arc-sessions[speed] | 1.50 | [1.50] | 0.50 |
| count | floor | 1,234 | [1,234] |  |
"""
    )


def test_brackets_in_names_are_not_rich_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """The terminal shows them as text."""
    Console(width=100).print(as_rich(TABLE))
    printed = capsys.readouterr().out
    for cell in ("arc-sessions[speed]", "[minimum]", "[2.00]", "1,234"):
        assert cell in printed


def test_unknown_part_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists the parts."""
    with pytest.raises(SystemExit, match="2"):
        main(["seal"])
    assert "unknown part 'seal': choose from sealed, cold, database, sandbox" in capsys.readouterr().err


def test_interrupt_ends_all_processes() -> None:
    """Ctrl-C writes nothing, and the exit status is that of an interrupt."""
    command = [sys.executable, "-m", "benchmarks", "sandbox"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "Measuring sandbox …\n"
        running.send_signal(signal.SIGINT)
        printed, errors = running.communicate(timeout=60)
    assert (running.returncode, printed) == (130, "")
    assert errors == "Interrupted; benchmarks/RESULTS.md is unchanged.\n"
