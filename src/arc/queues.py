"""The app's queues: messages to SQS queues, by their names in the manifest."""

from __future__ import annotations

import json
import os

from arc.errors import UnknownQueue
from arc.messaging import Channel, client
from arc.service_map import service_path, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ("parse", "publish")

_queues = Channel("queues", UnknownQueue)


def publish(name: str, payload: Any, *, environ: Mapping[str, str] | None = None) -> Any:
    """Send `payload` as JSON to the queue `name` of the manifest. Return boto3's response.

    All messages to a FIFO queue are in one group, named after the stack, and equal messages are not deduplicated.
    Architect's sandbox returns a text. A sandbox that does not run queues returns None, after one warning for each
    name. `environ` defaults to `os.environ`.

    Raises `TypeError` for a payload that is not JSON, `UnknownQueue`, what `arc.services` raises, and boto3's
    exceptions for what SQS refuses.
    """
    settings = settings_of(environ)
    if settings.local:
        return _queues.publish_in_sandbox(settings, name, payload)
    message = json.dumps(payload)
    url = _queues.destination(settings, name)
    fifo = {}
    if url.endswith(".fifo"):  # AWS refuses a deduplication id for any other queue.
        group = service_path(settings).removeprefix("/")
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": os.urandom(16).hex()}
    return client(settings, "sqs").send_message(QueueUrl=url, MessageBody=message, **fifo)


def parse(event: Mapping[str, Any]) -> Any:
    """Return the payload in an event from SQS, or a list of payloads if it has several records."""
    payloads = [json.loads(record["body"]) for record in event["Records"]]
    return payloads[0] if len(payloads) == 1 else payloads
