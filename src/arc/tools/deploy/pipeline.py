"""A deployment: packages, the template, the change set, the stack.

A plan changes nothing that serves visitors, and a dry run changes nothing at all. Applying it changes the stack.
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.cloud.parameters import Memo, Parameters
from arc.tools.cloud.stacks import CHANGE_SET_PREFIX
from arc.tools.cloud.tables import Tables, physical_name
from arc.tools.deploy.bucket import Bucket, Upload, bucket_name
from arc.tools.deploy.packages import Packages, distinct, static_package
from arc.tools.deploy.stack import ResourceChange, Stack, StackBusy
from arc.tools.deploy.static_upload import StaticPlan, read_static_files
from arc.tools.deploy.template import StaticSource, build_template, function_name, parameter_values
from arc.tools.env.change import VariablesChange
from arc.tools.env.deployed import desired_variables
from arc.tools.env.variables import FALLBACKS, ROTATION, SECRET, check_set
from arc.tools.secrets.secrets import new_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.deploy.packages import Install, Package
    from arc.tools.deploy.stack import Event
    from arc.tools.deploy.static_upload import StaticFiles
    from arc.tools.deploy.template import Template

_MAX_BODY = 51_200  # bytes of a template within a call; a larger one is read from the bucket
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
    static: StaticPlan = field(default_factory=StaticPlan)
    """What happens with static files."""

    @property
    def is_empty(self) -> bool:
        """True when the deployment changes nothing."""
        return not self.changes and not self.static


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
        self._change_set = f"{CHANGE_SET_PREFIX}{random(8)}"
        self._install, self._sleep = install, sleep
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
        static = read_static_files(self._inventory.static)
        manifest = None if static is None else static.manifest
        builder = Packages(
            self._inventory, local=self._cloud.url is not None, install=self._install, static_manifest=manifest
        )
        functions = builder.build()
        packages = distinct(functions)
        source = None
        if static is not None:
            source = StaticSource(static_package(), self._static_bucket.name, static.prefix)
            packages.append(source.package)
        bucket = self._bucket
        has_bucket = self._prepare_bucket(dry_run=dry_run)
        # A package that the deployed template does not name may be deleted by the deployment before at any moment.
        deployed = self._stack.package_keys() if has_bucket else set()
        uploads = [one for one in packages if one.key not in deployed or not bucket.has(one.key)]
        template = build_template(
            self._inventory, self._environment, functions, variables, bucket=bucket.name, static=source
        )
        self._check_variables(variables)
        static_plan = self._plan_static(static)
        self._on_progress("Planning the deployment")
        changes = self._changes(template, variables, exists=exists, dry_run=dry_run)
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
            static_plan,
        )

    def _changes(
        self, template: Template, variables: Mapping[str, str], *, exists: bool, dry_run: bool
    ) -> list[ResourceChange]:
        """Return what the template changes; without `dry_run`, the change set remains for `apply`."""
        if dry_run and not exists:
            return [ResourceChange("Add", name, one["Type"][5:]) for name, one in template["Resources"].items()]
        values = parameter_values(self._inventory, self._environment, variables)
        with self._sent(template) as sent:
            changes = self._stack.plan(sent, values, exists=exists, change_set=self._change_set)
        if dry_run and changes:
            self._stack.forget(self._change_set, exists=exists)
        return changes

    def _plan_static(self, static: StaticFiles | None) -> StaticPlan:
        if static is None:
            return StaticPlan()
        bucket = self._static_bucket
        return static.plan(bucket.objects() if bucket.exists() else {})

    def apply(self, plan: DeploymentPlan, on_event: Callable[[Event], None], *, wait: bool = True) -> None:
        """Upload what is new and execute the plan's change set; unless `wait` is false, wait until the stack is done.

        Functions are in sync with the environment's variables afterwards, also where these have changed meanwhile or
        the stack was rolled back. Raises `ToolError` with the first cause of a failure, `StackBusy`.
        """
        try:
            self._upload(plan)
            self._check_rotation()
            self._check_secrets(plan)
        except BaseException:
            if plan.changes:
                with suppress(ToolError):
                    self._stack.forget(self._change_set, exists=not plan.is_first)
            raise
        if plan.changes:
            self._execute(plan, on_event, wait=wait)
        self._static_bucket.put_all(plan.static.changed, self._on_progress)
        if wait:
            self._static_bucket.delete(plan.static.surplus)

    def _execute(self, plan: DeploymentPlan, on_event: Callable[[Event], None], *, wait: bool) -> None:
        self.is_executing = True
        try:
            self._stack.execute(self._change_set, on_event, wait=wait)
        except StackBusy:
            self._check_rotation()  # A rotation discards planned deployments.
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
        self._delete_packages(plan.replaced - {one.key for one in plan.packages})

    def _upload(self, plan: DeploymentPlan) -> None:
        """Upload packages and new static files; the stack is not changed yet."""
        packages = [Upload(one.name, one.key, one.content) for one in plan.uploads]
        self._bucket.put_all(packages, self._on_progress)
        if plan.static and not self._static_bucket.exists():
            self._static_bucket.create()
        self._static_bucket.put_all(plan.static.new, self._on_progress)

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
        buckets = [self._static_bucket] + [self._bucket] * (self._inventory.aws.bucket is None)
        for bucket in buckets:
            if bucket.exists():
                bucket.remove()
                deleted.append(f"the bucket {bucket.name}")
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

    @contextmanager
    def _sent(self, template: Template) -> Iterator[dict[str, str]]:
        """Inside the block, what a call has for the template: itself, or its place in the bucket for a large one."""
        body = json.dumps(template, separators=(",", ":"))
        if len(body.encode()) <= _MAX_BODY:
            yield {"TemplateBody": body}
            return
        key = f"{self._change_set}.json"
        self._bucket.put(Upload("the template", key, body.encode()))
        try:
            yield {"TemplateURL": self._bucket.address(key)}
        finally:
            with suppress(ToolError):
                self._bucket.delete([key])

    @cached_property
    def _account(self) -> str:
        return str(self._cloud.call("sts", "get_caller_identity", "Looking for the account")["Account"])

    @cached_property
    def _bucket(self) -> Bucket:
        """The bucket of the packages: `@aws`'s own, else one for each environment, account and region."""
        if self._inventory.aws.bucket is not None:
            return Bucket(self._cloud, self._inventory.aws.bucket)
        return self._own_bucket("arc")

    @cached_property
    def _static_bucket(self) -> Bucket:
        """The bucket of the static files, which stay when a deployment fails."""
        return self._own_bucket("static")

    def _own_bucket(self, purpose: str) -> Bucket:
        account = self._account
        name = bucket_name(self._inventory.app, self._environment, purpose, account, self._cloud.region)
        return Bucket(self._cloud, name, owner=account)

    def _prepare_bucket(self, *, dry_run: bool) -> bool:
        """Return whether the bucket of the packages existed, and create it except with `dry_run`."""
        if self._bucket.exists():
            return True
        if self._inventory.aws.bucket is not None:
            raise ToolError(
                f"Unknown bucket '{self._bucket.name}' in @aws. Create it, correct the name, or remove the line, and "
                "`arc deploy` creates a bucket. Nothing was deployed."
            )
        if not dry_run:
            self._bucket.create()
        return False

    def _delete_packages(self, keys: Collection[str]) -> None:
        """Delete packages; a bucket that `@aws` names is left alone."""
        if self._inventory.aws.bucket is None:
            self._bucket.delete(keys)
