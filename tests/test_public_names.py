"""The public names are pinned and lazy, and are the same objects however they are imported."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

from arc import errors

PUBLIC = {
    "arc": {
        *(
            "ArcError",
            "BadRequest",
            "ConfigurationError",
            "Event",
            "ForgedRequest",
            "FreshSignInRequired",
            "LateChange",
        ),
        *(
            "MissingField",
            "MissingSecret",
            "Request",
            "Response",
            "Session",
            "SessionTooLarge",
            "Settings",
            "StoreError",
        ),
        *("UnknownEvent", "UnknownQueue", "UnknownTable"),
        *("events", "http", "queues", "services", "tables", "testing", "ws"),
    },
    "arc.events": {"parse", "publish"},
    "arc.http": {
        *("build_manager", "csrf", "handler", "parse_body", "res", "session", "session_read", "session_write"),
        "static",
        "url",
    },
    "arc.queues": {"parse", "publish"},
    "arc.services": {"services"},
    "arc.tables": {"name", "table"},
    "arc.testing": {
        *(
            "App",
            "Browser",
            "Clock",
            "Page",
            "StoreContract",
            "alb",
            "function_url",
            "payload_v1",
            "payload_v2",
            "vpc_lattice",
        ),
    },
    "arc.ws": {"api", "close", "info", "send"},
}
RUNTIME = ("arc.http", "arc.sessions", "arc.testing")


def names() -> list[tuple[ModuleType, str]]:
    """Every public name with its module."""
    return [(importlib.import_module(module), name) for module in PUBLIC for name in sorted(PUBLIC[module])]


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_pinned(module: str) -> None:
    """Adding or removing a public name needs a change here, and dir() lists all."""
    loaded = importlib.import_module(module)
    assert set(loaded.__all__) == PUBLIC[module]
    assert set(dir(loaded)) >= PUBLIC[module]


def test_importing_submodules_changes_no_name() -> None:
    """A lazy callable is the same object before and after every submodule was imported."""
    before = {(module.__name__, name): getattr(module, name) for module, name in names()}
    for package in RUNTIME:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
            importlib.import_module(found.name)
    after = {(module.__name__, name): getattr(module, name) for module, name in names()}
    assert before == after


@pytest.mark.parametrize("name", sorted(PUBLIC["arc.http"]))
def test_lazy_names_are_cached(name: str) -> None:
    """The first use of a name sets it in the module, and dir() lists names in order."""
    module = importlib.import_module("arc.http")
    found = module.__getattr__(name)
    assert found is getattr(module, name) is vars(module)[name]
    assert isinstance(found, ModuleType) == (name in {"csrf", "session"})
    assert found.__name__.rpartition(".")[2] == name.removeprefix("session_")
    assert dir(module) == sorted(dir(module))


def test_names_do_not_depend_on_the_order_of_imports() -> None:
    """In a fresh process that imports every submodule first, callables are callables and modules modules."""
    code = f"""
import importlib, pkgutil
for package in {RUNTIME!r}:
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(found.name)
import arc
assert callable(arc.http.handler) and callable(arc.http.res) and callable(arc.http.parse_body)
assert callable(arc.http.session.read) and callable(arc.http.csrf.token) and callable(arc.testing.Browser)
import arc.events, arc.queues, arc.services, arc.tables, arc.ws
assert callable(arc.events.publish) and callable(arc.queues.publish) and callable(arc.ws.send)
assert callable(arc.services) and callable(arc.tables.name) and callable(arc.tables.table)
assert isinstance(arc.Session, type) and isinstance(arc.Request, type) and isinstance(arc.Response, type)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env={}, timeout=60)


@pytest.mark.parametrize(
    "imports",
    [
        "import arc",
        "import arc.services",
        "import arc; arc.services; import arc.services",
        "import arc.service_map, arc",
        "import arc; from arc.services import services; services",
        "import arc; from arc import services; assert services is arc.services",
        "import arc; from importlib import import_module, reload; reload(import_module('arc.services'))",
    ],
)
def test_services_is_callable_in_every_order_of_imports(imports: str) -> None:
    """`arc.services` is one callable module, imported by a statement or by name."""
    code = f"""
{imports}
try:
    arc.services({{"ARC_ENV": "staging"}})
except arc.ConfigurationError as error:
    print(error)
import sys
assert arc.services is sys.modules["arc.services"]
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, env={}, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("Neither ARC_STACK_NAME nor ARC_APP_NAME is set")


@pytest.mark.parametrize("module", ["events", "queues", "services", "ws"])
def test_modules_are_imported_by_statement_and_by_name(module: str) -> None:
    """Both find the same module, and importing arc alone imports none."""
    code = f"""
import sys, arc
assert "arc.{module}" not in sys.modules
found = arc.{module}
import arc.{module}
assert arc.{module} is found is sys.modules["arc.{module}"]
"""
    statement = f"import arc.{module}; arc.{module}.__all__; from arc import {module}"
    for one in (code, statement):
        subprocess.run([sys.executable, "-W", "error", "-c", one], check=True, env={}, timeout=60)


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        ("events.publish", ["name", "payload"]),
        ("events.parse", ["event"]),
        ("queues.publish", ["name", "payload"]),
        ("queues.parse", ["event"]),
        ("ws.api", []),
        ("ws.send", ["id", "payload"]),
        ("ws.close", ["id"]),
        ("ws.info", ["id"]),
    ],
)
def test_arguments_are_those_of_architect_functions(function: str, parameters: list[str]) -> None:
    """They match version 1.0 by position and by name, and additional ones are keyword-only."""
    module, _, name = function.partition(".")
    signature = inspect.signature(getattr(importlib.import_module(f"arc.{module}"), name))
    taken = [one.name for one in signature.parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    ours = {one.name for one in signature.parameters.values() if one.kind is one.KEYWORD_ONLY}
    assert taken == parameters
    assert ours <= {"environ"}


@pytest.mark.parametrize("module", PUBLIC)
def test_unknown_name_raises_attribute_error(module: str) -> None:
    """The message has the name."""
    with pytest.raises(AttributeError, match="nonesuch"):
        importlib.import_module(module).nonesuch  # noqa: B018


def test_early_name_of_the_service_map_is_explained() -> None:
    """Early versions of Architect called it `arc.reflect()`."""
    with pytest.raises(AttributeError, match=r"arc\.services\(\)"):
        importlib.import_module("arc").reflect  # noqa: B018


def test_exception_tree_is_complete() -> None:
    """The docstring of errors.py shows every exception under its parent."""
    assert errors.__doc__
    depth: dict[int, str] = {}
    drawn: dict[str, str] = {}
    for line in errors.__doc__.splitlines():
        name = line.lstrip(" │├└─").split(" ")[0]
        if hasattr(errors, name):
            indent = len(line) - len(line.lstrip(" │├└─"))
            depth = {level: parent for level, parent in depth.items() if level < indent}
            drawn[name] = depth[max(depth)] if depth else ""
            depth[indent] = name
    real = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert drawn.keys() == real.keys()
    for name, parent in drawn.items():
        assert not parent or issubclass(real[name], real[parent])
