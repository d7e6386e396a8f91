"""A fork of a warm interpreter behaves like a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployed import deploy
from tests.engines import Engine, fresh_app
from tests.tools import warm
from tests.tools.operator import TABLES, Operator, parameters

COMMANDS = [
    (("--version",), None),
    (("--help",), None),
    (("nothing",), None),
    (("init",), None),
    (("create", "staging"), None),
    (("create", "productoin"), None),
    (("env", "staging", "GREETING", "hello"), None),
    (("env", "staging", "GREETING", "-"), "piped, é\n"),
    (("env", "staging", "ARC_ENV", "production"), None),
    (("env", "staging", "--json"), None),
    (("env", "verify", "staging", "--check"), None),
    (("env", "verify", "staging", "--check", "--json"), None),
    (("secret", "rotate", "staging", "-"), "a-new-secret-of-the-tests-that-is-long-enough-for-anybody\n"),
    (("secret", "rotate", "staging", "--retire"), None),
]


@pytest.mark.parametrize(("words", "given"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
@pytest.mark.sampled(2)
def test_fork_behaves_like_a_fresh_interpreter(
    cloud: Engine, tmp_path: Path, words: tuple[str, ...], given: str | None
) -> None:
    """The exit code, both outputs, files, variables in SSM and those of functions are the same."""
    found = []
    for name in ("warm", "alone"):
        app = fresh_app()
        operator = Operator(tmp_path / name / app, app, cloud.environ(tmp_path), more=TABLES)
        functions = deploy(cloud, app, names=["GetIndex"])
        assert warm.is_warm(operator.environ)
        done = (operator.arc if name == "warm" else operator.arc_alone)(*words, given=given)
        files = sorted(str(path.relative_to(operator.folder)) for path in operator.folder.rglob("*"))
        own = functions.variables("GetIndex")
        left = (done.returncode, done.stdout, done.stderr, files, sorted(own), sorted(parameters(cloud, app)))
        found.append([str(one).replace(app, "app") for one in left])
    assert found[0] == found[1]


def test_variables_of_the_interpreter_prevent_a_fork(cloud: Engine, tmp_path: Path) -> None:
    """Such a command runs in a fresh interpreter."""
    environ = cloud.environ(tmp_path)
    assert warm.is_warm(environ)
    for name in ("PYTHONPATH", "PYTHONIOENCODING", "LANG", "LC_ALL", "COLUMNS", "NO_COLOR"):
        assert not warm.is_warm({**environ, name: "x"})


LISTED = """
import os, signal, sys, tempfile, threading, time, warnings

warnings.warn("nobody hears")
print(os.read(0, 9), file=sys.stderr)
print(sys.argv[1:], __name__, sorted(os.environ.items()), tempfile.gettempdir())
print(os.getsid(0) == os.getpgid(0) == os.getpid(), threading.current_thread() is threading.main_thread())
print([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)])
print([number for number in range(100) if os.path.exists(f"/proc/self/fd/{number}")], time.sleep)
"""
CLOUDS_ENDS = {
    "what it has": LISTED,
    "a code": "raise SystemExit(3)",
    "a hook": "import atexit; atexit.register(print, 'at the end')",
    "a failure": "raise ValueError('no')",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
}
START_CLOUD = """
import os, subprocess, sys
from arc.tools.sandbox.cloud.local_cloud import LocalCloud

fork = LocalCloud.__init__.__kwdefaults__["popen"]
assert fork is not subprocess.Popen
kept = os.open(os.devnull, os.O_RDONLY)
for popen in (fork, subprocess.Popen):
    process = popen(
        [sys.executable, "-P", "-W", "ignore", sys.argv[1]],
        env={"LC_ALL": "C.UTF-8", "TMPDIR": sys.argv[2]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=(kept,),
    )
    process.stdin.close()
    lines = [line for line in process.stdout if not line.startswith(b"  ")]
    print([lines, process.wait(9), process.poll()])
"""


@pytest.mark.parametrize("code", CLOUDS_ENDS.values(), ids=CLOUDS_ENDS.keys())
def test_forked_local_cloud_behaves_like_a_fresh_interpreter(tmp_path: Path, code: str) -> None:
    """Variables, descriptors, signals, the session and the exit code are the same."""
    file = tmp_path / "cloud.py"
    file.write_text(code)
    done = warm.python(START_CLOUD, [str(file), str(tmp_path)], tmp_path, dict(os.environ))
    forked, own = done.stdout.splitlines()
    assert forked == own


@pytest.mark.parametrize("words", ["--version", "nothing", "env nowhere"])
def test_installed_command_behaves_like_a_fresh_interpreter(tmp_path: Path, words: str) -> None:
    """The exit code and the combined output are the same."""
    programs = tmp_path / "programs"
    programs.mkdir()
    warm.install(programs)
    own = str(Path(sys.executable).parent)
    done = []
    for path in (str(programs), own):
        environ = {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
        command = ["/bin/sh", "-c", f"arc {words} 2>&1; echo $?"]
        done.append(subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True))
    assert done[0].stdout == done[1].stdout


ENDS = {
    "a code": "import sys; print('x'); sys.exit(3)",
    "a word": "import sys; sys.exit('sorry')",
    "an interrupt": "raise KeyboardInterrupt",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "a failure": "raise ValueError('no')",
    "a thread": "import threading; threading.Thread(target=lambda: print('waited for')).start()",
    "a hook": "import atexit; atexit.register(print, 'at the end')",
    "a warning": "import warnings; warnings.warn('old', DeprecationWarning, 9); warnings.warn('look')",
    "its words": "import os, sys; print(sys.argv, os.getcwd(), os.environ['ARC_OWN'], sys.stdin.read())",
}


@pytest.mark.parametrize("code", ENDS.values(), ids=ENDS.keys())
def test_code_ends_as_in_a_fresh_interpreter(tmp_path: Path, code: str) -> None:
    """The exit code, the output and the last line of the traceback are the same."""
    environ = {**os.environ, "ARC_OWN": "é"}
    own = subprocess.run(
        [sys.executable, "-c", code, "a", "b"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=environ,
        input="",
        text=True,
    )
    forked = warm.python(code, ["a", "b"], tmp_path, environ)
    assert (forked.returncode, forked.stdout) == (own.returncode, own.stdout)
    assert forked.stderr.splitlines()[-1:] == own.stderr.splitlines()[-1:]
