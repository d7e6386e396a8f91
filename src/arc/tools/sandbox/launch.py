"""How to start a worker of a function: its files, its module and its whole environment."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.service_map import stack_name
from arc.tools.sandbox.addresses import HEEDED
from arc.tools.sandbox.cloud.local_tables import region_of
from arc.tools.session_tables import chosen_store

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping
    from pathlib import Path

    from arc.inventory import Inventory, Route
    from arc.tools.sandbox.functions.debugging import DebugPort

# All that functions get of the developer's shell, which may hold secrets. An interpreter may not start without the
# last two: one whose libpython lies in a folder of its own, and any on Windows.
_FROM_THE_SHELL = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT")
_LAMBDAS = ("AWS_LAMBDA_", "LAMBDA_", "_LAMBDA_", "_HANDLER", "_X_AMZN_")
_RESERVED = frozenset(
    ("ARC_APP_NAME", "ARC_ENV", "ARC_ROLE", "ARC_SANDBOX", "ARC_STACK_NAME", "AWS_REGION", "AWS_DEFAULT_REGION")
)
# The sandbox of Architect that ours answers like: its libraries refuse an older one.
_VERSION = "5.0.0"


@dataclass(frozen=True)
class Launch:
    """What a worker needs. Two that are equal start the same process on the same files."""

    route: str
    """The route's name, which marks its lines in the terminal: `get /users/:id`."""
    arn: str
    """The function's name on AWS; it ends in `app-testing-GetUsersId`."""
    root: Path
    folder: Path
    shared: Path | None
    module: str | None
    """The handler's module, None while there is no file."""
    timeout: int
    """Seconds."""
    environ: tuple[tuple[str, str], ...] = field(repr=False)
    other_language: str = ""
    """The runtime or file in another language, empty for a Python function."""
    pure: bool = False
    """True to leave awslambdaric's native client aside."""
    debug: DebugPort | None = None
    """The port where an editor attaches to the function, which then has no timeout; None without `--debug`."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the files lie whose changes need a new worker."""
        return (self.folder,) if self.shared is None else (self.folder, self.shared)

    @property
    def wanted_file(self) -> str:
        """The handler file that is missing, as a path below the app's root."""
        try:
            return (self.folder / "handler.py").relative_to(self.root).as_posix()
        except ValueError:
            return str(self.folder / "handler.py")

    def plan(self) -> dict[str, object]:
        """What the bootstrap is told."""
        return {
            "root": str(self.root),
            "folder": str(self.folder),
            "shared": None if self.shared is None else str(self.shared),
            "module": self.module,
            "pure": self.pure,
            "debug": self.debug is not None,
        }


def launch_of(
    route: Route,
    inventory: Inventory,
    *,
    port: int,
    environ: Mapping[str, str],
    tables: int | None = None,
    pure: bool = False,
    debug: DebugPort | None = None,
) -> Launch:
    """How to start `route`'s worker in a sandbox on `port`, from a shell whose variables are `environ`.

    `tables` is the port on which DynamoDB answers, None in an app without tables; `debug` that of the function's
    debugger.
    """
    config = route.config
    name = f"{inventory.app}-testing-{route.logical_id}"
    region = region_of(inventory)
    variables = {key: environ[key] for key in _FROM_THE_SHELL if key in environ}
    variables |= {
        "ARC_APP_NAME": inventory.app,
        "ARC_ENV": "testing",
        "ARC_ROLE": f"arn:aws:iam::123456789012:role/{inventory.app}-testing",
        "ARC_SANDBOX": json.dumps({"ports": ports_told(port, tables), "version": _VERSION}),
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
    if tables is not None:
        variables["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{tables}"
    testing = inventory.env.get("testing", {}) if config.env else {}
    own = {key: value for key, value in testing.items() if key not in _RESERVED}
    variables |= {"ARC_SESSION_TABLE_NAME": chosen_store(testing)} | own
    if tables is not None:
        past = ",".join(filter(None, (own.get("no_proxy") or own.get("NO_PROXY"), "localhost,127.0.0.1")))
        variables |= {"no_proxy": past, "NO_PROXY": past}
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


def ports_told(port: int, tables: int | None) -> dict[str, int]:
    """The ports of a sandbox, as Architect's libraries look for them."""
    return {"http": port, "_arc": port} | ({} if tables is None else {"tables": tables})


def passed_variables(names: Collection[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the shell's `environ` that `--env` names. Raises `ToolError` for one it cannot pass."""
    for name in names:
        if not name or "=" in name:  # What follows it may be a secret.
            raise ToolError("--env takes the name of a variable that is set in this shell, and no value: --env TOKEN")
        if is_reserved(name):
            raise ToolError(f"{name} is set by the sandbox for each function. Leave out --env {name}.")
        if name not in environ:
            raise ToolError(f"{name} is not set in this shell. Export it first, or put it into the app's .env.")
    return {name: environ[name] for name in names}


def is_reserved(name: str) -> bool:
    """Return True for a variable that the sandbox sets itself, for each function."""
    return name in _RESERVED or name.startswith(_LAMBDAS)


def with_variables(inventory: Inventory, variables: Mapping[str, str]) -> Inventory:
    """Return `inventory` with these variables in testing, as if they were in the app's `.env`."""
    testing = {**inventory.env.get("testing", {}), **variables}
    return replace(inventory, env={**inventory.env, "testing": testing})


def unheeded(environ: Mapping[str, str], passed: Container[str]) -> list[str]:
    """The settings of sessions in the shell's `environ` that functions do not see, as they are not `passed`."""
    return sorted(
        name for name in environ if name.startswith(("ARC_", "SESSION_")) and name not in passed and name not in HEEDED
    )
