"""What other commands need to know about an environment's stack: whether a deployment is changing it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.cloud.cloud import Refused
from arc.tools.cloud.failures import DENIED

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.tools.cloud.cloud import Cloud

CHANGE_SET_PREFIX = "arc-deploy-"
"""What the names of our change sets begin with."""
EMPTY = "REVIEW_IN_PROGRESS"
"""The status of a stack that has a change set, and nothing else."""
OVERTAKEN = (
    *("InvalidChangeSetStatus", "InvalidChangeSetStatusException"),
    *("ChangeSetNotFound", "ChangeSetNotFoundException"),
)
"""Codes of CloudFormation for a change set that is not there any more, or that no longer fits the stack."""
_PAUSES = (0.1, 2.0)  # seconds between two looks: on this machine, and on AWS
_LONGEST_WAIT = 3600  # seconds


def wait_for_deployment(
    cloud: Cloud,
    app: str,
    environment: str,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait while a deployment changes the stack, which sets the variables of functions; `cloud.on_wait` says so once.

    Raises `ToolError` after an hour, and what `Cloud.call` raises. Credentials that may not read the stack do not wait.
    """
    name, began, pause = stack_name(app, environment), clock(), _PAUSES[0] if cloud.url else _PAUSES[1]
    reported = False
    while (status := _status(cloud, name)).endswith("_IN_PROGRESS") and status != EMPTY:
        if clock() - began > _LONGEST_WAIT:
            raise ToolError(
                f"A deployment has been changing the stack {name} for an hour ({status}). Check it in the AWS console, "
                "and run the command again."
            )
        if not reported:
            cloud.on_wait(f"Waiting for a deployment, which is changing the stack {name} ({status}).")
            reported = True
        sleep(pause)


def discard_planned_deployments(cloud: Cloud, app: str, environment: str) -> None:
    """Delete the change sets that `arc deploy` has planned and not executed, so that it cannot execute them."""
    name, doing = stack_name(app, environment), "Looking for planned deployments"
    try:
        found = list(
            cloud.pages("cloudformation", "list_change_sets", f"{doing} ({name})", key="Summaries", StackName=name)
        )
    except Refused as refused:
        if "does not exist" in str(refused) or refused.code in DENIED:
            return
        raise
    for one in found:
        if one["ChangeSetName"].startswith(CHANGE_SET_PREFIX) and not one["ExecutionStatus"].startswith("EXECUTE"):
            change_set = {"StackName": name, "ChangeSetName": one["ChangeSetName"]}
            try:
                cloud.call("cloudformation", "delete_change_set", f"Stopping a deployment of {name}", **change_set)
            except Refused as refused:  # It is being executed, or is gone.
                if refused.code not in OVERTAKEN:
                    raise


def _status(cloud: Cloud, name: str) -> str:
    """Return the status of a stack; empty without one."""
    try:
        answer = cloud.call("cloudformation", "describe_stacks", f"Looking for the stack ({name})", StackName=name)
    except Refused as refused:
        if "does not exist" in str(refused) or refused.code in DENIED:
            return ""
        raise
    return str(answer["Stacks"][0]["StackStatus"])
