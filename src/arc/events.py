"""The app's events: messages to SNS topics, by their names in the manifest."""

from __future__ import annotations

import json

from arc.errors import UnknownEvent
from arc.messaging import Channel, client
from arc.service_map import settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ("parse", "publish")

_events = Channel("events", UnknownEvent)


def publish(name: str, payload: Any, *, environ: Mapping[str, str] | None = None) -> Any:
    """Publish `payload` as JSON to the event `name` of the manifest. Return boto3's response.

    Architect's sandbox returns a text. A sandbox that does not run events returns None, after one warning for each
    name. `environ` defaults to `os.environ`.

    Raises `TypeError` for a payload that is not JSON, `UnknownEvent`, what `arc.services` raises, and boto3's
    exceptions for what SNS refuses.
    """
    settings = settings_of(environ)
    if settings.local:
        return _events.publish_in_sandbox(settings, name, payload)
    message = json.dumps(payload)
    return client(settings, "sns").publish(TopicArn=_events.destination(settings, name), Message=message)


def parse(event: Mapping[str, Any]) -> Any:
    """Return the payload in an event from SNS, or a list of payloads if it has several records."""
    payloads = [json.loads(record["Sns"]["Message"]) for record in event["Records"]]
    return payloads[0] if len(payloads) == 1 else payloads
