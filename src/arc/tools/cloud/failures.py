"""What goes wrong with a call to AWS: a sentence of what happened, what AWS said, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OF_THROTTLING, _OF_FAILURES = 12, 4  # attempts
_SERVER_ERROR, _TOO_MANY = 500, 429
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
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_NAMED_ACTION = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")
_CLOCKS_DIFFER = re.compile(r"expired: |not yet current|RequestExpired|TooSkewed")
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


@dataclass(frozen=True)
class Call:
    """What is told of a call: what it is `doing`, the IAM `action` that it needs, and at which `place`."""

    doing: str
    action: str
    place: str


def failure(error: Exception, call: Call, masked: Callable[[str], str]) -> tuple[ToolError, int]:
    """The error that boto3's `error` is for a command, and how often the call is to be tried in all."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(error, exceptions.ClientError):
        return _refusal(error.response, call, masked)
    if isinstance(error, exceptions.ParamValidationError):
        # Its text quotes the whole request.
        return ToolError(f"{call.doing}: boto3 does not take the request {call.action}."), 1
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        reason = masked(_sentence(error))
        message = f"{call.doing}: {call.place} cannot be reached. {reason} Is the network there, and the region right?"
        return ToolError(message), _OF_FAILURES
    if isinstance(error, ResponseParserError | KeyError):
        return no_service(call), 1
    return not_made(error, call.doing, masked), 1


def not_made(error: Exception, doing: str, masked: Callable[[str], str]) -> ToolError:
    """What boto3 itself cannot do: a sign-in that has ended, a profile or an address that is wrong."""
    name = type(error).__name__
    message = f"{doing}: {masked(_sentence(error))}"
    if any(word in name for word in ("Credential", "Login", "SSO", "Token")):
        return NoCredentials(f"{message} {_SIGN_IN}")
    if isinstance(error, ValueError) and "endpoint" in str(error):
        return ToolError(f"{message} Is AWS_ENDPOINT_URL right?")
    return ToolError(message)


def no_service(call: Call) -> ToolError:
    """The error for an answer that no service of AWS gives, such as a web page."""
    return ToolError(
        f"{call.doing}: {call.place} answered as no service of AWS does. Is AWS_ENDPOINT_URL right, or is there a "
        "proxy on the way that wants a sign-in?"
    )


def is_of_a_service(answer: Mapping[str, Any]) -> bool:
    """True for an answer that bears the id of the request, as every service's does.

    boto3 reads what anybody else answers as a service's answer with nothing in it.
    """
    return "RequestId" in answer.get("ResponseMetadata", {})


def _refusal(answer: Mapping[str, Any], call: Call, masked: Callable[[str], str]) -> tuple[ToolError, int]:
    told = answer.get("Error", {})
    code, said = str(told.get("Code", "unknown")), masked(str(told.get("Message", "")))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _NOT_SIGNED_IN:
        clock = "Set this machine's clock if it is wrong. " if _CLOCKS_DIFFER.search(f"{code}: {said}") else ""
        message = f"{call.doing}: AWS does not take the credentials ({code}: {said}). {clock}{_SIGN_IN}"
        return NoCredentials(message), 1
    if code in _DENIED:
        named = _NAMED_ACTION.search(said)
        action = named[1] if named else call.action
        return Refused(f"{call.doing}: not allowed. Let these credentials use {action}. ({said})", code), 1
    kind = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "")
    if kind.startswith("text/html") and status < _SERVER_ERROR:
        return no_service(call), 1
    is_throttled = code in _THROTTLED or status == _TOO_MANY
    attempts = _OF_THROTTLING if is_throttled else _OF_FAILURES if status >= _SERVER_ERROR else 1
    return Refused(f"{call.doing}: {code}: {said}", code), attempts


def _sentence(error: Exception) -> str:
    text = str(error).strip().rstrip(":")
    return text if text.endswith((".", "!", "?")) else f"{text}."
