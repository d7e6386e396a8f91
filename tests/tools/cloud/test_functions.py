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
    """What is found of an app's environment."""
    return Functions(local_cloud(cloud.url, "us-east-1"), app, environment).find()


def add(cloud: Engine, name: str, variables: dict[str, str], tags: dict[str, str] | None = None) -> str:
    """The name of a function that was made by hand."""
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
    """The variables with which a function says where it belongs."""
    return {"ARC_APP_NAME": app, "ARC_ENV": environment}


def labels(app: str, environment: str = "staging") -> dict[str, str]:
    """The tags that say the same."""
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
    """Whatever CloudFormation calls them; other resources of the stack are no functions."""
    deployed = deploy(cloud, app, names=["GetIndexHTTPLambda", "PostLoginHTTPLambda"], stack=True)
    assert not any(name.startswith(f"{app}-staging-") for name in deployed.functions.values())
    assert found(cloud, app) == Found(inverted(deployed), ())
    assert found(cloud, app, "production") == Found({}, ())


def test_functions_of_stacks_in_the_stack_are_found(cloud: Engine, app: str) -> None:
    """At any depth."""
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
    """Whatever they are called, when their variables do not say otherwise; one tag of two is not enough."""
    names = [
        add(cloud, f"cart-of-{app}", {}, labels(app)),
        add(cloud, f"{app}-staging-GetCart", {"ARC_ENV": "staging"}, labels(app)),
    ]
    add(cloud, f"half-of-{app}", {}, {"arc:app": app})
    add(cloud, f"other-half-of-{app}", {}, {"arc:environment": "staging"})
    add(cloud, f"elsewhere-of-{app}", {}, labels(app, "production"))
    assert found(cloud, app) == Found(dict(zip(names, (f"cart-of-{app}", "GetCart"), strict=True)), ())


def test_a_name_only_nominates_and_variables_decide(cloud: Engine, app: str) -> None:
    """A function that claims nothing, or half of it, is left alone and told; one of others is none of our business."""
    good = add(cloud, f"{app}-staging-GetIndex", own(app))
    silent = add(cloud, f"{app}-staging-silent", {"GREETING": "hello"})
    half = add(cloud, f"{app}-staging-half", {"ARC_APP_NAME": app})
    add(cloud, f"{app}-staging-GetOther", own(f"{app}-staging", "production"))
    add(cloud, f"{app}-staging-GetCopy", own(app, "production"))
    told = found(cloud, app)
    assert told.names == {good: "GetIndex"}
    assert told.notes == tuple(
        f"{name} is left alone: its name begins like those of {app} in staging, but neither its variables "
        "(ARC_APP_NAME, ARC_ENV) nor its tags (arc:app, arc:environment) say so."
        for name in (half, silent)
    )


@pytest.mark.parametrize("stack", [False, True], ids=["tags", "stack"])
def test_variables_that_say_otherwise_outweigh_tags_and_stack(cloud: Engine, app: str, *, stack: bool) -> None:
    """The function is left alone, and it is told what it says."""
    deployed = deploy(cloud, app, names=["A", "B", "C"], stack=stack)
    deployed.set_variables(own("somebodys"), "A")
    deployed.set_variables({"ARC_ENV": "production"}, "B")
    told = found(cloud, app)
    assert told.names == {deployed.functions["C"]: "C"}
    assert sorted(told.notes) == sorted(
        f"{deployed.functions[name]} is left alone: it is among those of {app} in staging, but its own variables say "
        f"{said}."
        for name, said in (("A", "ARC_APP_NAME=somebodys and ARC_ENV=staging"), ("B", "ARC_ENV=production"))
    )


def test_a_function_that_nothing_but_its_variables_name_is_told(cloud: Engine, app: str) -> None:
    """It may be another stack's, or somebody's copy."""
    name = add(cloud, f"copy-of-{app}", own(app))
    note = (
        f"{name} is left alone: its variables say that it belongs to {app} in staging, but it is not in the stack "
        f"{stack_name(app, 'staging')}, and has neither the tags (arc:app, arc:environment) nor the name."
    )
    assert found(cloud, app) == Found({}, (note,))


@pytest.mark.parametrize(
    ("tags", "stack"), [(False, False), (True, False), (False, True)], ids=["names", "tags", "stacks"]
)
def test_apps_whose_names_begin_alike_never_get_each_others_functions(
    cloud: Engine, app: str, *, tags: bool, stack: bool
) -> None:
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


def test_more_functions_than_a_page_holds_are_found(cloud: Engine, faulty: FaultyCloud, app: str) -> None:
    """Lambda lists fifty at a time."""
    deployed = deploy(cloud, app, names=[f"Get{number}" for number in range(101)], tags=False)
    assert found(faulty, app) == Found(inverted(deployed), ())
    assert faulty.calls.count("lambda.ListFunctions") >= 3


def test_more_resources_than_a_page_holds_are_found(cloud: Engine, faulty: FaultyCloud, app: str) -> None:
    """CloudFormation lists a hundred at a time."""
    stacked(cloud, stack_name(app, "staging"), {f"Get{number}": resource(app) for number in range(101)})
    told = found(faulty, app)
    assert (sorted(told.names.values()), told.notes) == (sorted(f"Get{number}" for number in range(101)), ())
    assert faulty.calls.count("cloudformation.ListStackResources") == 2


def test_more_tagged_functions_than_a_page_holds_are_found() -> None:
    """The tests' cloud has no pages of these, so answers are made up here."""
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


def test_what_a_stack_or_tags_still_name_and_is_gone_is_not_found(cloud: Engine, app: str) -> None:
    """A function that was deleted by hand stays in its stack."""
    deployed = deploy(cloud, app, names=["GetIndex", "GetGone"], stack=True)
    cloud.client("lambda").delete_function(FunctionName=deployed.functions.pop("GetGone"))
    assert found(cloud, app) == Found(inverted(deployed), ())


@pytest.mark.parametrize(
    ("code", "message"), [("ValidationError", "1 validation error detected"), ("InternalError", "does not exist")]
)
def test_a_stack_that_cannot_be_listed_is_not_taken_for_none(code: str, message: str) -> None:
    """Functions would be left out."""

    def answer(name: str, _body: dict[str, Any]) -> Reply:
        if name == "cloudformation.ListStackResources":
            return refused_in_xml(code, message)
        return told({})

    functions = Functions(Cloud(Answering(answer).session, sleep=lambda _seconds: None), "shop", "staging")
    with pytest.raises(ToolError, match=f"^Listing the resources of the stack ShopStaging: {code}: {message}"):
        functions.find()
