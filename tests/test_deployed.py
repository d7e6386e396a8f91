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


def test_the_package_holds_the_runtime_alone() -> None:
    """`arc`, cryptography and a handler; neither the tools nor anything else that is installed here."""
    with zipfile.ZipFile(io.BytesIO(package())) as archive:
        names = archive.namelist()
        assert archive.read("handler.py").decode() == COUNTER
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert {"arc", "cryptography", "handler.py"} <= tops
    assert not [name for name in tops if name.startswith(("boto", "pytest", "typer", "ministack"))]
    assert not [name for name in names if name.startswith("arc/tools/") or "__pycache__" in name]


def test_a_function_runs_the_code_of_its_package(cloud: Engine) -> None:
    """Not what is installed beside the tests."""
    told = deploy(cloud, fresh_app(), code=package(), variables={"ARC_APP_SECRET": SECRET}).visitor().get().json()
    assert told["arc"] == f"{told['root']}/arc/__init__.py"
    assert told["cryptography"] == f"{told['root']}/cryptography/__init__.py"


def test_a_function_has_the_variables_of_its_deployment(cloud: Engine) -> None:
    """Those that every function has, and the user's; they are what the running code sees."""
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
def test_functions_are_tagged_where_that_is_asked_for(cloud: Engine, tags: bool) -> None:
    """With the app and the environment."""
    app = fresh_app()
    deploy(cloud, app, names=("A", "B"), tags=tags)
    found = cloud.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "arc:app", "Values": [app]}])
    names = {one["ResourceARN"].rpartition(":")[2] for one in found["ResourceTagMappingList"]}
    assert names == ({f"{app}-staging-A", f"{app}-staging-B"} if tags else set())


def test_a_stack_names_its_functions_itself(cloud: Engine) -> None:
    """Neither the tags nor the name tell whose they are: the stack alone does."""
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


def test_a_visitor_keeps_his_session(cloud: Engine) -> None:
    """In the sealed cookie by default: it counts for one visitor, and begins anew for another."""
    deployed = deploy(cloud, fresh_app(), code=package(), variables={"ARC_APP_SECRET": SECRET})
    one, other = deployed.visitor(), deployed.visitor()
    assert [one.get(path).json()["visits"] for path in ("/", "/any/path", "/read", "/")] == [1, 2, 2, 3]
    told = other.get("/read").json()
    assert (told["visits"], told["store"]) == (0, "jwe")
    assert (one.jar.get("_idx") or "").startswith("eyJ")


def test_a_session_in_a_table_is_a_row_of_the_same_cloud(cloud: Engine) -> None:
    """What a function writes is there for everybody who asks that cloud."""
    table = cloud.table()
    variables = {"ARC_APP_SECRET": SECRET, "ARC_SESSION_TABLE_NAME": table}
    visitor = deploy(cloud, fresh_app(), code=package(), variables=variables).visitor()
    assert [visitor.get().json()["visits"] for _ in range(2)] == [1, 2]
    (row,) = cloud.items(table)
    assert row["visits"] == {"N": "2"}
    assert (visitor.jar.get("_idx") or "").startswith(row["_idx"]["S"])


def test_another_secret_opens_no_session_and_a_fallback_does(cloud: Engine) -> None:
    """So a test of rotation can fail."""
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


def test_the_cloud_listens_on_loopback_alone(cloud: Engine) -> None:
    """With all its services and its functions, on the port that its address tells."""
    assert deploy(cloud, fresh_app(), variables={"K": "1"}).environ("K")["K"] == "1"
    assert listening(cloud.process.pid) == [(LOOPBACK, cloud.port)]
