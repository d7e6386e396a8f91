"""What SSM's Parameter Store keeps for an environment: its variables, a command's memos, and a stack's tables."""

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
from arc.tools.cloud.failures import ignoring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arc.tools.cloud.cloud import Cloud


# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html, in any case of letters
_REFUSED_PREFIXES = ("aws", "ssm")
_ATTEMPTS, _PAUSE = 10, 0.5  # SSM may return a new value a moment after it was written


class Parameters:
    """An environment's variables: encrypted parameters `/{app}/{environment}/{KEY}`.

    Values are masked in messages, and never older than what this object read or wrote before. Raises `ToolError` for
    an app name that SSM refuses.
    """

    def __init__(
        self, cloud: Cloud, app: str, environment: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        if app.lower().startswith(_REFUSED_PREFIXES):
            raise ToolError(
                f"The app name {app!r} cannot be used outside testing: SSM, which stores the variables (with --local "
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
        """Return the variables, sorted by name, as they are after this call; threads share what they read.

        Raises what `Cloud.call` raises, and `ToolError` when SSM keeps returning old values.
        """
        moment = next(self._moments)
        with self._lock:
            if self._begun < moment:
                begun = next(self._moments)
                self._variables = self._read()
                self._begun = begun
            return dict(self._variables)

    def _read(self) -> dict[str, str]:
        doing = f"Reading the variables of {self._environment}"
        for attempt in range(1, _ATTEMPTS + 1):
            pages = self._cloud.pages(
                "ssm", "get_parameters_by_path", doing, key="Parameters", Path=self.path, WithDecryption=True
            )
            found = {one["Name"].rpartition("/")[2]: one for one in pages}
            self._cloud.hide(*(one["Value"] for one in found.values()))
            old = [name for name, one in found.items() if one["Version"] < self._versions.get(name, 0)]
            changed = any(bool(version) != (name in found) for name, version in self._versions.items())
            if not old and (not changed or attempt == _ATTEMPTS):  # another process may have removed or created one
                self._versions = {name: one["Version"] for name, one in found.items()}
                return {name: found[name]["Value"] for name in sorted(found)}
            self._sleep(_PAUSE)
        raise ToolError(
            f"SSM still returns old values of {', '.join(old)} in {self._environment}. Nothing is lost. Run the "
            "command again in a minute."
        )

    def write(self, variables: Mapping[str, str]) -> None:
        """Set variables, one call each. Raises what `Cloud.call` raises."""
        self._cloud.hide(*variables.values())
        for key, value in variables.items():
            self._put(key, value, over=True)

    def write_new(self, key: str, value: str) -> bool:
        """Set a variable, or return False when it exists. Raises what `Cloud.call` raises."""
        self._cloud.hide(value)
        return self._put(key, value, over=False)

    def _put(self, key: str, value: str, *, over: bool) -> bool:
        name, doing = f"{self.path}/{key}", f"Writing {key} in {self._environment}"
        try:
            version = _put(self._cloud, name, value, doing, over=over)
        except Refused as refused:
            if refused.code != "HierarchyTypeMismatchException":
                raise
            raise ToolError(
                f"{doing}: The parameter {name} is not encrypted, and SSM cannot change that. Remove it and set it "
                f"again: arc env remove {self._environment} {key}"
            ) from None
        if version is not None:
            self._versions[key] = version
        return version is not None

    def remove(self, key: str) -> None:
        """Remove a variable if it exists. Raises what `Cloud.call` raises."""
        _delete(self._cloud, f"{self.path}/{key}", f"Removing {key} from {self._environment}")
        self._versions[key] = 0


class Memo:
    """What a command remembers of an environment between two runs: JSON that no function gets.

    Texts in it are masked in messages. Its methods raise what `Cloud.call` raises.
    """

    def __init__(self, cloud: Cloud, app: str, environment: str, name: str) -> None:
        self._cloud, self._name = cloud, f"/arc-sessions/{app}/{environment}/{name}"
        self._what = f"the {name} of {environment}"

    def read(self) -> dict[str, Any] | None:
        """Return the content, None without one. Raises `ToolError` for content that was not written here."""
        doing = f"Reading {self._what}"
        text = None
        with ignoring("ParameterNotFound"):
            answer = self._cloud.call("ssm", "get_parameter", doing, Name=self._name, WithDecryption=True)
            text = answer["Parameter"]["Value"]
        if text is None:
            return None
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ToolError(
                f"The parameter {self._name} in SSM was not written by arc. Check what it is, and remove it: "
                f"aws ssm delete-parameter --name {self._name}"
            )
        self._cloud.hide(*_texts(content))
        return content

    def write(self, content: Mapping[str, Any], *, over: bool = True) -> bool:
        """Write the content; without `over`, return False when there is one.

        That may be `content` itself, when the answer to an earlier attempt was lost.
        """
        text = json.dumps(content, ensure_ascii=False)
        self._cloud.hide(text, *_texts(content))
        return _put(self._cloud, self._name, text, f"Writing {self._what}", over=over) is not None

    def remove(self) -> None:
        """Remove the content."""
        _delete(self._cloud, self._name, f"Removing {self._what}")


def mapped_tables(cloud: Cloud, app: str, environment: str) -> dict[str, str]:
    """Return the physical names of the tables in an environment's stack, by their names in the manifest.

    Empty without a stack. Raises what `Cloud.call` raises.
    """
    path = f"/{stack_name(app, environment)}/tables"
    found = cloud.pages(
        "ssm", "get_parameters_by_path", f"Reading the service map {path}", key="Parameters", Path=path, Recursive=True
    )
    return {one["Name"].removeprefix(f"{path}/"): one["Value"] for one in found}


def _put(cloud: Cloud, name: str, value: str, doing: str, *, over: bool) -> int | None:
    """Write an encrypted parameter and return its version; without `over`, None when it exists."""
    request = {"Name": name, "Value": value, "Type": "SecureString", "Overwrite": over}
    with ignoring("ParameterAlreadyExists"):
        version: int = cloud.call("ssm", "put_parameter", doing, **request)["Version"]
        return version
    return None


def _delete(cloud: Cloud, name: str, doing: str) -> None:
    with ignoring("ParameterNotFound"):
        cloud.call("ssm", "delete_parameter", doing, Name=name)


def _texts(content: object) -> Iterator[str]:
    """Yield every text among the values of `content`."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value)
