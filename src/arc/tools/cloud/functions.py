"""The functions of one environment of an app, as AWS Lambda has them."""

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

    _Claim = tuple[str | None, str | None]  # the app and the environment that a function says it belongs to

_NEWEST = "$LATEST"  # the function itself
_MARKERS = ("Marker", "NextMarker")
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.25, 1.0  # seconds between two attempts
_SECONDS_TO_REPORT = 5  # a function that was just deployed is Pending for a moment
_SECONDS_TO_SETTLE = 300  # creating a function from a container image or in a VPC takes minutes
_PENDING, _IN_PROGRESS = "Pending", "InProgress"
# https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
_NOT_ACTIVE = re.compile(r"in the following state: (Pending|Inactive|Failed)\b")
_FUNCTION, _STACK = "AWS::Lambda::Function", "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Function:
    """A deployed function, as it is at one moment."""

    name: str
    """Its name on AWS."""
    variables: Mapping[str, str] = field(repr=False)
    revision: str
    status: str = "Successful"
    """How its last update went: `Successful`, `Failed` or `InProgress`."""
    reason: str = ""
    """Why the last update failed."""
    state: str = "Active"
    """`Pending` while Lambda creates it, and takes no updates."""

    @property
    def busy(self) -> str:
        """Why Lambda takes no update of it now: `Pending` or `being updated`; empty when it does."""
        if self.state == _PENDING:
            return _PENDING
        return "being updated" if self.status == _IN_PROGRESS else ""


@dataclass(frozen=True)
class Found:
    """What was found: names of functions, with their logical ids where a stack knows them, and what is left alone."""

    names: Mapping[str, str]
    notes: tuple[str, ...]


class Functions:
    """The functions of an app's environment. Every method raises what `Cloud.call` raises."""

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
        self._awaited: set[str] = set()  # names of Pending functions that were reported

    def find(self) -> Found:
        """Every function of the environment: its stack's, those with its tags, and those with its name's beginning.

        Such a name only nominates a function: its own variables decide. One that a stack or tags name, and whose own
        variables name another app or environment, is left alone, and so is one that nothing but its variables name.
        """
        prefix = f"{self.app}-{self.environment}-"
        own = (self.app, self.environment)
        listed = dict(self._listed())
        logical_ids = dict(self._in_stack(self._stack))
        sure = {*logical_ids, *self._tagged()}
        names: dict[str, str] = {}
        notes: list[str] = []
        for name, claim in sorted(listed.items()):
            if name in sure:
                if self._agrees(claim):
                    names[name] = logical_ids.get(name) or name.removeprefix(prefix)
                else:
                    notes.append(self._of_others(name, claim))
            elif name.startswith(prefix):
                if claim == own:
                    names[name] = name.removeprefix(prefix)
                elif self._agrees(claim):
                    notes.append(self._without_claim(name))
            elif claim == own:
                notes.append(self._out_of_place(name))
        return Found(names, tuple(notes))

    def read(self, name: str, version: str = _NEWEST) -> Function:
        """A function as it is now, or as it was when a version of it was published."""
        doing = f"Reading the function {name}" + (f" in version {version}" if version != _NEWEST else "")
        qualifier = {"Qualifier": version} if version != _NEWEST else {}
        answer = self._cloud.call("lambda", "get_function_configuration", doing, FunctionName=name, **qualifier)
        return self._function(answer)

    def update(self, function: Function, variables: Mapping[str, str]) -> Function:
        """Return the function with new variables, once AWS has them everywhere; one that is Pending is waited for.

        Raises `Refused` with the code `PreconditionFailedException` or `ResourceConflictException` when it is not as
        it was read: somebody else has changed it or is about to, or this call did and its answer was lost. Read it
        again then. Raises `ToolError` for an update that AWS could not finish, for a function that takes no updates
        in its state, and for one that is busy for more than five minutes.
        """
        doing = f"Updating the function {function.name}"
        began = self._clock()
        while (answer := self._answer(function, variables, doing)) is None:
            self._wait(function.name, _PENDING, began)
        updated = self.settled(self._function(answer))
        if updated.status == "Failed":
            raise ToolError(
                f"{doing}: AWS could not finish it: {self._cloud.masked(updated.reason) or 'no reason given'}"
            )
        return updated

    def settled(self, function: Function) -> Function:
        """Return the function once Lambda has created it and no update of it is in progress.

        Raises `ToolError` after five minutes.
        """
        began = self._clock()
        while function.busy:
            self._wait(function.name, function.busy, began)
            function = self.read(function.name)
        return function

    def aliases(self, name: str) -> dict[str, list[str]]:
        """The aliases of a function that lead to published versions, by version; a weighted alias leads to two."""
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
        """The numbers of a function's published versions."""
        doing = f"Reading the versions of the function {name}"
        versions = self._cloud.pages(
            "lambda", "list_versions_by_function", doing, key="Versions", tokens=_MARKERS, FunctionName=name
        )
        return [one["Version"] for one in versions if one["Version"] != _NEWEST]

    def _answer(self, function: Function, variables: Mapping[str, str], doing: str) -> dict[str, Any] | None:
        """Lambda's answer to an update; None when it refuses because the function is Pending."""
        try:
            return self._cloud.call(
                "lambda",
                "update_function_configuration",
                doing,
                FunctionName=function.name,
                RevisionId=function.revision,
                Environment={"Variables": dict(variables)},
            )
        except Refused as refused:
            state = _NOT_ACTIVE.search(str(refused)) if refused.code == "ResourceConflictException" else None
            if state is None:
                raise
            if state[1] == _PENDING:
                return None
            raise ToolError(
                f"{doing}: Lambda does not update it in its state {state[1]}. Deploy it again; if that fails too, "
                "delete it first."
            ) from None

    def _wait(self, name: str, busy: str, began: float) -> None:
        """Pause before the next attempt; raise `ToolError` when the first one `began` too long ago."""
        waited = self._clock() - began
        if waited >= _SECONDS_TO_SETTLE:
            raise ToolError(
                f"The function {name} is still {busy} after {_SECONDS_TO_SETTLE} seconds. Run the command again."
            )
        if busy == _PENDING and waited >= _SECONDS_TO_REPORT and name not in self._awaited:
            self._awaited.add(name)
            self._cloud.on_wait(
                f"Waiting for the function {name}, which Lambda is still creating (its state is {_PENDING})."
            )
        self._sleep(min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 10)))

    @property
    def _stack(self) -> str:
        return stack_name(self.app, self.environment)

    def _agrees(self, claim: _Claim) -> bool:
        return claim[0] in (self.app, None) and claim[1] in (self.environment, None)

    def _of_others(self, name: str, claim: _Claim) -> str:
        said = " and ".join(
            f"{key}={value}" for key, value in zip(("ARC_APP_NAME", "ARC_ENV"), claim, strict=True) if value
        )
        return (
            f"{name} is left alone: it is among those of {self.app} in {self.environment}, but its own variables say "
            f"{said}."
        )

    def _without_claim(self, name: str) -> str:
        return (
            f"{name} is left alone: its name begins like those of {self.app} in {self.environment}, but neither its "
            "variables (ARC_APP_NAME, ARC_ENV) nor its tags (arc:app, arc:environment) say so."
        )

    def _out_of_place(self, name: str) -> str:
        return (
            f"{name} is left alone: its variables say that it belongs to {self.app} in {self.environment}, but it is "
            f"not in the stack {self._stack}, and has neither the tags (arc:app, arc:environment) nor the name."
        )

    def _function(self, answer: Mapping[str, Any]) -> Function:
        environment = answer.get("Environment", {})
        if "Error" in environment:
            said = self._cloud.masked(environment["Error"].get("Message", "no reason given"))
            raise ToolError(
                f"The variables of the function {answer['FunctionName']} cannot be read: {said} Let these credentials "
                "use kms:Decrypt with the function's key, if the key is there."
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
        """The name of every function of the region, and what its variables claim."""
        doing = "Listing the functions"
        for one in self._cloud.pages("lambda", "list_functions", doing, key="Functions", tokens=_MARKERS):
            variables = one.get("Environment", {}).get("Variables", {})
            yield one["FunctionName"], (variables.get("ARC_APP_NAME"), variables.get("ARC_ENV"))

    def _in_stack(self, stack: str) -> Iterator[tuple[str, str]]:
        """Name and logical id of each function of a stack and of the stacks within it; none without the stack."""
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
