"""The template of a stack: what CloudFormation takes, and what its linter does not know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from arc import inventory as inventories
from arc.errors import InventoryError, ToolError
from arc.inventory import Inventory
from arc.tools.deploy.packages import FunctionPackage, Package
from arc.tools.deploy.template import (
    StaticSource,
    build_template,
    function_name,
    parameter_name,
    parameter_values,
    shortened,
)

LAYER = Package("dependencies", b"layer", 5)
STATIC = StaticSource(Package("static files", b"x", 1), "shop-staging-static-123456789012-eu-west-1", "assets/")
LAYER_ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:tools:4"
VARIABLES = {"ARC_APP_SECRET": "a secret that no template shows", "SESSION_TABLE_NAME": "session", "GREETING": "hi"}
EVERYTHING = """
@aws
region eu-west-1
memory 256
timeout 29
storage 1024
architecture x86_64
concurrency 3
layers arn:aws:lambda:eu-west-1:123456789012:layer:tools:4
policies AWSXRayDaemonWriteAccess

@tables
session
  _idx *String
  _ttl TTL
notes
  owner *String
  at **Number

@tables-indexes
notes
  at *Number
"""


def app(folder: Path, routes: list[str], more: str = "", name: str = "shop") -> Inventory:
    """An app with these routes, read from its manifest alone."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.arc").write_text(f"@app\n{name}\n\n@http\n" + "\n".join(routes) + more, encoding="utf-8")
    return inventories.read(folder, environ={})


def template_of(
    inventory: Inventory, variables: Mapping[str, str] = VARIABLES, *, static: StaticSource | None = None
) -> dict[str, Any]:
    """The template of staging, with packages of one byte."""
    packages = [
        FunctionPackage(route, Package(route.name, route.name.encode(), 1), "handler.handler", LAYER)
        for route in inventory.routes
    ]
    bucket = "shop-staging-arc-123456789012-eu-west-1"
    return build_template(inventory, "staging", packages, variables, bucket=bucket, static=static)


def of_kind(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of all resources of a kind, by logical id."""
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == f"AWS::{kind}"}


def findings(template: dict[str, Any]) -> list[str]:
    """What the linter of CloudFormation finds."""
    return [str(one) for one in lint(json.dumps(template), config=ManualArgs(regions=["eu-west-1"]))]


def test_the_linter_finds_nothing_in_an_app_with_everything(tmp_path: Path) -> None:
    """All settings of @aws, tables, parameters and every kind of route; a template that is wrong has findings."""
    routes = ["get /", "any /*", "get /users/:id", "post /a-b.c/:d/*", "get /static"]
    template = template_of(app(tmp_path, routes, EVERYTHING), static=STATIC)
    assert findings(template) == []
    of_kind(template, "Lambda::Function")["GetIndexHTTPLambda"]["MemorySize"] = 1
    assert findings(template)


SIXTY = [f"get /page-{number}/:id" for number in range(60)]


def test_sixty_routes_fit_into_a_stack(tmp_path: Path) -> None:
    """The quotas of CloudFormation hold."""
    template = template_of(app(tmp_path, SIXTY, EVERYTHING))
    assert len(template["Resources"]) <= 500
    assert len(json.dumps(template).encode()) < 1_000_000


@pytest.mark.exhaustive
def test_the_linter_finds_nothing_in_sixty_routes(tmp_path: Path) -> None:
    """It takes seconds, and knows more quotas."""
    assert findings(template_of(app(tmp_path, SIXTY, EVERYTHING))) == []


def test_routes_have_the_keys_and_the_format_of_an_http_api(tmp_path: Path) -> None:
    """What the linter does not know: keys of routes, the payload's version, and that each leads to its function."""
    template = template_of(app(tmp_path, ["get /", "any /files/*", "post /users/:id"]))
    (parameter_route,) = [name for name in template["Resources"] if name.startswith("Route")]
    keys = {name: one["RouteKey"] for name, one in of_kind(template, "ApiGatewayV2::Route").items()}
    assert keys == {
        "GetIndexRoute": "GET /",
        "AnyFilesCatchallRoute": "ANY /files/{proxy+}",
        parameter_route: "POST /users/{id}",
    }
    for one in of_kind(template, "ApiGatewayV2::Integration").values():
        assert (one["IntegrationType"], one["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")
    target = of_kind(template, "ApiGatewayV2::Route")[parameter_route]["Target"]["Fn::Join"][1][1]["Ref"]
    function = of_kind(template, "ApiGatewayV2::Integration")[target]["IntegrationUri"]["Fn::GetAtt"][0]
    assert of_kind(template, "Lambda::Function")[function]["FunctionName"] == "shop-staging-post-users-000id"


def test_static_files_have_a_function_that_may_read_them_alone(tmp_path: Path) -> None:
    """Two routes lead to it, which take GET and HEAD; it has no variable, role or layer of the app."""
    template = template_of(app(tmp_path, ["get /"], EVERYTHING), static=STATIC)
    keys = {one["RouteKey"] for one in of_kind(template, "ApiGatewayV2::Route").values()}
    assert keys == {"GET /", "GET /_static/{proxy+}", "HEAD /_static/{proxy+}"}
    function = of_kind(template, "Lambda::Function")["StaticFunction"]
    assert function["FunctionName"] == "shop-staging-static"
    assert function["Role"] == {"Fn::GetAtt": ["StaticRole", "Arn"]}
    assert set(function["Environment"]["Variables"]) == {"ARC_STATIC_BUCKET", "ARC_STATIC_OWNER", "ARC_STATIC_PREFIX"}
    assert "Layers" not in function
    (policy,) = of_kind(template, "IAM::Role")["StaticRole"]["Policies"]
    logs, files = policy["PolicyDocument"]["Statement"]
    assert logs["Resource"]["Fn::Sub"].endswith("log-group:/aws/lambda/shop-staging-static:*")
    assert files["Action"] == ["s3:GetObject"]
    assert files["Resource"]["Fn::Sub"] == f"arn:${{AWS::Partition}}:s3:::{STATIC.bucket}/assets/*"


def test_another_name_of_a_parameter_changes_a_route_in_place(tmp_path: Path) -> None:
    """API Gateway refuses the new route beside the old one, so both have one logical id; other routes differ."""
    ids = [
        {
            name
            for name, one in template_of(app(tmp_path, [route]))["Resources"].items()
            if one["Type"].endswith("::Route")
        }
        for route in ("get /users/:id", "get /users/:name", "get /users/param", "get /people/:id", "post /users/:id")
    ]
    assert ids[0] == ids[1]
    assert len({name for one in ids for name in one}) == 4


def test_the_role_allows_the_logs_of_functions_with_cut_names(tmp_path: Path) -> None:
    """A long name of an app leaves no room for the environment before the hash."""
    template = template_of(
        app(tmp_path, ["get /cart/:id/items"], name="a-shop-with-a-name-that-is-almost-as-long-as-names-may-be")
    )
    (group,) = of_kind(template, "Logs::LogGroup").values()
    (role,) = of_kind(template, "IAM::Role").values()
    allowed = role["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"]["Fn::Sub"].partition("log-group:")[2]
    assert group["LogGroupName"].startswith(allowed.removesuffix("*"))


def test_no_value_of_a_variable_is_in_the_template(tmp_path: Path) -> None:
    """Values are parameters that CloudFormation does not show; a function has every variable of its environment."""
    inventory = app(tmp_path, ["get /"], EVERYTHING)
    template = template_of(inventory)
    text = json.dumps(template)
    assert not [value for name, value in VARIABLES.items() if name != "SESSION_TABLE_NAME" and f'"{value}"' in text]
    assert all(one["NoEcho"] is True for one in template["Parameters"].values())
    values = parameter_values(inventory, "staging", VARIABLES)
    assert values.keys() == template["Parameters"].keys()
    assert values[parameter_name("ARC_SESSION_TABLE_NAME")] == "session"
    variables = of_kind(template, "Lambda::Function")["GetIndexHTTPLambda"]["Environment"]["Variables"]
    assert set(variables) == {
        *("ARC_APP_NAME", "ARC_APP_SECRET", "ARC_ENV", "ARC_ROLE", "ARC_SESSION_TABLE_NAME", "ARC_STACK_NAME"),
        *("GREETING", "SESSION_TABLE_NAME"),
    }


def test_a_function_may_use_the_apps_own_things_alone(tmp_path: Path) -> None:
    """Its tables by name, without deleting them, its logs, and its own SSM parameters."""
    role = of_kind(template_of(app(tmp_path, ["get /"], EVERYTHING)), "IAM::Role")
    assert [len(one["ManagedPolicyArns"]) for one in role.values()] == [1]
    (properties,) = role.values()
    statements = properties["Policies"][0]["PolicyDocument"]["Statement"]
    resources = [place["Fn::Sub"] for one in statements for place in _listed(one["Resource"])]
    assert not [place for place in resources if place.endswith((":*", "/shop*"))]
    assert [place.partition("}:")[2].rpartition(":")[2] for place in resources if ":dynamodb:" in place] == [
        *("table/shop-staging-session", "table/shop-staging-session/index/*"),
        *("table/shop-staging-notes", "table/shop-staging-notes/index/*"),
    ]
    actions = {action for one in statements for action in one["Action"]}
    assert "dynamodb:UpdateItem" in actions
    assert not [
        action for action in actions if "*" in action or ("Table" in action and action != "dynamodb:DescribeTable")
    ]


@pytest.mark.parametrize(
    ("key", "resource", "alias"),
    [
        ("1234abcd-12ab-34cd-56ef-1234567890ab", "key/1234abcd-12ab-34cd-56ef-1234567890ab", None),
        ("arn:aws:kms:eu-west-1:123456789012:key/1234", "arn:aws:kms:eu-west-1:123456789012:key/1234", None),
        ("alias/shop", "key/*", "alias/shop"),
        ("arn:aws:kms:eu-west-1:123456789012:alias/shop", "key/*", "alias/shop"),
    ],
)
def test_functions_may_use_the_keys_of_encrypted_tables(
    tmp_path: Path, key: str, resource: str, alias: str | None
) -> None:
    """Through DynamoDB alone; the key of AWS needs no permission."""
    table = "\n@tables\nnotes\n  id *String\n  encrypt {}\n"
    template = template_of(app(tmp_path, ["get /"], table.format(key)))
    assert findings(template) == []
    (role,) = of_kind(template, "IAM::Role").values()
    (statement,) = [
        one for one in role["Policies"][0]["PolicyDocument"]["Statement"] if "kms:Decrypt" in _listed(one["Action"])
    ]
    place = statement["Resource"]
    assert (place if isinstance(place, str) else place["Fn::Sub"].partition("AccountId}:")[2]) == resource
    assert list(statement["Condition"]["StringLike"]) == ["kms:ViaService"]
    named = statement["Condition"].get("ForAnyValue:StringEquals", {}).get("kms:ResourceAliases")
    assert named == alias
    assert not [action for action in statement["Action"] if action in ("kms:*", "kms:CreateGrant")]
    (role,) = of_kind(template_of(app(tmp_path, ["get /"], table.format("true"))), "IAM::Role").values()
    assert "kms:" not in json.dumps(role)


def test_tables_are_in_the_service_map_and_not_in_the_stack(tmp_path: Path) -> None:
    """No deployment, rollback or removal of the stack touches a table."""
    template = template_of(app(tmp_path, ["get /"], EVERYTHING))
    assert not [one for one in template["Resources"].values() if "DynamoDB" in one["Type"]]
    assert {one["Name"]["Fn::Sub"]: one["Value"] for one in of_kind(template, "SSM::Parameter").values()} == {
        "/${AWS::StackName}/tables/session": "shop-staging-session",
        "/${AWS::StackName}/tables/notes": "shop-staging-notes",
    }


def test_a_function_that_opts_out_has_no_variables_of_the_environment(tmp_path: Path) -> None:
    """`env false` in its config.arc."""
    folder = tmp_path / "src/http/get-index"
    folder.mkdir(parents=True)
    (folder / "config.arc").write_text("@arc\nenv false\n", encoding="utf-8")
    template = template_of(app(tmp_path, ["get /"]))
    variables = of_kind(template, "Lambda::Function")["GetIndexHTTPLambda"]["Environment"]["Variables"]
    assert set(variables) == {"ARC_APP_NAME", "ARC_ENV", "ARC_ROLE", "ARC_SESSION_TABLE_NAME", "ARC_STACK_NAME"}


@pytest.mark.parametrize(
    ("routes", "more", "message"),
    [
        (["get /"], "\n@aws\napigateway rest\n", "`arc deploy` makes HTTP APIs, not REST APIs. "),
        ([f"get /{number}" for number in range(110)], "", "shop needs "),
        (
            ["get /"],
            f"\n@aws\nlayers {' '.join([LAYER_ARN] * 5)}\n",
            "'get /' has 5 layers, and a function's limit is 5, ",
        ),
        (["get /"], "\n@tables\n" + "\n".join(f"t{n}\n  id *String" for n in range(60)), "shop has 60 tables, "),
    ],
)
def test_what_a_stack_cannot_hold_is_refused(tmp_path: Path, routes: list[str], more: str, message: str) -> None:
    """REST APIs, and more than 500 resources."""
    with pytest.raises(ToolError) as refused:
        template_of(app(tmp_path, routes, more))
    assert str(refused.value).startswith(message)


PARTS = st.one_of(
    st.text("abcAB019-_.~", min_size=1, max_size=12), st.text("abz_", min_size=1, max_size=4).map(lambda one: f":{one}")
)
PATHS = st.builds(
    lambda parts, greedy: "/" + "/".join([*parts, *(["*"] if greedy else [])]),
    st.lists(PARTS, max_size=4),
    st.booleans(),
)
ROUTES = st.lists(
    st.tuples(st.sampled_from(("get", "post", "any", "delete")), PATHS).map(" ".join), min_size=1, max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(routes=ROUTES, name=st.sampled_from(("shop", "a-shop-with-a-name-that-is-almost-as-long-as-names-may-be")))
def test_names_are_unique_for_every_set_of_routes(tmp_path: Path, routes: list[str], name: str) -> None:
    """Logical ids and functions' names, for whatever routes the inventory accepts."""
    try:
        inventory = app(tmp_path, routes, name=name)
    except InventoryError:
        reject()
    resources = template_of(inventory, static=STATIC)["Resources"]
    assert len(resources) == 4 + 7 + 5 * len(inventory.routes)
    assert all(logical_id.isascii() and logical_id.isalnum() for logical_id in resources)
    names = [function_name(name, "production", route) for route in inventory.routes]
    names.append(shortened(f"{name}-production-static"))
    assert len(set(names)) == len(names)
    assert all(len(one) <= 64 for one in names)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
