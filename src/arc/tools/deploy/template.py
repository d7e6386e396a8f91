"""The CloudFormation template of an app's environment: an HTTP API, its functions, their role, and the service map.

The template holds no secret: the environment's variables are parameters with NoEcho, which `arc deploy` fills from
SSM. Tables are not in it, so no deployment, rollback or removal of the stack touches data.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.inventory.function_config import FunctionConfig
from arc.inventory.routes import folder_name
from arc.inventory.static import STATIC_FUNCTION, STATIC_PATH
from arc.service_map import stack_name
from arc.tools.cloud.tables import physical_name
from arc.tools.deploy.packages import STATIC_MODULE
from arc.tools.env.deployed import desired_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arc.inventory import Inventory, Route
    from arc.tools.deploy.packages import FunctionPackage, Package

MAX_RESOURCES = 500
"""Of a stack. Source: AWS CloudFormation quotas."""
MAX_PARAMETERS = 200
_MAX_NAME = 64  # characters of a function's name
_MAX_CUT = _MAX_NAME - 9  # of one that ends in a hash
_MAX_LAYERS = 5
_MAX_POLICY = 10_240  # characters of a role's inline policies
_STATIC_MEMORY = 512  # megabytes; boto3 starts slowly with less
_STATIC_TIMEOUT = 10  # seconds
_RETENTION = 30  # days that logs are kept
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_FORMATS = {"httpv1": "1.0"}
_TABLE_ACTIONS = (
    *("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeTable", "GetItem"),
    *("PutItem", "Query", "Scan", "UpdateItem"),
)
_KEY_ACTIONS = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
Template = dict[str, Any]


@dataclass(frozen=True)
class StaticSource:
    """The zip of the function that serves static files, their bucket, and what their keys begin with."""

    package: Package
    bucket: str
    prefix: str


def build_template(
    inventory: Inventory,
    environment: str,
    packages: Sequence[FunctionPackage],
    variables: Mapping[str, str],
    *,
    bucket: str,
    static: StaticSource | None = None,
) -> Template:
    """The template of `environment`, whose functions have these `packages` in `bucket` and these `variables`.

    An app with static files has one more function, which serves them.

    Raises `ToolError` for an app that a stack cannot hold.
    """
    if inventory.aws.apigateway == "rest":
        raise ToolError(
            "`arc deploy` makes HTTP APIs, not REST APIs. Write `apigateway http` in @aws, or remove the line."
        )
    desired = desired_variables({}, dict(sorted(variables.items())), inventory.app, environment)
    builder = _Builder(inventory, environment, tuple(desired), bucket)
    for package in packages:
        if len(package.route.config.layers) >= _MAX_LAYERS:
            raise ToolError(
                f"'{package.route.name}' has {len(package.route.config.layers)} layers, and a function's limit is "
                f"{_MAX_LAYERS}, one of which has its dependencies. Remove a layer in @aws or config.arc."
            )
        builder.add_function(package)
    if static is not None:
        builder.add_static(static)
    template = builder.template()
    if len(template["Resources"]) > MAX_RESOURCES:
        raise ToolError(
            f"{inventory.app} needs {len(template['Resources'])} resources, and a stack has at most {MAX_RESOURCES}. "
            "Answer several paths with one function (`get /*`, or lines with one `src`)."
        )
    if builder.policy_size() > _MAX_POLICY:
        raise ToolError(
            f"{inventory.app} has {len(inventory.tables)} tables, and naming each in a role takes more than "
            f"the {_MAX_POLICY:,} characters of IAM's limit. Keep several kinds of items in one table."
        )
    if len(template["Parameters"]) > MAX_PARAMETERS:
        raise ToolError(
            f"{environment} has {len(variables)} variables, and a stack's limit is {MAX_PARAMETERS}. Remove some."
        )
    return template


def parameter_values(inventory: Inventory, environment: str, variables: Mapping[str, str]) -> dict[str, str]:
    """The values of the template's parameters: what each function is to have as variables."""
    desired = desired_variables({}, variables, inventory.app, environment)
    return {parameter_name(name): value for name, value in desired.items() if name not in _own(inventory, environment)}


def parameter_name(variable: str) -> str:
    """The template's parameter for a variable: CloudFormation takes letters and digits only."""
    return f"Variable{hashlib.sha256(variable.encode()).hexdigest()[:16]}"


def function_name(app: str, environment: str, route: Route) -> str:
    """The function's name on AWS: `shop-staging-get-cart`, at most 64 characters, cut with a hash."""
    return shortened(f"{app}-{environment}-{folder_name(route.method, route.path)}")


def shortened(name: str) -> str:
    """Return `name` with the characters that Lambda takes, cut with a hash where it is too long."""
    plain = _NOT_IN_NAMES.sub("", name)
    if plain == name and len(name) <= _MAX_NAME:
        return name
    return f"{plain[:_MAX_CUT]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _own(inventory: Inventory, environment: str) -> dict[str, Any]:
    """The variables that every function has besides the environment's."""
    return {
        "ARC_APP_NAME": inventory.app,
        "ARC_ENV": environment,
        "ARC_STACK_NAME": stack_name(inventory.app, environment),
    }


class _Builder:
    """Gathers resources; logical ids are those of Architect's stacks, with a hash where two would be equal."""

    def __init__(self, inventory: Inventory, environment: str, names: Sequence[str], bucket: str) -> None:
        self._inventory, self._environment, self._bucket = inventory, environment, bucket
        own = _own(inventory, environment)
        self._parameters = [name for name in names if name not in own]
        self._resources: dict[str, Any] = {}
        self._layers: dict[str, str] = {}
        self._roles: dict[tuple[str, ...], str] = {}
        self._add_api()
        for table in inventory.tables:
            name = physical_name(inventory.app, environment, table)
            self._parameter(f"Table{_id(table.name)}", f"tables/{table.name}", name)

    def add_function(self, package: FunctionPackage) -> None:
        """Add a route: its function with its log group, and the API's way to it."""
        route, config = package.route, package.route.config
        function = f"{route.logical_id}HTTPLambda"
        name = function_name(self._inventory.app, self._environment, route)
        role = self._role(config.policies)
        logs = self._add(
            f"{function}Logs", "Logs::LogGroup", LogGroupName=f"/aws/lambda/{name}", RetentionInDays=_RETENTION
        )
        properties: dict[str, Any] = {
            "FunctionName": name,
            "Runtime": config.runtime,
            "Handler": package.handler,
            "Code": self._at(package.code),
            "Layers": [{"Ref": self._layer(package)}, *config.layers],  # at most five: checked by `build_template`
            "Role": {"Fn::GetAtt": [role, "Arn"]},
            "Architectures": [config.architecture],
            "MemorySize": config.memory,
            "Timeout": config.timeout,
            "EphemeralStorage": {"Size": config.storage},
            "LoggingConfig": {"LogGroup": {"Ref": logs}},
            "Environment": {"Variables": self._variables(role, takes_all=config.env)},
        }
        if config.concurrency is not None:
            properties["ReservedConcurrentExecutions"] = config.concurrency
        self._add(function, "Lambda::Function", **properties)
        integration = self._integrate(route.logical_id, function, _FORMATS.get(self._inventory.aws.apigateway or ""))
        self._add_route(_route_id(route), route.route_key, integration)

    def add_static(self, static: StaticSource) -> None:
        """Add the function that serves static files. It may read these alone, and has no variable of the app."""
        config = self._inventory.aws.function
        name = shortened(f"{self._inventory.app}-{self._environment}-static")
        logs = self._add(
            f"{STATIC_FUNCTION}Logs", "Logs::LogGroup", LogGroupName=f"/aws/lambda/{name}", RetentionInDays=_RETENTION
        )
        files = {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{static.bucket}/{static.prefix}*"}
        role = self._add_role(
            "StaticRole",
            {
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": _arn("logs", f"log-group:/aws/lambda/{name}:*"),
            },
            {"Action": ["s3:GetObject"], "Resource": files},
        )
        self._add(
            STATIC_FUNCTION,
            "Lambda::Function",
            FunctionName=name,
            Runtime=config.runtime if config.is_python else FunctionConfig.runtime,
            Handler=f"{STATIC_MODULE}.handler",
            Code=self._at(static.package),
            Role={"Fn::GetAtt": [role, "Arn"]},
            Architectures=[config.architecture],
            MemorySize=_STATIC_MEMORY,
            Timeout=_STATIC_TIMEOUT,
            LoggingConfig={"LogGroup": {"Ref": logs}},
            Environment={
                "Variables": {
                    "ARC_STATIC_BUCKET": static.bucket,
                    "ARC_STATIC_OWNER": {"Ref": "AWS::AccountId"},
                    "ARC_STATIC_PREFIX": static.prefix,
                }
            },
        )
        integration = self._integrate("Static", STATIC_FUNCTION)
        for method in ("GET", "HEAD"):
            self._add_route(f"Static{method.title()}Route", f"{method} {STATIC_PATH}/{{proxy+}}", integration)

    def _integrate(self, name: str, function: str, payload: str | None = None) -> str:
        """Let the API call a function, and return the logical id of the integration."""
        self._add(
            f"{name}Permission",
            "Lambda::Permission",
            Action="lambda:InvokeFunction",
            FunctionName={"Ref": function},
            Principal="apigateway.amazonaws.com",
            SourceArn={"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HTTP}/*"},
        )
        return self._add(
            f"{name}Integration",
            "ApiGatewayV2::Integration",
            ApiId={"Ref": "HTTP"},
            IntegrationType="AWS_PROXY",
            IntegrationUri={"Fn::GetAtt": [function, "Arn"]},
            PayloadFormatVersion=payload or "2.0",
        )

    def _add_route(self, logical_id: str, key: str, integration: str) -> None:
        target = {"Fn::Join": ["/", ["integrations", {"Ref": integration}]]}
        self._add(logical_id, "ApiGatewayV2::Route", ApiId={"Ref": "HTTP"}, RouteKey=key, Target=target)

    def policy_size(self) -> int:
        """Characters of the role's inline policy, without white space."""
        return len(json.dumps(self._statements(), separators=(",", ":")))

    def template(self) -> Template:
        """The whole template."""
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"{self._inventory.app} ({self._environment}), made by arc deploy",
            "Parameters": {
                parameter_name(name): {"Type": "String", "NoEcho": True, "Description": name}
                for name in self._parameters
            },
            "Resources": self._resources,
            "Outputs": {
                "API": {"Description": "The app's address", "Value": {"Fn::GetAtt": ["HTTP", "ApiEndpoint"]}},
                "ApiId": {"Description": "The HTTP API's id", "Value": {"Ref": "HTTP"}},
            },
        }

    def _add(self, logical_id: str, kind: str, **properties: Any) -> str:
        self._resources[logical_id] = {"Type": f"AWS::{kind}", "Properties": properties}
        return logical_id

    def _add_api(self) -> None:
        name = f"{self._inventory.app}-{self._environment}"
        self._add("HTTP", "ApiGatewayV2::Api", Name=name, ProtocolType="HTTP")
        self._add("HTTPStage", "ApiGatewayV2::Stage", ApiId={"Ref": "HTTP"}, StageName="$default", AutoDeploy=True)

    def _parameter(self, logical_id: str, place: str, value: Any) -> None:
        """A line of the service map, where the runtime and Architect's libraries look for it."""
        name = {"Fn::Sub": f"/${{AWS::StackName}}/{place}"}
        self._add(logical_id, "SSM::Parameter", Type="String", Name=name, Value=value)

    def _variables(self, role: str, *, takes_all: bool) -> dict[str, Any]:
        variables: dict[str, Any] = dict(_own(self._inventory, self._environment))
        variables["ARC_ROLE"] = {"Fn::GetAtt": [role, "Arn"]}
        if takes_all:
            variables |= {name: {"Ref": parameter_name(name)} for name in self._parameters}
        else:
            variables["ARC_SESSION_TABLE_NAME"] = "jwe"
        return variables

    def _layer(self, package: FunctionPackage) -> str:
        layer, config = package.layer, package.route.config
        if layer.key not in self._layers:
            logical_id = f"Dependencies{_id(layer.key[:12])}"
            self._layers[layer.key] = self._add(
                logical_id,
                "Lambda::LayerVersion",
                LayerName=f"{self._inventory.app}-{self._environment}-{layer.key[:12]}",
                Content=self._at(layer),
                CompatibleRuntimes=[config.runtime],
                CompatibleArchitectures=[config.architecture],
            )
        return self._layers[layer.key]

    def _at(self, package: Package) -> dict[str, str]:
        return {"S3Bucket": self._bucket, "S3Key": package.key}

    def _role(self, policies: tuple[str, ...]) -> str:
        """The role of functions with the same policies, which are managed ones by name or ARN."""
        if policies not in self._roles:
            logical_id = (
                "Role" if not policies else f"Role{_id(hashlib.sha256(repr(policies).encode()).hexdigest()[:8])}"
            )
            managed = [one if one.startswith("arn:") else _managed(one) for one in policies]
            self._roles[policies] = self._add_role(logical_id, *self._statements(), managed=managed)
        return self._roles[policies]

    def _add_role(self, logical_id: str, *statements: dict[str, Any], managed: Sequence[Any] = ()) -> str:
        trust = _policy({"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}})
        policies = [{"PolicyName": "ArcFunction", "PolicyDocument": _policy(*statements)}]
        more = {"ManagedPolicyArns": list(managed)} if managed else {}
        return self._add(logical_id, "IAM::Role", AssumeRolePolicyDocument=trust, Policies=policies, **more)

    def _statements(self) -> list[dict[str, Any]]:
        """What the app's functions may do: write their logs, use the app's tables, read their own SSM parameters."""
        app, environment = self._inventory.app, self._environment
        statements: list[dict[str, Any]] = [
            {
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": _arn("logs", f"log-group:/aws/lambda/{f'{app}-{environment}-'[:_MAX_CUT]}*"),
            },
            {
                "Action": ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
                "Resource": [
                    _arn("ssm", "parameter/${AWS::StackName}"),
                    _arn("ssm", "parameter/${AWS::StackName}/*"),
                    _arn("ssm", f"parameter/{app}/{environment}"),
                    _arn("ssm", f"parameter/{app}/{environment}/*"),
                ],
            },
        ]
        tables = [physical_name(app, environment, table) for table in self._inventory.tables]
        if tables:
            statements.append(
                {
                    "Action": [f"dynamodb:{action}" for action in _TABLE_ACTIONS],
                    "Resource": [
                        _arn("dynamodb", place)
                        for name in tables
                        for place in (f"table/{name}", f"table/{name}/index/*")
                    ],
                }
            )
        return statements + [
            _key_statement(one.encrypt) for one in self._inventory.tables if isinstance(one.encrypt, str)
        ]


def _route_id(route: Route) -> str:
    """The logical id of a route in the API.

    Another name for a parameter is the same route to API Gateway, which refuses it beside the old one: it keeps the id.
    """
    if not any(part[0] == ":" for part in route.parts):
        return f"{route.logical_id}Route"
    shape = "/".join(":" if part[0] == ":" else part for part in route.parts)
    return f"Route{hashlib.sha256(f'{route.method} {shape}'.encode()).hexdigest()[:16]}"


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def _arn(service: str, place: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{place}"}


def _key_statement(key: str) -> dict[str, Any]:
    """What a function may do with the KMS key of a table, through DynamoDB alone.

    `key` is an id, an alias, or the ARN of either. Source: DynamoDB, "Authorizing use of your customer managed key".
    """
    condition: dict[str, Any] = {
        "StringLike": {"kms:ViaService": {"Fn::Sub": "dynamodb.${AWS::Region}.${AWS::URLSuffix}"}}
    }
    place: Any = key if key.startswith("arn:") else _arn("kms", f"key/{key}")
    alias = key[key.find("alias/") :] if "alias/" in key else ""
    if alias:  # IAM knows keys only; a condition names their aliases.
        place = _arn("kms", "key/*")
        condition["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": alias}
    return {"Action": list(_KEY_ACTIONS), "Resource": place, "Condition": condition}


def _managed(name: str) -> Any:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{name}"}


def _id(text: str) -> str:
    """Return `text` for a logical id, which has only letters and digits. A hash keeps different texts different."""
    plain = "".join(letter for letter in text.title() if letter.isascii() and letter.isalnum())
    return plain if plain.lower() == text.lower() else f"{plain}{hashlib.sha256(text.encode()).hexdigest()[:6]}"
