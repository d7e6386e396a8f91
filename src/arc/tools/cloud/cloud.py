"""The cloud that a command works on: AWS, or a local one in its place."""

from __future__ import annotations

import ipaddress
import json
import os
import random
import threading
import time
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from arc.errors import ToolError
from arc.tools.cloud.failures import Call, NoCredentials, Refused, failure, is_of_a_service, no_service, not_made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from arc.inventory import Aws


__all__ = ["Cloud", "NoCredentials", "Refused", "aws_cloud", "host_on_this_machine", "local_cloud"]

_DUMMIES = {"aws_access_key_id": "dummy", "aws_secret_access_key": "dummy"}
_PER_SECOND = 10.0  # Lambda's control plane takes 15 calls a second from the whole account
_LONGEST_PAUSE = 5.0  # seconds
_making = threading.Lock()  # a boto3 session makes one client at a time
_IAM_NAMES = {"resourcegroupstaggingapi": "tag"}


class Cloud:
    """Services of AWS in one region, or of the local cloud at `url`.

    `session` is a boto3 session. AWS gets at most ten calls a second, and each call that it throttles or that
    fails on the way again; a cloud on this machine is not spared. Times are seconds; `clock`, `sleep` and `chance`
    (from 0 to 1) are what pauses are made of. `on_wait` is called with a sentence during a wait that may take minutes.
    """

    def __init__(
        self,
        session: Any,
        *,
        url: str | None = None,
        per_second: float = _PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        chance: Callable[[], float] = random.random,
        on_wait: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self.region: str = session.region_name
        self.on_wait = on_wait
        self.url = url
        self._session, self._chance = session, chance
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._pace = Pace(per_second, clock=clock, sleep=self._pause)
        self._clients: dict[str, Any] = {}
        self._hidden = Hidden()

    def hide(self, *values: str) -> None:
        """Never show these `values` in a message: a service may quote what it was sent."""
        self._hidden.add(*values)

    def masked(self, text: str) -> str:
        """`text` without the hidden values."""
        return self._hidden.masked(text)

    def stop(self) -> None:
        """End every pause: a call that is under way comes to its end, and one that would have to wait raises."""
        self._stopped.set()

    def call(self, service: str, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        """The answer of a service to one call: `cloud.call("ssm", "get_parameter", "Reading …", Name=…)`.

        A call whose answer was lost is made again, so it may have taken effect twice. Raises `Refused` when the
        service does not do it, `NoCredentials`, and `ToolError` when it cannot be reached; their messages begin with
        `doing`.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        client = self._client(service, doing)
        action = f"{_IAM_NAMES.get(service, service)}:{client.meta.method_to_api_mapping[operation]}"
        call = Call(doing, action, self.url or f"AWS in {self.region}")
        tried: Counter[int] = Counter()  # by the number of attempts that a failure of its kind is worth
        while True:
            if host_on_this_machine(client.meta.endpoint_url) is None:
                self._pace.wait()
            try:
                answer: dict[str, Any] = getattr(client, operation)(**request)
            except (BotoCoreError, ClientError, ResponseParserError, KeyError) as error:
                failed, attempts = failure(error, call, self.masked)
            else:
                if not is_of_a_service(answer):
                    raise no_service(call)
                return answer
            tried[attempts] += 1
            if tried[attempts] >= attempts:
                raise failed
            self._pause(self._chance() * min(_LONGEST_PAUSE, 0.1 * 2 ** tried[attempts]))

    def pages(
        self,
        service: str,
        operation: str,
        doing: str,
        *,
        key: str,
        tokens: tuple[str, str] = ("NextToken", "NextToken"),
        **request: Any,
    ) -> Iterator[Any]:
        """Every element under `key` of a call that answers page by page; raises what `call` raises.

        `tokens` are the names of what asks for the next page in a request and of what tells it in an answer.
        """
        asked, told = tokens
        while True:
            answer = self.call(service, operation, doing, **request)
            yield from answer.get(key, ())
            token = answer.get(told)
            if not token:
                return
            if token == request.get(asked):
                raise ToolError(f"{doing}: {service} gives the same page again and again.")
            request[asked] = token

    def _client(self, service: str, doing: str) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        with _making:
            if service not in self._clients:
                config = Config(
                    connect_timeout=5,
                    read_timeout=30,
                    retries={"total_max_attempts": 1},
                    max_pool_connections=32,
                    proxies={} if self.url else None,
                )
                try:
                    self._clients[service] = self._session.client(service, endpoint_url=self.url, config=config)
                except (BotoCoreError, ValueError) as error:
                    raise not_made(error, doing, self.masked) from None
            return self._clients[service]

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)
        if self._stopped.is_set():
            raise ToolError("interrupted")


def aws_cloud(
    aws: Aws, environ: Mapping[str, str] = os.environ, *, on_wait: Callable[[str], None] = lambda _sentence: None
) -> Cloud:
    """AWS for an app: region and profile are those of the manifest's `@aws`, else those of `environ` and of boto3.

    Raises `ToolError` without boto3, for a profile that is not there, for a configuration of AWS that cannot be
    read, and where no region is set.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ProfileNotFound
    except ModuleNotFoundError as missing:
        raise ToolError(
            f"AWS needs {missing.name}, which is not installed. Run: pip install 'arc-sessions[sandbox,aws]'"
        ) from None

    region = aws.region or environ.get("AWS_REGION") or None
    try:
        session = boto3.session.Session(profile_name=aws.profile, region_name=region)
        found = session.region_name
    except ProfileNotFound as error:
        where = "@aws in the manifest names it" if aws.profile else "AWS_PROFILE names it"
        raise ToolError(f"{error}. {where}: name one that exists, or make it with aws configure.") from None
    except BotoCoreError as error:
        raise ToolError(f"{error}. Mend that file, or name another with AWS_CONFIG_FILE.") from None
    if not found:
        raise ToolError(
            "No AWS region is set. Write it into the manifest (@aws, below it: region eu-west-1), or set AWS_REGION."
        )
    return Cloud(session, on_wait=on_wait)


def local_cloud(url: str, region: str, *, on_wait: Callable[[str], None] = lambda _sentence: None) -> Cloud:
    """The local cloud at `url`, with credentials that mean nothing anywhere else.

    Profiles and files of AWS's configuration play no part, whatever state they are in.
    """
    return Cloud(_session_of_nobody(region), url=url, on_wait=on_wait)


@cache
def _session_of_nobody(region: str) -> Any:
    """A boto3 session for any local cloud: what services are, which takes a client most of its time, is read once."""
    import boto3
    from botocore.session import Session

    nothing = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}
    core = Session({name: (None, None, value, None) for name, value in nothing.items()})
    return boto3.session.Session(region_name=region, botocore_session=core, **_DUMMIES)


def host_on_this_machine(url: str) -> str | None:
    """Return the host of `url`, with a scheme or without, when it is always the machine that asks; None otherwise."""
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError:
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        is_here = "localhost" in host.split(".") or host == "host.docker.internal"  # localhost.localstack.cloud too
    else:
        is_here = address.is_loopback or address.is_unspecified
    return host if is_here else None


_MASK = "********"
_SHORTEST = 4  # characters: a shorter value is hidden between quotes alone, else what is said would be garbled


class Hidden:
    """Values to hide, gathered by any thread."""

    def __init__(self) -> None:
        self._masks: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, *values: str) -> None:
        """Hide these `values` from now on, also as JSON and Python write them."""
        masks = {form: mask for value in values if value for form, mask in _masks(value)}
        with self._lock:
            self._masks |= masks

    def masked(self, text: str) -> str:
        """`text` without the hidden values."""
        with self._lock:
            masks = sorted(self._masks.items(), key=lambda pair: len(pair[0]), reverse=True)
        for form, mask in masks:
            text = text.replace(form, mask)
        return text


def _masks(value: str) -> list[tuple[str, str]]:
    """What a value may look like where it is quoted, and what is shown instead."""
    written = (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value))
    forms = {value, *(one[1:-1] for one in written)}
    if len(value) >= _SHORTEST:
        return [(form, _MASK) for form in forms]
    return [(f"{quote}{form}{quote}", f"{quote}{_MASK}{quote}") for form in forms for quote in ("'", '"')]


class Pace:
    """At most `per_second` turns in any second, for all threads together, evenly spaced.

    `clock` tells seconds; `sleep` may raise, which gives up the turn and nobody else's.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._gap, self._clock, self._sleep = 1 / per_second, clock, sleep
        self._lock = threading.Lock()
        self._next: float | None = None

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        # Who waits keeps the lock: a gap is counted from when the turn before really came, which may be late.
        with self._lock:
            now = self._clock()
            if self._next is not None and self._next > now:
                self._sleep(self._next - now)
                now = max(self._next, self._clock())
            self._next = now + self._gap
