"""`arc deploy` on a local cloud: what changes, what stays, and what happens when something fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.cloud.parameters import Memo
from arc.tools.deploy.packages import install_here
from arc.tools.deploy.stack import StackBusy
from arc.tools.env.variables import ROTATION
from tests.tools.deploy.apps import COUNTER, app_of
from tests.tools.deploy.owner import ROUTES, Owner
from tests.tools.operator import parameters
from tests.tools.pauses import quick_cloud

SECRET = "a secret of this test, long enough"


def test_the_deployed_app_answers_and_keeps_sessions(owner: Owner) -> None:
    """Its functions have a random secret, which is in SSM as well."""
    owner.deploy(install=install_here)
    visitor = owner.visitor()
    assert [visitor.get("/").json()["visits"] for _ in range(3)] == [1, 2, 3]
    assert len(parameters(owner.engine, owner.name)["ARC_APP_SECRET"]) >= 32


def test_a_second_deployment_without_a_change_does_nothing(owner: Owner) -> None:
    """Nothing is planned or uploaded."""
    assert owner.deploy().changes
    plan = owner.deploy()
    assert (plan.changes, plan.uploads) == ((), ())


def test_one_changed_handler_updates_one_function(owner: Owner) -> None:
    """One resource changes, one zip is uploaded, and the other function stays as it was."""
    owner.deploy()
    before = owner.code("get-index"), owner.code("get-about")
    owner.save("get-index", COUNTER.replace("first", "second"))
    plan = owner.deploy()
    assert [(one.action, one.logical_id, one.details) for one in plan.changes] == [
        ("Modify", "GetIndexHTTPLambda", ("Code",))
    ]
    assert [one.name for one in plan.uploads] == ["get /"]
    assert owner.code("get-index") != before[0]
    assert owner.code("get-about") == before[1]


def test_a_removed_route_is_removed(owner: Owner) -> None:
    """Its function and all that belonged to it."""
    owner.deploy()
    app_of(owner.folder, owner.name, {"get /": COUNTER})
    plan = owner.deploy()
    assert {one.action for one in plan.changes} == {"Remove"}
    assert {one.logical_id for one in plan.changes} == {
        *("GetAboutHTTPLambda", "GetAboutHTTPLambdaLogs", "GetAboutIntegration", "GetAboutPermission", "GetAboutRoute")
    }


def test_a_dry_run_changes_nothing(owner: Owner) -> None:
    """Before the first deployment and after it."""
    plan = owner.deployment().plan(dry_run=True)
    assert len(plan.changes) == 4 + 5 * 2
    assert parameters(owner.engine, owner.name) == {}
    assert owner.deployment().address() == ""
    owner.deploy()
    before = owner.code()
    owner.save("get-index", COUNTER.replace("first", "second"))
    assert [one.logical_id for one in owner.deployment().plan(dry_run=True).changes] == ["GetIndexHTTPLambda"]
    assert owner.code() == before
    assert [one.logical_id for one in owner.deploy().changes] == ["GetIndexHTTPLambda"]


def test_functions_get_the_environments_variables(owner: Owner) -> None:
    """Those in SSM, and what changes there between the plan and its end."""
    ssm = owner.engine.look("ssm")
    for name, value in (("GREETING", "hi"), ("ARC_APP_SECRET", SECRET)):
        ssm.put_parameter(Name=f"/{owner.name}/staging/{name}", Value=value, Type="SecureString")
    deployment = owner.deployment()
    plan = deployment.plan()
    ssm.put_parameter(Name=f"/{owner.name}/staging/GREETING", Value="ho", Type="SecureString", Overwrite=True)
    deployment.apply(plan, owner.events.append)
    client = owner.engine.look("lambda")
    found = client.get_function_configuration(FunctionName=f"{owner.name}-staging-get-index")
    variables = found["Environment"]["Variables"]
    assert variables.pop("ARC_ROLE").startswith("arn:aws:iam:")
    assert variables == {
        "ARC_APP_NAME": owner.name,
        "ARC_APP_SECRET": SECRET,
        "ARC_ENV": "staging",
        "ARC_SESSION_TABLE_NAME": "jwe",
        "ARC_STACK_NAME": plan.stack,
        "GREETING": "ho",
    }


def test_no_secret_is_in_the_stack(owner: Owner) -> None:
    """Neither its template nor its parameters nor its events show one."""
    owner.engine.look("ssm").put_parameter(Name=f"/{owner.name}/staging/ARC_APP_SECRET", Value=SECRET, Type="String")
    stack = owner.deploy().stack
    client = owner.engine.look("cloudformation")
    shown = [
        client.get_template(StackName=stack)["TemplateBody"],
        client.describe_stacks(StackName=stack)["Stacks"],
        client.describe_stack_events(StackName=stack)["StackEvents"],
    ]
    assert SECRET not in json.dumps(shown, default=str)


def test_the_second_of_two_deployments_says_so_and_stops(owner: Owner) -> None:
    """Both were planned; the first one wins."""
    owner.deploy()
    owner.save("get-index", COUNTER.replace("first", "second"))
    first = owner.deployment()
    one = first.plan()
    owner.save("get-index", COUNTER.replace("first", "third"))
    second = owner.deployment()
    other = second.plan()
    first.apply(one, owner.events.append)
    code = owner.code()
    with pytest.raises(StackBusy, match="Another deployment has changed the stack"):
        second.apply(other, owner.events.append)
    assert owner.code() == code


def test_what_cannot_be_created_is_rolled_back_with_its_cause(owner: Owner) -> None:
    """The old version goes on, and the error names the resource and AWS's reason."""
    owner.deploy()
    before = owner.code()
    owner.save("get-index", COUNTER.replace("first", "second"))
    folder = owner.folder / "src/http/get-about"
    missing = "arn:aws:lambda:us-east-1:000000000000:layer:missing:7"
    (folder / "config.arc").write_text(f"@aws\nlayers {missing}\n", encoding="utf-8")
    with pytest.raises(ToolError) as failed:
        owner.deploy()
    assert "(status UPDATE_ROLLBACK_COMPLETE)" in str(failed.value)
    assert "GetAboutHTTPLambda (Lambda::Function)" in str(failed.value)
    assert owner.code() == before
    (folder / "config.arc").unlink()
    owner.deploy()
    assert owner.code() != before


def test_a_first_deployment_that_fails_can_be_repeated(owner: Owner) -> None:
    """CloudFormation leaves a stack that was never made, which the next deployment replaces."""
    folder = owner.folder / "src/http/get-about"
    missing = "arn:aws:lambda:us-east-1:000000000000:layer:missing:7"
    (folder / "config.arc").write_text(f"@aws\nlayers {missing}\n", encoding="utf-8")
    with pytest.raises(ToolError, match="GetAboutHTTPLambda"):
        owner.deploy()
    (folder / "config.arc").unlink()
    owner.deploy()
    assert owner.code()


def test_a_stack_of_another_tool_is_left_alone(owner: Owner) -> None:
    """Architect's stack of the same app has the same name, and its tables would be deleted with what is not ours."""
    client, name = owner.engine.look("cloudformation"), stack_name(owner.name, "staging")
    table = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "data", "Name": f"/{name}/data"}}
    client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Data": table}}))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.05})
    for change in (owner.deploy, lambda: owner.deployment().delete(tables=False)):
        with pytest.raises(ToolError, match="was not made by `arc deploy` for this app"):
            change()
    assert owner.engine.look("ssm").get_parameter(Name=f"/{name}/data")["Parameter"]["Value"] == "data"
    client.delete_stack(StackName=name)


def test_an_app_with_a_similar_name_is_left_alone(owner: Owner, tmp_path: Path) -> None:
    """`shop-a` and `shop_a` have the same stack, and different buckets."""
    owner.deploy()
    other = Owner(owner.engine, tmp_path / "other")
    other.name = owner.name.replace("-", "_")
    app_of(other.folder, other.name, ROUTES)
    with pytest.raises(ToolError, match="was not made by `arc deploy` for this app"):
        other.deploy()
    assert owner.deploy().changes == ()


def test_names_that_no_bucket_may_have(owner: Owner) -> None:
    """An app with an underscore in its name is deployed all the same."""
    owner.name = f"{owner.name}_x"
    app_of(owner.folder, owner.name, ROUTES)
    assert owner.deploy().changes
    assert owner.deploy().changes == ()


def test_secrets_that_change_after_the_plan_stop_the_deployment(owner: Owner) -> None:
    """Functions would get the old ones; the change set is discarded."""
    owner.deploy()
    owner.save("get-index", COUNTER.replace("first", "second"))
    deployment = owner.deployment()
    plan = deployment.plan()
    name = f"/{owner.name}/staging/ARC_APP_SECRET"
    owner.engine.look("ssm").put_parameter(Name=name, Value=SECRET, Type="SecureString", Overwrite=True)
    with pytest.raises(ToolError, match="The secrets of staging have changed since this deployment was planned"):
        deployment.apply(plan, owner.events.append)
    assert owner.deploy().changes


def test_nothing_is_deployed_while_the_secret_is_rotated(owner: Owner) -> None:
    """Functions would get the secrets of another phase."""
    owner.deploy()
    memo = Memo(quick_cloud(owner.engine.url), owner.name, "staging", ROTATION)
    memo.write({"phase": 1})
    owner.save("get-index", COUNTER.replace("first", "second"))
    with pytest.raises(ToolError, match="A rotation of the secret in staging is in progress"):
        owner.deploy()
    memo.remove()
    assert owner.deploy().changes
