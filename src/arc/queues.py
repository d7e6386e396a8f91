"""The app's queues: messages to queues of SQS, by the names that the manifest gives them."""

from __future__ import annotations

import json
import os

from arc.errors import UnknownQueue
from arc.messaging import client, destination, publish_in_sandbox, settings_of
from arc.service_map import service_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ("parse", "publish")


def publish(name: str, payload: Any, *, environ: Mapping[str, str] | None = None) -> Any:
    """Send `payload`, as JSON, to the queue that the manifest calls `name`, and return boto3's answer.

    The messages to a FIFO queue are one group, named after the stack, and each of them counts as new. Architect's
    sandbox answers with a text. A sandbox that does not run queues answers None, after one warning for each name.
    `environ` is `os.environ` unless given. Raises `TypeError` for a payload that is not JSON, `UnknownQueue`, what
    `arc.services` raises, and boto3's exceptions for what SQS refuses.
    """
    settings = settings_of(environ)
    if settings.local:
        return publish_in_sandbox(settings, "queues", name, payload, UnknownQueue)
    message = json.dumps(payload)
    url = destination(settings, "queues", name, UnknownQueue)
    ordered = {}
    if url.endswith(".fifo"):  # AWS refuses a deduplication id for any other queue
        ordered = {
            "MessageGroupId": service_path(settings).removeprefix("/"),
            "MessageDeduplicationId": os.urandom(16).hex(),
        }
    return client(settings, "sqs").send_message(QueueUrl=url, MessageBody=message, **ordered)


def parse(event: Mapping[str, Any]) -> Any:
    """Return the payload in the event of a function that SQS calls; a list of them where it has several records."""
    payloads = [json.loads(record["body"]) for record in event["Records"]]
    return payloads[0] if len(payloads) == 1 else payloads
