"""The first sealed response of a fresh process, which is the cost of a cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.environments import OURS, peers
from benchmarks.fresh import ROUNDS, Program, start_times
from benchmarks.payloads import event
from benchmarks.results import Table

if TYPE_CHECKING:
    from collections.abc import Callable

NOTE = (
    f"Milliseconds by the clock over an empty interpreter, of {ROUNDS} rounds, interleaved: import, one event, one "
    "sealed session in the response. AES-GCM alone imports cryptography and encrypts two bytes. boto3 creates "
    "a client of DynamoDB and sends nothing; architect-functions imports boto3 too. The ratios compare the minima."
)
AES_GCM = """
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
AESGCM(bytes(32)).encrypt(bytes(12), b"{}", b"")
"""
ARC_SESSIONS = """
import arc
@arc.http.handler
def handler(req):
    req.session["count"] = req.session.get("count", 0) + 1
    return {{"json": {{"count": req.session["count"]}}}}
assert "_idx=ey" in str(handler({event!r}, None))
"""
ARCHITECT_FUNCTIONS = """
import arc
def handler(req, context):
    session = arc.http.session_read(req)
    session["count"] = session.get("count", 0) + 1
    return arc.http.res(req, {{"json": {{"count": session["count"]}}, "session": session}})
assert "_idx=ey" in str(handler({event!r}, None))
"""
BOTO3 = "import boto3; boto3.client('dynamodb')"


def measure(on_progress: Callable[[str], None]) -> list[Table]:
    """Return the table of cold starts. Raises `BenchmarkError` if an environment is missing."""
    others, first = peers(), event("theme=dark")
    programs = [
        Program("cryptography's AES-GCM alone", others, AES_GCM),
        Program("arc-sessions", OURS, ARC_SESSIONS.format(event=first)),
        Program("architect-functions", others, ARCHITECT_FUNCTIONS.format(event=first)),
        Program("boto3's DynamoDB client", others, BOTO3),
    ]
    rows = start_times("first sealed response", programs, on_progress)
    return [Table("Cold start", NOTE, "ms", rows, "arc-sessions", ratio_of="minimum")]
