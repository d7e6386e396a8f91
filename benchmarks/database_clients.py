"""Clients of a session in a table, each in a process of its own.

`python -m benchmarks.database_clients lean|boto3|bare PORT SIZE`: each request reads the session and counts up in it,
by a GetItem and an UpdateItem.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING, Any

from benchmarks.process import answer

if TYPE_CHECKING:
    from collections.abc import Callable

TYPE = "application/x-amz-json-1.0"


def session() -> Callable[[], object]:
    """Count up in a session of this library, through the transport that ARC_SESSION_TRANSPORT names."""
    import arc
    from arc.sessions.signing import sign

    manager = arc.http.build_manager(arc.Settings.from_env(os.environ))
    value = sign("an-id", manager.keyring.signing[0])

    def request() -> None:
        session = manager.load([value])
        assert session["text"]
        session["count"] += 1
        manager.commit(session)

    return request


def bare(port: int) -> Callable[[], object]:
    """The same two requests, signed, with their answers' JSON, on one socket; no session and no handling of errors.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    host, token, region = f"127.0.0.1:{port}", os.environ["AWS_SESSION_TOKEN"], os.environ["AWS_REGION"]
    day = time.strftime("%Y%m%d", time.gmtime())
    key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (day, region, "dynamodb", "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
    scope = f"{day}/{region}/dynamodb/aws4_request"

    def exchange(target: str, body: bytes) -> Any:
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        head = (
            f"content-type:{TYPE}\nhost:{host}\nx-amz-date:{now}\nx-amz-security-token:{token}\nx-amz-target:{target}\n"
        )
        canonical = sha256(f"POST\n/\n\n{head}\n{names}\n{sha256(body).hexdigest()}".encode()).hexdigest()
        signature = digest(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{canonical}".encode(), "sha256").hex()
        request = (
            f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"X-Amz-Date: {now}\r\nX-Amz-Security-Token: {token}\r\nX-Amz-Target: {target}\r\nAuthorization: "
            f"AWS4-HMAC-SHA256 Credential=key/{scope}, SignedHeaders={names}, Signature={signature}\r\n\r\n"
        )
        connection.sendall(request.encode() + body)
        received = connection.recv(65_536)
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        answered, _, content = received.partition(b"\r\n\r\n")
        length = int(answered.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(content) < length:
            content += connection.recv(65_536)
        return json.loads(content)

    table = {"TableName": "app-production-session", "Key": {"_idx": {"S": "an-id"}}}
    get = json.dumps({**table, "ConsistentRead": True}).encode()
    update = json.dumps(
        {
            **table,
            "UpdateExpression": "SET #count = :count",
            "ConditionExpression": "attribute_exists(#id)",
            "ExpressionAttributeNames": {"#count": "count", "#id": "_idx"},
            "ExpressionAttributeValues": {":count": {"N": "8"}},
            "ReturnValues": "UPDATED_OLD",
        }
    ).encode()

    def request() -> None:
        assert exchange("DynamoDB_20120810.GetItem", get)["Item"]["text"]
        assert exchange("DynamoDB_20120810.UpdateItem", update)["Attributes"]

    return request


if __name__ == "__main__":
    request = bare(int(sys.argv[2])) if sys.argv[1] == "bare" else session()
    request()
    answer({f"request-{sys.argv[3]}": request})
