"""The environments' variables as AWS keeps them: SSM parameters `/{app}/{environment}/{KEY}`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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


class Memo:
    """What a command must remember of an environment between two runs: JSON that no function gets.

    Its methods raise what `Cloud.call` raises.
    """

    def __init__(self, cloud: Cloud, app: str, environment: str, name: str) -> None:
        self._cloud, self._name = cloud, f"/arc-sessions/{app}/{environment}/{name}"
        self._what = f"the {name} of {environment}"

    def read(self) -> dict[str, Any] | None:
        """What was noted, None when nothing is."""
        doing = f"Reading {self._what}"
        try:
            answer = self._cloud.call("ssm", "get_parameter", doing, Name=self._name, WithDecryption=True)
        except Refused as refused:
            if refused.code == "ParameterNotFound":
                return None
            raise
        content: dict[str, Any] = json.loads(answer["Parameter"]["Value"])
        return content

    def write(self, content: Mapping[str, Any], *, over: bool = True) -> bool:
        """Note `content`; False when something is noted already and it is not to be written `over`."""
        try:
            self._cloud.call(
                "ssm",
                "put_parameter",
                f"Noting {self._what}",
                Name=self._name,
                Value=json.dumps(content),
                Type="SecureString",
                Overwrite=over,
            )
        except Refused as refused:
            if refused.code == "ParameterAlreadyExists":
                return False
            raise
        return True

    def remove(self) -> None:
        """Forget it."""
        try:
            self._cloud.call("ssm", "delete_parameter", f"Forgetting {self._what}", Name=self._name)
        except Refused as refused:
            if refused.code != "ParameterNotFound":
                raise
