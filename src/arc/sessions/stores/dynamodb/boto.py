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
    """One attempt through boto3, which the first one imports.

    `client(connect, read)` returns a client with these timeouts in seconds that never retries.
    """

    def __init__(self, client: Callable[[float, float], Any]) -> None:
        self._make = client
        self._clients: dict[tuple[float, float], Any] = {}
        self._lock = threading.Lock()  # A boto3 session can create only one client at a time.

    def __call__(self, operation: str, request: dict[str, Any], timeouts: tuple[float, float]) -> dict[str, Any]:
        """Return the response. Raises `Refusal`, `StoreError`, `TryAgain` and `ConfigurationError`."""
        with self._lock:
            if timeouts not in self._clients:
                self._clients[timeouts] = self._make(*timeouts)
            client = self._clients[timeouts]
        from botocore import exceptions

        try:
            response: dict[str, Any] = getattr(client, boto_method(operation))(**request)
        except exceptions.ClientError as error:
            reported = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code, message = str(reported.get("Code", "")), str(reported.get("Message", ""))
            raise failure(operation, status, code, message, error.response) from None
        except exceptions.ParamValidationError as error:
            raise Refusal("ValidationException", str(error)) from None
        except (exceptions.HTTPClientError, exceptions.BotoCoreError, OSError) as error:
            raise no_credentials(error, f"for {operation}") or TryAgain(cause(error)) from None
        kind = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "json")
        if "json" not in kind:  # boto3 would read another server's page as an empty response: no session.
            raise TryAgain("the response is not DynamoDB's")
        return response


def boto_method(operation: str) -> str:
    """Return boto3's name for an operation: `get_item` for `GetItem`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]


# Parts of the names of botocore's exceptions for credentials; and remedies for its exceptions about settings.
_CREDENTIALS = ("Credential", "Login", "MetadataRetrieval", "SSO", "Token")
_REMEDIES = {
    "InvalidRegionError": "Set AWS_REGION to the name of a region, for example eu-west-1.",
    "InvalidRetryModeError": "Unset AWS_RETRY_MODE, or set it to standard.",
    "InvalidRetryConfigurationError": "Unset AWS_MAX_ATTEMPTS, or set it to a number.",
    "InvalidDefaultsMode": "Unset AWS_DEFAULTS_MODE, or set it to one of these.",
    "ConfigParseError": "Repair this file, or set AWS_CONFIG_FILE to another one.",
    "ConfigNotFound": "Set AWS_CONFIG_FILE to an existing file, or unset it.",
    "ProfileNotFound": "Set AWS_PROFILE to an existing profile, or unset it.",
    "InvalidConfigError": "Repair the profile in AWS_PROFILE, or unset AWS_PROFILE.",
}
_ENDPOINT = "AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_DYNAMODB must begin with http:// or https://, or be unset."
_NO_DATABASE = (
    "SESSION_TABLE_NAME is a table, but ARC_ENV=testing has no database. Run the function with arc sandbox, set "
    "AWS_ENDPOINT_URL_DYNAMODB, or set SESSION_TABLE_NAME=jwe."
)
_NO_TABLES_IN_SANDBOX = (
    "SESSION_TABLE_NAME is a table, but the sandbox runs this app without tables. Declare the table below @tables in "
    "app.arc, or set SESSION_TABLE_NAME=jwe."
)
_SET_UP = "Check the function's AWS_ variables and AWS's configuration files."


def boto_client(
    session: Callable[[], Any], endpoint: str | None, *, local: bool = False, in_sandbox: bool = False
) -> Callable[[float, float], Any]:
    """Return a function that creates boto3 clients from one boto3 `session`, for AWS or for a local `endpoint`.

    With `local`, a client for AWS itself raises `ConfigurationError`, whose advice depends on `in_sandbox`.
    """
    sessions: list[Any] = []

    def make(connect: float, read: float) -> Any:
        if not sessions:
            sessions.append(session())
        from botocore.config import Config

        with setting_up("for sessions"):
            config = Config(
                connect_timeout=connect,
                read_timeout=read,
                retries={"total_max_attempts": 1},
                tcp_keepalive=True,
                max_pool_connections=64,
            )
            client = sessions[0].client("dynamodb", endpoint_url=endpoint, config=config)
        if local and is_of_aws(client.meta.endpoint_url):
            raise ConfigurationError(_NO_TABLES_IN_SANDBOX if in_sandbox else _NO_DATABASE)
        return client

    return make


def is_of_aws(endpoint: str) -> bool:
    """True when an address is AWS's own, which testing never uses."""
    return ".amazonaws." in endpoint


@contextmanager
def setting_up(purpose: str) -> Iterator[None]:
    """Convert the errors of a block that creates a boto3 session or client. `purpose` is for example `for sessions`.

    Raises `ConfigurationError` for a setting, and `StoreError` for credentials, which may be available later.
    """
    from botocore.exceptions import BotoCoreError, NoRegionError

    try:
        yield
    except NoRegionError:
        raise ConfigurationError("No AWS region is set. Set AWS_REGION, for example to eu-west-1.") from None
    except (BotoCoreError, ValueError, KeyError, OSError) as error:
        is_endpoint = isinstance(error, ValueError) and "endpoint" in str(error)
        remedy = _ENDPOINT if is_endpoint else _REMEDIES.get(type(error).__name__, _SET_UP)
        raise no_credentials(error, purpose) or ConfigurationError(
            f"boto3 cannot be set up: {cause(error)} {remedy}"
        ) from None


def no_credentials(error: Exception, purpose: str) -> ArcError | None:
    """Return the error for missing credentials, None when `error` is about something else."""
    name = type(error).__name__
    if not any(word in name for word in _CREDENTIALS):
        return None
    remedy = (
        "Sign in: aws sso login."
        if any(word in name for word in ("Login", "SSO", "Token"))
        else "Give the function a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    )
    return StoreError(f"No AWS credentials were found {purpose}. {cause(error)} {remedy}")


def cause(error: Exception) -> str:
    """Return the message of `error` as a sentence."""
    text = str(error).strip().rstrip(":") or type(error).__name__
    sentence = text if text.endswith((".", "!", "?")) else f"{text}."
    is_certificate = type(error).__name__ == "SSLError"  # Its text does not mention the file.
    return f"{sentence} Check AWS_CA_BUNDLE, if it is set." if is_certificate else sentence
