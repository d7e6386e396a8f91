"""Commands in the tests' own process, without what costs them time: long pauses, and clients made anew."""

from __future__ import annotations

import functools
import time
from typing import Any

from arc.tools.cloud.cloud import Cloud
from tests import engines

_LONGEST = 0.01  # seconds; about what an update of a function takes in the tests' cloud


def short(seconds: float) -> None:
    """Sleep as a command that polls or tries again does, but not for long."""
    time.sleep(min(seconds, _LONGEST))


def quick_cloud(url: str) -> Cloud:
    """The cloud at `url`, where a call that failed is tried again after a short pause."""
    return Cloud(session_at(url), url=url, sleep=short)


class OneClientEach:
    """A boto3 session that makes one client of each service."""

    def __init__(self) -> None:
        self._session = engines.session()
        self.region_name = self._session.region_name
        self._clients: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> Any:
        """The client; only the first call's `options` count."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, **options)
        return self._clients[service]


@functools.lru_cache(maxsize=8)
def session_at(url: str) -> OneClientEach:
    """The session of all commands that work on the cloud at `url`: a test makes many."""
    return OneClientEach()
