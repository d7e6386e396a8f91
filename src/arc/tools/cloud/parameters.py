"""The environments' variables as AWS keeps them: SSM parameters `/{app}/{environment}/{KEY}`."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.cloud.cloud import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arc.tools.cloud.cloud import Cloud


# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html, in any case of letters
_REFUSED_PREFIXES = ("aws", "ssm")
_LOOKS, _PAUSE = 10, 0.5  # SSM may tell what was written a moment later


class Parameters:
    """The variables of one environment of an app, encrypted as SecureString. Every value that is read is hidden.

    What is read is never older than what was read or written here before. Raises `ToolError` for an app whose name
    SSM refuses.
    """

    def __init__(
        self, cloud: Cloud, app: str, environment: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        if app.lower().startswith(_REFUSED_PREFIXES):
            raise ToolError(
                f"The app name {app!r} cannot be used outside testing: SSM, which keeps the variables (with --local "
                f"too), refuses names that begin with {' or '.join(_REFUSED_PREFIXES)}. Choose another name below @app "
                "in the manifest."
            )
        self.path = f"/{app}/{environment}"
        self._cloud, self._environment, self._sleep = cloud, environment, sleep
        self._versions: dict[str, int] = {}  # the newest known, by name; 0 for one that was removed
        self._moments = itertools.count(1)
        self._lock = threading.Lock()
        self._begun, self._variables = 0, dict[str, str]()

    def read(self) -> dict[str, str]:
        """Name and value of each variable, by name, as they are after this was called; threads share what they read.

        Raises what `Cloud.call` raises, and `ToolError` when SSM goes on telling old values.
        """
        asked = next(self._moments)
        with self._lock:
            if self._begun < asked:
                begun = next(self._moments)
                self._variables = self._read()
                self._begun = begun
            return dict(self._variables)

    def _read(self) -> dict[str, str]:
        for look in range(1, _LOOKS + 1):
            found = list(
                self._cloud.pages(
                    "ssm",
                    "get_parameters_by_path",
                    f"Reading the variables of {self._environment}",
                    key="Parameters",
                    Path=self.path,
                    WithDecryption=True,
                )
            )
            versions = {one["Name"].rpartition("/")[2]: one["Version"] for one in found}
            self._cloud.hide(*(one["Value"] for one in found))
            old = [name for name, version in versions.items() if version < self._versions.get(name, 0)]
            gone = [name for name, version in self._versions.items() if bool(version) != (name in versions)]
            if not old and (not gone or look == _LOOKS):  # another may have removed it, or made it anew
                self._versions = versions
                return {one["Name"].rpartition("/")[2]: one["Value"] for one in sorted(found, key=_name)}
            self._sleep(_PAUSE)
        raise ToolError(
            f"SSM goes on telling old values of {', '.join(old)} in {self._environment}. Nothing is lost: run the "
            "command again in a minute."
        )

    def write(self, variables: Mapping[str, str]) -> None:
        """Set each of `variables`, one call each. Raises what `Cloud.call` raises."""
        self._cloud.hide(*variables.values())
        for key, value in variables.items():
            self._put(key, value, over=True)

    def write_new(self, key: str, value: str) -> bool:
        """Set a variable unless it is set, which gives False. Raises what `Cloud.call` raises."""
        self._cloud.hide(value)
        try:
            self._put(key, value, over=False)
        except Refused as refused:
            if refused.code == "ParameterAlreadyExists":
                return False
            raise
        return True

    def _put(self, key: str, value: str, *, over: bool) -> None:
        name, doing = f"{self.path}/{key}", f"Writing {key} in {self._environment}"
        request = {"Name": name, "Value": value, "Type": "SecureString", "Overwrite": over}
        try:
            answer = self._cloud.call("ssm", "put_parameter", doing, **request)
        except Refused as refused:
            if refused.code != "HierarchyTypeMismatchException":
                raise
            raise ToolError(
                f"{doing}: the parameter {name} was made without encryption, and SSM does not change that. Remove it "
                f"and set it again: arc env remove {self._environment} {key}"
            ) from None
        self._versions[key] = answer["Version"]

    def remove(self, key: str) -> None:
        """Remove a variable; one that has gone already is fine. Raises what `Cloud.call` raises."""
        try:
            self._cloud.call(
                "ssm", "delete_parameter", f"Removing {key} from {self._environment}", Name=f"{self.path}/{key}"
            )
        except Refused as refused:
            if refused.code != "ParameterNotFound":
                raise
        self._versions[key] = 0


def _name(parameter: Mapping[str, Any]) -> str:
    name: str = parameter["Name"]
    return name


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


def mapped_tables(cloud: Cloud, app: str, environment: str) -> dict[str, str]:
    """The physical name of each table that the stack of an app's environment has made, by its logical name.

    Empty without a stack. Raises what `Cloud.call` raises.
    """
    path = f"/{stack_name(app, environment)}/tables"
    found = cloud.pages(
        "ssm", "get_parameters_by_path", f"Reading the service map {path}", key="Parameters", Path=path, Recursive=True
    )
    return {one["Name"].removeprefix(f"{path}/"): one["Value"] for one in found}
