"""DynamoDB through boto3."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from arc.errors import ConfigurationError, StoreError
from arc.sessions.stores.dynamodb.transport import Refusal, TryAgain, failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from arc.errors import ArcError


class BotoSend:
    """One attempt through boto3, which is imported at the first one.

    `client(connect, read)` makes a client with these timeouts in seconds that never retries by itself.
    """

    def __init__(self, client: Callable[[float, float], Any]) -> None:
        self._make = client
        self._clients: dict[tuple[float, float], Any] = {}
        self._lock = threading.Lock()  # A boto3 session makes one client at a time.

    def __call__(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        """The answer. Raises `Refusal`, `StoreError`, `TryAgain`, `ConfigurationError`."""
        with self._lock:
            if timeouts not in self._clients:
                self._clients[timeouts] = self._make(*timeouts)
            client = self._clients[timeouts]
        from botocore import exceptions

        try:
            answer: dict[str, Any] = getattr(client, method_of(operation))(**request)
        except exceptions.ClientError as error:
            reported = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code, message = str(reported.get("Code", "")), str(reported.get("Message", ""))
            raise failure(operation, status, code, message, error.response) from None
        except exceptions.ParamValidationError as error:
            raise Refusal("ValidationException", str(error)) from None
        except (exceptions.HTTPClientError, exceptions.BotoCoreError, OSError) as error:
            raise no_credentials(error, f"for {operation}") or TryAgain(cause(error)) from None
        kind = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "json")
        if "json" not in kind:  # boto3 reads a page of anybody else's as an answer with nothing in it: as no session.
            raise TryAgain("what answered is not DynamoDB")
        return answer


def method_of(operation: str) -> str:
    """`GetItem` as boto3 calls it: `get_item`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]


# Parts of the names of botocore's exceptions: credentials that cannot be had now, and settings it refuses.
_CREDENTIALS = ("Credential", "Login", "MetadataRetrieval", "SSO", "Token")
_REMEDIES = {
    "InvalidRegionError": "Set AWS_REGION to a region's name, such as AWS_REGION=eu-west-1.",
    "InvalidRetryModeError": "Unset AWS_RETRY_MODE, or set it to standard.",
    "InvalidRetryConfigurationError": "Unset AWS_MAX_ATTEMPTS, or set it to a number.",
    "InvalidDefaultsMode": "Unset AWS_DEFAULTS_MODE, or set it to one of those.",
    "ConfigParseError": "Repair that file, or name another one with AWS_CONFIG_FILE.",
    "ConfigNotFound": "Name a file that exists with AWS_CONFIG_FILE, or unset it.",
    "ProfileNotFound": "AWS_PROFILE names it: set it to a profile that exists, or unset it.",
    "InvalidConfigError": "Repair the profile that AWS_PROFILE names, or unset AWS_PROFILE.",
}
_ENDPOINT = "Begin AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_DYNAMODB with http:// or https://, or unset it."
_SET_UP = "Check the function's variables that begin with AWS_, and AWS's configuration files."


def boto_client(
    session: Callable[[], Any], endpoint: str | None, *, local: bool = False
) -> Callable[[float, float], Any]:
    """What makes boto3 clients of one boto3 `session`, for AWS or for a local `endpoint`.

    With `local` AWS itself is never asked: without an endpoint, here or in AWS_ENDPOINT_URL_DYNAMODB, that is a
    `ConfigurationError`.
    """
    made: list[Any] = []

    def make(connect: float, read: float) -> Any:
        if not made:
            made.append(session())
        from botocore.config import Config

        with setting_up("for sessions"):
            config = Config(
                connect_timeout=connect,
                read_timeout=read,
                retries={"total_max_attempts": 1},
                tcp_keepalive=True,
                max_pool_connections=64,
            )
            client = made[0].client("dynamodb", endpoint_url=endpoint, config=config)
        if local and is_of_aws(client.meta.endpoint_url):
            raise ConfigurationError(
                "SESSION_TABLE_NAME names a table, ARC_ENV is testing, and nothing tells where its tables are. "
                "Run the function with arc sandbox, or set AWS_ENDPOINT_URL_DYNAMODB, or SESSION_TABLE_NAME=jwe."
            )
        return client

    return make


def is_of_aws(endpoint: str) -> bool:
    """True when an address is one of AWS's own, which testing never asks."""
    return ".amazonaws." in endpoint


@contextmanager
def setting_up(purpose: str) -> Iterator[None]:
    """Report what boto3 refuses while the block makes a session or a client; `purpose` is `for sessions` and the like.

    Raises `ConfigurationError` for a setting, and `StoreError` for credentials, which may be there later.
    """
    from botocore.exceptions import BotoCoreError, NoRegionError

    try:
        yield
    except NoRegionError:
        raise ConfigurationError("No AWS region is set. Set AWS_REGION, such as AWS_REGION=eu-west-1.") from None
    except (BotoCoreError, ValueError, KeyError, OSError) as error:
        is_endpoint = isinstance(error, ValueError) and "endpoint" in str(error)
        remedy = _ENDPOINT if is_endpoint else _REMEDIES.get(type(error).__name__, _SET_UP)
        raise no_credentials(error, purpose) or ConfigurationError(
            f"boto3 cannot be set up: {cause(error)} {remedy}"
        ) from None


def no_credentials(error: Exception, purpose: str) -> ArcError | None:
    """The error for credentials that cannot be had, None when `error` is about something else."""
    name = type(error).__name__
    if not any(word in name for word in _CREDENTIALS):
        return None
    remedy = (
        "Sign in: aws sso login."
        if any(word in name for word in ("Login", "SSO", "Token"))
        else "Give the function a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    )
    return StoreError(f"There are no AWS credentials {purpose}. {cause(error)} {remedy}")


def cause(error: Exception) -> str:
    """What `error` says, as a sentence."""
    text = str(error).strip().rstrip(":") or type(error).__name__
    sentence = text if text.endswith((".", "!", "?")) else f"{text}."
    of_certificates = type(error).__name__ == "SSLError"  # whose text leaves out the file
    return f"{sentence} Check AWS_CA_BUNDLE, if it is set." if of_certificates else sentence
