"""How a function's worker is started: its files, its module and its environment variables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.sandbox.addresses import SANDBOX_VARIABLES
from arc.tools.sandbox.cloud.local_tables import region_of
from arc.tools.session_tables import chosen_store

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping
    from pathlib import Path

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.functions.debugging import DebugPort

# The only variables of the developer's shell, which may contain secrets, that functions inherit. An interpreter may
# need the last two to start: one whose libpython is in a folder of its own, and any on Windows.
_INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT")
_RESERVED_PREFIXES = ("AWS_LAMBDA_", "LAMBDA_", "_LAMBDA_", "_HANDLER", "_X_AMZN_")
_RESERVED = frozenset(
    ("ARC_APP_NAME", "ARC_ENV", "ARC_ROLE", "ARC_SANDBOX", "ARC_STACK_NAME", "AWS_REGION", "AWS_DEFAULT_REGION")
)
# The version of Architect's sandbox that this one is compatible with. Architect's libraries refuse an older one.
_VERSION = "5.0.0"


@dataclass(frozen=True)
class Launch:
    """What a worker needs. Two equal launches start the same process on the same files."""

    route: str
    """The route's name, which labels its lines in the terminal: `get /users/:id`."""
    arn: str
    """The function's ARN on AWS; it ends in `app-testing-GetUsersId`."""
    root: Path
    folder: Path
    shared: Path | None
    module: str | None
    """The handler's module, None without a handler file."""
    timeout: int
    """Seconds."""
    environ: tuple[tuple[str, str], ...] = field(repr=False)
    other_language: str = ""
    """The runtime or file in another language, empty for a Python function."""
    pure: bool = False
    """True to run without awslambdaric's native client."""
    debug: DebugPort | None = None
    """The port where an editor attaches to the function, which then has no timeout; None without `--debug`."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders whose files, when they change, require a new worker."""
        return (self.folder,) if self.shared is None else (self.folder, self.shared)

    @property
    def default_handler(self) -> str:
        """The handler file to create where there is none, relative to the app's root if it is below that."""
        file = self.folder / "handler.py"
        return file.relative_to(self.root).as_posix() if file.is_relative_to(self.root) else str(file)

    def plan(self) -> dict[str, object]:
        """Return the instructions for the bootstrap."""
        return {
            "root": str(self.root),
            "folder": str(self.folder),
            "shared": None if self.shared is None else str(self.shared),
            "module": self.module,
            "pure": self.pure,
            "debug": self.debug is not None,
        }


def build_launch(
    route: Route,
    inventory: Inventory,
    *,
    port: int,
    environ: Mapping[str, str],
    tables: int | None = None,
    pure: bool = False,
    debug: DebugPort | None = None,
) -> Launch:
    """Return how to start `route`'s worker in a sandbox on `port`, from a shell with the variables `environ`.

    `tables` is DynamoDB's port, None in an app without tables; `debug` is the port of the function's debugger.
    """
    config = route.config
    name = f"{inventory.app}-testing-{route.logical_id}"
    region = region_of(inventory)
    variables = {key: environ[key] for key in _INHERITED if key in environ}
    variables |= {
        "ARC_APP_NAME": inventory.app,
        "ARC_ENV": "testing",
        "ARC_ROLE": f"arn:aws:iam::123456789012:role/{inventory.app}-testing",
        "ARC_SANDBOX": json.dumps({"ports": sandbox_ports(port, tables), "version": _VERSION, **_static(inventory)}),
        "ARC_STACK_NAME": stack_name(inventory.app, "testing"),
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "sandbox/[$LATEST]",
        "LAMBDA_TASK_ROOT": str(route.folder),
        "TZ": ":UTC",
    }
    testing = inventory.env.get("testing", {}) if config.env else {}
    own = {key: value for key, value in testing.items() if key not in _RESERVED}
    if tables is not None:
        variables["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{tables}"
        bypass = ",".join(filter(None, (own.get("no_proxy") or own.get("NO_PROXY"), "localhost,127.0.0.1")))
        own |= {"no_proxy": bypass, "NO_PROXY": bypass}
    variables |= {"ARC_SESSION_TABLE_NAME": chosen_store(testing)} | own
    module = route.handler.stem if route.handler is not None else None
    if module is not None:
        variables["_HANDLER"] = f"{module}.handler"
    return Launch(
        route=route.name,
        arn=f"arn:aws:lambda:{region}:123456789012:function:{name}",
        root=inventory.root,
        folder=route.folder,
        shared=inventory.shared if config.shared else None,
        module=module,
        other_language=route.other_language,
        timeout=config.timeout,
        environ=tuple(sorted(variables.items())),
        pure=pure,
        debug=debug,
    )


def _static(inventory: Inventory) -> dict[str, object]:
    """Return the static folder, from which `arc.http.static` knows what exists."""
    static = inventory.static
    return {} if static is None else {"static": {"folder": str(static.folder), "ignore": static.ignore}}


def sandbox_ports(port: int, tables: int | None) -> dict[str, int]:
    """Return a sandbox's ports under the names that Architect's libraries look up."""
    return {"http": port, "_arc": port} | ({} if tables is None else {"tables": tables})


def passed_variables(names: Collection[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the shell's `environ` that `--env` names. Raises `ToolError` for an invalid name."""
    for name in names:
        if not name or "=" in name:  # The text after the equals sign may be a secret.
            raise ToolError("--env takes the name of a variable in this shell, without a value, as in --env TOKEN")
        if is_reserved(name):
            raise ToolError(f"The sandbox sets {name} for each function. Remove --env {name}.")
        if name not in environ:
            raise ToolError(f"{name} is not set in this shell. Export it, or add it to the app's .env.")
    return {name: environ[name] for name in names}


def is_reserved(name: str) -> bool:
    """Return True for a variable that the sandbox sets for each function."""
    return name in _RESERVED or name.startswith(_RESERVED_PREFIXES)


def ignored_variables(inventory: Inventory) -> list[str]:
    """Return a message for the app's own variables that the sandbox sets for each function, in place of their values.

    They come from its `.env` or its preferences.
    """
    testing = inventory.env.get("testing", {})
    source = ".env" if (inventory.root / ".env").is_file() else "the preferences"
    messages = []
    if testing.get("ARC_ENV", "testing") != "testing":
        messages.append(
            f"ARC_ENV={testing['ARC_ENV']} in {source} is ignored: functions run with ARC_ENV=testing here."
        )
    if others := ", ".join(sorted(name for name in testing if name in _RESERVED and name != "ARC_ENV")):
        messages.append(f"{others} in {source} is ignored: the sandbox sets what functions see.")
    return messages


def with_variables(inventory: Inventory, variables: Mapping[str, str]) -> Inventory:
    """Return `inventory` with these variables in testing, as if they were in the app's `.env`."""
    testing = {**inventory.env.get("testing", {}), **variables}
    return replace(inventory, env={**inventory.env, "testing": testing})


def ignored_settings(environ: Mapping[str, str], passed: Container[str]) -> list[str]:
    """Return the shell's session settings that functions do not see, because they are not `passed`."""
    return sorted(
        name
        for name in environ
        if name.startswith(("ARC_", "SESSION_")) and name not in passed and name not in SANDBOX_VARIABLES
    )
