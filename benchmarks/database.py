"""What a session in a database costs the client: `python benchmarks/database.py` prints one table.

A server in a process of its own answers as DynamoDB does, the same row every time. A get and a commit are measured by
the CPU of the client, everything included; the first session of a fresh process by the clock, over TLS, less a process
that imports what Lambda's runtime does.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zlib import crc32

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TRANSPORTS = ("lean", "boto3")
LENGTHS = {"54 B": 7, "2,206 B": 2159}  # characters of the session's one text; with its count, so many bytes of JSON
ROUNDS, REQUESTS, STARTS = 5, 300, 10
CLIENT = """
import os, sys, time
import arc
from arc.sessions.signing import sign
manager = arc.http.build_manager(arc.Settings.from_env(os.environ))
value = sign("an-id", manager.keyring.signing[0])
def request():
    session = manager.load([value])
    assert session["text"]
    session["count"] += 1
    manager.commit(session)
request()
best = float("inf")
for _ in range(int(sys.argv[1])):
    begun = time.process_time()
    for _ in range(int(sys.argv[2])):
        request()
    best = min(best, (time.process_time() - begun) / int(sys.argv[2]))
print(best * 1e3)
"""
RUNTIME = "import http, json, logging, os, re, socket, threading, time, traceback"


class DynamoDB(BaseHTTPRequestHandler):
    """DynamoDB with one row."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    row: dict[str, Any]

    def do_POST(self) -> None:
        """Answer a GetItem with the row, and whatever else with nothing."""
        self.rfile.read(int(self.headers["Content-Length"]))
        is_get = self.headers["X-Amz-Target"].endswith("GetItem")
        body = json.dumps({"Item": self.row} if is_get else {}, separators=(",", ":")).encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", "0" * 52)
        self.send_header("x-amz-crc32", str(crc32(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is http.server's
        """Nothing is printed."""


def certificate(folder: Path) -> Path:
    """A new certificate of localhost with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "localhost.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def serve(length: int, tls: str) -> None:
    """Answer on a port that is printed, by TLS where a certificate is named."""
    DynamoDB.row = {
        "_idx": {"S": "an-id"},
        "_secret": {"S": "s"},
        "_ttl": {"N": str(int(time.time()) + 604_800)},
        "_arc_created": {"N": str(int(time.time()))},
        "count": {"N": "7"},
        "user": {"S": "u_4f7a1c"},
        "text": {"S": "x" * length},
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), DynamoDB) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_address[1], flush=True)

        def end() -> None:
            sys.stdin.read()
            server.shutdown()

        threading.Thread(target=end, daemon=True).start()
        server.serve_forever()


def run(code: str, *words: str, **environ: str) -> str:
    """What `code` prints in a function's process."""
    variables = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token" * 150,
        "AWS_REGION": "eu-west-1",
        "ARC_ENV": "production",
        "ARC_APP_SECRET": "a secret of the benchmark, long enough",
        "SESSION_TABLE_NAME": "app-production-session",
        **environ,
    }
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout


def started(code: str, **environ: str) -> float:
    """The milliseconds of a process that ends with `code`, the best of several."""
    best = float("inf")
    for _ in range(STARTS):
        begun = time.perf_counter()
        run(code, "0", "0", **environ)
        best = min(best, time.perf_counter() - begun)
    return best * 1e3


def main() -> None:
    """Measure both transports and print the table."""
    print(f"A session in a database, {sys.version.split()[0]}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        file = certificate(Path(folder))
        trusted = Path(folder) / "trusted.pem"  # as many certificates as a system has, and ours
        system = ssl.get_default_verify_paths().cafile
        trusted.write_text((Path(system).read_text() if system else "") + file.read_text().partition("KEY-----\n")[2])
        for size, length in LENGTHS.items():
            with server_of(length, "") as port:
                for name in TRANSPORTS:
                    place = {"ARC_SESSION_TRANSPORT": name, "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}"}
                    took = float(run(CLIENT, str(ROUNDS), str(REQUESTS), **place))
                    print(f"get and commit, {size:8} {name:6} {took:6.2f} ms of CPU")
        with server_of(LENGTHS["54 B"], str(file)) as port:
            nothing = started(RUNTIME)
            for name in TRANSPORTS:
                bundle = {"SSL_CERT_FILE" if name == "lean" else "AWS_CA_BUNDLE": str(trusted)}
                place = {"ARC_SESSION_TRANSPORT": name, "AWS_ENDPOINT_URL_DYNAMODB": f"https://localhost:{port}"}
                took = started(CLIENT, **place, **bundle) - nothing
                print(f"first session of a fresh process, by TLS  {name:6} {took:6.0f} ms")


class server_of:  # noqa: N801  # a context manager
    """A server of a session with a text of this length, in a process of its own; the block gets its port."""

    def __init__(self, length: int, tls: str) -> None:
        command = [sys.executable, __file__, str(length), tls]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(int(sys.argv[1]), sys.argv[2])
    else:
        main()
