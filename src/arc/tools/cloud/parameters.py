"""The environments' variables as AWS keeps them: SSM parameters `/{app}/{environment}/{KEY}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc.tools.cloud.cloud import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arc.tools.cloud.cloud import Cloud


class Parameters:
    """The variables of one environment of an app, encrypted as SecureString. Every value that is read is hidden."""

    def __init__(self, cloud: Cloud, app: str, environment: str) -> None:
        self.path = f"/{app}/{environment}"
        self._cloud, self._environment = cloud, environment

    def read(self) -> dict[str, str]:
        """Name and value of each variable, by name. Raises what `Cloud.call` raises."""
        found = self._cloud.pages(
            "ssm",
            "get_parameters_by_path",
            f"Reading the variables of {self._environment}",
            key="Parameters",
            Path=self.path,
            WithDecryption=True,
        )
        variables = {one["Name"].rpartition("/")[2]: one["Value"] for one in found}
        self._cloud.hide(*variables.values())
        return dict(sorted(variables.items()))

    def write(self, variables: Mapping[str, str]) -> None:
        """Set each of `variables`, one call each. Raises what `Cloud.call` raises."""
        self._cloud.hide(*variables.values())
        for key, value in variables.items():
            self._cloud.call(
                "ssm",
                "put_parameter",
                f"Writing {key} in {self._environment}",
                Name=f"{self.path}/{key}",
                Value=value,
                Type="SecureString",
                Overwrite=True,
            )

    def remove(self, key: str) -> None:
        """Remove a variable; one that has gone already is fine. Raises what `Cloud.call` raises."""
        try:
            self._cloud.call(
                "ssm", "delete_parameter", f"Removing {key} from {self._environment}", Name=f"{self.path}/{key}"
            )
        except Refused as refused:
            if refused.code != "ParameterNotFound":
                raise
