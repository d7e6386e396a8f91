"""The proxy names every call, and its faults are those of the real services."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.cloud_faults import FaultyCloud, Kill, afterwards, faulty_cloud, on
from tests.deployed import INDEX, deploy
from tests.engines import Engine, fresh_app

PUTS = """
import boto3, sys
client = boto3.client("ssm", region_name="us-east-1")
for number in range(3):
    client.put_parameter(Name=f"/{sys.argv[1]}/staging/K{number}", Value="v", Type="SecureString")
    print(number, flush=True)
"""


def parameters(cloud: Engine, app: str) -> list[str]:
    """The names of an app's parameters, read without the proxy."""
    found = cloud.client("ssm").get_parameters_by_path(Path=f"/{app}/staging")["Parameters"]
    return sorted(one["Name"].rpartition("/")[2] for one in found)


def put(client: Any, app: str) -> None:
    """Write one parameter."""
    client.put_parameter(Name=f"/{app}/staging/K", Value="v", Type="SecureString", Overwrite=True)


def test_calls_are_named_by_service_and_operation(cloud: Engine, faulty: FaultyCloud) -> None:
    """This works for every protocol: targets, forms, and methods with paths."""
    app = fresh_app()
    name = deploy(cloud, app).functions[INDEX]
    put(faulty.client("ssm"), app)
    faulty.client("dynamodb").list_tables()
    faulty.client("resourcegroupstaggingapi").get_resources()
    faulty.client("iam").list_roles()
    with pytest.raises(ClientError, match="ValidationError"):
        faulty.client("cloudformation").describe_stacks(StackName=app)
    client = faulty.client("lambda")
    client.list_functions()
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    client.list_tags(Resource=arn)
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"K": "1"}})
    client.list_versions_by_function(FunctionName=name)
    faulty.client("apigatewayv2").get_apis()
    assert faulty.calls == [
        "ssm.PutParameter",
        "dynamodb.ListTables",
        "tagging.GetResources",
        "iam.ListRoles",
        "cloudformation.DescribeStacks",
        "lambda.ListFunctions",
        "lambda.GetFunctionConfiguration",
        "lambda.ListTags",
        "lambda.UpdateFunctionConfiguration",
        "lambda.ListVersionsByFunction",
        "apigateway.GET /v2/apis",
    ]
    assert cloud.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"] == {
        "K": "1"
    }


@pytest.mark.parametrize(
    ("service", "operation", "request_", "fault", "status", "code"),
    [
        ("lambda", "list_functions", {}, "throttle", 429, "TooManyRequestsException"),
        ("lambda", "list_functions", {}, "conflict", 409, "ResourceConflictException"),
        ("lambda", "list_functions", {}, "error", 500, "InternalServerError"),
        ("ssm", "describe_parameters", {}, "throttle", 400, "ThrottlingException"),
        ("ssm", "describe_parameters", {}, "conflict", 400, "TooManyUpdates"),
        ("dynamodb", "list_tables", {}, "throttle", 400, "ThrottlingException"),
        ("resourcegroupstaggingapi", "get_resources", {}, "throttle", 400, "ThrottledException"),
        ("cloudformation", "list_stack_resources", {"StackName": "S"}, "throttle", 400, "Throttling"),
    ],
)
def test_refusals_are_those_of_the_real_services(
    faulty: FaultyCloud, service: str, operation: str, request_: dict[str, str], fault: str, status: int, code: str
) -> None:
    """They have the service's status and code."""
    faulty.begin(lambda _name, _number: fault)
    with pytest.raises(ClientError) as caught:
        getattr(faulty.client(service), operation)(**request_)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(("fault", "written"), [("lost", ["K"]), ("unsent", []), ("error", [])])
def test_lost_call_takes_effect_and_unsent_call_does_not(
    cloud: Engine, faulty: FaultyCloud, fault: str, written: list[str]
) -> None:
    """The client gets a closed connection both times, and the second call succeeds."""
    app, client = fresh_app(), faulty.client("ssm")
    faulty.begin(on("ssm.PutParameter", fault))
    with pytest.raises((ConnectionClosedError, ClientError)):
        put(client, app)
    assert parameters(cloud, app) == written
    put(client, app)
    assert parameters(cloud, app) == ["K"]


def test_plan_selects_calls(faulty: FaultyCloud) -> None:
    """The second and the third call of one name are selected, whatever comes between."""
    faulty.begin(on("lambda.ListFunctions", "throttle", first=2, times=2))
    client, other, outcomes = faulty.client("lambda"), faulty.client("dynamodb"), []
    for _ in range(4):
        other.list_tables()
        try:
            client.list_functions()
            outcomes.append("passed")
        except client.exceptions.TooManyRequestsException:
            outcomes.append("throttled")
    assert outcomes == ["passed", "throttled", "throttled", "passed"]


def test_parallel_change_invalidates_a_revision(cloud: Engine, faulty: FaultyCloud) -> None:
    """It is made after the read took effect, so the following update is refused."""
    deployed = deploy(cloud, fresh_app())
    faulty.begin(on("lambda.GetFunctionConfiguration", afterwards(lambda: deployed.set_variables({"K": "theirs"}))))
    client, name = faulty.client("lambda"), deployed.functions[INDEX]
    revision = client.get_function_configuration(FunctionName=name)["RevisionId"]
    with pytest.raises(client.exceptions.PreconditionFailedException):
        client.update_function_configuration(FunctionName=name, Environment={"Variables": {}}, RevisionId=revision)
    assert deployed.variables() == {"K": "theirs"}


def test_parallel_update_is_refused(cloud: Engine, faulty: FaultyCloud) -> None:
    """It succeeds after the first update, as on Lambda."""
    deployed = deploy(cloud, fresh_app(), names=["GetSlow"])
    client, name = faulty.client("lambda"), deployed.functions["GetSlow"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"K": "1"}})
    with pytest.raises(client.exceptions.ResourceConflictException, match="An update is in progress"):
        client.update_function_configuration(FunctionName=name, Environment={"Variables": {"K": "2"}})
    assert deployed.variables("GetSlow") == {"K": "1"}
    deployed.settle()
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"K": "2"}})
    assert deployed.variables("GetSlow") == {"K": "2"}


@pytest.mark.parametrize(
    ("after", "printed", "written"), [(False, ["0"], ["K0"]), (True, ["0"], ["K0", "K1"])], ids=["before", "after"]
)
def test_command_is_killed_at_a_selected_call(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, after: bool, printed: list[str], written: list[str]
) -> None:
    """It is killed before or after the call takes effect, and never gets the response."""
    app = fresh_app()
    kill = Kill(2, after=after)
    faulty.begin(kill)
    command = [sys.executable, "-c", PUTS, app]
    with subprocess.Popen(command, env=faulty.environ(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        kill.aim(process)
        out, _ = process.communicate(timeout=60)
    assert kill.fired
    assert process.returncode == -9
    assert out.split() == printed
    assert parameters(cloud, app) == written


def test_error_in_a_plan_fails_the_test(cloud: Engine) -> None:
    """An error in a hook is not mistaken for a fault of the cloud."""

    def ask() -> None:
        with faulty_cloud(cloud) as faulty:
            faulty.begin(lambda _name, _number: afterwards(lambda: 1 // 0))
            with pytest.raises(ConnectionClosedError):
                faulty.client("lambda").list_functions()

    with pytest.raises(ZeroDivisionError):
        ask()


def test_command_environment_is_isolated(faulty: FaultyCloud, tmp_path: Path) -> None:
    """Its credentials are dummies, its home is the test's, and its cloud is the proxy."""
    environ = faulty.environ(tmp_path)
    assert environ["HOME"] == str(tmp_path)
    assert {name: value for name, value in environ.items() if name.startswith(("AWS_", "ARC_"))} == {
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": faulty.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
