"""Functions that tests deploy are real: packages, variables, stacks, sessions and HTTP in front."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from arc.service_map import stack_name
from tests.deployed import COUNTER, INDEX, deploy, package
from tests.engines import Engine, fresh_app
from tests.test_engines import LOOPBACK, listening

SECRET = "0123456789abcdefghijklmnopqrstuv"
OTHER = "vutsrqponmlkjihgfedcba9876543210"


def test_package_contains_only_the_runtime() -> None:
    """It has `arc`, cryptography and a handler, and neither the tools nor other installed packages."""
    with zipfile.ZipFile(io.BytesIO(package())) as archive:
        names = archive.namelist()
        assert archive.read("handler.py").decode() == COUNTER
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert {"arc", "cryptography", "handler.py"} <= tops
    assert not [name for name in tops if name.startswith(("boto", "pytest", "typer", "ministack"))]
    assert not [name for name in names if name.startswith("arc/tools/") or "__pycache__" in name]


def test_function_runs_the_code_of_its_package(cloud: Engine) -> None:
    """It does not use the packages of the tests."""
    answer = deploy(cloud, fresh_app(), code=package(), variables={"ARC_APP_SECRET": SECRET}).visitor().get().json()
    assert answer["arc"] == f"{answer['root']}/arc/__init__.py"
    assert answer["cryptography"] == f"{answer['root']}/cryptography/__init__.py"


def test_function_has_the_variables_of_its_deployment(cloud: Engine) -> None:
    """The running code has the default variables and the user's."""
    app = fresh_app()
    deployed = deploy(cloud, app, "production", variables={"K": "é\n'\""})
    expected = {
        "ARC_APP_NAME": app,
        "ARC_ENV": "production",
        "ARC_ROLE": "arn:aws:iam::000000000000:role/shop",
        "ARC_STACK_NAME": stack_name(app, "production"),
        "ARC_SESSION_TABLE_NAME": "jwe",
        "K": "é\n'\"",
    }
    assert deployed.variables() == expected
    assert deployed.environ("K") == expected
    deployed.set_variables({"K": "2"})
    assert deployed.environ("K") == {"K": "2"}


@pytest.mark.parametrize("tags", [True, False])
def test_functions_are_tagged_if_requested(cloud: Engine, tags: bool) -> None:
    """The tags are the app and the environment."""
    app = fresh_app()
    deploy(cloud, app, names=("A", "B"), tags=tags)
    found = cloud.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "arc:app", "Values": [app]}])
    names = {one["ResourceARN"].rpartition(":")[2] for one in found["ResourceTagMappingList"]}
    assert names == ({f"{app}-staging-A", f"{app}-staging-B"} if tags else set())


def test_stack_names_its_functions(cloud: Engine) -> None:
    """Only the stack shows which app they belong to, not their tags or names."""
    app = fresh_app()
    deployed = deploy(cloud, app, stack=True, code=package(), variables={"ARC_APP_SECRET": SECRET})
    name = deployed.functions[INDEX]
    assert not name.startswith(f"{app}-staging-")
    tags = cloud.client("lambda").list_tags(Resource=deployed.configuration()["FunctionArn"])["Tags"]
    assert not [key for key in tags if not key.startswith("aws:")]
    resources = cloud.client("cloudformation").list_stack_resources(StackName=stack_name(app, "staging"))
    kinds = {one["PhysicalResourceId"]: one["ResourceType"] for one in resources["StackResourceSummaries"]}
    assert kinds[name] == "AWS::Lambda::Function"
    assert len(kinds) == 2
    assert deployed.visitor().get().json()["visits"] == 1


def test_visitors_have_separate_sessions(cloud: Engine) -> None:
    """By default the sealed cookie counts for one visitor, and begins anew for another."""
    deployed = deploy(cloud, fresh_app(), code=package(), variables={"ARC_APP_SECRET": SECRET})
    one, other = deployed.visitor(), deployed.visitor()
    assert [one.get(path).json()["visits"] for path in ("/", "/any/path", "/read", "/")] == [1, 2, 2, 3]
    answer = other.get("/read").json()
    assert (answer["visits"], answer["store"]) == (0, "jwe")
    assert (one.jar.get("_idx") or "").startswith("eyJ")


def test_session_in_a_table_is_a_row_of_the_same_cloud(cloud: Engine) -> None:
    """Other clients of the cloud can read the row that a function writes."""
    table = cloud.table()
    variables = {"ARC_APP_SECRET": SECRET, "ARC_SESSION_TABLE_NAME": table}
    visitor = deploy(cloud, fresh_app(), code=package(), variables=variables).visitor()
    assert [visitor.get().json()["visits"] for _ in range(2)] == [1, 2]
    (row,) = cloud.items(table)
    assert row["visits"] == {"N": "2"}
    assert (visitor.jar.get("_idx") or "").startswith(row["_idx"]["S"])


def test_fallback_secret_opens_sessions(cloud: Engine) -> None:
    """Another secret opens none, so a test of rotation can fail."""
    deployed = deploy(cloud, fresh_app(), code=package(), variables={"ARC_APP_SECRET": SECRET})
    visitor = deployed.visitor()
    assert visitor.get().json()["visits"] == 1
    plain = deployed.variables()
    deployed.set_variables({**plain, "ARC_APP_SECRET": OTHER})
    assert visitor.get("/read").json()["visits"] == 0
    deployed.set_variables({**plain, "ARC_APP_SECRET": OTHER, "ARC_APP_SECRET_FALLBACKS": json.dumps([SECRET])})
    assert visitor.get("/read").json()["visits"] == 1
    deployed.set_variables({name: value for name, value in plain.items() if name != "ARC_APP_SECRET"})
    answer = visitor.get("/read")
    assert (answer.status, dict(answer.headers)["x-raised"]) == (500, "MissingSecret")


def test_cloud_listens_only_on_loopback(cloud: Engine) -> None:
    """All its services and functions use the port in its address."""
    assert deploy(cloud, fresh_app(), variables={"K": "1"}).environ("K")["K"] == "1"
    assert listening(cloud.process.pid) == [(LOOPBACK, cloud.port)]
