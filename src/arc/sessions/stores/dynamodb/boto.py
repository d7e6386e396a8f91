"""DynamoDB through boto3."""

from __future__ import annotations

import threading

from arc.sessions.stores.dynamodb.clients import cause, no_credentials
from arc.sessions.stores.dynamodb.transport import Refusal, TryAgain, failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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
