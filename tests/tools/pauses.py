"""Makes commands in the tests' own process faster: shorter pauses, and cached clients."""

from __future__ import annotations

import functools
import time
from typing import Any

from arc.tools.cloud.cloud import Cloud
from tests import engines

_LONGEST = 0.01  # seconds; about what an update of a function takes in the tests' cloud


def short(seconds: float) -> None:
    """Sleep in place of a command that polls or retries, but only for a short time."""
    time.sleep(min(seconds, _LONGEST))


def quick_cloud(url: str) -> Cloud:
    """Return the cloud at `url`, with short pauses between retries."""
    return Cloud(session_at(url), url=url, sleep=short)


class OneClientEach:
    """A boto3 session that creates one client for each service."""

    def __init__(self) -> None:
        self.region_name = engines.session().region_name
        self._clients: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> Any:
        """Return the client; only the first call's `options` have an effect."""
        if service not in self._clients:
            self._clients[service] = engines.make_client(service, **options)
        return self._clients[service]


@functools.lru_cache(maxsize=8)
def session_at(url: str) -> OneClientEach:
    """Return the session that all commands share for the cloud at `url`, because a test runs many of them."""
    return OneClientEach()
