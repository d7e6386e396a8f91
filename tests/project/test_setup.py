"""`scripts/setup`, which `make` runs: it finds an interpreter, says what is missing, and leaves a made .venv alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.project.machine import Machine

DEMO = ["venv", "pip", "pip"]
TOPPED_UP = ["pip", "pip", "pip"]  # the last for the extra speed, which the demo does not need
MADE = ["venv", *TOPPED_UP]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without an interpreter that runs."""
    return Machine(tmp_path)


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """A machine where everything has been set up once."""
    machine.install_python("python3.12")
    assert machine.setup("test").returncode == 0
    assert machine.called() == MADE
    return machine


def old(version: str) -> str:
    """The script of an interpreter that is too old."""
    return f'case "$2" in *"print("*) echo {version};; *) exit 1;; esac'


def bare(version: str) -> str:
    """The script of an interpreter that is new enough and has no ensurepip."""
    return f'case "$2" in *"print("*) echo {version};; *ensurepip*) exit 1;; esac'


def test_without_an_interpreter_one_line_says_what_was_found(machine: Machine) -> None:
    """A stand-in that fails, an old Python and one without ensurepip: one line names what to install."""
    machine.install("python3.12", bare("3.12.1"))
    machine.install("python3", old("3.9.2"))
    done = machine.setup()
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "python3.13 does not run;" in line
    assert "python3.12 is 3.12.1 without ensurepip;" in line
    assert "python3 is 3.9.2. Install one (Debian: apt-get install python3 python3-venv)" in line
    assert not (machine.checkout / ".venv").exists()


def test_the_newest_interpreter_that_runs_is_chosen(machine: Machine) -> None:
    """Names that do not run, are too old or lack ensurepip are passed over."""
    machine.install("python3.13", bare("3.13.0"))
    machine.install_python("python3.11")
    done = machine.setup()
    assert done.returncode == 0
    assert machine.called() == MADE


def test_python_overrides_the_choice(machine: Machine) -> None:
    """PYTHON=… is the one interpreter that is asked, with spaces in its path or not."""
    machine.install_python("python3.13")
    mine = machine.install_python("my python")
    machine.install("python3.13", "exit 127")
    assert machine.setup(PYTHON=str(mine)).returncode == 0
    assert machine.called() == MADE


@pytest.mark.parametrize("name", ["no-such-python", "python3.14"])
def test_a_python_that_cannot_be_used_is_named(ready: Machine, name: str) -> None:
    """PYTHON=… never falls back to another interpreter, and the .venv that exists stays."""
    done = ready.setup(PYTHON=name)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert name in line
    assert ready.called() == []
    assert ready.setup().returncode == 0
    assert ready.called() == []


def test_another_python_makes_another_environment(ready: Machine) -> None:
    """The same interpreter by name changes nothing; a different one begins afresh."""
    assert ready.setup(PYTHON="python3.12").returncode == 0
    assert ready.called() == []
    other = ready.install_python("other")
    script = other.read_text().replace('case "$1 $2" in', 'case "$1 $2" in\n*base_prefix*) echo other ;;', 1)
    other.write_text(script)
    assert ready.setup(PYTHON=str(other)).returncode == 0
    assert ready.called() == MADE


def test_a_current_stamp_touches_nothing(ready: Machine) -> None:
    """What is set up is left alone, without a word; what the tests need holds what the demo needs."""
    for wanted in ("test", "demo"):
        done = ready.setup(wanted)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert ready.called() == []


def test_the_tests_are_added_to_the_demo(machine: Machine) -> None:
    """After the demo the environment is kept and the rest installed."""
    machine.install_python("python3")
    assert machine.setup("demo").returncode == 0
    assert machine.called() == DEMO
    assert machine.setup("test").returncode == 0
    assert machine.called() == TOPPED_UP


def test_mutation_testing_is_added_to_the_tests(ready: Machine) -> None:
    """It is installed when it is first wanted, and the tests then have all that they need."""
    assert ready.setup("mutants").returncode == 0
    assert ready.called() == TOPPED_UP
    assert "mutmut" in (ready.checkout / ".venv/needed.txt").read_text()
    for wanted in ("mutants", "test", "demo"):
        assert ready.setup(wanted).returncode == 0
    assert ready.called() == []


def test_documentation_is_added_to_the_tests(ready: Machine) -> None:
    """Sphinx is installed when it is first needed, and the tests and the demo remain set up."""
    assert ready.setup("docs").returncode == 0
    assert ready.called() == TOPPED_UP
    assert "sphinx" in (ready.checkout / ".venv/needed.txt").read_text()
    for wanted in ("docs", "test", "demo"):
        assert ready.setup(wanted).returncode == 0
    assert ready.called() == []


def test_a_set_stays_complete_when_another_is_added(ready: Machine) -> None:
    """Sets that were added one after the other are all current, unless pyproject.toml changes."""
    for wanted in ("docs", "mutants"):
        assert ready.setup(wanted).returncode == 0
        assert ready.called() == TOPPED_UP
    for wanted in ("docs", "mutants", "test"):
        assert ready.setup(wanted).returncode == 0
    assert ready.called() == []
    with (ready.checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    for wanted in ("mutants", "docs"):
        assert ready.setup(wanted).returncode == 0
        assert ready.called() == TOPPED_UP


def test_bench_adds_an_environment_for_the_peers(ready: Machine) -> None:
    """The peers are installed once, with an interpreter of their own, and `make test` leaves them alone."""
    done = ready.setup("bench")
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["Setting up .venv/peers for make bench, once; this takes a minute."]
    assert ready.called() == ["pip"]
    peers = ready.checkout / ".venv/peers"
    assert (peers / "bin/python").exists()
    assert "architect-functions" in (peers / "needed.txt").read_text()
    assert "architect-functions" not in (ready.checkout / ".venv/needed.txt").read_text()
    for wanted in ("bench", "test", "demo"):
        assert ready.setup(wanted).returncode == 0
    assert ready.called() == []


def test_bench_sets_up_everything_on_a_fresh_machine(machine: Machine) -> None:
    """Without any environment, what the tests need is installed first and the peers after it."""
    machine.install_python("python3")
    assert machine.setup("bench").returncode == 0
    assert machine.called() == [*MADE, "pip"]


def test_peers_that_cannot_be_installed_leave_no_stamp(ready: Machine) -> None:
    """One line says why and where the details are; the tests stay set up, and the next run tries again."""
    ready.behaviour.write_text("fails")
    for _ in range(2):
        done = ready.setup("bench")
        assert done.returncode == 1
        _, failure = done.stderr.splitlines()
        assert failure.startswith("pip could not install the peers: No matching distribution found for")
        assert ready.called() == ["pip"]
    assert ready.setup("test").returncode == 0
    assert ready.called() == []


def test_a_changed_pyproject_is_installed(ready: Machine) -> None:
    """Another pyproject.toml asks for another installation."""
    with (ready.checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    assert ready.setup().returncode == 0
    assert ready.called() == TOPPED_UP
    assert ready.setup().returncode == 0
    assert ready.called() == []


def test_an_interrupted_installation_begins_afresh(ready: Machine) -> None:
    """Killed in the middle, nothing counts as installed and the environment is made anew."""
    with (ready.checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    ready.behaviour.write_text("dies")
    assert ready.setup().returncode < 0
    assert ready.called() == ["pip"]
    ready.behaviour.unlink()
    assert ready.setup().returncode == 0
    assert ready.called() == MADE


def test_a_moved_checkout_begins_afresh(ready: Machine) -> None:
    """An environment knows its own path, so one that moved is no longer good."""
    ready.checkout = ready.checkout.rename(ready.checkout.parent / "elsewhere")
    assert ready.setup().returncode == 0
    assert ready.called() == MADE


def test_a_failed_installation_is_one_line_and_leaves_no_stamp(machine: Machine) -> None:
    """When packages cannot be had, one line says why and where the details are; the next run tries again."""
    machine.install_python("python3.11")
    machine.behaviour.write_text("fails")
    for _ in range(2):
        done = machine.setup()
        assert done.returncode == 1
        announced, failure = done.stderr.splitlines()
        assert announced.startswith("Setting up .venv for make test with Python 3.")
        assert failure.startswith("pip could not install what make test needs: No matching distribution found for")
        assert "The details are in .venv/pip.log" in failure
        assert machine.called() == ["venv", "pip"]


@pytest.mark.exhaustive
def test_a_real_pip_without_a_network_fails_in_one_line(machine: Machine) -> None:
    """The real thing: an index that cannot be reached, and a log with the details."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    done = machine.setup(PYTHON=sys.executable, PIP_TIMEOUT="1", **nowhere)
    assert (done.returncode, done.stdout) == (1, "")
    _, failure = done.stderr.splitlines()
    assert failure.startswith("pip could not install what make test needs: No matching distribution found for")
    assert (machine.checkout / ".venv/pip.log").exists()


def test_two_targets_at_once_install_one_after_the_other(machine: Machine) -> None:
    """`make -j` does not make one environment twice at the same time."""
    machine.install_python("python3")
    done = machine.run("make", "-j4", "setup-demo", "setup-test")
    assert done.returncode == 0
    assert machine.called() == DEMO + TOPPED_UP


def test_bare_make_prints_every_target(machine: Machine) -> None:
    """`make` alone is help, and needs nothing."""
    done = machine.run("make")
    assert done.returncode == 0
    for target in ("demo", "test", "check", "bench", "docs", "vectors", "clean"):
        assert f"make {target} " in done.stdout
