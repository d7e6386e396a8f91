"""A deployment beside another, beside `arc env` and beside a rotation: who waits or stops, and for whom."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from arc import inventory as inventories
from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.cloud.cloud import Cloud
from arc.tools.cloud.stacks import wait_for_deployment
from arc.tools.env.change import VariablesChange
from arc.tools.env.verify import Verification
from arc.tools.secrets.rotation import Rotation
from arc.tools.secrets.sealers import Secrets
from tests.cloud_faults import FaultyCloud, afterwards, on
from tests.tools.deploy.apps import COUNTER
from tests.tools.deploy.owner import Owner
from tests.tools.operator import parameters
from tests.tools.pauses import quick_cloud, session_at, short

NEW = "a new secret of this test, long enough"
_SIGNAL = {"Status": "SUCCESS", "UniqueId": "test", "Reason": "the test goes on", "Data": ""}


def template_of(client: Any, stack: str) -> dict[str, Any]:
    """The template of a deployed stack."""
    body = client.get_template(StackName=stack)["TemplateBody"]
    template: dict[str, Any] = json.loads(body if isinstance(body, str) else json.dumps(body))
    return template


def request_of(template: dict[str, Any]) -> dict[str, Any]:
    """What a call has for another template of the same stack."""
    previous = [{"ParameterKey": key, "UsePreviousValue": True} for key in template["Parameters"]]
    return {"TemplateBody": json.dumps(template), "Parameters": previous, "Capabilities": ["CAPABILITY_IAM"]}


class Held:
    """A deployment of an owner's app that does not end before `release`."""

    def __init__(self, owner: Owner) -> None:
        self.client = owner.engine.look("cloudformation")
        self.name = stack_name(owner.name, "staging")
        self.said: list[str] = []
        self._is_held = True
        template = template_of(self.client, self.name)
        template["Resources"]["Handle"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
        waiting = {"Handle": {"Ref": "Handle"}, "Timeout": "60"}
        template["Resources"]["Waiting"] = {"Type": "AWS::CloudFormation::WaitCondition", "Properties": waiting}
        self.client.update_stack(StackName=self.name, **request_of(template))

    def on_wait(self, sentence: str) -> None:
        """Record that a command waits, and let the deployment end."""
        self.said.append(sentence)
        self.release()

    def release(self) -> None:
        """Let the deployment end."""
        if self._is_held:
            self._is_held = False
            handle = urlsplit(self._handle())
            connection = http.client.HTTPConnection(handle.netloc, timeout=30)
            connection.request("PUT", f"{handle.path}?{handle.query}", json.dumps(_SIGNAL))
            assert connection.getresponse().status == 200
            connection.close()

    def _handle(self) -> str:
        while True:
            found = self.client.describe_stack_resources(StackName=self.name)["StackResources"]
            for one in found:
                if one["LogicalResourceId"] == "Handle" and one.get("PhysicalResourceId", "").startswith("http"):
                    return str(one["PhysicalResourceId"])


@contextmanager
def held(owner: Owner) -> Iterator[tuple[Held, Cloud]]:
    """Inside the block a deployment is in progress, which ends when a command on this cloud waits."""
    deployment = Held(owner)
    url = owner.engine.url
    try:
        yield deployment, Cloud(session_at(url), url=url, sleep=short, on_wait=deployment.on_wait)
    finally:
        deployment.release()
        wait_for_deployment(quick_cloud(url), owner.name, "staging", sleep=short)


def variables(owner: Owner, name: str = "get-index") -> dict[str, str]:
    """The variables of a deployed function."""
    found = owner.engine.look("lambda").get_function_configuration(FunctionName=f"{owner.name}-staging-{name}")
    shown: dict[str, str] = found["Environment"]["Variables"]
    return shown


def change(owner: Owner, cloud: Cloud) -> None:
    """Set a variable, as `arc env` does."""
    inventory = inventories.read(owner.folder, environ={})
    assert VariablesChange(cloud, inventory, "staging", {"GREETING": "hi"}, sleep=short).run().in_sync


def rotate(owner: Owner, cloud: Cloud) -> None:
    """Rotate the secret, as `arc secret rotate` does."""
    inventory = inventories.read(owner.folder, environ={})
    secrets = Secrets(cloud, inventory, "staging", lambda _: None, lambda _: None, sleep=short)
    Rotation(secrets).rotate(NEW)


def verify(owner: Owner, cloud: Cloud) -> None:
    """Sync the functions, as `arc env verify` does."""
    inventory = inventories.read(owner.folder, environ={})
    assert Verification(cloud, inventory, "staging").sync(lambda _done, _total: None).in_sync


@pytest.mark.parametrize("command", [change, rotate, verify])
def test_a_command_waits_for_a_deployment_and_says_so(owner: Owner, command: Callable[[Owner, Cloud], None]) -> None:
    """A deployment sets variables as they were when it began, so the command goes on once it has ended."""
    owner.deploy()
    with held(owner) as (deployment, cloud):
        command(owner, cloud)
        assert deployment.said == [
            f"Waiting for a deployment, which is changing the stack {deployment.name} (UPDATE_IN_PROGRESS)."
        ]
    desired = parameters(owner.engine, owner.name)
    for name in ("get-index", "get-about"):
        assert desired.items() <= variables(owner, name).items()
    assert variables(owner).get("GREETING") == ("hi" if command is change else None)
    assert (desired["ARC_APP_SECRET"] == NEW) == (command is rotate)


def test_a_deployment_stops_for_another_and_says_so(owner: Owner) -> None:
    """Before it changes anything."""
    owner.deploy()
    owner.save("get-index", COUNTER.replace("first", "second"))
    before = owner.code()
    with held(owner) as (deployment, cloud):
        with pytest.raises(ToolError) as busy:
            owner.deployment(cloud).plan()
        assert str(busy.value) == (
            f"Another deployment is changing the stack {deployment.name} (UPDATE_IN_PROGRESS). Wait until it ends, "
            "then run the command again. Nothing was changed."
        )
    assert owner.code() == before


def test_a_rotation_stops_a_deployment_that_is_about_to_begin(owner: Owner, faulty: FaultyCloud) -> None:
    """Also in the moment after the deployment has looked for one; the deployment says why it stopped."""
    owner.deploy()
    owner.save("get-index", COUNTER.replace("first", "second"))
    before = owner.code()
    inventory = inventories.read(owner.folder, environ={})
    secrets = Secrets(quick_cloud(owner.engine.url), inventory, "staging", lambda _: None, lambda _: None, sleep=short)

    def begin_rotation(is_before: bool) -> None:
        if is_before:
            secrets.rotation.write({"secret": NEW, "known": []})
            secrets.stop_deployments()

    faulty.begin(on("cloudformation.ExecuteChangeSet", begin_rotation))
    with pytest.raises(ToolError, match=r"A rotation of the secret in staging is in progress. Finish it first"):
        owner.deploy(quick_cloud(faulty.url))
    assert "cloudformation.ExecuteChangeSet" in faulty.calls
    assert owner.code() == before
    secrets.rotation.remove()
    owner.deploy()
    assert owner.code() != before


def test_a_variable_that_changes_during_a_deployment_reaches_every_function(owner: Owner, faulty: FaultyCloud) -> None:
    """The deployment looks for such changes at its end, and `arc env` waits until then."""
    owner.deploy()
    owner.save("get-index", COUNTER.replace("first", "second"))
    before = owner.code()
    changed = afterwards(lambda: change(owner, quick_cloud(owner.engine.url)))
    faulty.begin(on("cloudformation.ExecuteChangeSet", changed))
    owner.deploy(quick_cloud(faulty.url))
    assert owner.code() != before
    assert [variables(owner, name)["GREETING"] for name in ("get-index", "get-about")] == ["hi", "hi"]


def test_planned_changes_of_other_tools_are_left_alone(owner: Owner) -> None:
    """A rotation discards those of `arc deploy`."""
    owner.deploy()
    client, name = owner.engine.look("cloudformation"), stack_name(owner.name, "staging")
    template = template_of(client, name)
    template["Resources"]["GetIndexHTTPLambdaLogs"]["Properties"]["RetentionInDays"] = 60
    client.create_change_set(StackName=name, ChangeSetName="by-hand", **request_of(template))
    owner.save("get-index", COUNTER.replace("first", "second"))
    owner.deployment().plan()

    def planned() -> list[str]:
        found = client.list_change_sets(StackName=name)["Summaries"]
        return sorted(one["ChangeSetName"] for one in found if one["ExecutionStatus"] == "AVAILABLE")

    assert [one.rpartition("-")[0] for one in planned()] == ["arc-deploy", "by"]
    rotate(owner, quick_cloud(owner.engine.url))
    assert planned() == ["by-hand"]
