"""A server that answers as DynamoDB does, as if the row were the same every time.

`python -m benchmarks.database_server LENGTH [FILE]`: LENGTH is that of the session's one text. With FILE, a certificate
and its key, it speaks TLS. It prints its port, and ends with its standard input.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from zlib import crc32

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.environments import OURS, ROOT

if TYPE_CHECKING:
    from pathlib import Path


class DynamoDB(BaseHTTPRequestHandler):
    """DynamoDB with one row, which answers UpdateItem with UPDATED_OLD: no other request changed the row."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    row: dict[str, Any]

    def do_POST(self) -> None:
        """Answer a GetItem with the row, and an UpdateItem with what the row had before."""
        self.rfile.read(int(self.headers["Content-Length"]))
        is_get = self.headers["X-Amz-Target"].endswith("GetItem")
        content = {"Item": self.row} if is_get else {"Attributes": {key: self.row[key] for key in ("_ttl", "count")}}
        body = json.dumps(content, separators=(",", ":")).encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", "0" * 52)
        self.send_header("x-amz-crc32", str(crc32(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is http.server's
        """Print nothing."""


class Server:
    """The server in a process of its own; the block gets its port."""

    def __init__(self, length: int, certificate: Path | None = None) -> None:
        self._process = subprocess.Popen(
            [OURS.python, "-m", "benchmarks.database_server", str(length), str(certificate or "")],
            env=OURS.variables(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def __enter__(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def create_certificate(folder: Path) -> Path:
    """Write a new certificate of localhost and its key to one file, and return its path."""
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


def serve(length: int, certificate: str) -> None:
    """Answer until standard input ends."""
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
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_address[1], flush=True)

        def end() -> None:
            sys.stdin.read()
            server.shutdown()

        threading.Thread(target=end, daemon=True).start()
        server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
