"""The cost of a session in a table, for the client: by the lean transport, by boto3, and the floor."""

from __future__ import annotations

import ssl
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.database_server import Server, create_certificate
from benchmarks.environments import OURS
from benchmarks.fresh import ROUNDS as STARTS
from benchmarks.fresh import Program, start_times
from benchmarks.process import ROUNDS, Process, interleave
from benchmarks.results import Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable

LEAN, BOTO3, BARE = "arc-sessions, lean", "arc-sessions, boto3", "floor, no session"
TRANSPORTS = {LEAN: "lean", BOTO3: "boto3"}
LENGTHS = {54: 7, 2206: 2159}  # by bytes of the session's JSON, the characters of its one text
VARIABLES = {
    "ARC_SESSION_TABLE_NAME": "app-production-session",
    "AWS_SESSION_TOKEN": "token" * 150,
}
FIRST = """
import os
import arc
from arc.sessions.signing import sign
manager = arc.http.build_manager(arc.Settings.from_env(os.environ))
session = manager.load([sign("an-id", manager.keyring.signing[0])])
assert session["text"]
session["count"] += 1
manager.commit(session)
"""
RUNTIME = "import http, json, logging, os, re, socket, threading, time, traceback"  # as Lambda's runtime has
NOTE = (
    f"CPU time of the client, over {ROUNDS} rounds in processes of their own, interleaved: a GetItem, one change, an "
    "UpdateItem, against a server on this machine. The floor signs and sends the same two requests on a socket and "
    "parses the answers, without a session."
)
FIRST_NOTE = (
    f"Milliseconds by the clock, of {STARTS} rounds, interleaved: a first session over TLS, read and changed, over an "
    "interpreter that has imported what Lambda's runtime has. The ratios compare the minima."
)


def measure(on_progress: Callable[[str], None]) -> list[Table]:
    """Return the tables of requests and of first requests."""
    return [
        Table("Sessions in a table", NOTE, "µs", _requests(on_progress), LEAN),
        Table("Cold start with a table", FIRST_NOTE, "ms", _starts(on_progress), LEAN, ratio_of="minimum"),
    ]


def _requests(on_progress: Callable[[str], None]) -> list[Row]:
    """Return the rows of both transports and of the floor, for each size."""
    with ExitStack() as stack:
        processes = []
        for size, length in LENGTHS.items():
            port = stack.enter_context(Server(length))
            for name, key in (*TRANSPORTS.items(), (BARE, "bare")):
                on_progress(f"starting {name}")
                variables = {**VARIABLES, "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}"}
                if key != "bare":
                    variables["ARC_SESSION_TRANSPORT"] = key
                client = ("benchmarks.database_clients", key, str(port), str(size))
                processes.append(stack.enter_context(Process(name, OURS, *client, variables=variables)))
        samples = interleave(processes, on_progress)
    return [
        Row.of(f"change, {int(operation.partition('-')[2]):,} B", name, times, 1e3)
        for (operation, name), times in samples.items()
    ]


def _starts(on_progress: Callable[[str], None]) -> list[Row]:
    """Return the rows of the first session of a fresh process, over TLS."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = create_certificate(Path(folder))
        trusted = Path(folder) / "trusted.pem"  # as many certificates as a system has, and ours
        system = ssl.get_default_verify_paths().cafile
        known = Path(system).read_text(encoding="utf-8") if system else ""
        trusted.write_text(known + certificate.read_text(encoding="utf-8").partition("KEY-----\n")[2], encoding="utf-8")
        with Server(LENGTHS[54], certificate) as port:
            programs = [
                Program(
                    name,
                    OURS,
                    FIRST,
                    {
                        **VARIABLES,
                        "ARC_SESSION_TRANSPORT": key,
                        "AWS_ENDPOINT_URL_DYNAMODB": f"https://localhost:{port}",
                        "SSL_CERT_FILE" if key == "lean" else "AWS_CA_BUNDLE": str(trusted),
                    },
                    RUNTIME,
                )
                for name, key in TRANSPORTS.items()
            ]
            return start_times("first session, 54 B", programs, on_progress)
