"""CloudFormation: the stack of an app's environment, change sets, and what happens while one is executed."""

from __future__ import annotations

import itertools
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.failures import ignoring
from arc.tools.cloud.stacks import EMPTY, OVERTAKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from arc.tools.cloud.cloud import Cloud

TOOL = {"arc:tool": "arc-sessions"}
"""The tag of every stack that is deployed here."""
_Found = TypeVar("_Found")
_KEY = re.compile(r"[0-9a-f]{64}\.zip")
_PAUSES = (0.1, 2.0)  # seconds between two looks: on this machine, and on AWS
_LONGEST_WAIT = 3600  # seconds
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_NEVER_MADE = (EMPTY, "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
_VALIDATED = re.compile("DescribeEvents|EarlyValidation")  # in the reason of a refusal before anything was changed
_CANCELLED = ("Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled")


@dataclass(frozen=True)
class ResourceChange:
    """What a change set does to one resource: `Add`, `Modify` (with `replaced`) or `Remove`."""

    action: str
    logical_id: str
    kind: str
    replaced: bool = False
    details: tuple[str, ...] = ()
    """Names of the properties that change."""


@dataclass(frozen=True)
class Event:
    """A step that CloudFormation took with a resource."""

    logical_id: str
    kind: str
    status: str
    reason: str = ""

    @property
    def is_end(self) -> bool:
        """True for a status of the stack after which nothing follows; a failed change is still rolled back."""
        return not self.status.endswith("_IN_PROGRESS") and self.status not in ("CREATE_FAILED", "UPDATE_FAILED")

    @property
    def is_cause(self) -> bool:
        """True for a failure that is not the consequence of another."""
        return self.status.endswith("_FAILED") and not self.reason.startswith(_CANCELLED)


class StackBusy(ToolError):
    """Another deployment changes the stack at the moment."""


class Stack:
    """The stack `name` in a cloud, with these `tags`. Every method raises what `Cloud.call` raises."""

    def __init__(
        self,
        cloud: Cloud,
        name: str,
        tags: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self._tags = name, {**tags, **TOOL}
        self._cloud, self._clock, self._sleep = cloud, clock, sleep
        self._pause = _PAUSES[0] if cloud.url else _PAUSES[1]

    def find(self) -> dict[str, Any] | None:
        """The stack as CloudFormation describes it, None when there is none."""
        try:
            answer = self._call("describe_stacks", "Looking for the stack", StackName=self.name)
        except Refused as refused:
            if refused.code == "ValidationError" and "does not exist" in str(refused):
                return None
            raise
        found: dict[str, Any] = answer["Stacks"][0]
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def check_free(self, *, dry_run: bool = False) -> bool:
        """Return True when the stack exists. Raises `StackBusy`, `ToolError`.

        One that was never made counts as missing, and is deleted except with `dry_run`.
        """
        found = self.find()
        if found is None:
            return False
        status = found["StackStatus"]
        self._check_origin(found)
        if status in _NEVER_MADE:
            if not dry_run:
                self.delete()
            return False
        if status.endswith("_IN_PROGRESS"):
            raise StackBusy(
                f"Another deployment is changing the stack {self.name} ({status}). Wait until it ends, then run the "
                "command again. Nothing was changed."
            )
        if status == "UPDATE_ROLLBACK_FAILED":
            raise ToolError(
                f"The rollback of the stack {self.name} failed. Run "
                f"aws cloudformation continue-update-rollback --stack-name {self.name}, then this command again."
            )
        return True

    def plan(
        self,
        template: Mapping[str, str],
        parameters: Mapping[str, str],
        *,
        exists: bool,
        change_set: str,
    ) -> list[ResourceChange]:
        """Create `change_set` and return what it would change; empty, and no change set, when that is nothing.

        `template` is `TemplateBody` or `TemplateURL` for the call.
        """
        self._cloud.hide(*(value for value in parameters.values() if value))
        with ignoring("AlreadyExistsException"):  # Its name is random: an earlier attempt's answer was lost.
            self._call(
                "create_change_set",
                "Planning the deployment",
                StackName=self.name,
                ChangeSetName=change_set,
                ChangeSetType="UPDATE" if exists else "CREATE",
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
                Capabilities=["CAPABILITY_IAM"],
                Tags=[{"Key": key, "Value": value} for key, value in self._tags.items()],
                ClientToken=change_set,
                **template,
            )
        found = self._until(lambda: self._planned(change_set))
        if found["Status"] == "FAILED":
            reason = self._explained(found.get("StatusReason", ""), ChangeSetName=change_set)
            self.forget(change_set, exists=exists)
            if any(words in reason for words in _NO_CHANGES):
                return []
            raise ToolError(
                f"CloudFormation cannot plan the deployment of {self.name}: {reason.rstrip('.')}. Nothing was deployed."
            )
        changes = list(self._changes(change_set))
        if not changes:
            self.forget(change_set, exists=exists)
        return changes

    def execute(self, change_set: str, on_event: Callable[[Event], None], *, wait: bool = True) -> None:
        """Execute a change set and, unless `wait` is false, wait for its end; `on_event` is called with each step.

        Raises `StackBusy` when another deployment came first, and `ToolError` with the first cause when CloudFormation
        rolls the stack back.
        """
        seen = {one["EventId"] for one in self._new_events(set())}
        try:
            self._call(
                "execute_change_set",
                "Deploying",
                StackName=self.name,
                ChangeSetName=change_set,
                ClientRequestToken=change_set,
            )
        except Refused as refused:
            if refused.code not in OVERTAKEN:
                raise
            if not self._is_executed(change_set):
                raise StackBusy(
                    f"Another deployment has changed the stack {self.name} since this one was planned. Run the command "
                    "again. Nothing was changed."
                ) from None
        if wait:
            self._follow(seen, on_event)

    def delete(self, on_event: Callable[[Event], None] = lambda _event: None) -> None:
        """Delete the stack and wait until it is gone. Raises `ToolError` with the first cause when it cannot be."""
        found = self.find()
        if found is None:
            return
        self._check_origin(found)
        seen = {one["EventId"] for one in self._new_events(set(), found["StackId"])}
        self._call("delete_stack", "Deleting the stack", StackName=found["StackId"])
        self._follow(seen, on_event, deleted=found["StackId"])

    def forget(self, change_set: str, *, exists: bool) -> None:
        """Delete a change set that is not executed, and the empty stack that it made unless one `exists`."""
        self._call("delete_change_set", "Discarding the plan", StackName=self.name, ChangeSetName=change_set)
        if not exists:
            self.delete()

    def package_keys(self) -> set[str]:
        """The keys of the packages that the deployed template names; none without a stack."""
        try:
            answer = self._call("get_template", "Reading the deployed template", StackName=self.name)
        except Refused as refused:
            if "does not exist" in str(refused):
                return set()
            raise
        body = answer["TemplateBody"]
        return set(_KEY.findall(body if isinstance(body, str) else json.dumps(body)))

    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name."""
        found = self.find() or {}
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

    def _check_origin(self, found: Mapping[str, Any]) -> None:
        """Raise `ToolError` for a stack of another tool, whose resources, tables included, would be deleted."""
        tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
        if found["StackStatus"] != EMPTY and not self._tags.items() <= tags.items():
            raise ToolError(
                f"The stack {self.name} was not made by `arc deploy` for this app: Architect, and apps with a similar "
                "name, name their stacks the same way. A change would delete what it contains, tables included. Deploy "
                "it with `npx arc deploy`, or choose another name below @app. Nothing was changed."
            )

    def _planned(self, change_set: str) -> dict[str, Any] | None:
        found = self._call("describe_change_set", "Planning", StackName=self.name, ChangeSetName=change_set)
        return found if found["Status"] in ("CREATE_COMPLETE", "FAILED") else None

    def _changes(self, change_set: str) -> Iterator[ResourceChange]:
        pages = self._cloud.pages(
            "cloudformation",
            "describe_change_set",
            f"Planning ({self.name})",
            key="Changes",
            StackName=self.name,
            ChangeSetName=change_set,
        )
        found = [one["ResourceChange"] for one in pages]
        new = {one["LogicalResourceId"] for one in found if one["Action"] == "Add" or one.get("Replacement") == "True"}
        for one in found:
            details = [detail for detail in one.get("Details", ()) if not _is_echo(detail, new)]
            if one["Action"] == "Modify" and not details:
                continue
            names = {detail["Target"].get("Name") or detail["Target"]["Attribute"] for detail in details}
            yield ResourceChange(
                one["Action"],
                one["LogicalResourceId"],
                one["ResourceType"].removeprefix("AWS::"),
                one.get("Replacement") == "True",
                tuple(sorted(names)),
            )

    def _follow(self, seen: set[str], on_event: Callable[[Event], None], deleted: str | None = None) -> None:
        """Report events that are not `seen` until the stack's own one ends the change.

        A stack that is `deleted` is found by its id alone.
        """
        causes: list[Event] = []
        refusals: list[str] = []

        def outcome() -> str | None:
            ended = None
            for one in reversed(self._new_events(seen, deleted)):
                seen.add(one["EventId"])
                event = Event(
                    one["LogicalResourceId"],
                    one["ResourceType"].removeprefix("AWS::"),
                    one["ResourceStatus"],
                    self._cloud.masked(one.get("ResourceStatusReason", "")),
                )
                on_event(event)
                if one["PhysicalResourceId"] == one["StackId"]:
                    ended = event.status if event.is_end else None
                    if event.status.endswith("_FAILED") and _VALIDATED.search(event.reason):
                        refusals.append(event.reason)
                elif event.is_cause:
                    causes.append(event)
            return ended

        status = self._until(outcome)
        if status not in (("DELETE_COMPLETE",) if deleted else ("CREATE_COMPLETE", "UPDATE_COMPLETE")):
            cause = causes[0] if causes else None
            said = f"{cause.logical_id} ({cause.kind}): {cause.reason or cause.status}" if cause else ""
            said = said or (self._explained(refusals[0]) if refusals else "")
            raise ToolError(f"CloudFormation could not change the stack {self.name} (status {status}). {said}".rstrip())

    def _is_executed(self, change_set: str) -> bool:
        """True for a change set that an earlier attempt executes, whose answer was lost."""
        try:
            found = self._call("describe_change_set", "Deploying", StackName=self.name, ChangeSetName=change_set)
        except Refused as refused:
            if refused.code not in OVERTAKEN and "does not exist" not in str(refused):
                raise
            return False
        return str(found["ExecutionStatus"]).startswith("EXECUTE_")

    def _explained(self, reason: str, **where: str) -> str:
        """Return a reason of CloudFormation. One that only points to DescribeEvents is replaced by what that returns.

        `where` names a change set instead of the stack's last operation.
        """
        if not _VALIDATED.search(reason):
            return reason
        request: dict[str, Any] = {"StackName": self.name, "Filters": {"FailedEvents": True}, **where}
        doing = f"Reading what CloudFormation found ({self.name})"
        try:
            events = list(
                self._cloud.pages("cloudformation", "describe_events", doing, key="OperationEvents", **request)
            )
        except Refused:  # Credentials for deployments need not allow it.
            return reason
        faults = dict.fromkeys(
            f"{one.get('LogicalResourceId', self.name)} ({one.get('ResourceType', '').removeprefix('AWS::')}): "
            f"{one['ValidationStatusReason']}"
            for one in events
            if one.get("ValidationStatus") == "FAILED" and one.get("ValidationFailureMode") != "WARN"
        )
        return self._cloud.masked("; ".join(faults)) or reason

    def _new_events(self, seen: set[str], stack: str | None = None) -> list[dict[str, Any]]:
        """The events before the first `seen` one, newest first; none without a stack."""
        pages = self._cloud.pages(
            "cloudformation",
            "describe_stack_events",
            f"Reading events ({self.name})",
            key="StackEvents",
            StackName=stack or self.name,
        )
        try:
            return list(itertools.takewhile(lambda one: one["EventId"] not in seen, pages))
        except Refused as refused:
            if "does not exist" in str(refused):
                return []
            raise

    def _until(self, look: Callable[[], _Found | None]) -> _Found:
        began = self._clock()
        while (found := look()) is None:
            if self._clock() - began > _LONGEST_WAIT:
                raise ToolError(f"The stack {self.name} did not finish within an hour. Check it in the AWS console.")
            self._sleep(self._pause)
        return found

    def _call(self, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        return self._cloud.call("cloudformation", operation, f"{doing} ({self.name})", **request)


def _is_echo(detail: Mapping[str, Any], new: set[str]) -> bool:
    """True for a reference to a resource that changes but is not replaced: its ARN and name stay."""
    cause = detail.get("CausingEntity", "").partition(".")[0]
    return detail.get("Evaluation") == "Dynamic" and bool(cause) and cause not in new
