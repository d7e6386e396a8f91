"""Errors of calls: what was done, what AWS answered, and what to do."""

from __future__ import annotations

import pytest

from arc.errors import ToolError
from arc.tools.cloud.cloud import Cloud, NoCredentials, Refused
from tests.cloud_calls import Reply
from tests.tools.cloud.answering import CALLS, Answering, refused, refused_in_xml, told


def failing(reply: Reply, name: str = "ssm.PutParameter") -> tuple[ToolError, Answering]:
    """Return the error of a call that always gets this answer, and the session that gave it."""
    service, operation, request = CALLS[name]
    answering = Answering(lambda _name, _body: reply)
    with pytest.raises(ToolError) as caught:
        Cloud(answering.session, sleep=lambda _seconds: None).call(service, operation, "Doing it", **request)
    return caught.value, answering


def test_status_429_is_throttling_with_any_code() -> None:
    """A gateway may use other codes."""
    error, answering = failing(refused("EnoughNow", "Slower", 429))
    assert str(error) == "Doing it: EnoughNow: Slower"
    assert len(answering.calls) == 12


@pytest.mark.parametrize(
    ("name", "action"),
    [
        *((name, name.replace(".", ":")) for name in CALLS if not name.startswith("tagging")),
        ("tagging.GetResources", "tag:GetResources"),
    ],
)
def test_denied_call_names_the_permission(name: str, action: str) -> None:
    """It has IAM's name, AWS's message follows, and the call is not repeated."""
    refusal = refused_in_xml if name.startswith("cloudformation") else refused
    error, answering = failing(refusal("AccessDenied", "No."), name)
    assert isinstance(error, Refused)
    assert str(error) == f"Doing it: Access denied. These credentials need {action}. (No.)"
    assert answering.names == [name]


def test_permission_from_the_answer_takes_precedence() -> None:
    """The key of a parameter needs its own permission, and so does the role of a profile."""
    said = "User: arn:aws:iam::1:user/ada is not authorized to perform: kms:Decrypt on the resource"
    error, _ = failing(refused("AccessDeniedException", said))
    assert str(error) == f"Doing it: Access denied. These credentials need kms:Decrypt. ({said})"


@pytest.mark.parametrize(
    "code",
    ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException", "InvalidClientTokenId"],
)
def test_rejected_credentials_say_how_to_sign_in(code: str) -> None:
    """Whether they are expired, unknown or wrong, the call is not repeated."""
    error, answering = failing(refused(code, "It is so.", 403))
    assert isinstance(error, NoCredentials)
    assert str(error) == (
        f"Doing it: AWS rejected the credentials ({code}: It is so.). Sign in (aws sso login, or aws configure), "
        "set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. To work without AWS, add "
        "--local."
    )
    assert len(answering.calls) == 1


def test_wrong_clock_is_mentioned() -> None:
    """AWS reports both a wrong clock and a wrong secret as a bad signature."""
    error, _ = failing(refused("InvalidSignatureException", "Signature expired: 20261123T2300Z is now earlier", 403))
    assert "Set this machine's clock if it is wrong. Sign in " in str(error)


def test_request_that_boto3_rejects_is_not_quoted() -> None:
    """boto3's message contains the whole request."""
    answering = Answering(lambda _name, _body: told({}))
    with pytest.raises(ToolError) as caught:
        Cloud(answering.session).call("ssm", "put_parameter", "Writing K", Name="/K", Value=["hush-hush"])
    assert str(caught.value) == "Writing K: boto3 rejected the request ssm:PutParameter."
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert answering.calls == []


@pytest.mark.parametrize("status", [200, 302, 403, 407])
@pytest.mark.sampled(1)
def test_web_page_is_not_an_answer(status: int) -> None:
    """A proxy may send one; boto3 would read it as an empty answer."""
    page = b"<!doctype html><title>Hello</title><p>Sign in"
    for name in CALLS:
        error, _ = failing(Reply(status, [("Content-Type", "text/html; charset=utf-8")], page), name)
        assert str(error) == (
            "Doing it: AWS in us-east-1 did not answer like an AWS service. Check AWS_ENDPOINT_URL, and whether a "
            "proxy requires a sign-in."
        )


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", b'{"ok": true}'), ("application/json", b"{nothing"), ("text/xml", b"<ok/>"), ("", b"")],
)
@pytest.mark.sampled(1)
def test_answer_without_a_request_id_is_refused(kind: str, body: bytes) -> None:
    """Any server may be at an address that was mistaken for AWS's."""
    for name in CALLS:
        error, _ = failing(Reply(200, [("Content-Type", kind)], body), name)
        assert str(error).startswith("Doing it: AWS in us-east-1 did not answer like an AWS service. "), name
