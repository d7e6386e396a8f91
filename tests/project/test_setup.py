"""`scripts/setup`, which `make` runs: it finds an interpreter and creates or keeps the .venv."""

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
    """A machine where everything has been set up."""
    machine.install_python("python3.12")
    assert machine.setup("test").returncode == 0
    assert machine.called() == MADE
    return machine


def old(version: str) -> str:
    """Return the script of an interpreter that is too old."""
    return f'case "$2" in *"print("*) echo {version};; *) exit 1;; esac'


def bare(version: str) -> str:
    """Return the script of an interpreter that is new enough but has no ensurepip."""
    return f'case "$2" in *"print("*) echo {version};; *ensurepip*) exit 1;; esac'


def test_missing_interpreter_is_one_line_with_what_was_found(machine: Machine) -> None:
    """Candidates may fail, be too old or lack ensurepip; the line names what to install."""
    machine.install("python3.12", bare("3.12.1"))
    machine.install("python3", old("3.9.2"))
    done = machine.setup()
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "python3.13 does not run;" in line
    assert "python3.12 is 3.12.1 without ensurepip;" in line
    assert "python3 is 3.9.2. Install one (Debian: apt-get install python3 python3-venv)" in line
    assert not (machine.checkout / ".venv").exists()


def test_newest_usable_interpreter_is_selected(machine: Machine) -> None:
    """Candidates that do not run, are too old or lack ensurepip are skipped."""
    machine.install("python3.13", bare("3.13.0"))
    machine.install_python("python3.11")
    done = machine.setup()
    assert done.returncode == 0
    assert machine.called() == MADE


def test_python_variable_selects_the_interpreter(machine: Machine) -> None:
    """No other interpreter is tried, and its path may contain spaces."""
    machine.install_python("python3.13")
    mine = machine.install_python("my python")
    machine.install("python3.13", "exit 127")
    assert machine.setup(PYTHON=str(mine)).returncode == 0
    assert machine.called() == MADE


@pytest.mark.parametrize("name", ["no-such-python", "python3.14"])
def test_unusable_python_variable_is_an_error(ready: Machine, name: str) -> None:
    """There is no fallback, and an existing .venv is kept."""
    done = ready.setup(PYTHON=name)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert name in line
    assert ready.called() == []
    assert ready.setup().returncode == 0
    assert ready.called() == []


def test_different_interpreter_recreates_the_environment(ready: Machine) -> None:
    """The same interpreter under another name changes nothing."""
    assert ready.setup(PYTHON="python3.12").returncode == 0
    assert ready.called() == []
    other = ready.install_python("other")
    script = other.read_text().replace('case "$1 $2" in', 'case "$1 $2" in\n*base_prefix*) echo other ;;', 1)
    other.write_text(script)
    assert ready.setup(PYTHON=str(other)).returncode == 0
    assert ready.called() == MADE


def test_complete_setup_changes_nothing(ready: Machine) -> None:
    """Nothing is printed; a setup for the tests includes that for the demo."""
    for wanted in ("test", "demo"):
        done = ready.setup(wanted)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert ready.called() == []


def test_tests_are_added_to_the_demos_environment(machine: Machine) -> None:
    """The environment is kept, and the missing packages are installed."""
    machine.install_python("python3")
    assert machine.setup("demo").returncode == 0
    assert machine.called() == DEMO
    assert machine.setup("test").returncode == 0
    assert machine.called() == TOPPED_UP


def test_mutation_testing_is_added_to_the_tests_environment(ready: Machine) -> None:
    """It is installed when it is first needed, and the tests remain set up."""
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
    """The peers are installed once, in a separate environment that `make test` does not change."""
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
    """The packages of the tests are installed first, then the peers."""
    machine.install_python("python3")
    assert machine.setup("bench").returncode == 0
    assert machine.called() == [*MADE, "pip"]


def test_failed_installation_of_peers_is_repeated(ready: Machine) -> None:
    """One line has the reason and the log file; the tests remain set up."""
    ready.behaviour.write_text("fails")
    for _ in range(2):
        done = ready.setup("bench")
        assert done.returncode == 1
        _, failure = done.stderr.splitlines()
        assert failure.startswith("pip could not install the peers: No matching distribution found for")
        assert ready.called() == ["pip"]
    assert ready.setup("test").returncode == 0
    assert ready.called() == []


def test_changed_pyproject_is_installed(ready: Machine) -> None:
    """A different pyproject.toml requires a new installation."""
    with (ready.checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    assert ready.setup().returncode == 0
    assert ready.called() == TOPPED_UP
    assert ready.setup().returncode == 0
    assert ready.called() == []


def test_interrupted_installation_starts_again(ready: Machine) -> None:
    """The environment is created anew after a kill."""
    with (ready.checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    ready.behaviour.write_text("dies")
    assert ready.setup().returncode < 0
    assert ready.called() == ["pip"]
    ready.behaviour.unlink()
    assert ready.setup().returncode == 0
    assert ready.called() == MADE


def test_moved_checkout_recreates_the_environment(ready: Machine) -> None:
    """An environment contains its own path."""
    ready.checkout = ready.checkout.rename(ready.checkout.parent / "elsewhere")
    assert ready.setup().returncode == 0
    assert ready.called() == MADE


def test_failed_installation_is_one_line_and_is_repeated(machine: Machine) -> None:
    """The line has the reason and the log file."""
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
def test_real_pip_without_a_network_fails_with_one_line(machine: Machine) -> None:
    """The index cannot be reached, and the log has the details."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    done = machine.setup(PYTHON=sys.executable, PIP_TIMEOUT="1", **nowhere)
    assert (done.returncode, done.stdout) == (1, "")
    _, failure = done.stderr.splitlines()
    assert failure.startswith("pip could not install what make test needs: No matching distribution found for")
    assert (machine.checkout / ".venv/pip.log").exists()


def test_parallel_targets_install_one_after_the_other(machine: Machine) -> None:
    """`make -j` does not create an environment twice."""
    machine.install_python("python3")
    done = machine.run("make", "-j4", "setup-demo", "setup-test")
    assert done.returncode == 0
    assert machine.called() == DEMO + TOPPED_UP


def test_make_without_a_target_prints_help(machine: Machine) -> None:
    """It lists every target and installs nothing."""
    done = machine.run("make")
    assert done.returncode == 0
    for target in ("demo", "test", "check", "bench", "docs", "vectors", "clean"):
        assert f"make {target} " in done.stdout
