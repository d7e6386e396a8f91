"""Real Lambda functions in the tests' cloud, as a deployment creates them, with HTTP APIs in front."""

from __future__ import annotations

import functools
import io
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import arc
from arc.service_map import stack_name
from arc.tools.deploy.packages import with_dependencies
from tests.engines import Engine
from tests.visitor import Visitor

INDEX = "GetIndexHTTPLambda"
ROLE = "arn:aws:iam::000000000000:role/shop"
TINY = """
import json
import os

def handler(event, context):
    print("asked")
    found = {name: value for name, value in os.environ.items() if name in event.get("names", ()) or name[:4] == "ARC_"}
    return {"statusCode": 200, "body": json.dumps(found)}
"""
# The local cloud waits for output, hence `print`. The header `x-raised` marks failures of the handler itself.
COUNTER = """
import os

import arc
import cryptography

@arc.http.handler
def count(req):
    if req.path != "/read":
        req.session.increment("visits")
    shown = {"visits": req.session.get("visits", 0), "store": os.environ["ARC_SESSION_TABLE_NAME"]}
    files = {"arc": arc.__file__, "cryptography": cryptography.__file__}
    return {"json": {**shown, **files, "root": os.environ["LAMBDA_TASK_ROOT"]}}

def handler(event, context):
    print("asked")
    try:
        return count(event, context)
    except Exception as error:
        return {"statusCode": 500, "headers": {"x-raised": type(error).__name__}, "body": str(error)}
"""
_SPECIFICATION = {"Runtime": "python3.13", "Handler": "handler.handler", "Role": ROLE, "Timeout": 30}
_SECONDS_TO_SETTLE = 60


@functools.cache
def zipped(handler: str = TINY) -> bytes:
    """A zip of a handler that needs only Python."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", handler)
    return buffer.getvalue()


@functools.cache
def package(handler: str = COUNTER) -> bytes:
    """A zip of a handler, `arc` without its tools, and its dependencies."""
    buffer = io.BytesIO(_without_handler())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("handler.py", handler)
    return buffer.getvalue()


class Deployed:
    """An app's functions in one environment. `functions` has their physical names by logical id."""

    def __init__(self, cloud: Engine, app: str, environment: str, functions: dict[str, str]) -> None:
        self.cloud, self.app, self.environment, self.functions = cloud, app, environment, functions
        self._client = cloud.look("lambda")
        self._apis: dict[str, str] = {}
        self.settle()

    def configuration(self, name: str = INDEX) -> dict[str, Any]:
        """The configuration of the function with the logical id `name`."""
        found: dict[str, Any] = self._client.get_function_configuration(FunctionName=self.functions[name])
        return found

    def variables(self, name: str = INDEX) -> dict[str, str]:
        """The variables of a function."""
        found: dict[str, str] = self.configuration(name).get("Environment", {}).get("Variables", {})
        return found

    def set_variables(self, variables: Mapping[str, str], name: str = INDEX) -> None:
        """Set exactly these `variables` of a function, as an operator might by hand, and wait."""
        self._client.update_function_configuration(
            FunctionName=self.functions[name], Environment={"Variables": dict(variables)}
        )
        self.settle()

    def environ(self, *names: str, function: str = INDEX) -> dict[str, str]:
        """The variables of ARC and `names` in a running function of the tiny zip."""
        answer = self._client.invoke(FunctionName=self.functions[function], Payload=json.dumps({"names": names}))
        payload = json.loads(answer["Payload"].read())
        found: dict[str, str] = json.loads(payload["body"])
        return found

    def settle(self) -> None:
        """Wait until every function is active and none is being updated."""
        end = time.monotonic() + _SECONDS_TO_SETTLE
        for name in self.functions:
            while (now := self.configuration(name))["State"] != "Active" or now["LastUpdateStatus"] == "InProgress":
                assert time.monotonic() < end, now
                time.sleep(0.005)

    def visitor(self, name: str = INDEX) -> Visitor:
        """A visitor of a function over HTTP, with an empty cookie jar."""
        return Visitor(self.cloud.port, self.host(name))

    def host(self, name: str = INDEX) -> str:
        """The host of an HTTP API in front of a function: `GET /` and `ANY /{proxy+}`."""
        if name not in self._apis:
            api = self.cloud.client("apigatewayv2")
            made: str = api.create_api(Name=f"{self.functions[name]}-api", ProtocolType="HTTP")["ApiId"]
            target = api.create_integration(
                ApiId=made,
                IntegrationType="AWS_PROXY",
                IntegrationUri=self.configuration(name)["FunctionArn"],
                PayloadFormatVersion="2.0",
            )["IntegrationId"]
            for route in ("GET /", "ANY /{proxy+}"):
                api.create_route(ApiId=made, RouteKey=route, Target=f"integrations/{target}")
            api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
            self._apis[name] = f"{made}.execute-api.localhost"
        return self._apis[name]


def deploy(
    cloud: Engine,
    app: str,
    environment: str = "staging",
    names: Sequence[str] = (INDEX,),
    *,
    code: bytes | None = None,
    variables: Mapping[str, str] | None = None,
    tags: bool = True,
    stack: bool = False,
) -> Deployed:
    """Create a function for each logical id in `names`, with the variables of a deployment and `variables`.

    `code` is the tiny zip by default. The functions are called `{app}-{environment}-{name}` and are tagged. With
    `stack` they are resources of the app's CloudFormation stack, which names them and does not tag them.
    """
    own = {
        "ARC_APP_NAME": app,
        "ARC_ENV": environment,
        "ARC_ROLE": ROLE,
        "ARC_STACK_NAME": stack_name(app, environment),
        "ARC_SESSION_TABLE_NAME": "jwe",
    }
    specification = {**_SPECIFICATION, "Environment": {"Variables": {**own, **(variables or {})}}}
    code = zipped() if code is None else code
    if stack:
        functions = _stacked(cloud, stack_name(app, environment), names, specification)
        for function in functions.values():
            cloud.look("lambda").update_function_code(FunctionName=function, ZipFile=code)
        return Deployed(cloud, app, environment, functions)
    functions = {name: f"{app}-{environment}-{name}" for name in names}
    labels = {"arc:app": app, "arc:environment": environment} if tags else {}
    for function in functions.values():
        cloud.create_function(function, Code={"ZipFile": code}, Tags=labels, **specification)
    return Deployed(cloud, app, environment, functions)


def _stacked(cloud: Engine, stack: str, names: Sequence[str], specification: dict[str, Any]) -> dict[str, str]:
    """Physical names by logical id of functions that a stack creates, with a role."""
    client = cloud.client("cloudformation")
    inline = {**specification, "Code": {"ZipFile": TINY}}
    resources: dict[str, Any] = {name: {"Type": "AWS::Lambda::Function", "Properties": inline} for name in names}
    document = {"Version": "2012-10-17", "Statement": []}
    resources["Role"] = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
    client.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    made = {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]
    }
    return {name: made[name] for name in names}


@functools.cache
def _without_handler() -> bytes:
    root = Path(arc.__file__).parent
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(root.rglob("*")):
            place = path.relative_to(root)
            if path.is_file() and place.parts[0] != "tools" and "__pycache__" not in place.parts:
                archive.write(path, Path("arc") / place)
        for distribution in with_dependencies("arc-sessions")[1:]:
            for file in metadata.files(distribution) or ():
                if file.parts[0] != ".." and "__pycache__" not in file.parts:
                    archive.write(file.locate(), file)
    return buffer.getvalue()
