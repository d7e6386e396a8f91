"""An interpreter that has imported the `arc` command and forks for each run of it.

Starting an interpreter and importing boto3 takes longer than most commands. A fork has its own working directory,
environment and standard streams. This file is run as a script with the path of a socket.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence

_LONGEST = 0.01  # seconds that a command sleeps at most, which is enough for the tests' cloud
_CALLS = 1000  # a second, because the tests' cloud has no rate limit
_sleep = time.sleep


def load() -> None:
    """Import what commands and the sandbox import when they run."""
    import arc

    time.sleep = short  # type: ignore[assignment]  # many arguments have it as their default

    for module in pkgutil.walk_packages(arc.__path__, "arc.", onerror=lambda _name: None):
        if not module.name.endswith("__main__") and not module.name.startswith(
            "arc.tools.sandbox.functions.bootstrap."
        ):
            importlib.import_module(module.name)
    # typer imports the first for a command's first parameter, and uvicorn the others when it starts.
    for name in ("typer._adapters", "uvicorn.loops.asyncio", "uvicorn.lifespan.off"):
        importlib.import_module(name)
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.sandbox.cloud.local_cloud import LocalCloud

    assert Cloud.__init__.__kwdefaults__ is not None
    assert LocalCloud.__init__.__kwdefaults__ is not None
    Cloud.__init__.__kwdefaults__["per_second"] = _CALLS
    import boto3
    from botocore import session as sessions

    load_for_local_clouds()
    LocalCloud.__init__.__kwdefaults__["popen"] = Fork
    # All commands can share the descriptions of AWS's services.
    sessions.create_loader = functools.cache(sessions.create_loader)
    session = boto3.session.Session(aws_access_key_id="dummy", aws_secret_access_key="dummy", region_name="us-east-1")
    for service in ("ssm", "lambda", "dynamodb", "cloudformation", "resourcegroupstaggingapi"):
        session.client(service)
    gc.collect()
    gc.freeze()


def load_for_local_clouds() -> None:
    """Import the dependencies of a local cloud, but not ministack, which reads its environment when it is imported."""
    read, write = os.pipe()
    with open(read, encoding="utf-8") as names, open(write, "w", encoding="utf-8") as imported:  # noqa: PTH123
        process = os.fork()
        if process == 0:
            for name in ("app", "services.dynamodb", "services.ssm", "services.lambda_svc"):
                importlib.import_module(f"ministack.{name}")
            imported.write("\n".join(sys.modules))
            imported.flush()
            os._exit(0)
        imported.close()
        for name in names.read().split():
            if not name.startswith("ministack"):
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
        os.waitpid(process, 0)


class Fork:
    """A local cloud's process as a fork, with the methods of `subprocess.Popen` that `LocalCloud` uses."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: int,
        stdout: int,
        stderr: int,
        start_new_session: bool,
        pass_fds: Sequence[int],
    ) -> None:
        """Run the Python file at the end of `command` in a new session, with a pipe to it and one from it."""
        assert (stdin, stdout, stderr, start_new_session) == (subprocess.PIPE, subprocess.PIPE, subprocess.STDOUT, True)
        self.returncode: int | None = None
        self._lock = threading.Lock()
        (own_stdin, to_stdin), (from_stdout, own_stdout) = os.pipe(), os.pipe()
        ready, is_ready = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # about threads, which hold no lock that the fork needs
            self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.dup2(own_stdin, 0)
            os.dup2(own_stdout, 1)
            os.dup2(own_stdout, 2)
            os.close(is_ready)
            end(run_file(command[-1], env, {0, 1, 2, *pass_fds}))
        for descriptor in (own_stdin, own_stdout, is_ready):
            os.close(descriptor)
        with open(ready, "rb") as file:  # noqa: PTH123
            file.read()
        self.stdin, self.stdout = os.fdopen(to_stdin, "wb"), os.fdopen(from_stdout, "rb")
        self._ended = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        with self._lock:
            if self.returncode is None:
                ended, status = os.waitpid(self.pid, os.WNOHANG)
                if ended:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code. Raises `subprocess.TimeoutExpired`."""
        if self.poll() is None and not select.select([self._ended], [], [], timeout)[0]:
            assert timeout is not None
            raise subprocess.TimeoutExpired("a local cloud", timeout)
        code = self.poll()
        assert code is not None
        return code


def run_file(path: str, environ: Mapping[str, str], descriptors: Collection[int]) -> int:
    """Run a Python file in a fork as a fresh interpreter without warnings would, and return its exit code."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    atexit._clear()
    kept = sorted(descriptors)
    for before, after in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(before + 1, after)
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    time.sleep = _sleep
    tempfile.tempdir = None
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[:] = [path]
    return exit_code(functools.partial(runpy.run_path, path, run_name="__main__"))


def short(seconds: float) -> None:
    """Sleep, but only for a short time."""
    _sleep(min(seconds, _LONGEST))


def serve(path: str) -> None:
    """Run a command for each connection, which sends its standard streams and a file with the arguments of `run`."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # The intermediate processes are not waited for.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        print("ready", flush=True)
        while server in select.select([server, sys.stdin], [], [])[0]:  # Standard input ends with the parent.
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                answer(connection)
                os._exit(0)
            connection.close()


def answer(connection: socket.socket) -> None:
    """Fork again for the command, and send its process id and, on another line, its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, (*streams, request), _, _ = socket.recv_fds(connection, 1, 4)
    with open(request, "rb") as file:  # noqa: PTH123  # it is open already
        arguments = json.load(file)
    process = os.fork()
    if process == 0:
        connection.close()
        os.setpgid(0, 0)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        end(run(**arguments))
    for stream in streams:
        os.close(stream)  # Now they end with the command.
    with contextlib.suppress(OSError):  # The client may have ended.
        connection.sendall(f"{process}\n".encode())
        _, status = os.waitpid(process, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def run(words: list[str], folder: str, environ: dict[str, str], code: str | None) -> int:
    """Run `arc` with these words, or `code` like `python -c`, and return the exit code."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[:] = ["arc" if code is None else "-c", *words]
    if code is None:
        return exit_code(lambda: importlib.import_module("arc.__main__").main())
    time.sleep = _sleep
    warnings.resetwarnings()  # `-W error` is for `arc`
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category)
    return exit_code(lambda: exec(code, {"__name__": "__main__"}))  # noqa: S102  # the tests' own


def exit_code(main: Callable[[], object]) -> int:
    """Return the exit code of an interpreter that runs `main`."""
    ended: object = 0
    try:
        main()
    except SystemExit as exited:
        ended = exited.code
    except BaseException as raised:  # noqa: BLE001  # as the interpreter shows it
        sys.excepthook(*sys.exc_info())
        ended = -signal.SIGINT if isinstance(raised, KeyboardInterrupt) else 1
    if not isinstance(ended, int | None):
        print(ended, file=sys.stderr)
        ended = 1
    return ended or 0


def end(code: int) -> None:
    """End this process as the interpreter does, without freeing the imported modules."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    load()
    serve(sys.argv[1])
