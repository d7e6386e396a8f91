"""The deployed functions of an environment: which they are, how they are, and changes of their variables."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.cloud.cloud import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from arc.tools.cloud.cloud import Cloud

    _Claim = tuple[str | None, str | None]  # the app and the environment in a function's variables

_NEWEST = "$LATEST"  # the version that can be changed
_MARKERS = ("Marker", "NextMarker")
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.25, 1.0  # seconds between two attempts
_SECONDS_TO_REPORT = 5  # every new function is Pending for a moment
_SECONDS_TO_SETTLE = 300  # creating a function from a container image or in a VPC takes minutes
_PENDING, _IN_PROGRESS = "Pending", "InProgress"
# https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
_NOT_ACTIVE = re.compile(r"in the following state: (Pending|Inactive|Failed)\b")
_FUNCTION, _STACK = "AWS::Lambda::Function", "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Function:
    """A snapshot of a deployed function."""

    name: str
    """The name on AWS."""
    variables: Mapping[str, str] = field(repr=False)
    revision: str
    status: str = "Successful"
    """The status of the last update: `Successful`, `Failed` or `InProgress`."""
    reason: str = ""
    """Why the last update failed."""
    state: str = "Active"
    """`Pending` while Lambda creates the function and refuses updates."""

    @property
    def busy(self) -> str:
        """Why Lambda refuses updates now: `Pending` or `being updated`; empty when it accepts them."""
        if self.state == _PENDING:
            return _PENDING
        return "being updated" if self.status == _IN_PROGRESS else ""


@dataclass(frozen=True)
class Found:
    """The functions that belong to an environment, and `notes` about those that only seem to."""

    names: Mapping[str, str]
    """Logical IDs in the stack, or else short names, by names on AWS."""
    notes: tuple[str, ...]


class Functions:
    """Calls for the functions of an environment. Every method raises what `Cloud.call` raises."""

    def __init__(
        self,
        cloud: Cloud,
        app: str,
        environment: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.app, self.environment = app, environment
        self._cloud, self._clock, self._sleep = cloud, clock, sleep
        self._reported: set[str] = set()  # names of Pending functions

    def find(self) -> Found:
        """Return the functions in the environment's stack, those with its tags, and those with its prefix.

        A function with the prefix belongs to it only if its variables say so. A function in the stack or with the
        tags does not belong to it if its variables name another app or environment.
        """
        prefix = f"{self.app}-{self.environment}-"
        own = (self.app, self.environment)
        belongs = f"belongs to {self.app} in {self.environment}"
        listed = dict(self._listed())
        stack = stack_name(self.app, self.environment)
        logical_ids = dict(self._in_stack(stack))
        sure = {*logical_ids, *self._tagged()}
        names: dict[str, str] = {}
        notes: list[str] = []
        for name, claim in sorted(listed.items()):
            if name in sure:
                if self._agrees(claim):
                    names[name] = logical_ids.get(name) or name.removeprefix(prefix)
                else:
                    keys = ("ARC_APP_NAME", "ARC_ENV")
                    says = " and ".join(f"{key}={value}" for key, value in zip(keys, claim, strict=True) if value)
                    notes.append(
                        f"Ignored {name}: its stack or tags say that it {belongs}, but its variables say {says}."
                    )
            elif name.startswith(prefix):
                if claim == own:
                    names[name] = name.removeprefix(prefix)
                elif self._agrees(claim):
                    notes.append(
                        f"Ignored {name}: its name begins with {prefix}, but neither its variables (ARC_APP_NAME, "
                        f"ARC_ENV) nor its tags (arc:app, arc:environment) say that it {belongs}."
                    )
            elif claim == own:
                notes.append(
                    f"Ignored {name}: its variables say that it {belongs}, but it is not in the stack {stack}, has no "
                    f"tags (arc:app, arc:environment) that say so, and its name does not begin with {prefix}."
                )
        return Found(names, tuple(notes))

    def read(self, name: str, version: str = _NEWEST) -> Function:
        """Return a function, or a published version of it."""
        doing = f"Reading the function {name}" + (f" in version {version}" if version != _NEWEST else "")
        qualifier = {"Qualifier": version} if version != _NEWEST else {}
        answer = self._cloud.call("lambda", "get_function_configuration", doing, FunctionName=name, **qualifier)
        return self._function(answer)

    def update(self, function: Function, variables: Mapping[str, str]) -> Function:
        """Set a function's variables, and return it once the update is complete; wait while it is Pending.

        Raises `Refused` with the code `PreconditionFailedException` or `ResourceConflictException` when the function
        has changed since it was read: another process changes it, or this call did and its answer was lost. Read it
        again then. Raises `ToolError` for an update that AWS cannot finish, for a function in a state that allows no
        updates, and for one that is busy for more than five minutes.
        """
        doing = f"Updating the function {function.name}"
        environment = {"Variables": dict(variables)}
        request = {"FunctionName": function.name, "RevisionId": function.revision, "Environment": environment}
        began, answer = self._clock(), None
        while answer is None:
            try:
                answer = self._cloud.call("lambda", "update_function_configuration", doing, **request)
            except Refused as refused:
                state = _NOT_ACTIVE.search(str(refused)) if refused.code == "ResourceConflictException" else None
                if state is None:
                    raise
                if state[1] != _PENDING:
                    raise ToolError(
                        f"{doing}: Lambda does not update a function in the state {state[1]}. Deploy it again. If that "
                        "fails too, delete it first."
                    ) from None
                self._wait(function.name, _PENDING, began)
        updated = self.settled(self._function(answer))
        if updated.status == "Failed":
            raise ToolError(
                f"{doing}: AWS could not finish the update: {self._cloud.masked(updated.reason) or 'no reason given'}"
            )
        return updated

    def settled(self, function: Function) -> Function:
        """Wait until a function is not busy, and return it. Raises `ToolError` after five minutes."""
        began = self._clock()
        while function.busy:
            self._wait(function.name, function.busy, began)
            function = self.read(function.name)
        return function

    def aliases(self, name: str) -> dict[str, list[str]]:
        """Return the aliases of each published version; a weighted alias has two versions."""
        doing = f"Reading the aliases of the function {name}"
        aliases: dict[str, list[str]] = {}
        for alias in self._cloud.pages(
            "lambda", "list_aliases", doing, key="Aliases", tokens=_MARKERS, FunctionName=name
        ):
            further = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
            for version in {alias["FunctionVersion"], *further} - {_NEWEST}:
                aliases.setdefault(version, []).append(alias["Name"])
        return aliases

    def versions(self, name: str) -> list[str]:
        """Return the numbers of a function's published versions."""
        doing = f"Reading the versions of the function {name}"
        versions = self._cloud.pages(
            "lambda", "list_versions_by_function", doing, key="Versions", tokens=_MARKERS, FunctionName=name
        )
        return [one["Version"] for one in versions if one["Version"] != _NEWEST]

    def _wait(self, name: str, busy: str, began: float) -> None:
        """Pause before the next attempt. Raises `ToolError` when the first one `began` too long ago."""
        waited = self._clock() - began
        if waited >= _SECONDS_TO_SETTLE:
            raise ToolError(
                f"The function {name} is still {busy} after {_SECONDS_TO_SETTLE} seconds. Run the command again."
            )
        if busy == _PENDING and waited >= _SECONDS_TO_REPORT and name not in self._reported:
            self._reported.add(name)
            self._cloud.on_wait(
                f"Waiting for the function {name}, which Lambda is still creating (its state is {_PENDING})."
            )
        self._sleep(min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 10)))

    def _agrees(self, claim: _Claim) -> bool:
        return claim[0] in (self.app, None) and claim[1] in (self.environment, None)

    def _function(self, answer: Mapping[str, Any]) -> Function:
        environment = answer.get("Environment", {})
        if "Error" in environment:
            said = self._cloud.masked(environment["Error"].get("Message", "no reason given"))
            raise ToolError(
                f"Cannot read the variables of the function {answer['FunctionName']}: {said} These credentials need "
                "kms:Decrypt with the function's KMS key, and the key must exist."
            )
        return Function(
            answer["FunctionName"],
            environment.get("Variables", {}),
            answer["RevisionId"],
            answer.get("LastUpdateStatus", "Successful"),
            answer.get("LastUpdateStatusReason", ""),
            answer.get("State", "Active"),
        )

    def _listed(self) -> Iterator[tuple[str, _Claim]]:
        """Yield the name of every function in the region, and the app and environment in its variables."""
        doing = "Listing the functions"
        for one in self._cloud.pages("lambda", "list_functions", doing, key="Functions", tokens=_MARKERS):
            variables = one.get("Environment", {}).get("Variables", {})
            yield one["FunctionName"], (variables.get("ARC_APP_NAME"), variables.get("ARC_ENV"))

    def _in_stack(self, stack: str) -> Iterator[tuple[str, str]]:
        """Yield the name and logical ID of each function in a stack and its nested stacks; none without a stack."""
        doing = f"Listing the resources of the stack {stack}"
        try:
            resources = list(
                self._cloud.pages(
                    "cloudformation", "list_stack_resources", doing, key="StackResourceSummaries", StackName=stack
                )
            )
        except Refused as refused:
            if refused.code == "ValidationError" and "does not exist" in str(refused):
                return
            raise
        for one in resources:
            physical = one.get("PhysicalResourceId")
            if physical and one["ResourceType"] == _FUNCTION:
                yield physical, one["LogicalResourceId"]
            elif physical and one["ResourceType"] == _STACK:
                yield from self._in_stack(physical)

    def _tagged(self) -> Iterator[str]:
        doing = "Looking for functions by their tags"
        filters = [
            {"Key": key, "Values": [value]}
            for key, value in (("arc:app", self.app), ("arc:environment", self.environment))
        ]
        for one in self._cloud.pages(
            "resourcegroupstaggingapi",
            "get_resources",
            doing,
            key="ResourceTagMappingList",
            tokens=("PaginationToken", "PaginationToken"),
            TagFilters=filters,
            ResourceTypeFilters=["lambda:function"],
        ):
            yield one["ResourceARN"].split(":")[6]
