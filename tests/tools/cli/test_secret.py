"""`arc secret` as an operator runs it: new secrets, rotations, and no secret in any output."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from arc.tools.secrets.secrets import new_secret
from tests.cloud_faults import FaultyCloud, Plan, on
from tests.engines import Engine
from tests.tools.env.rotating import FALLBACKS, NEW, OLD, OLDER, SECRET, Rotating
from tests.tools.operator import Operator

PROC = Path("/proc/self")
BEFORE = {SECRET: OLD, FALLBACKS: json.dumps([OLDER])}
AFTER = {(NEW, (OLD, OLDER, NEW))}
ENDED = """\
1 of 2: every function in staging accepts the new secret.
2 of 2: every function in staging seals with the new secret, and still accepts the old one.
When the idle lifetime has passed, run `arc secret rotate staging --retire`.
"""


def nothing(_name: str, _number: int) -> None:
    """A plan without faults."""


def failing(name: str, _number: int) -> str | None:
    """A plan by which no function is ever updated."""
    return "error" if name == "lambda.UpdateFunctionConfiguration" else None


@pytest.fixture
def rotating(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> Rotating:
    """Return two functions with a secret and an older one, and an operator whose calls pass through the proxy."""
    made = Rotating(cloud, tmp_path, BEFORE)
    made.operator.environ = faulty.environ(tmp_path)
    return made


@pytest.fixture
def alone(tmp_path: Path) -> Operator:
    """Return an operator without a cloud."""
    return Operator(tmp_path, "shop", {"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true"})


def test_new_prints_only_a_secret(alone: Operator) -> None:
    """A line of 43 characters, different each time."""
    runs = [alone.arc("secret", "new") for _ in range(2)]
    assert [(one.returncode, one.stderr) for one in runs] == [(0, "")] * 2
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{42}\n", one.stdout) for one in runs)
    assert runs[0].stdout != runs[1].stdout


def test_a_new_secret_never_looks_like_an_option() -> None:
    """A secret that begins with a dash is discarded."""
    given = iter(["-" + "a" * 42, "_" + "a" * 42, "a-" + "a" * 41])
    assert new_secret(random=lambda _bytes: next(given)) == "a-" + "a" * 41


def test_a_rotation_reports_its_phases(rotating: Rotating) -> None:
    """It creates a random secret."""
    assert rotating.operator.does("secret", "rotate", "staging") == ENDED
    ((secret, fallbacks),) = rotating.everywhere()
    assert fallbacks == (OLD, OLDER, secret)
    assert len(secret or "") == 43


def test_rotate_reads_a_secret_from_standard_input(rotating: Rotating) -> None:
    """The line end is dropped."""
    assert rotating.operator.does("secret", "rotate", "staging", "-", given=NEW + "\n") == ENDED
    assert rotating.everywhere() == AFTER


def test_a_new_secret_can_be_piped_to_rotate(rotating: Rotating) -> None:
    """As the help describes."""
    made = rotating.operator.does("secret", "new")
    rotating.operator.does("secret", "rotate", "staging", "-", given=made)
    assert rotating.secrets("GetIndex")[0] == made.strip()


def test_retiring_too_early_says_when_to_retry(rotating: Rotating) -> None:
    """The exit code is 1; after the idle lifetime the secrets are removed."""
    rotating.time = 0
    rotating.rotate()
    assert rotating.operator.does("secret", "rotate", "staging", "--retire") == (
        "The old secrets in staging are removed from every function.\n"
    )
    assert rotating.everywhere() == {(NEW, ())}
    rotating.operator.does("secret", "rotate", "staging")
    done = rotating.operator.arc("secret", "rotate", "staging", "--retire")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(r"may be sealed with an old secret until \d{4}-.* UTC \(in 7 days\)", done.stderr)


USAGE = [
    (["rotate"], "The environment is missing. Choose staging or production."),
    (["rotate", "stagin"], "Unknown environment 'stagin'. Did you mean 'staging'? Choose staging or production."),
    (["rotate", "prod"], "Unknown environment 'prod'. Did you mean 'production'? Choose staging or production."),
    (["rotate", "elsewhere"], "Unknown environment 'elsewhere'. Choose staging or production."),
    (["rotate", "testing"], "testing has no secret to rotate"),
    (["rotate", NEW], "Unknown environment. Choose staging or production."),
    (["rotate", "staging", NEW], "A secret cannot be an argument"),
    (["rotate", "staging", "-", NEW], "A secret cannot be an argument"),
    (["rotate", "staging", "--retire", "-"], "--retire takes no secret"),
    (["rotate", "staging", f"--secret={NEW}"], "No such option: --secret"),
    (["new", NEW], "`arc secret new` takes no arguments."),
]


@pytest.mark.parametrize(
    ("words", "complaint"), USAGE, ids=[" ".join(words).replace(NEW, "SECRET") for words, _ in USAGE]
)
def test_wrong_usage_exits_with_2(alone: Operator, words: list[str], complaint: str) -> None:
    """Nothing is read before, and a misplaced secret is not shown."""
    done = alone.arc("secret", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert NEW not in done.stderr


RUNS: list[tuple[str, list[str], str, Plan, int]] = [
    ("random", ["rotate", "staging"], "", nothing, 0),
    ("given", ["rotate", "staging", "-"], NEW, nothing, 0),
    ("forced", ["rotate", "staging", "-", "--force"], NEW, nothing, 0),
    ("a poor one", ["rotate", "staging", "-"], NEW[-16:], nothing, 0),
    ("refused", ["rotate", "staging", "-"], OLD, nothing, 1),
    ("a twin", ["rotate", "staging", "-"], f"{OLD[:32]}{NEW}", nothing, 1),
    ("too short", ["rotate", "staging", "-"], NEW[:14], nothing, 1),
    ("too large", ["rotate", "staging", "-"], NEW * 80, nothing, 1),
    ("a reference", ["rotate", "staging", "-"], f"{NEW}{{{{ssm:x}}}}", nothing, 1),
    ("functions fail", ["rotate", "staging", "-"], NEW, failing, 1),
    ("SSM fails", ["rotate", "staging", "-"], NEW, on("ssm.PutParameter", "error", first=2, times=50), 1),
    ("nothing can be noted", ["rotate", "staging", "-"], NEW, on("ssm.PutParameter", "error", times=50), 1),
    ("throttled", ["rotate", "staging", "-"], NEW, on("ssm.PutParameter", "throttle", times=3), 0),
    ("retired", ["rotate", "staging", "--retire"], "", nothing, 1),
]


@pytest.mark.parametrize(("words", "given", "plan", "code"), [one[1:] for one in RUNS], ids=[one[0] for one in RUNS])
@pytest.mark.sampled(3)
def test_no_run_prints_a_secret(
    rotating: Rotating, faulty: FaultyCloud, words: list[str], given: str, plan: Plan, code: int
) -> None:
    """Neither the new secret nor the old ones, however the run ends; nor does the run that continues it."""
    faulty.begin(plan)
    done = rotating.operator.arc("secret", *words, given=given)
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    noted = rotating.noted()
    faulty.begin(nothing)
    again = rotating.operator.arc("secret", "rotate", "staging")
    output += again.stdout + again.stderr
    assert again.returncode == 0
    assert noted is None or "Continuing the rotation that is in progress in staging." in again.stdout
    assert "Traceback" not in output
    ((secret, fallbacks),) = rotating.everywhere()
    for one in {secret or "", *fallbacks, OLD, OLDER, NEW}:
        assert one[:12] not in output


@pytest.mark.parametrize("words", [["rotate", "staging"], ["rotate", "staging", "-"]], ids=["random", "given"])
@pytest.mark.sampled(1)
def test_no_secret_is_in_the_process_list(rotating: Rotating, faulty: FaultyCloud, words: list[str]) -> None:
    """At none of its calls, where the system has /proc."""
    titles: list[bytes] = []
    started = threading.Event()
    process: subprocess.Popen[str] | None = None

    def look(before: bool) -> None:
        if before and PROC.is_dir():
            assert started.wait(30)
            assert process is not None
            titles.append(Path(f"/proc/{process.pid}/cmdline").read_bytes())

    faulty.begin(lambda _name, _number: look)
    process = rotating.operator.start_alone("secret", *words, given=NEW)
    started.set()
    with process:
        process.communicate(timeout=120)
    assert process.returncode == 0
    ((secret, fallbacks),) = rotating.everywhere()
    assert titles or not PROC.is_dir()
    for title in titles:
        assert not any(one.encode() in title for one in (secret or NEW, *fallbacks))


@pytest.mark.parametrize("call", ["ssm.PutParameter", "lambda.UpdateFunctionConfiguration", "lambda.ListAliases"])
@pytest.mark.sampled(1)
def test_an_interrupt_exits_with_130(rotating: Rotating, faulty: FaultyCloud, call: str) -> None:
    """There is no traceback, and the same command continues."""
    aimed = threading.Event()

    def interrupt(before: bool) -> None:
        assert aimed.wait(30)
        if before:
            process.send_signal(signal.SIGINT)

    faulty.begin(on(call, interrupt))
    with rotating.operator.start("secret", "rotate", "staging") as process:
        aimed.set()
        _, complaint = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in complaint
    rotating.check(OLD, OLDER)
    faulty.begin(nothing)
    begun = "Continuing the rotation that is in progress in staging.\n" if rotating.noted() else ""
    assert bool(begun) == (call != "lambda.ListAliases")
    assert rotating.operator.does("secret", "rotate", "staging") == begun + ENDED
    rotating.check(OLD, OLDER)
