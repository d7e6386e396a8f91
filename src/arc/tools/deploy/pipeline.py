"""A deployment: packages, the template, the change set, the stack.

A plan changes nothing that serves visitors, and a dry run changes nothing at all. Applying it changes the stack.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.parameters import Memo, Parameters
from arc.tools.cloud.tables import Tables, physical_name
from arc.tools.deploy.packages import Packages, distinct
from arc.tools.deploy.stack import ResourceChange, Stack, StackBusy
from arc.tools.deploy.template import build_template, function_name, parameter_values
from arc.tools.env.change import VariablesChange
from arc.tools.env.deployed import desired_variables
from arc.tools.env.variables import FALLBACKS, ROTATION, SECRET, check_set
from arc.tools.secrets.secrets import new_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.deploy.packages import Install, Package
    from arc.tools.deploy.stack import Event
    from arc.tools.deploy.template import Template

_MAX_BODY = 51_200  # bytes of a template within a call; a larger one is read from the bucket
_MAX_BUCKET = 63  # characters of a bucket's name
_UPLOADS = 4  # at a time
_MAX_DELETIONS = 1000  # objects in one call
_LONGEST_ARN = 160  # characters of a role's ARN: 64 of its name, and what comes before


@dataclass(frozen=True)
class DeploymentPlan:
    """What a deployment would change."""

    environment: str
    stack: str
    changes: tuple[ResourceChange, ...]
    packages: tuple[Package, ...]
    """Every zip of the deployment."""
    uploads: tuple[Package, ...]
    """Those that the bucket does not have."""
    notes: tuple[str, ...] = ()
    """What the deployment does besides, a sentence each."""
    is_first: bool = False
    """True when the stack does not exist yet."""
    replaced: frozenset[str] = frozenset()
    """Keys of the packages that are deployed now."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The environment's variables that functions get."""


class Deployment:
    """The deployment of an app to an environment. Methods raise what `Cloud.call` raises.

    `on_progress` is called with a sentence during longer work.
    """

    def __init__(
        self,
        cloud: Cloud,
        inventory: Inventory,
        environment: str,
        *,
        on_progress: Callable[[str], None] = lambda _sentence: None,
        install: Install | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self._cloud, self._inventory, self._environment = cloud, inventory, environment
        self._on_progress = on_progress
        self._change_set = f"arc-deploy-{random(8)}"
        self._install, self._sleep = install, sleep
        self._known_account = ""
        tags = {"arc:app": inventory.app, "arc:environment": environment}
        self._stack = Stack(cloud, stack_name(inventory.app, environment), tags, sleep=sleep)
        self.is_executing = False
        """True once CloudFormation has begun to change the stack."""
        self._parameters = Parameters(cloud, inventory.app, environment, sleep=sleep)

    def missing_tables(self) -> list[str]:
        """Physical names of the app's tables that do not exist."""
        tables = Tables(self._cloud)
        names = [physical_name(self._inventory.app, self._environment, one) for one in self._inventory.tables]
        return [name for name in names if tables.find(name) is None]

    def plan(self, *, dry_run: bool = False) -> DeploymentPlan:
        """Package the app and compare it with the stack.

        Without `dry_run` this creates a missing bucket and secret, and the change set that `apply` executes. Raises
        `ToolError` for what cannot be packaged or deployed, `StackBusy` while another deployment runs.
        """
        if not self._inventory.routes:
            raise ToolError("This app has no routes. Add one below @http in the manifest, such as `get /`.")
        self._check_rotation()
        exists = self._stack.check_free(dry_run=dry_run)
        variables, notes = self._variables(dry_run=dry_run)
        self._on_progress("Packaging functions")
        functions = Packages(self._inventory, local=self._cloud.url is not None, install=self._install).build()
        packages = distinct(functions)
        bucket = self._bucket()
        has_bucket = self._has_bucket(bucket)
        if not has_bucket and not dry_run:
            self._make_bucket(bucket)
        # A package that the deployed template does not name may be deleted by the deployment before at any moment.
        deployed = self._stack.package_keys() if has_bucket else set()
        uploads = [one for one in packages if one.key not in deployed or not self._has(bucket, one.key)]
        template = build_template(self._inventory, self._environment, functions, variables, bucket=bucket)
        self._check_variables(variables)
        self._on_progress("Planning the deployment")
        if dry_run and not exists:
            changes = [ResourceChange("Add", name, one["Type"][5:]) for name, one in template["Resources"].items()]
        else:
            changes = self._stack.plan(
                self._sent(template, bucket),
                parameter_values(self._inventory, self._environment, variables),
                exists=exists,
                change_set=self._change_set,
            )
            if dry_run and changes:
                self._stack.forget(self._change_set, exists=exists)
        return DeploymentPlan(
            self._environment,
            self._stack.name,
            tuple(changes),
            tuple(packages),
            tuple(uploads) if changes else (),
            tuple(notes),
            not exists,
            frozenset(deployed),
            variables,
        )

    def apply(self, plan: DeploymentPlan, on_event: Callable[[Event], None], *, wait: bool = True) -> None:
        """Upload what is new and execute the plan's change set; unless `wait` is false, wait until the stack is done.

        Functions are in sync with the environment's variables afterwards, also where these have changed meanwhile or
        the stack was rolled back. Raises `ToolError` with the first cause of a failure, `StackBusy`.
        """
        bucket = self._bucket()
        try:
            self._upload(bucket, plan.uploads)
            self._check_rotation()
            self._check_secrets(plan)
        except BaseException:
            with suppress(ToolError):
                self._stack.forget(self._change_set, exists=not plan.is_first)
            raise
        self.is_executing = True
        try:
            self._stack.execute(self._change_set, on_event, wait=wait)
        except StackBusy:
            raise
        except ToolError as error:  # A rollback also restores variables, which may have changed since.
            try:
                self._sync(plan)
            except ToolError as unsynced:
                raise ToolError(f"{error}\n{unsynced}") from None
            raise
        if not wait:
            return
        self._sync(plan)
        self._delete_packages(bucket, plan.replaced - {one.key for one in plan.packages})

    def delete(self, *, tables: bool, on_event: Callable[[Event], None] = lambda _event: None) -> list[str]:
        """Delete the stack, its packages and logs, and with `tables` the app's tables; return what was deleted.

        Tables with deletion protection stay, and `ToolError` says so before anything is deleted.
        """
        names = [physical_name(self._inventory.app, self._environment, one) for one in self._inventory.tables]
        found = (
            {name: table for name in names if (table := Tables(self._cloud).find(name)) is not None} if tables else {}
        )
        protected = [name for name, table in found.items() if table.get("DeletionProtectionEnabled")]
        if protected:
            raise ToolError(
                f"Deletion protection is on for {', '.join(protected)}. Nothing was deleted. Turn it off in the AWS "
                "console first, or leave out --tables."
            )
        deleted = []
        if self._stack.find() is not None:
            self._stack.delete(on_event)
            deleted.append(f"the stack {self._stack.name}")
        bucket = self._bucket()
        if self._inventory.aws.bucket is None and self._has_bucket(bucket):
            contents = self._cloud.pages(
                "s3",
                "list_objects_v2",
                f"Looking into the bucket {bucket}",
                key="Contents",
                tokens=("ContinuationToken", "NextContinuationToken"),
                Bucket=bucket,
                **self._owner(),
            )
            self._delete_packages(bucket, [one["Key"] for one in contents])
            self._call("delete_bucket", f"Deleting the bucket {bucket}", Bucket=bucket)
            deleted.append(f"the bucket {bucket}")
        for name in found:
            self._cloud.call("dynamodb", "delete_table", f"Deleting the table {name}", TableName=name)
            deleted.append(f"the table {name}")
        return deleted

    def address(self) -> str:
        """The deployed app's address; empty before the first deployment."""
        outputs = self._stack.outputs()
        if self._cloud.url is not None and "ApiId" in outputs:
            return f"http://{outputs['ApiId']}.execute-api.localhost:{self._cloud.url.rpartition(':')[2].strip('/')}"
        return outputs.get("API", "")

    def _variables(self, *, dry_run: bool) -> tuple[dict[str, str], list[str]]:
        """The environment's variables, with a random secret where there was none, and a note of that."""
        variables = self._parameters.read()
        if SECRET in variables:
            return variables, []
        secret = new_secret()
        if dry_run:
            return variables | {SECRET: secret}, [f"{self._environment} gets a random {SECRET}, which is not shown."]
        self._parameters.write_new(SECRET, secret)
        return self._parameters.read(), [f"Gave {self._environment} a random {SECRET}, which is not shown."]

    def _check_variables(self, variables: Mapping[str, str]) -> None:
        """Raise `ToolError` when the variables of a function exceed Lambda's limits."""
        app, environment = self._inventory.app, self._environment
        own = {"ARC_STACK_NAME": self._stack.name, "ARC_ROLE": "x" * _LONGEST_ARN}
        for one in self._inventory.routes:
            if one.config.env:
                check_set(function_name(app, environment, one), desired_variables(own, variables, app, environment))

    def _check_secrets(self, plan: DeploymentPlan) -> None:
        """Raise `ToolError` when another operator has changed the secrets since the plan, which has the old ones."""
        now = self._parameters.read()
        if any(now.get(name) != plan.variables.get(name) for name in (SECRET, FALLBACKS)):
            raise ToolError(
                f"The secrets of {self._environment} have changed since this deployment was planned. Run the command "
                "again. Nothing was deployed."
            )

    def _check_rotation(self) -> None:
        """Raise `ToolError` while the secret is rotated: functions would get the secrets of another phase."""
        if Memo(self._cloud, self._inventory.app, self._environment, ROTATION).read() is not None:
            raise ToolError(
                f"A rotation of the secret in {self._environment} is in progress. Finish it first: "
                f"arc secret rotate {self._environment}. Nothing was deployed."
            )

    def _sync(self, plan: DeploymentPlan) -> None:
        """Update functions whose variables are not the environment's: both may have changed during the deployment."""
        outcome = VariablesChange(self._cloud, self._inventory, plan.environment, {}, sleep=self._sleep).run()
        if outcome.failed:
            names = ", ".join(state.function.name for state in outcome.failed)
            raise ToolError(f"Out of sync with the variables: {names}. Run: arc env verify {plan.environment}")

    def _sent(self, template: Template, bucket: str) -> dict[str, str]:
        body = json.dumps(template, separators=(",", ":"))
        if len(body.encode()) <= _MAX_BODY:
            return {"TemplateBody": body}
        key = f"{hashlib.sha256(body.encode()).hexdigest()}.json"
        self._call("put_object", "Uploading the template", Bucket=bucket, Key=key, Body=body.encode(), **self._owner())
        host = (
            f"{self._cloud.url}/{bucket}"
            if self._cloud.url
            else f"https://{bucket}.s3.{self._cloud.region}.amazonaws.com"
        )
        return {"TemplateURL": f"{host}/{key}"}

    @property
    def _account(self) -> str:
        if not self._known_account:
            answer = self._cloud.call("sts", "get_caller_identity", "Looking for the account")
            self._known_account = str(answer["Account"])
        return self._known_account

    def _bucket(self) -> str:
        """The bucket of the packages: `@aws`'s own, else one for each environment, account and region."""
        if self._inventory.aws.bucket is not None:
            return self._inventory.aws.bucket
        name = f"{self._inventory.app}-{self._environment}-arc-{self._account}-{self._cloud.region}"
        plain = name.lower().replace("_", "-")
        if plain == name and len(name) <= _MAX_BUCKET:
            return name
        return f"{plain[: _MAX_BUCKET - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"

    def _owner(self) -> dict[str, str]:
        """What makes S3 refuse a bucket that another account made under our name."""
        return {"ExpectedBucketOwner": self._account} if self._inventory.aws.bucket is None else {}

    def _has_bucket(self, bucket: str) -> bool:
        found = self._exists("head_bucket", f"Looking for the bucket {bucket}", Bucket=bucket)
        if not found and self._inventory.aws.bucket is not None:
            raise ToolError(
                f"Unknown bucket '{bucket}' in @aws. Create it, correct the name, or remove the line, and `arc deploy` "
                "creates a bucket. Nothing was deployed."
            )
        return found

    def _make_bucket(self, bucket: str) -> None:
        """Make the private bucket."""
        region = self._cloud.region
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self._call("create_bucket", f"Creating the bucket {bucket}", Bucket=bucket, **place)
        except Refused as refused:
            if refused.code != "BucketAlreadyOwnedByYou":
                raise
        blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        self._call(
            "put_public_access_block",
            f"Closing the bucket {bucket}",
            Bucket=bucket,
            PublicAccessBlockConfiguration=dict.fromkeys(blocked, True),
        )

    def _has(self, bucket: str, key: str) -> bool:
        return self._exists("head_object", f"Looking for {key}", Bucket=bucket, Key=key)

    def _exists(self, operation: str, doing: str, **request: Any) -> bool:
        try:
            self._call(operation, doing, **request, **self._owner())
        except Refused as refused:
            if refused.code in ("404", "NoSuchBucket", "NoSuchKey", "NotFound"):
                return False
            if refused.code == "403":
                raise ToolError(
                    f"{doing}: not allowed. Let these credentials use s3:ListBucket and s3:GetObject, unless another "
                    "account has a bucket of this name: then name one of yours with `bucket` in @aws."
                ) from None
            raise
        return True

    def _upload(self, bucket: str, packages: Sequence[Package]) -> None:
        def upload(package: Package) -> None:
            self._on_progress(f"Uploading {package.name} ({len(package.content):,} bytes)")
            doing = f"Uploading {package.name}"
            self._call("put_object", doing, Bucket=bucket, Key=package.key, Body=package.content, **self._owner())

        pool = ThreadPoolExecutor(_UPLOADS)
        try:
            list(pool.map(upload, packages))
        finally:
            pool.shutdown(cancel_futures=True)

    def _delete_packages(self, bucket: str, keys: Iterable[str]) -> None:
        """Delete objects from the bucket; one that `@aws` names is left alone."""
        old = sorted(keys)
        if self._inventory.aws.bucket is not None:
            return
        for start in range(0, len(old), _MAX_DELETIONS):
            chosen = {"Objects": [{"Key": key} for key in old[start : start + _MAX_DELETIONS]], "Quiet": True}
            doing = f"Deleting packages from the bucket {bucket}"
            errors = self._call("delete_objects", doing, Bucket=bucket, Delete=chosen, **self._owner()).get("Errors")
            if errors:
                raise ToolError(f"{doing}: {errors[0].get('Code')}: {errors[0].get('Message')}")

    def _call(self, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        return self._cloud.call("s3", operation, doing, **request)
