"""Errors of calls to AWS: a sentence with what was done, what AWS answered, and what to do."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_ATTEMPTS_WHEN_THROTTLED, _ATTEMPTS = 12, 4
_SERVER_ERROR, _TOO_MANY = 500, 429
_THROTTLED = (
    *("LimitExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown"),
    *("Throttling", "ThrottledException", "ThrottlingException", "TooManyRequestsException", "TooManyUpdates"),
)
_NOT_SIGNED_IN = (
    *("AuthFailure", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId"),
    *("InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    *("RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "UnrecognizedClientException"),
)
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
"""Codes of a call that the credentials do not allow."""
_NAMED_ACTION = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")
_CLOCKS_DIFFER = re.compile(r"expired: |not yet current|RequestExpired|TooSkewed")
_SIGN_IN = (
    "Sign in (aws sso login, or aws configure), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. "
    "To work without AWS, add --local."
)


class Refused(ToolError):
    """A service refused a call; `code` is the reason in its own words, such as `ResourceNotFoundException`."""

    def __init__(self, message: str, code: str) -> None:
        self.code = code
        super().__init__(message)


@contextlib.contextmanager
def ignoring(code: str) -> Iterator[None]:
    """Suppress `Refused` with this code in the block."""
    try:
        yield
    except Refused as refused:
        if refused.code != code:
            raise


class NoCredentials(ToolError):
    """Credentials are missing, or AWS rejected them."""


@dataclass(frozen=True)
class Call:
    """A call in error messages: what it is `doing`, the IAM `action` it needs, and the `place` that answers."""

    doing: str
    action: str
    place: str
    masked: Callable[[str], str]
    """Hides secrets in a text."""


def failure(error: Exception, call: Call) -> tuple[ToolError, int]:
    """Return the error for boto3's `error`, and how often the call is worth an attempt."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(error, exceptions.ClientError):
        return _refusal(error.response, call)
    if isinstance(error, exceptions.ParamValidationError):
        # Its text quotes the whole request.
        return ToolError(f"{call.doing}: boto3 rejected the request {call.action}."), 1
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        reason = call.masked(_sentence(error))
        message = f"{call.doing}: {call.place} cannot be reached. {reason} Check the network and the region."
        return ToolError(message), _ATTEMPTS
    if isinstance(error, ResponseParserError | KeyError):
        return not_from_aws(call), 1
    return not_sent(error, call.doing, call.masked), 1


def not_sent(error: Exception, doing: str, masked: Callable[[str], str]) -> ToolError:
    """Return the error for a call that boto3 cannot make, such as one with an expired sign-in or a wrong address."""
    name = type(error).__name__
    message = f"{doing}: {masked(_sentence(error))}"
    if any(word in name for word in ("Credential", "Login", "SSO", "Token")):
        return NoCredentials(f"{message} {_SIGN_IN}")
    if isinstance(error, ValueError) and "endpoint" in str(error):
        return ToolError(f"{message} Check AWS_ENDPOINT_URL.")
    return ToolError(message)


def not_from_aws(call: Call) -> ToolError:
    """Return the error for an answer that no AWS service sends, such as a web page."""
    return ToolError(
        f"{call.doing}: {call.place} did not answer like an AWS service. Check AWS_ENDPOINT_URL, and whether a proxy "
        "requires a sign-in."
    )


def is_from_aws(answer: Mapping[str, Any]) -> bool:
    """Return whether an answer has the request's id, as every service's does; boto3 accepts answers without."""
    return "RequestId" in answer.get("ResponseMetadata", {})


def _refusal(answer: Mapping[str, Any], call: Call) -> tuple[ToolError, int]:
    error, metadata = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, text = str(error.get("Code", "unknown")), call.masked(str(error.get("Message", "")))
    status = metadata.get("HTTPStatusCode", 0)
    if code in _NOT_SIGNED_IN:
        clock = "Set this machine's clock if it is wrong. " if _CLOCKS_DIFFER.search(f"{code}: {text}") else ""
        return NoCredentials(f"{call.doing}: AWS rejected the credentials ({code}: {text}). {clock}{_SIGN_IN}"), 1
    if code in DENIED:
        named = _NAMED_ACTION.search(text)
        action = named[1] if named else call.action
        return Refused(f"{call.doing}: Access denied. These credentials need {action}. ({text})", code), 1
    if metadata.get("HTTPHeaders", {}).get("content-type", "").startswith("text/html") and status < _SERVER_ERROR:
        return not_from_aws(call), 1
    is_throttled = code in _THROTTLED or status == _TOO_MANY
    attempts = _ATTEMPTS_WHEN_THROTTLED if is_throttled else _ATTEMPTS if status >= _SERVER_ERROR else 1
    return Refused(f"{call.doing}: {code}: {text}", code), attempts


def _sentence(error: Exception) -> str:
    text = str(error).strip().rstrip(":")
    return text if text.endswith((".", "!", "?")) else f"{text}."
