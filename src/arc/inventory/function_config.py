"""How a function runs: the defaults, the manifest's `@aws`, and the function's own `config.arc`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from arc.manifest import Array, Map, Scalar, Vector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from arc.inventory.findings import Findings
    from arc.manifest import Manifest, Pragma, Scalar


PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
_OLD_PYTHON = re.compile(r"python(2\.[0-9]|3\.[0-9]|3\.10)")
# Lambda's other runtimes, those that AWS has retired, and Architect's short words for them.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_OTHERS = (
    *("nodejs24.x", "nodejs22.x", "nodejs20.x", "java25", "java21", "java17", "java11", "java8.al2"),
    *("dotnet10", "dotnet8", "ruby3.4", "ruby3.3", "ruby3.2", "provided.al2023", "provided.al2"),
)
_RETIRED = (
    *("nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x", "nodejs10.x", "nodejs8.10", "nodejs6.10"),
    *("java8", "ruby2.7", "ruby2.5", "go1.x", "provided"),
    *("dotnet7", "dotnet6", "dotnetcore3.1", "dotnetcore2.1"),
)
_SHORT = ("node", "nodejs", "node.js", "ruby", "rb", "java", "dotnet", ".net", "custom")
# Architect knows deno by itself; the others belong to well-known plugins.
_OF_PLUGINS = ("deno", "bun", "go", "golang", "rust", "typescript", "ts")
_LAYER = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+")


@dataclass(frozen=True)
class FunctionConfig:
    """How one function runs on AWS, and in the sandbox. The limits are those of AWS Lambda."""

    runtime: str = "python3.13"
    names_version: bool = False
    """True when the manifest chose the version, False for the default and for `python`."""
    memory: int = 1152
    """Megabytes, 128 to 10240."""
    timeout: int = 5
    """Seconds, 1 to 900."""
    storage: int = 512
    """Megabytes of /tmp, 512 to 10240."""
    architecture: str = "arm64"
    concurrency: int | None = None
    """Reserved concurrency; None leaves it to the account."""
    layers: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    has_plugins: bool = False
    """True in an app with `@plugins`, which may bring runtimes of their own."""
    env: bool = True
    """False keeps the environment's variables from this function."""
    shared: bool = True
    """False keeps the shared code from this function."""

    @property
    def is_python(self) -> bool:
        """True for a Python runtime, False for another language's."""
        return self.runtime.startswith("python")


class _Wrong(Exception):
    """A value that a setting cannot have."""

    def __init__(self, hint: str, message: str = "") -> None:
        self.hint, self.message = hint, message
        super().__init__(hint)


def configure(
    manifest: Manifest, settings: Sequence[Setting], config: FunctionConfig, findings: Findings
) -> tuple[FunctionConfig, list[Setting]]:
    """`config` with what an `@aws` pragma sets for functions, and the settings that are none of a function's."""
    others: list[Setting] = []
    for setting in settings:
        name = _SINGULAR.get(setting.name.text, setting.name.text)
        if name in _LISTS:
            config = _with_list(manifest, name, setting, config, findings)
        elif name in _READERS:
            try:
                value: Any = _READERS[name](_single(setting))
                if name == "runtime" and value is None:
                    value = _unknown_runtime(setting.value, config)
                config = replace(config, **{name: value})
                if name == "runtime":
                    config = replace(config, names_version=setting.value.text == value)
            except _Wrong as wrong:
                message = wrong.message or f"'{setting.value.text}' is no {name}."
                findings.fault(manifest, setting.value, message, wrong.hint)
        else:
            others.append(setting)
    return config, others


def configure_function(manifest: Manifest, config: FunctionConfig, findings: Findings) -> FunctionConfig:
    """`config` with what a function's own `config.arc` says."""
    for pragma in manifest.pragmas:
        if pragma.name == "aws":
            config, others = configure(manifest, settings_in(manifest, pragma, findings), config, findings)
            for setting in others:
                findings.warn(
                    manifest, setting.name, f"'{setting.name.text}' is no setting of a function and has no effect."
                )
        elif pragma.name == "arc":
            config = _with_arc(manifest, settings_in(manifest, pragma, findings), config, findings)
        else:
            findings.warn(manifest, pragma, f"@{pragma.name} has no effect here; a config.arc takes @aws and @arc.")
    return config


def _with_arc(
    manifest: Manifest, settings: Sequence[Setting], config: FunctionConfig, findings: Findings
) -> FunctionConfig:
    for setting in settings:
        name, value = setting.name.text, setting.value.value
        if name not in ("env", "shared"):
            findings.warn(manifest, setting.name, f"'{name}' is not known here and has no effect.")
        elif not isinstance(value, bool):
            findings.fault(
                manifest, setting.value, f"'{setting.value.text}' is no boolean.", f"Write {name} true or {name} false."
            )
        else:
            config = replace(config, env=value) if name == "env" else replace(config, shared=value)
    return config


def _with_list(
    manifest: Manifest, name: str, setting: Setting, config: FunctionConfig, findings: Findings
) -> FunctionConfig:
    values = tuple(value.text for value in setting.values)
    if name == "policies":
        return replace(config, policies=config.policies + values)
    for value in setting.values:
        if not _LAYER.fullmatch(value.text):
            findings.fault(
                manifest,
                value,
                f"'{value.text}' is no layer.",
                "Give the ARN of a version, such as arn:aws:lambda:us-east-1:123456789012:layer:name:1.",
            )
    return replace(config, layers=config.layers + values)


def _single(setting: Setting) -> Scalar:
    if len(setting.values) > 1:
        raise _Wrong(f"Write one value: {setting.name.text} {setting.value.text}")
    return setting.value


def _between(least: int, most: int, unit: str) -> Callable[[Scalar], int]:
    def read(value: Scalar) -> int:
        number = value.value
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise _Wrong(f"Write a whole number from {least} to {most} ({unit}).")
        return number

    return read


def _runtime(value: Scalar) -> str | None:
    """Return a known runtime, None for an unknown one."""
    word = value.text.lower()
    if word in ("python", "py"):
        return FunctionConfig.runtime
    if _OLD_PYTHON.fullmatch(value.text):
        version = value.text.removeprefix("python")
        raise _Wrong(
            f"Write a version such as {FunctionConfig.runtime}.",
            f"Python {version} is too old: arc-sessions needs Python 3.11 or newer.",
        )
    if word in (*_SHORT, *_OF_PLUGINS):
        return word
    return value.text if value.text in (*PYTHONS, *_OTHERS, *_RETIRED) else None


def _unknown_runtime(value: Scalar, config: FunctionConfig) -> str:
    if config.has_plugins and not value.text.startswith("python"):
        return value.text
    raise _Wrong(
        f"Choose python, {', '.join(PYTHONS)}; or for a function in another language {', '.join(_OTHERS)}.",
        f"Unknown runtime '{value.text}'.",
    )


def _architecture(value: Scalar) -> str:
    if value.text not in ("arm64", "x86_64"):
        raise _Wrong("Write arm64 or x86_64.")
    return value.text


def _concurrency(value: Scalar) -> int | None:
    if value.text == "unthrottled":
        return None
    return _between(0, 1000, "simultaneous runs, or write unthrottled")(value)


_SINGULAR = {"layer": "layers", "policy": "policies"}
_LISTS = ("layers", "policies")
_READERS: dict[str, Callable[[Scalar], str | int | None]] = {
    "architecture": _architecture,
    "concurrency": _concurrency,
    "memory": _between(128, 10240, "megabytes"),
    "runtime": _runtime,
    "storage": _between(512, 10240, "megabytes"),
    "timeout": _between(1, 900, "seconds"),
}
FUNCTION_SETTINGS = (*sorted(_READERS), *_LISTS)


_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_GATEWAYS = ("http", "httpv1", "httpv2", "rest")
_OWN = ("apigateway", "bucket", "profile", "region")


@dataclass(frozen=True)
class Aws:
    """What `@aws` says; None is what it leaves open."""

    region: str | None = None
    profile: str | None = None
    bucket: str | None = None
    apigateway: str | None = None
    function: FunctionConfig = field(default_factory=FunctionConfig)
    """How a function runs that has no `config.arc`."""


def read_aws(manifest: Manifest, findings: Findings) -> Aws:
    """What the manifest's `@aws` says, on top of the defaults."""
    pragma = manifest.pragma("aws")
    default = FunctionConfig(has_plugins=manifest.pragma("plugins") is not None)
    if pragma is None:
        return Aws(function=default)
    settings = settings_in(manifest, pragma, findings)
    function, others = configure(manifest, settings, default, findings)
    own: dict[str, str] = {}
    for setting in others:
        name = setting.name.text
        if name not in _OWN:
            known = ", ".join(sorted((*FUNCTION_SETTINGS, *_OWN)))
            findings.warn(
                manifest, setting.name, f"'{name}' in @aws is not known and has no effect. Known are {known}."
            )
        elif _is_good(manifest, setting, findings):
            own[name] = setting.value.text
    return Aws(own.get("region"), own.get("profile"), own.get("bucket"), own.get("apigateway"), function)


def _is_good(manifest: Manifest, setting: Setting, findings: Findings) -> bool:
    name, value = setting.name.text, setting.value
    hint = ""
    if len(setting.values) > 1:
        hint = f"Write one value: {name} {value.text}"
    elif name == "region" and not _REGION.fullmatch(value.text):
        hint = "Write the code of a region, such as us-east-1."
    elif name == "apigateway" and value.text not in _GATEWAYS:
        hint = f"Write one of {', '.join(_GATEWAYS)}."
    if hint:
        findings.fault(manifest, value, f"'{value.text}' is no {name}.", hint)
    return not hint


_REPEATABLE = ("layer", "policy")


@dataclass(frozen=True)
class Setting:
    """A setting as written: `timeout 10`, or a name with values below it."""

    name: Scalar
    values: tuple[Scalar, ...]

    @property
    def value(self) -> Scalar:
        """The first value."""
        return self.values[0]


def settings_in(manifest: Manifest, pragma: Pragma, findings: Findings) -> list[Setting]:
    """The settings of a pragma; a line that is none is a fault, and so is a name that is there twice."""
    settings: list[Setting] = []
    for item in pragma.items:
        if isinstance(item, Array):
            setting = Setting(item.items[0], item.items[1:])
        elif isinstance(item, Vector):
            setting = Setting(item.name, item.items)
        elif isinstance(item, Map):
            findings.fault(
                manifest,
                item,
                f"'{item.name.text}' in @{pragma.name} has keys below it.",
                "Write a setting as a name and a value on one line, or its values below it, one on each line.",
            )
            continue
        else:
            findings.fault(
                manifest,
                item,
                f"'{item.text}' in @{pragma.name} has no value.",
                f"Write a name and a value: {item.text} value.",
            )
            continue
        first = next((other for other in settings if other.name.text == setting.name.text), None)
        if first is not None and setting.name.text not in _REPEATABLE:
            findings.fault(
                manifest,
                setting.name,
                f"'{setting.name.text}' is set twice in @{pragma.name}: on line {first.name.line} already.",
                "Keep one of the two lines.",
            )
        settings.append(setting)
    return settings
