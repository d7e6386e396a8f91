"""An interpreter that has loaded the `arc` command already, and forks for each run of it.

Starting an interpreter and loading boto3 takes longer than most commands do. A fork is a process of its own, with its
own working directory, environment and standard streams. This file is run with the path of a socket.
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
import select
import signal
import socket
import sys
import threading
import time
import warnings

_LONGEST = 0.01  # seconds that a command sleeps: the tests' cloud needs no more
_CALLS = 1000  # a second: nor does it have to be spared
_sleep = time.sleep


def load() -> None:
    """Import what commands and the sandbox import when they run."""
    import arc

    time.sleep = short  # type: ignore[assignment]  # the default of many arguments

    for module in pkgutil.walk_packages(arc.__path__, "arc.", onerror=lambda _name: None):
        if not module.name.endswith("__main__") and not module.name.startswith("arc.tools.sandbox.bootstrap."):
            importlib.import_module(module.name)
    # typer loads the first, and pydantic, for the first parameter; uvicorn the others when it starts.
    for name in ("typer._adapters", "uvicorn.loops.asyncio", "uvicorn.lifespan.off"):
        importlib.import_module(name)
    from arc.tools.cloud.cloud import Cloud

    assert Cloud.__init__.__kwdefaults__ is not None
    Cloud.__init__.__kwdefaults__["per_second"] = _CALLS
    import boto3
    from botocore import session as sessions

    # What AWS's services are is the same for every command.
    sessions.create_loader = functools.cache(sessions.create_loader)
    session = boto3.session.Session(aws_access_key_id="dummy", aws_secret_access_key="dummy", region_name="us-east-1")
    for service in ("ssm", "lambda", "dynamodb", "cloudformation", "resourcegroupstaggingapi"):
        session.client(service)
    gc.collect()
    gc.freeze()


def short(seconds: float) -> None:
    """Sleep, but not for long."""
    _sleep(min(seconds, _LONGEST))


def serve(path: str) -> None:
    """Run a command for each connection, which sends four files: its standard streams, and what `run` takes as JSON."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the processes between
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        print("ready", flush=True)
        while server in select.select([server, sys.stdin], [], [])[0]:  # standard input ends with whoever started this
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                answer(connection)
                os._exit(0)
            connection.close()


def answer(connection: socket.socket) -> None:
    """Fork once more for the command itself, and answer with its process and, in another line, its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, (*streams, request), _, _ = socket.recv_fds(connection, 1, 4)
    with open(request, "rb") as file:  # noqa: PTH123  # it is open already
        asked = json.load(file)
    process = os.fork()
    if process == 0:
        connection.close()
        os.setpgid(0, 0)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        end(run(**asked))
    for stream in streams:
        os.close(stream)  # Which are at their end with the command.
    with contextlib.suppress(OSError):  # Nobody may be left to be answered.
        connection.sendall(f"{process}\n".encode())
        _, status = os.waitpid(process, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def run(words: list[str], folder: str, environ: dict[str, str], code: str | None) -> int:
    """The exit code of `arc` with these words, or of the Python source `code` as that of `python -c`."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[:] = ["arc" if code is None else "-c", *words]
    ended: object = 0
    try:
        if code is None:
            importlib.import_module("arc.__main__").main()
        else:
            time.sleep = _sleep
            warnings.resetwarnings()  # `-W error` is for `arc`
            for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", category)
            exec(code, {"__name__": "__main__"})  # noqa: S102  # the tests' own
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
    """End this process as the interpreter does, but for freeing all that is loaded."""
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
