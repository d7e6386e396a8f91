"""The cloud that a command works on: AWS, or a local one in its place."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from arc.errors import ToolError
from arc.tools.cloud.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from arc.inventory import Aws

_DUMMIES = {"aws_access_key_id": "dummy", "aws_secret_access_key": "dummy"}
_PER_SECOND = 10.0  # Lambda's control plane takes 15 calls a second from the whole account
_MASK = "********"
_SHORTEST_HIDDEN = 4  # characters: hiding a shorter value would garble what is said
_SERVER_ERROR = 500
_OF_THROTTLING, _OF_FAILURES = 12, 4  # attempts
_LONGEST_PAUSE = 5.0  # seconds
_THROTTLED = (
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
    "TooManyUpdates",
)
_NOT_SIGNED_IN = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_IAM_NAMES = {"resourcegroupstaggingapi": "tag"}
_SIGN_IN = (
    "Sign in (aws sso login, or aws configure), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. "
    "Without AWS, --local works on this machine."
)


class Refused(ToolError):
    """A service refused a call; `code` is its own word for why, such as `ResourceNotFoundException`."""

    def __init__(self, message: str, code: str) -> None:
        self.code = code
        super().__init__(message)


class NoCredentials(ToolError):
    """There are no credentials, or AWS does not take those that there are."""


class Cloud:
    """Services of AWS in one region, or of the local cloud at `url`.

    `session` is a boto3 session. AWS gets at most ten calls a second, and each call that it throttles or that
    fails on the way again; a cloud on this machine is not spared. Times are seconds; `sleep` and `chance` (from 0
    to 1) are what pauses are made of.
    """

    def __init__(
        self,
        session: Any,
        *,
        url: str | None = None,
        per_second: float = _PER_SECOND,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.region: str = session.region_name
        self.url = url
        self._session, self._sleep, self._chance = session, sleep, chance
        self._pace = Pace(per_second, sleep=sleep)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._hidden: set[str] = set()

    def hide(self, *values: str) -> None:
        """Never show these `values` in a message: a service may quote what it was sent."""
        self._hidden.update(value for value in values if len(value) >= _SHORTEST_HIDDEN)

    def masked(self, text: str) -> str:
        """`text` without the hidden values."""
        for value in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(value, _MASK)
        return text

    def call(self, service: str, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        """The answer of a service to one call: `cloud.call("ssm", "get_parameter", "Reading …", Name=…)`.

        Raises `Refused` when it does not do it, `NoCredentials`, and `ToolError` when it cannot be reached;
        their messages begin with `doing`.
        """
        from botocore import exceptions

        client = self._client(service)
        api = client.meta.method_to_api_mapping[operation]
        tried: Counter[int] = Counter()  # by the number of attempts that a failure of its kind is worth
        while True:
            if not _is_on_this_machine(client.meta.endpoint_url):
                self._pace.wait()
            try:
                answer: dict[str, Any] = getattr(client, operation)(**request)
            except exceptions.ClientError as error:
                failure, attempts = self._refusal(error, f"{_IAM_NAMES.get(service, service)}:{api}", doing)
            except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
                raise NoCredentials(f"{doing}: {error}. {_SIGN_IN}") from None
            except exceptions.ParamValidationError:
                # Its text quotes the whole request.
                raise ToolError(f"{doing}: boto3 does not take the request {service}:{api}.") from None
            except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
                failure, attempts = self._unreachable(error, doing), _OF_FAILURES
            except exceptions.BotoCoreError as error:
                raise self._not_made(error, doing) from None
            else:
                return answer
            tried[attempts] += 1
            if tried[attempts] >= attempts:
                raise failure
            self._sleep(self._chance() * min(_LONGEST_PAUSE, 0.1 * 2 ** tried[attempts]))

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
            if not answer.get(told):
                return
            request[asked] = answer[told]

    def _client(self, service: str) -> Any:
        from botocore import exceptions
        from botocore.config import Config

        with self._lock:
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
                except exceptions.BotoCoreError as error:
                    raise self._not_made(error, f"{service} cannot be used") from None
            return self._clients[service]

    def _refusal(self, error: Any, action: str, doing: str) -> tuple[ToolError, int]:
        """The error that a refusal is, and how often the call is to be tried."""
        answer = error.response.get("Error", {})
        code, said = answer.get("Code", "unknown"), self.masked(str(answer.get("Message", "")))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _NOT_SIGNED_IN:
            return NoCredentials(f"{doing}: AWS does not take the credentials ({code}: {said}). {_SIGN_IN}"), 1
        if code in _DENIED:
            return Refused(f"{doing}: not allowed. Let these credentials use {action}. ({said})", code), 1
        attempts = _OF_THROTTLING if code in _THROTTLED else _OF_FAILURES if status >= _SERVER_ERROR else 1
        return Refused(f"{doing}: {code}: {said}", code), attempts

    def _unreachable(self, error: Any, doing: str) -> ToolError:
        place = self.url or f"AWS in {self.region}"
        reason = self.masked(str(error))
        return ToolError(f"{doing}: {place} cannot be reached. {reason} Is the network there, and the region right?")

    def _not_made(self, error: Any, doing: str) -> ToolError:
        """What boto3 itself cannot do: a sign-in that has ended, a profile that is wrong."""
        name = type(error).__name__
        message = f"{doing}: {self.masked(str(error))}"
        if "Token" in name or "Credential" in name or "SSO" in name:
            return NoCredentials(f"{message} {_SIGN_IN}")
        return ToolError(message)


def aws_cloud(aws: Aws, environ: Mapping[str, str] = os.environ) -> Cloud:
    """AWS for an app: region and profile are those of the manifest's `@aws`, else those of `environ` and of boto3.

    Raises `ToolError` for a profile that is not there and where no region is set.
    """
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        session = boto3.session.Session(profile_name=aws.profile, region_name=aws.region or environ.get("AWS_REGION"))
    except ProfileNotFound as error:
        where = "@aws in the manifest names it" if aws.profile else "AWS_PROFILE names it"
        raise ToolError(f"{error}. {where}: name one that exists, or make it with aws configure.") from None
    if session.region_name is None:
        raise ToolError(
            "No AWS region is set. Write it into the manifest (@aws, below it: region eu-west-1), or set AWS_REGION."
        )
    return Cloud(session)


def local_cloud(url: str, region: str) -> Cloud:
    """The local cloud at `url`, with credentials that mean nothing anywhere else."""
    import boto3

    return Cloud(boto3.session.Session(region_name=region, **_DUMMIES), url=url)


def _is_on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "127.0.0.1", "::1")
