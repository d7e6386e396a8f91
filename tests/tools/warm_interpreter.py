"""An interpreter that has loaded the `arc` command already, and forks for each run of it.

Starting an interpreter and loading boto3 takes longer than most commands do. A fork is a process of its own, with its
own working directory, environment and standard streams. This file is run with the path of a socket.
"""

from __future__ import annotations

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

_UNLOADED = ("arc.tools.sandbox",)  # no command that is run warm needs it


def load() -> None:
    """Import what commands import when they run."""
    import arc

    for module in pkgutil.walk_packages(arc.__path__, "arc.", onerror=lambda _name: None):
        if not module.name.startswith(_UNLOADED) and module.name != "arc.__main__":
            importlib.import_module(module.name)
    importlib.import_module("typer._adapters")  # typer itself loads it, and pydantic, for the first parameter
    import boto3
    from botocore.loaders import JSONFileLoader

    # What AWS's services are is the same for every command.
    JSONFileLoader.load_file = functools.cache(JSONFileLoader.load_file)
    session = boto3.session.Session(aws_access_key_id="dummy", aws_secret_access_key="dummy", region_name="us-east-1")
    for service in ("ssm", "lambda", "dynamodb", "cloudformation", "resourcegroupstaggingapi"):
        session.client(service)
    gc.freeze()


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
    """Fork once more for the command itself, and answer with its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, (*streams, request), _, _ = socket.recv_fds(connection, 1, 4)
    with open(request, "rb") as file:  # noqa: PTH123  # it is open already
        asked = json.load(file)
    process = os.fork()
    if process == 0:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os._exit(run(**asked))
    _, status = os.waitpid(process, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def run(words: list[str], folder: str, environ: dict[str, str]) -> int:
    """The exit code of `arc` with these words."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[:] = ["arc", *words]
    code: object = 0
    try:
        importlib.import_module("arc.__main__").main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001  # as the interpreter shows it
        sys.excepthook(*sys.exc_info())
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    return code or 0


if __name__ == "__main__":
    load()
    serve(sys.argv[1])
