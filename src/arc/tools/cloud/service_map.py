"""The service map of a stack in SSM, as operators read it: physical names of tables by the manifest's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.service_map import stack_name

if TYPE_CHECKING:
    from arc.tools.cloud.cloud import Cloud


def mapped_tables(cloud: Cloud, app: str, environment: str) -> dict[str, str]:
    """The physical name of each table that the stack of an app's environment has made, by its logical name.

    Empty without a stack. Raises what `Cloud.call` raises.
    """
    path = f"/{stack_name(app, environment)}/tables"
    found = cloud.pages(
        "ssm", "get_parameters_by_path", f"Reading the service map {path}", key="Parameters", Path=path, Recursive=True
    )
    return {one["Name"].removeprefix(f"{path}/"): one["Value"] for one in found}
