"""What CloudFormation refuses before it changes anything: the errors say what is wrong, and with which resource."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs

import pytest

from arc.errors import ToolError
from arc.tools.deploy.stack import Stack
from tests.cloud_calls import Reply
from tests.cloud_faults import FaultyCloud, faulty_cloud
from tests.engines import Engine, fresh_app
from tests.tools.deploy.apps import COUNTER
from tests.tools.deploy.owner import Owner
from tests.tools.pauses import quick_cloud, short

REASON = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot Early "
    "Validation errors, use the DescribeEvents API for detailed failure information."
)
FAILED = """<DescribeChangeSetResponse><DescribeChangeSetResult><Status>FAILED</Status><StatusReason>{}</StatusReason>
</DescribeChangeSetResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeChangeSetResponse>"""
EVENT = """<member><EventType>VALIDATION_ERROR</EventType><LogicalResourceId>GetIndexHTTPLambda</LogicalResourceId>
<ResourceType>AWS::Lambda::Function</ResourceType><ValidationFailureMode>{}</ValidationFailureMode>
<ValidationStatus>FAILED</ValidationStatus><ValidationStatusReason>{}</ValidationStatusReason></member>"""
EVENTS = """<DescribeEventsResponse><DescribeEventsResult><OperationEvents>{}</OperationEvents></DescribeEventsResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeEventsResponse>"""
DENIED = (
    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed</Message></Error>"
    "<RequestId>1</RequestId></ErrorResponse>"
)


class Validating(FaultyCloud):
    """A cloud that refuses change sets as AWS's early validation does; the local cloud validates later."""

    events: str | None = ""
    """The events of the validation, None for credentials that may not read them."""

    def forward(self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> Reply:
        """Answer what early validation changes."""
        action = parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        if action == "DescribeChangeSet":
            return Reply(200, [("Content-Type", "text/xml")], FAILED.format(REASON).encode())
        if action == "DescribeEvents" and self.events is None:
            return Reply(403, [("Content-Type", "text/xml")], DENIED.encode())
        if action == "DescribeEvents":
            return Reply(200, [("Content-Type", "text/xml")], EVENTS.format(self.events).encode())
        return super().forward(method, path, list(headers), body)


@pytest.fixture
def validating(cloud: Engine) -> Iterator[Validating]:
    """That cloud."""
    with faulty_cloud(cloud, kind=Validating) as proxy:
        assert isinstance(proxy, Validating)
        yield proxy


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (
            EVENT.format("WARN", "A warning.") + EVENT.format("FAIL", "#/MemorySize: 1 is less than 128.") * 2,
            "GetIndexHTTPLambda (Lambda::Function): #/MemorySize: 1 is less than 128.",
        ),
        ("", REASON),
        (None, REASON),
    ],
    ids=["events", "no events", "denied"],
)
def test_a_change_set_that_is_refused_says_what_is_wrong(
    owner: Owner, validating: Validating, events: str | None, said: str
) -> None:
    """CloudFormation's own reason only names another call, which may not be allowed; warnings are no reason."""
    owner.deploy()
    before = owner.code()
    owner.save("get-index", COUNTER.replace("first", "second"))
    validating.events = events
    with pytest.raises(ToolError) as refused:
        owner.deploy(quick_cloud(validating.url))
    name = owner.deployment().plan(dry_run=True).stack
    assert str(refused.value) == f"CloudFormation cannot plan the deployment of {name}: {said} Nothing was deployed."
    assert owner.code() == before
    assert owner.deploy().changes


def test_a_change_that_is_refused_as_a_whole_says_what_is_wrong(cloud: Engine) -> None:
    """The stack's own event points to the same call; the stack is rolled back before the error."""
    name = fresh_app().title().replace("-", "")
    stack = Stack(quick_cloud(cloud.url), name, {}, sleep=short)
    profile = {"Type": "AWS::Signer::SigningProfile", "Properties": {"PlatformId": "none"}}
    template = {"TemplateBody": json.dumps({"Resources": {"Profile": profile}})}
    stack.plan(template, {}, exists=False, change_set="arc-deploy-1")
    with pytest.raises(ToolError) as refused:
        stack.execute("arc-deploy-1", lambda _event: None)
    assert str(refused.value).startswith(
        f"CloudFormation could not change the stack {name} (status ROLLBACK_COMPLETE). "
        "Profile (Signer::SigningProfile): none is not a valid enum value."
    )
    assert not stack.check_free()
