"""What commands remember of an environment: SSM parameters `/arc-sessions/{app}/{environment}/{name}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arc.tools.cloud.cloud import Cloud


class Memo:
    """What a command must remember of an environment between two runs: JSON that no function gets.

    Every text in it is hidden. Its methods raise what `Cloud.call` raises.
    """

    def __init__(self, cloud: Cloud, app: str, environment: str, name: str) -> None:
        self._cloud, self._name = cloud, f"/arc-sessions/{app}/{environment}/{name}"
        self._what = f"the {name} of {environment}"

    def read(self) -> dict[str, Any] | None:
        """What was noted, None when nothing is. Raises `ToolError` for what was not written here."""
        doing = f"Reading {self._what}"
        try:
            answer = self._cloud.call("ssm", "get_parameter", doing, Name=self._name, WithDecryption=True)
        except Refused as refused:
            if refused.code == "ParameterNotFound":
                return None
            raise
        try:
            content = json.loads(answer["Parameter"]["Value"])
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ToolError(
                f"The parameter {self._name} in SSM holds nothing that arc has written. Look what it is, and remove "
                f"it: aws ssm delete-parameter --name {self._name}"
            )
        self._cloud.hide(*_texts(content))
        return content

    def write(self, content: Mapping[str, Any], *, over: bool = True) -> bool:
        """Note `content`; False when something is noted already and it is not to be written `over`.

        That may be `content` itself, when the answer to an earlier attempt was lost.
        """
        noted = json.dumps(content, ensure_ascii=False)
        self._cloud.hide(noted, *_texts(content))
        try:
            self._cloud.call(
                "ssm",
                "put_parameter",
                f"Noting {self._what}",
                Name=self._name,
                Value=noted,
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


def _texts(content: object) -> Iterator[str]:
    """Every text among the values of `content`."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value)
