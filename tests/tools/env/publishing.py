"""Published versions of a deployed function, and the aliases that point to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.deployed import Deployed


class Publisher:
    """Publishes versions of one function, and points its alias `live` to them."""

    def __init__(self, functions: Deployed, logical_id: str = "GetIndex") -> None:
        self._client = functions.cloud.client("lambda")
        self.name = functions.functions[logical_id]

    def publish(self) -> str:
        """Publish the function as it is now, and return the version."""
        version: str = self._client.publish_version(FunctionName=self.name)["Version"]
        return version

    def lead(self, version: str, further: str | None = None, *, alias: str = "live") -> None:
        """Point the alias to a version, and send a tenth of the visitors to a `further` one."""
        weights = {"AdditionalVersionWeights": {further: 0.1} if further else {}}
        asked = {"FunctionName": self.name, "Name": alias, "FunctionVersion": version, "RoutingConfig": weights}
        try:
            self._client.update_alias(**asked)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_alias(**asked)
