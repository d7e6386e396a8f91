"""Visitors who send requests to random functions, each with a session that counts them."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Self
from urllib.parse import unquote

from arc.sessions import jwe
from arc.sessions.keyring import Keyring
from arc.sessions.record import Refused
from arc.sessions.signing import unsign
from arc.settings import Settings
from arc.testing.jar import CookieJar
from tests.deployed import Deployed
from tests.visitor import Visitor

SITE = "shop.example"
_PATHS = ("/", "/any/path", "/read")
_MOST_AWAKE = 5  # visitors of one thread
_BIRTHS, _IDLERS = 0.15, 0.3  # of all requests, and of all visitors
_SECONDS = 120  # that a wait lasts at most


class Wanderer:
    """A visitor whom any of `functions` may serve; `born` is the phase of the first request."""

    def __init__(self, functions: Deployed, born: str) -> None:
        self.born, self.count, self._functions = born, 0, functions
        self._jar = CookieJar(time.time)
        self._failed = 0

    @property
    def cookie(self) -> str:
        """The value of the session cookie, empty without one."""
        return unquote(self._jar.get("_idx") or "")

    def ask(self, name: str, path: str) -> str:
        """Send a request, and return why it did not continue the session; empty when it did.

        A request that failed in the local cloud was sent again (see `Visitor`). Only its response was lost, so a table
        may have counted it.
        """
        visitor = Visitor(self._functions.cloud.port, self._functions.host(name), self._jar, site=SITE)
        answer = visitor.get(path)
        if answer.status != 200:
            return f"{name} answered {answer.status} {answer.text}"
        response = answer.json()
        self._failed += visitor.failed if response["store"] != "jwe" else 0
        expected = self.count + (path != "/read")
        if not expected <= response["visits"] <= expected + self._failed:
            return f"{name} {path} counted {response['visits']} instead of {expected} for a visitor born {self.born}"
        self.count = response["visits"]
        return ""


class Crowd:
    """Threads of visitors inside a `with` block. `lost` lists the requests that did not continue their session.

    `requests` and `born` count requests and visitors by `phase`, and `crossed` counts cookies by the names of the
    `secrets` that sealed the one sent and the one received: `("new", "old")`. Some visitors of each phase are `idle`
    after their first request.
    """

    def __init__(self, functions: Deployed, secrets: Mapping[str, str], *, threads: int = 2) -> None:
        self.phase = "before"
        self.requests, self.born = Counter[str](), Counter[str]()
        self.crossed = Counter[tuple[str, str]]()
        self.lost: list[str] = []
        self.idle: list[Wanderer] = []
        self._functions, self._names = functions, list(functions.functions)
        self._secrets = list(secrets)
        settings = [Settings(environment="staging", secret=secret) for secret in secrets.values()]
        self._keyrings = [Keyring(one) for one in settings]
        self._changed = threading.Condition()
        self._ended = False
        self._threads = [threading.Thread(target=self._wander, args=(number,)) for number in range(threads)]

    def __enter__(self) -> Self:
        for name in self._names:
            self._functions.host(name)  # created before many threads use it
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join()

    def wait(self, requests: int) -> None:
        """Return after this many more requests."""
        target = self.requests.total() + requests
        self.wait_until(lambda: self.requests.total() >= target)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Return when `is_so()`, or when a session was lost."""
        with self._changed:
            assert self._changed.wait_for(lambda: is_so() or self.lost, _SECONDS)

    def wake(self) -> None:
        """Send a request of every idle visitor to every function."""
        for visitor in self.idle:
            for name in self._names:
                self._request(visitor, name, "/read")
                self._request(visitor, name, "/")

    def _wander(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311
        awake: list[Wanderer] = []
        while not self._ended and not self.lost:
            if not awake or not self.born[self.phase] or chance.random() < _BIRTHS:
                visitor = Wanderer(self._functions, self.phase)
                self._request(visitor, chance.choice(self._names), "/")
                is_first = visitor.born not in {other.born for other in self.idle}
                (self.idle if is_first or chance.random() < _IDLERS else awake).append(visitor)
                del awake[:-_MOST_AWAKE]
            if awake:
                self._request(chance.choice(awake), chance.choice(self._names), chance.choice(_PATHS))

    def _request(self, visitor: Wanderer, name: str, path: str) -> None:
        sent, is_new, phase = visitor.cookie, not visitor.count, self.phase
        try:
            fault = visitor.ask(name, path)
        except Exception as error:  # noqa: BLE001  # The test reports any error.
            fault = repr(error)
        with self._changed:
            self.requests[phase] += 1
            self.born[phase] += is_new
            if fault:
                self.lost.append(f"in phase {phase}: {fault}")
            elif sent and sent != visitor.cookie:
                self.crossed[self._sealed_with(sent), self._sealed_with(visitor.cookie)] += 1
            self._changed.notify_all()

    def _sealed_with(self, cookie: str) -> str:
        for name, keyring in zip(self._secrets, self._keyrings, strict=True):
            if _opens(keyring, cookie):
                return name
        return "neither"


def _opens(keyring: Keyring, cookie: str) -> bool:
    try:
        if cookie.count(".") > 1:
            jwe.unseal(cookie, keyring.opening, keyring.enc)
        else:
            unsign(cookie, keyring.signing)
    except Refused:
        return False
    return True
