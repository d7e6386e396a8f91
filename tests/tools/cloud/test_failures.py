"""What goes wrong with a call is a sentence: what was done, what AWS said, what to do."""

from __future__ import annotations

import pytest

from arc.errors import ToolError
from arc.tools.cloud.cloud import Cloud, NoCredentials, Refused
from tests.cloud_calls import Reply
from tests.tools.cloud.answering import CALLS, Answering, refused, refused_in_xml, told


def failing(reply: Reply, name: str = "ssm.PutParameter") -> tuple[ToolError, Answering]:
    """The error of a call that is answered like this every time, and the session that answered."""
    service, operation, request = CALLS[name]
    answering = Answering(lambda _name, _body: reply)
    with pytest.raises(ToolError) as caught:
        Cloud(answering.session, sleep=lambda _seconds: None).call(service, operation, "Doing it", **request)
    return caught.value, answering


def test_a_status_that_says_too_many_is_throttling_whatever_its_code() -> None:
    """A gateway on the way may have words of its own."""
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
def test_what_is_not_allowed_names_the_permission(name: str, action: str) -> None:
    """As IAM calls it; AWS's own words follow, and it is not tried again."""
    refusal = refused_in_xml if name.startswith("cloudformation") else refused
    error, answering = failing(refusal("AccessDenied", "No."), name)
    assert isinstance(error, Refused)
    assert str(error) == f"Doing it: not allowed. Let these credentials use {action}. (No.)"
    assert answering.names == [name]


def test_the_permission_is_the_one_that_aws_names() -> None:
    """The key of a parameter has a permission of its own, and so has the role of a profile."""
    said = "User: arn:aws:iam::1:user/ada is not authorized to perform: kms:Decrypt on the resource"
    error, _ = failing(refused("AccessDeniedException", said))
    assert str(error) == f"Doing it: not allowed. Let these credentials use kms:Decrypt. ({said})"


@pytest.mark.parametrize(
    "code",
    ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException", "InvalidClientTokenId"],
)
def test_credentials_that_aws_does_not_take_say_how_to_sign_in(code: str) -> None:
    """Expired, unknown or wrong; it is not tried again."""
    error, answering = failing(refused(code, "It is so.", 403))
    assert isinstance(error, NoCredentials)
    assert str(error) == (
        f"Doing it: AWS does not take the credentials ({code}: It is so.). Sign in (aws sso login, or aws configure), "
        "set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Without AWS, --local works on this "
        "machine."
    )
    assert len(answering.calls) == 1


def test_a_clock_that_is_wrong_is_told_from_a_wrong_secret() -> None:
    """AWS refuses both as a bad signature."""
    error, _ = failing(refused("InvalidSignatureException", "Signature expired: 20261123T2300Z is now earlier", 403))
    assert "Set this machine's clock if it is wrong. Sign in " in str(error)


def test_a_request_that_boto3_does_not_take_is_not_quoted() -> None:
    """Its own text has all of it."""
    answering = Answering(lambda _name, _body: told({}))
    with pytest.raises(ToolError) as caught:
        Cloud(answering.session).call("ssm", "put_parameter", "Writing K", Name="/K", Value=["hush-hush"])
    assert str(caught.value) == "Writing K: boto3 does not take the request ssm:PutParameter."
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert answering.calls == []


@pytest.mark.parametrize("status", [200, 302, 403, 407])
@pytest.mark.sampled(1)
def test_a_web_page_is_no_answer(status: int) -> None:
    """Such as that of a proxy that wants a sign-in: boto3 finds a good answer in it, without anything in it."""
    page = b"<!doctype html><title>Hello</title><p>Sign in"
    for name in CALLS:
        error, _ = failing(Reply(status, [("Content-Type", "text/html; charset=utf-8")], page), name)
        assert str(error) == (
            "Doing it: AWS in us-east-1 answered as no service of AWS does. Is AWS_ENDPOINT_URL right, or is there a "
            "proxy on the way that wants a sign-in?"
        )


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", b'{"ok": true}'), ("application/json", b"{nothing"), ("text/xml", b"<ok/>"), ("", b"")],
)
@pytest.mark.sampled(1)
def test_what_bears_no_requests_id_is_no_answer(kind: str, body: bytes) -> None:
    """Any server may answer at an address that was mistaken for AWS's."""
    for name in CALLS:
        error, _ = failing(Reply(200, [("Content-Type", kind)], body), name)
        assert str(error).startswith("Doing it: AWS in us-east-1 answered as no service of AWS does. "), name
