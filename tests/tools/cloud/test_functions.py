"""Which functions belong to an app's environment, and which only look like it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.cloud.cloud import Cloud, local_cloud
from arc.tools.cloud.functions import Found, Functions
from tests.cloud_calls import Reply
from tests.cloud_faults import FaultyCloud
from tests.deployed import ROLE, Deployed, deploy, zipped
from tests.engines import Engine, fresh_app
from tests.tools.cloud.answering import Answering, refused_in_xml, told


@pytest.fixture
def app() -> str:
    """The name of an app that no other test has."""
    return fresh_app()


def found(cloud: Engine | FaultyCloud, app: str, environment: str = "staging") -> Found:
    """Return the functions found in an environment."""
    return Functions(local_cloud(cloud.url, "us-east-1"), app, environment).find()


def add(cloud: Engine, name: str, variables: dict[str, str], tags: dict[str, str] | None = None) -> str:
    """Create a function by hand, and return its name."""
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.handler",
        Role=ROLE,
        Code={"ZipFile": zipped()},
        Environment={"Variables": variables},
        Tags=tags or {},
    )
    return name


def own(app: str, environment: str = "staging") -> dict[str, str]:
    """Return the variables that name a function's app and environment."""
    return {"ARC_APP_NAME": app, "ARC_ENV": environment}


def labels(app: str, environment: str = "staging") -> dict[str, str]:
    """Return the tags that name them."""
    return {"arc:app": app, "arc:environment": environment}


def stacked(cloud: Engine, stack: str, resources: dict[str, Any]) -> None:
    """Make a stack of `resources` and wait for it."""
    client = cloud.client("cloudformation")
    client.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})


def resource(app: str) -> dict[str, Any]:
    """A function of a stack."""
    code = {"Runtime": "python3.13", "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": "handler = print"}}
    return {"Type": "AWS::Lambda::Function", "Properties": {**code, "Environment": {"Variables": own(app)}}}


def inverted(deployed: Deployed) -> dict[str, str]:
    """Logical ids by the functions' own names."""
    return {name: logical for logical, name in deployed.functions.items()}


def test_functions_of_the_stack_are_found_by_their_logical_ids(cloud: Engine, app: str) -> None:
    """CloudFormation chooses their names; other resources of the stack are ignored."""
    deployed = deploy(cloud, app, names=["GetIndexHTTPLambda", "PostLoginHTTPLambda"], stack=True)
    assert not any(name.startswith(f"{app}-staging-") for name in deployed.functions.values())
    assert found(cloud, app) == Found(inverted(deployed), ())
    assert found(cloud, app, "production") == Found({}, ())


def test_functions_in_nested_stacks_are_found(cloud: Engine, app: str) -> None:
    """Stacks may be nested to any depth."""
    store = cloud.client("s3")
    store.create_bucket(Bucket=app)
    inner: dict[str, Any] = {"Deepest": resource(app)}
    for name in ("deeper", "deep"):
        store.put_object(Bucket=app, Key=name, Body=json.dumps({"Resources": inner}))
        nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": f"{cloud.url}/{app}/{name}"}}
        inner = {"Nested": nested, f"Beside{name}": resource(app)}
    stacked(cloud, stack_name(app, "staging"), inner)
    assert sorted(found(cloud, app).names.values()) == ["Besidedeep", "Besidedeeper", "Deepest"]


def test_functions_are_found_by_their_tags(cloud: Engine, app: str) -> None:
    """Names do not matter if variables do not contradict; both tags are necessary."""
    names = [
        add(cloud, f"cart-of-{app}", {}, labels(app)),
        add(cloud, f"{app}-staging-GetCart", {"ARC_ENV": "staging"}, labels(app)),
    ]
    add(cloud, f"half-of-{app}", {}, {"arc:app": app})
    add(cloud, f"other-half-of-{app}", {}, {"arc:environment": "staging"})
    add(cloud, f"elsewhere-of-{app}", {}, labels(app, "production"))
    assert found(cloud, app) == Found(dict(zip(names, (f"cart-of-{app}", "GetCart"), strict=True)), ())


def test_function_with_the_prefix_needs_matching_variables(cloud: Engine, app: str) -> None:
    """Without them it is ignored with a note; one of another app is ignored without."""
    good = add(cloud, f"{app}-staging-GetIndex", own(app))
    silent = add(cloud, f"{app}-staging-silent", {"GREETING": "hello"})
    half = add(cloud, f"{app}-staging-half", {"ARC_APP_NAME": app})
    add(cloud, f"{app}-staging-GetOther", own(f"{app}-staging", "production"))
    add(cloud, f"{app}-staging-GetCopy", own(app, "production"))
    result = found(cloud, app)
    assert result.names == {good: "GetIndex"}
    assert result.notes == tuple(
        f"Ignored {name}: its name begins with {app}-staging-, but neither its variables (ARC_APP_NAME, ARC_ENV) nor "
        f"its tags (arc:app, arc:environment) say that it belongs to {app} in staging."
        for name in (half, silent)
    )


@pytest.mark.parametrize("stack", [False, True], ids=["tags", "stack"])
def test_variables_take_precedence_over_tags_and_stack(cloud: Engine, app: str, *, stack: bool) -> None:
    """The function is ignored, and a note has its variables."""
    deployed = deploy(cloud, app, names=["A", "B", "C"], stack=stack)
    deployed.set_variables(own("another"), "A")
    deployed.set_variables({"ARC_ENV": "production"}, "B")
    result = found(cloud, app)
    assert result.names == {deployed.functions["C"]: "C"}
    assert sorted(result.notes) == sorted(
        f"Ignored {deployed.functions[name]}: its stack or tags say that it belongs to {app} in staging, but its "
        f"variables say {said}."
        for name, said in (("A", "ARC_APP_NAME=another and ARC_ENV=staging"), ("B", "ARC_ENV=production"))
    )


def test_function_with_only_matching_variables_is_ignored(cloud: Engine, app: str) -> None:
    """It may be in another stack, or a copy; a note names it."""
    name = add(cloud, f"copy-of-{app}", own(app))
    note = (
        f"Ignored {name}: its variables say that it belongs to {app} in staging, but it is not in the stack "
        f"{stack_name(app, 'staging')}, has no tags (arc:app, arc:environment) that say so, and its name does not "
        f"begin with {app}-staging-."
    )
    assert found(cloud, app) == Found({}, (note,))


@pytest.mark.parametrize(
    ("tags", "stack"), [(False, False), (True, False), (False, True)], ids=["names", "tags", "stacks"]
)
def test_apps_with_similar_names_have_separate_functions(cloud: Engine, app: str, *, tags: bool, stack: bool) -> None:
    """`shop` in staging beside `shop-staging` in every environment."""
    longer = f"{app}-staging"
    places = [(app, "staging"), (app, "production"), (longer, "staging"), (longer, "production")]
    names = [["GetIndex", "production-GetCart"], ["GetIndex"], ["GetIndex"], ["GetIndex"]]
    if stack:
        names = [["GetIndex"]] * 4
    deployed = [
        deploy(cloud, name, environment, ids, tags=tags, stack=stack)
        for (name, environment), ids in zip(places, names, strict=True)
    ]
    for (name, environment), one in zip(places, deployed, strict=True):
        assert found(cloud, name, environment) == Found(inverted(one), ())


def test_functions_on_several_pages_are_found(cloud: Engine, faulty: FaultyCloud, app: str) -> None:
    """Lambda lists fifty at a time."""
    deployed = deploy(cloud, app, names=[f"Get{number}" for number in range(101)], tags=False)
    assert found(faulty, app) == Found(inverted(deployed), ())
    assert faulty.calls.count("lambda.ListFunctions") >= 3


def test_resources_on_several_pages_are_found(cloud: Engine, faulty: FaultyCloud, app: str) -> None:
    """CloudFormation lists a hundred at a time."""
    stacked(cloud, stack_name(app, "staging"), {f"Get{number}": resource(app) for number in range(101)})
    result = found(faulty, app)
    assert (sorted(result.names.values()), result.notes) == (sorted(f"Get{number}" for number in range(101)), ())
    assert faulty.calls.count("cloudformation.ListStackResources") == 2


def test_tagged_functions_on_several_pages_are_found() -> None:
    """The tests' cloud has no pages of these, so the answers are written here."""
    pages = {"": (["a", "b"], "further"), "further": (["c"], "")}

    def answer(name: str, body: dict[str, Any]) -> Reply:
        if name == "lambda.ListFunctions":
            return told({"Functions": [{"FunctionName": one} for one in "abcd"]})
        if name == "cloudformation.ListStackResources":
            return refused_in_xml("ValidationError", "Stack with id ShopStaging does not exist")
        names, token = pages[body.get("PaginationToken", "")]
        arns = [{"ResourceARN": f"arn:aws:lambda:us-east-1:1:function:{one}"} for one in names]
        return told({"ResourceTagMappingList": arns, "PaginationToken": token})

    answering = Answering(answer)
    functions = Functions(Cloud(answering.session, sleep=lambda _seconds: None), "shop", "staging")
    assert functions.find() == Found({"a": "a", "b": "b", "c": "c"}, ())
    filters = [{"Key": "arc:app", "Values": ["shop"]}, {"Key": "arc:environment", "Values": ["staging"]}]
    asked = {"TagFilters": filters, "ResourceTypeFilters": ["lambda:function"]}
    assert [body for name, body in answering.calls if name == "tagging.GetResources"] == [
        asked,
        {**asked, "PaginationToken": "further"},
    ]


def test_deleted_function_in_a_stack_is_not_found(cloud: Engine, app: str) -> None:
    """A function that was deleted by hand remains in its stack."""
    deployed = deploy(cloud, app, names=["GetIndex", "GetGone"], stack=True)
    cloud.client("lambda").delete_function(FunctionName=deployed.functions.pop("GetGone"))
    assert found(cloud, app) == Found(inverted(deployed), ())


@pytest.mark.parametrize(
    ("code", "message"), [("ValidationError", "1 validation error detected"), ("InternalError", "does not exist")]
)
def test_error_while_listing_a_stack_is_raised(code: str, message: str) -> None:
    """Otherwise its functions would be missing."""

    def answer(name: str, _body: dict[str, Any]) -> Reply:
        if name == "cloudformation.ListStackResources":
            return refused_in_xml(code, message)
        return told({})

    functions = Functions(Cloud(Answering(answer).session, sleep=lambda _seconds: None), "shop", "staging")
    with pytest.raises(ToolError, match=f"^Listing the resources of the stack ShopStaging: {code}: {message}"):
        functions.find()
