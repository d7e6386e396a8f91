"""`App`: a whole app in the process of its tests, with the routes of its manifest."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arc import inventory as inventories
from arc.errors import ConfigurationError, ToolError
from arc.http.manager import build_manager, exchange_manager
from arc.sessions.stores.memory import MemoryStore
from arc.settings import Settings
from arc.testing.browser import Browser
from arc.testing.events import payload_v2
from arc.testing.functions import Function, SharedModules
from arc.tools.sandbox.functions.bootstrap.invocations import ASYNC
from arc.tools.sandbox.functions.failures import NoHandler, NotPython
from arc.tools.sandbox.functions.launch import build_launch, is_reserved, with_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType, TracebackType
    from typing import Self

    from arc.inventory import Route
    from arc.sessions.manager import SessionManager
    from arc.testing.tables import AppTables
    from arc.tools.sandbox.functions.launch import Launch


class App:
    """The app in `folder`, in this process. Use it in a `with` statement, or call `close`.

    Requests are routed as in the sandbox and on AWS. A handler sees the variables that it has in the sandbox: those of
    testing in `.env` and the preferences, and none of the shell's. An exception that it raises reaches the test.

    - `env` contains additional variables. The attribute `env` may be changed; the next request sees the change.
    - `tables=True` starts a local cloud with the manifest's tables, empty except for the rows of `sandbox-seed.json`.
      It requires the extra `local`. Without it, sessions that belong in a table are stored in memory.
    - `clock` returns Unix seconds, for sessions and cookies. `arc.testing.Clock()` stands still until it is moved.

    Raises `InventoryError` for an app with faults, and `ToolError` for a folder without one. The manifest's warnings
    are issued as Python warnings.
    """

    def __init__(
        self,
        folder: str | Path = ".",
        *,
        env: Mapping[str, str] | None = None,
        tables: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._inventory = inventories.read(Path(folder))
        except ModuleNotFoundError as missing:
            raise ToolError(
                f"This app needs {missing.name}, which is not installed. Run: pip install 'arc-sessions[sandbox]'"
            ) from missing
        self.env: dict[str, str] = dict(env or {})
        self._clock = clock
        self._routes = {route.route_key: route for route in self._inventory.routes}
        self._memory: MemoryStore | None = None
        self._functions: dict[Path, _LoadedFunction] = {}
        self._tables: AppTables | None = None
        self._closed = False
        for warning in dict.fromkeys(self._inventory.warnings):
            warnings.warn(warning, stacklevel=2)
        with contextlib.ExitStack() as ends:
            self._shared = SharedModules(self._inventory.root, self._inventory.shared)
            ends.callback(self._shared.close)
            if tables:
                from arc.testing.tables import AppTables

                self._tables = AppTables(self._inventory)
                ends.callback(self._tables.close)
            self._ends = ends.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the app's modules and its local cloud."""
        self._closed = True
        self._ends.close()

    def browser(self, *, origin: str = "https://app.example", headers: Mapping[str, str] | None = None) -> Browser:
        """Return a new visitor's browser. `origin` and `headers` are those of `Browser`."""
        return Browser(self._handle, event=self._event, origin=origin, headers=headers, clock=self._clock)

    @contextlib.contextmanager
    def inside(self, route: str | None = None) -> Iterator[None]:
        """Run a `with` block as a function of the app: with its variables, tables, imports and sessions.

        In it, `arc.tables.table("notes")` is the app's table, and `from vendor.shared import page` its shared code.
        `route` names the function, such as `"get /cart"`; by default it is one with shared code. Raises `ToolError`
        for an unknown route.
        """
        with self._running(self._function(self._find_route(route))):
            yield

    def module(self, name: str, *, route: str | None = None) -> ModuleType:
        """Return a module as the app's functions import it, such as `vendor.shared.mail`.

        The functions share the modules of the shared code, so what a test replaces in one is replaced for all of them.
        With a `route`, it is a module of that route's function: `handler`, or one beside it. Raises `ToolError` for an
        unknown route.
        """
        with self.inside(route):
            return importlib.import_module(name)

    def _find_route(self, name: str | None) -> Route:
        routes = self._inventory.routes
        if name is None:
            found = sorted(routes, key=lambda route: not (route.is_python and route.config.shared))
        else:
            method, _, path = name.strip().partition(" ")
            found = [route for route in routes if route.name == f"{method.lower()} {path.strip()}"]
        if not routes:
            raise ToolError("The app has no functions yet. Add a route below @http in its manifest.")
        if not found:
            raise ToolError(f"Unknown route {name!r}. The manifest has {', '.join(route.name for route in routes)}.")
        return found[0]

    def _event(self, method: str, path: str, **parts: Any) -> dict[str, Any]:
        found = inventories.match(self._inventory.routes, method, path)
        event = payload_v2(method, path, params=found[1] if found else None, time=self._clock(), **parts)
        event["routeKey"] = event["requestContext"]["routeKey"] = found[0].route_key if found else ""
        return event

    def _handle(self, event: dict[str, Any], _context: object) -> Any:
        __tracebackhide__ = True
        if not event["routeKey"]:  # API Gateway's answer, for an unknown path and for another method
            headers = {"content-type": "application/json"}
            return {"statusCode": 404, "headers": headers, "body": '{"message":"Not Found"}'}
        function = self._function(self._routes[event["routeKey"]])
        with self._running(function):
            return function.handle(event)

    def _function(self, route: Route) -> _LoadedFunction:
        if self._closed:
            raise ToolError("This App is closed. Open another one for each test.")
        if route.folder not in self._functions:
            code = Function(route.folder, self._shared, shared=route.config.shared)
            self._functions[route.folder] = _LoadedFunction(route, code)
        return self._functions[route.folder]

    @contextlib.contextmanager
    def _running(self, function: _LoadedFunction) -> Iterator[None]:
        for name, value in self.env.items():
            if is_reserved(name):
                raise ToolError(f"{name} cannot be in env, because an App sets it for each function. Remove it.")
            if not isinstance(value, str):
                raise TypeError(f"{name} is {value!r} in env. Variables are text: pass {str(value)!r}.")
        launch, variables = self._launch(function.route)
        with function.code.running(variables):
            function.launch = launch
            manager = function.manager_for(variables, self._build_manager)
            before = exchange_manager(manager)
            try:
                yield
            except ConfigurationError as error:
                if self._tables is None and "ARC_SANDBOX" in str(error):
                    error.add_note("This App has no tables. Open it with App(…, tables=True).")
                raise
            finally:
                exchange_manager(before)

    def _launch(self, route: Route) -> tuple[Launch, dict[str, str]]:
        """Return how the sandbox starts the function, and the variables for it in this App."""
        tables = self._tables
        inventory = with_variables(self._inventory, self.env)
        ports = (0, None) if tables is None else (tables.port, tables.database_port)
        launch = build_launch(route, inventory, port=ports[0], tables=ports[1], environ=os.environ)
        variables = dict(launch.environ)
        if tables is None:
            variables["ARC_SANDBOX"] = json.dumps({**json.loads(variables["ARC_SANDBOX"]), "ports": {}})
        return launch, variables

    def _build_manager(self, variables: Mapping[str, str]) -> SessionManager:
        """Return the session manager of a function, with memory in place of a missing table."""
        if self._tables is not None:
            return build_manager(Settings.from_env(variables), clock=self._clock)
        settings = Settings.from_env({**variables, "ARC_SESSION_MIGRATE_FROM": ""})
        manager = build_manager(settings, clock=self._clock)
        if settings.table == "jwe":
            return manager
        if self._memory is None:
            self._memory = MemoryStore(manager.keyring)
        return build_manager(settings, store=self._memory, clock=self._clock)


class _LoadedFunction:
    """A route's function with its handler and its session manager."""

    launch: Launch

    def __init__(self, route: Route, code: Function) -> None:
        self.route, self.code = route, code
        self._manager: SessionManager | None = None
        self._variables: Mapping[str, str] = {}

    def manager_for(
        self, variables: Mapping[str, str], build: Callable[[Mapping[str, str]], SessionManager]
    ) -> SessionManager:
        """Return the manager for these variables, built again when they have changed."""
        if self._manager is None or variables != self._variables:
            self._manager, self._variables = build(variables), variables
        return self._manager

    def handle(self, event: dict[str, Any]) -> Any:
        """Return the handler's result. Raises what it raises, and `ToolError` if it does not exist."""
        __tracebackhide__ = True
        launch = self.launch
        if launch.other_language:
            raise ToolError(str(NotPython(launch.route, launch.other_language, launch.default_handler)))
        if launch.module is None:
            raise ToolError(str(NoHandler(launch.route, launch.default_handler, str(launch.root))))
        handler = getattr(importlib.import_module(launch.module), "handler", None)
        if not callable(handler):
            raise ToolError(f"{self.route.handler} has no callable named 'handler'. Add one.")
        result = handler(event, Context(launch, event["requestContext"]["requestId"]))
        if hasattr(result, "__await__") and not isinstance(result, (dict, str)):  # a session, a cookie
            if hasattr(result, "close"):
                result.close()  # Otherwise Python warns that it was never awaited.
            raise TypeError(ASYNC)
        return result


class Context:
    """The function and the invocation, as Lambda describes them to a handler."""

    def __init__(self, launch: Launch, request_id: str) -> None:
        variables = dict(launch.environ)
        self.aws_request_id = request_id
        self.function_name = variables["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = variables["AWS_LAMBDA_FUNCTION_VERSION"]
        self.invoked_function_arn = launch.arn
        self.memory_limit_in_mb = variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = variables["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = variables["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._end = time.monotonic() + launch.timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function's timeout."""
        return max(0, int((self._end - time.monotonic()) * 1000))
