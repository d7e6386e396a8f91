"""`python -m benchmarks`: what it measures is what its tables say, and it fails and ends in plain sentences."""

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
def test_payloads_have_the_size_that_names_them(expected: int) -> None:
    """The JSON of each session has exactly so many bytes, before and after the change."""
    data = PAYLOADS[expected]
    assert size(data) == expected
    assert size({**data, "count": data["count"] + 1}) == expected


def test_events_are_new_objects() -> None:
    """Two calls with one cookie get two events, as two invocations do."""
    first, second = event("_idx=a"), event("_idx=a")
    assert first == second
    assert first is not second


def test_every_operation_of_a_candidate_is_measured_once_a_round() -> None:
    """The process names its operations, and each has one time a round."""
    with Process("ours", OURS, "benchmarks.candidates", "arc-sessions") as process:
        samples = interleave([process], ignore, rounds=2)
    names = ["change-54", "change-523", "change-2206", "read-2206", "count"]
    assert list(samples) == [(name, "ours") for name in names]
    assert all(len(times) == 2 and min(times) > 0 for times in samples.values())


def test_a_candidate_that_fails_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    """Its error is on standard error, and one sentence names the candidate."""
    with pytest.raises(BenchmarkError, match="The process of a stranger ended; its error is above"):
        Process("a stranger", OURS, "benchmarks.candidates", "stranger")
    assert "KeyError: 'stranger'" in capfd.readouterr().err


@pytest.mark.parametrize("client", ["lean", "boto3", "bare"])
def test_clients_of_a_table_meet_no_conflict(capfd: pytest.CaptureFixture[str], client: str) -> None:
    """The server answers as DynamoDB does when no other request has changed the row, so nothing is logged."""
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


def test_a_program_that_fails_is_named() -> None:
    """A cold start that ends in an error is no time: the message names it and shows the error."""
    with pytest.raises(BenchmarkError, match=r"broken failed(?s:.*)ZeroDivisionError"):
        start_times("first response", [Program("broken", OURS, "1 / 0")], ignore)


def test_missing_environments_say_what_to_run(tmp_path: Path) -> None:
    """Without the peers or the extra speed, the message names the folder and `make bench`."""
    with pytest.raises(BenchmarkError, match=r"^\.venv/peers, the peers' environment, is missing .* `make bench`"):
        peers(tmp_path)
    with pytest.raises(BenchmarkError, match=r"^\.venv/speed does not contain orjson\. Run `make bench`"):
        with_speed(tmp_path)


def test_versions_are_those_of_the_environment() -> None:
    """Names that are not installed are left out."""
    assert OURS.versions("arc-sessions", "no-such-package") == ["arc-sessions 0.1.0"]


def test_ratios_compare_with_our_row_of_the_same_operation() -> None:
    """The median or the minimum is compared; an operation that we do not have has no ratio."""
    by_minimum = Table(TABLE.title, TABLE.note, TABLE.unit, TABLE.rows, TABLE.reference, ratio_of="minimum")
    assert [TABLE.ratio(row) for row in TABLE.rows] == [1.0, 0.5, None]
    assert [by_minimum.ratio(row) for row in TABLE.rows] == [1.0, 0.75, None]


def test_results_are_a_page_of_markdown() -> None:
    """The page names the date, the machine and the versions, and has every row."""
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


def test_tables_on_a_terminal_show_names_with_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets are text, not Rich's markup."""
    Console(width=100).print(as_rich(TABLE))
    printed = capsys.readouterr().out
    for cell in ("arc-sessions[speed]", "[minimum]", "[2.00]", "1,234"):
        assert cell in printed


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the parts that exist."""
    with pytest.raises(SystemExit, match="2"):
        main(["seal"])
    assert "unknown part 'seal': choose from sealed, cold, database, sandbox" in capsys.readouterr().err


def test_an_interrupt_ends_everything() -> None:
    """Ctrl-C ends the processes and writes nothing; the exit status is that of an interrupt."""
    command = [sys.executable, "-m", "benchmarks", "sandbox"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "Measuring sandbox …\n"
        running.send_signal(signal.SIGINT)
        printed, errors = running.communicate(timeout=60)
    assert (running.returncode, printed) == (130, "")
    assert errors == "Interrupted; benchmarks/RESULTS.md is unchanged.\n"
