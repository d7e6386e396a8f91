"""The cloud that a command works on: AWS, or a local one. Calls are paced, repeated and masked.

`aws_cloud` and `local_cloud` return a `Cloud`. `Pace` limits its calls, and `Hidden` masks secrets in messages.
"""

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
from arc.tools.cloud.failures import Call, NoCredentials, Refused, failure, is_from_aws, not_from_aws, not_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from arc.inventory import Aws


__all__ = ["Cloud", "NoCredentials", "Refused", "aws_cloud", "host_on_this_machine", "local_cloud"]

_DUMMIES = {"aws_access_key_id": "dummy", "aws_secret_access_key": "dummy"}
_PER_SECOND = 10.0  # Lambda's control plane accepts 15 calls a second from the whole account
_LONGEST_PAUSE = 5.0  # seconds
_client_lock = threading.Lock()  # a boto3 session creates one client at a time
_IAM_NAMES = {"resourcegroupstaggingapi": "tag"}


def _ignore(_sentence: str) -> None:
    """Report nothing."""


class Cloud:
    """The services of AWS in one region, or of the local cloud at `url`.

    `session` is a boto3 session. Calls that are throttled or fail on the way are repeated. AWS gets at most ten calls
    a second (`per_second`); a cloud on this machine has no limit. `clock`, `sleep` and `chance` (from 0 to 1) determine
    pauses, in seconds. `on_wait` is called with a sentence during a wait that may take minutes.
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
        on_wait: Callable[[str], None] = _ignore,
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
        """Mask these `values` in every message, as services may quote requests."""
        self._hidden.add(*values)

    def masked(self, text: str) -> str:
        """Return `text` without the hidden values."""
        return self._hidden.masked(text)

    def stop(self) -> None:
        """End every pause. A running call continues; one that would have to wait raises `ToolError`."""
        self._stopped.set()

    def call(self, service: str, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        """Return a service's answer to one call: `cloud.call("ssm", "get_parameter", "Reading …", Name=…)`.

        A call whose answer is lost is repeated, so it may take effect twice. Raises `Refused` when the service refuses
        it, `NoCredentials`, and `ToolError` when the service cannot be reached. Their messages begin with `doing`.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        client = self._client(service, doing)
        action = f"{_IAM_NAMES.get(service, service)}:{client.meta.method_to_api_mapping[operation]}"
        call = Call(doing, action, self.url or f"AWS in {self.region}", self.masked)
        tried: Counter[int] = Counter()  # failures, by the number of attempts that their kind is worth
        while True:
            if host_on_this_machine(client.meta.endpoint_url) is None:
                self._pace.wait()
            try:
                answer: dict[str, Any] = getattr(client, operation)(**request)
            except (BotoCoreError, ClientError, ResponseParserError, KeyError) as error:
                failed, attempts = failure(error, call)
            else:
                if not is_from_aws(answer):
                    raise not_from_aws(call)
                return answer
            tried[attempts] += 1
            if tried[attempts] >= attempts:
                raise failed
            self._pause(self._chance() * min(_LONGEST_PAUSE, 0.1 * 2 ** tried[attempts]))

    def endpoint(self, service: str) -> str:
        """Return the address of a service in this region and partition, without a slash at its end."""
        return str(self._client(service, f"Looking for {service}").meta.endpoint_url).rstrip("/")

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
        """Yield every element under `key` of a call that answers in pages. Raises what `call` raises.

        `tokens` are the names of the next page's token in a request and in an answer.
        """
        in_request, in_answer = tokens
        while True:
            answer = self.call(service, operation, doing, **request)
            yield from answer.get(key, ())
            token = answer.get(in_answer)
            if not token:
                return
            if token == request.get(in_request):
                raise ToolError(f"{doing}: {service} returned the same page twice.")
            request[in_request] = token

    def _client(self, service: str, doing: str) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        with _client_lock:
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
                    raise not_sent(error, doing, self.masked) from None
            return self._clients[service]

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)
        if self._stopped.is_set():
            raise ToolError("interrupted")


def aws_cloud(aws: Aws, environ: Mapping[str, str] = os.environ, *, on_wait: Callable[[str], None] = _ignore) -> Cloud:
    """Return AWS with the region and profile of the manifest's `@aws`, else those of `environ` and boto3.

    Raises `ToolError` without boto3, without a region, for an unknown profile, and for AWS configuration that cannot
    be read.
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
        has_region = session.region_name is not None
    except ProfileNotFound as error:
        place = "@aws in the manifest" if aws.profile else "AWS_PROFILE"
        raise ToolError(f"{error}. Correct {place}, or create the profile: aws configure") from None
    except BotoCoreError as error:
        raise ToolError(f"{error}. Correct the file, or name another with AWS_CONFIG_FILE.") from None
    if not has_region:
        raise ToolError(
            "No AWS region is set. Add one to the manifest (@aws, below it: region eu-west-1), or set AWS_REGION."
        )
    return Cloud(session, on_wait=on_wait)


def local_cloud(url: str, region: str, *, on_wait: Callable[[str], None] = _ignore) -> Cloud:
    """Return the local cloud at `url`, with dummy credentials and without AWS's profiles and configuration files."""
    return Cloud(_dummy_session(region), url=url, on_wait=on_wait)


@cache
def _dummy_session(region: str) -> Any:
    """Return a boto3 session for local clouds, cached because it loads the services' descriptions slowly."""
    import boto3
    from botocore.session import Session

    nothing = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}
    core = Session({name: (None, None, value, None) for name, value in nothing.items()})
    return boto3.session.Session(region_name=region, botocore_session=core, **_DUMMIES)


def host_on_this_machine(url: str) -> str | None:
    """Return the host of `url`, with or without a scheme, when it is this machine; None otherwise."""
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
_SHORTEST = 4  # characters; shorter values are masked only between quotes, since they occur in words


class Hidden:
    """A set of secret values that is safe for threads, and masks them in text."""

    def __init__(self) -> None:
        self._masks: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, *values: str) -> None:
        """Mask these `values` from now on, also as JSON and Python write them."""
        masks = {form: mask for value in values if value for form, mask in _masks(value)}
        with self._lock:
            self._masks |= masks

    def masked(self, text: str) -> str:
        """Return `text` without the hidden values."""
        with self._lock:
            masks = sorted(self._masks.items(), key=lambda pair: len(pair[0]), reverse=True)
        for form, mask in masks:
            text = text.replace(form, mask)
        return text


def _masks(value: str) -> list[tuple[str, str]]:
    """Return the forms in which a value may be quoted, each with its replacement."""
    written = (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value))
    forms = {value, *(one[1:-1] for one in written)}
    if len(value) >= _SHORTEST:
        return [(form, _MASK) for form in forms]
    return [(f"{quote}{form}{quote}", f"{quote}{_MASK}{quote}") for form in forms for quote in ("'", '"')]


class Pace:
    """Limits all threads together to `per_second` evenly spaced turns.

    `clock` returns seconds. When `sleep` raises, only the caller's own turn is lost.
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
        # The waiting caller keeps the lock, because the next gap counts from its actual turn, which may be late.
        with self._lock:
            now = self._clock()
            if self._next is not None and self._next > now:
                self._sleep(self._next - now)
                now = max(self._next, self._clock())
            self._next = now + self._gap
