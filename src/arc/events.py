"""The app's events: messages to topics of SNS, by the names that the manifest gives them."""

from __future__ import annotations

import json

from arc.errors import UnknownEvent
from arc.messaging import client, destination, publish_in_sandbox, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ("parse", "publish")


def publish(name: str, payload: Any, *, environ: Mapping[str, str] | None = None) -> Any:
    """Publish `payload`, as JSON, to the event that the manifest calls `name`, and return boto3's answer.

    Architect's sandbox answers with a text. A sandbox that does not run events answers None, after one warning for
    each name. `environ` is `os.environ` unless given. Raises `TypeError` for a payload that is not JSON,
    `UnknownEvent`, what `arc.services` raises, and boto3's exceptions for what SNS refuses.
    """
    settings = settings_of(environ)
    if settings.local:
        return publish_in_sandbox(settings, "events", name, payload, UnknownEvent)
    message = json.dumps(payload)
    topic = destination(settings, "events", name, UnknownEvent)
    return client(settings, "sns").publish(TopicArn=topic, Message=message)


def parse(event: Mapping[str, Any]) -> Any:
    """Return the payload in the event of a function that SNS calls; a list of them where it has several records."""
    payloads = [json.loads(record["Sns"]["Message"]) for record in event["Records"]]
    return payloads[0] if len(payloads) == 1 else payloads
