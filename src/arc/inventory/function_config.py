"""How functions run: the defaults, the manifest's `@aws`, and a function's own `config.arc`.

`read_aws` reads the manifest, `configure_function` a function's file. Each setting has a reader in a table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from arc.inventory.findings import choose, closest, did_you_mean
from arc.manifest import Array, Scalar, Vector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arc.inventory.findings import Document
    from arc.manifest import Pragma

    Reader: TypeAlias = Callable[["Setting", Any], Any]
    """Returns the value of a setting, given the value before. Raises `InvalidValue`."""

PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")


@dataclass(frozen=True)
class FunctionConfig:
    """How one function runs on AWS, and in the sandbox. The limits are those of AWS Lambda."""

    runtime: str = "python3.13"
    names_version: bool = False
    """True when the manifest names the version, False for the default and for `python`."""
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
    """True in an app with `@plugins`, which may add runtimes."""
    env: bool = True
    """False keeps the environment's variables from this function."""
    shared: bool = True
    """False keeps the shared code from this function."""

    @property
    def is_python(self) -> bool:
        """True for a Python runtime."""
        return self.runtime.startswith("python")


@dataclass(frozen=True)
class Aws:
    """The settings of `@aws`; None for one that is not set."""

    region: str | None = None
    profile: str | None = None
    bucket: str | None = None
    apigateway: str | None = None
    function: FunctionConfig = field(default_factory=FunctionConfig)
    """How a function without a `config.arc` runs."""


def read_aws(document: Document) -> Aws:
    """Return the defaults, changed by the manifest's `@aws`."""
    manifest = document.manifest
    config = FunctionConfig(has_plugins=manifest.pragma("plugins") is not None)
    pragma = manifest.pragma("aws")
    if pragma is None:
        return Aws(function=config)
    values = read_values(document, pragma, config, _function_readers(config) | _APP_READERS)
    own = {name: values.pop(name) for name in _APP_READERS if name in values}
    return Aws(**own, function=replace(config, **values))


def configure_function(document: Document, config: FunctionConfig) -> FunctionConfig:
    """Return `config`, changed by a function's own `config.arc`."""
    for pragma in document.manifest.pragmas:
        if pragma.name in ("aws", "arc"):
            readers = _function_readers(config) if pragma.name == "aws" else _ARC_READERS
            config = replace(config, **read_values(document, pragma, config, readers))
        else:
            document.warn(pragma, f"@{pragma.name} has no effect in the configuration of a function. Use @aws or @arc.")
    return config


_REPEATABLE = {"layer": "layers", "policy": "policies"}


@dataclass(frozen=True)
class Setting:
    """A setting as written: `timeout 10`, or a name with values below it."""

    name: Scalar
    values: tuple[Scalar, ...]

    def single(self) -> Scalar:
        """Return the only value. Raises `InvalidValue` when the setting has several."""
        if len(self.values) > 1:
            raise InvalidValue(self.values[0], f"Write one value: {self.name.text} {self.values[0].text}")
        return self.values[0]


class InvalidValue(Exception):
    """A setting cannot have this value; `hint` says what to write, and `message` replaces the usual one."""

    def __init__(self, value: Scalar, hint: str, message: str = "") -> None:
        self.value, self.hint, self.message = value, hint, message
        super().__init__(hint)


def read_values(document: Document, pragma: Pragma, defaults: object, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """Return the values that a pragma sets, by the names of the fields of `defaults`. Other settings are warnings."""
    values: dict[str, Any] = {}
    for setting in _read_settings(document, pragma):
        word = setting.name.text
        name = _REPEATABLE.get(word, word)
        if name not in readers:
            known = did_you_mean(word, readers) + choose(sorted(readers))
            document.warn(setting.name, f"Unknown setting '{word}' in @{pragma.name}, which has no effect. {known}")
            continue
        try:
            values[name] = readers[name](setting, values.get(name, getattr(defaults, name, None)))
        except InvalidValue as invalid:
            message = invalid.message or f"Invalid {word} '{invalid.value.text}'."
            document.fault(invalid.value, message, invalid.hint)
        else:
            if name == "runtime":
                values["names_version"] = values[name] == setting.values[0].text
    return values


def _read_settings(document: Document, pragma: Pragma) -> list[Setting]:
    """Return the settings of a pragma; one without a value is a fault, and so is a repeated one."""
    settings: dict[str, Setting] = {}
    repeated: list[Setting] = []
    for item in pragma.items:
        if isinstance(item, Array):
            setting = Setting(item.items[0], item.items[1:])
        elif isinstance(item, Vector):
            setting = Setting(item.name, item.items)
        else:
            name = item.start.text
            hint = f"Write {name} and its value on one line, or its values below it, one on each line."
            document.fault(item, f"The setting '{name}' in @{pragma.name} has no value.", hint)
            continue
        name = setting.name.text
        first = settings.setdefault(name, setting)
        if first is not setting:
            repeated.append(setting)
            if name not in _REPEATABLE:
                message = f"'{name}' in @{pragma.name} is already set on line {first.name.line}."
                document.fault(setting.name, message, "Remove one of the two lines.")
    return [*settings.values(), *repeated]


def _read_number(least: int, most: int, unit: str, *, none: str = "") -> Reader:
    def read(setting: Setting, _before: object) -> int | None:
        value = setting.single()
        number = value.value
        if none and value.text == none:
            return None
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise InvalidValue(value, f"Write a whole number from {least} to {most} ({unit}).")
        return number

    return read


_ALIASES = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}


def read_word(*words: str) -> Reader:
    """Return a reader of one of the `words`, or of any word."""

    def read(setting: Setting, _before: object) -> str:
        value = setting.single()
        if words and value.text not in words:
            meant = did_you_mean(_ALIASES.get(value.text.lower(), value.text.lower()), words)
            raise InvalidValue(value, meant + choose(words))
        return value.text

    return read


def read_boolean(setting: Setting, _before: object) -> bool:
    """Read `true` or `false`."""
    value = setting.single()
    if not isinstance(value.value, bool):
        raise InvalidValue(value, choose(("true", "false")))
    return value.value


# AWS may open others. Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
_REGIONS = {
    "us-east-1": "virginia",
    "us-east-2": "ohio",
    "us-west-1": "california",
    "us-west-2": "oregon",
    "af-south-1": "cape town",
    "ap-east-1": "hong kong",
    "ap-east-2": "taipei",
    "ap-south-1": "mumbai",
    "ap-south-2": "hyderabad",
    "ap-southeast-1": "singapore",
    "ap-southeast-2": "sydney",
    "ap-southeast-3": "jakarta",
    "ap-southeast-4": "melbourne",
    "ap-southeast-5": "malaysia",
    "ap-southeast-6": "new zealand",
    "ap-southeast-7": "thailand",
    "ap-northeast-1": "tokyo",
    "ap-northeast-2": "seoul",
    "ap-northeast-3": "osaka",
    "ca-central-1": "canada",
    "ca-west-1": "calgary",
    "cn-north-1": "beijing",
    "cn-northwest-1": "ningxia",
    "eu-central-1": "frankfurt",
    "eu-central-2": "zurich",
    "eu-north-1": "stockholm",
    "eu-south-1": "milan",
    "eu-south-2": "spain",
    "eu-west-1": "ireland",
    "eu-west-2": "london",
    "eu-west-3": "paris",
    "il-central-1": "tel aviv",
    "me-central-1": "uae",
    "me-south-1": "bahrain",
    "mx-central-1": "mexico",
    "sa-east-1": "são paulo",
}
_DIRECTION = "(north|south)?(east|west)?|north|south|central"
_REGION = re.compile(rf"[a-z]{{2}}(-gov|-iso[a-z]?)?-({_DIRECTION})-[0-9]")


def _read_region(setting: Setting, _before: object) -> str:
    value = setting.single()
    if not _REGION.fullmatch(value.text):
        word = value.text.lower().replace("_", "-")
        cities = {city: code for code, city in _REGIONS.items()}
        meant = closest(word, (*_REGIONS, *cities), cutoff=_CLOSE)
        suggestion = f"Did you mean {cities.get(meant, meant)!r}? " if meant else ""
        raise InvalidValue(value, f"{suggestion}Write the code of a region, such as us-east-1.")
    return value.text


_CLOSE = 0.7  # the least similarity of a misspelled region, as difflib measures it
_LAYER = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+")


def _read_layers(setting: Setting, before: tuple[str, ...]) -> tuple[str, ...]:
    for value in setting.values:
        if not _LAYER.fullmatch(value.text):
            example = "arn:aws:lambda:us-east-1:123456789012:layer:name:1"
            raise InvalidValue(value, f"Write the ARN of a layer's version, such as {example}.")
    return _read_policies(setting, before)


def _read_policies(setting: Setting, before: tuple[str, ...]) -> tuple[str, ...]:
    return (*before, *(value.text for value in setting.values))


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
# Architect knows deno by itself; the words after it belong to well-known plugins.
_SHORT = (
    *("node", "nodejs", "node.js", "ruby", "rb", "java", "dotnet", ".net", "custom"),
    *("deno", "bun", "go", "golang", "rust", "typescript", "ts"),
)


def _read_runtime(setting: Setting, _before: object, *, has_plugins: bool) -> str:
    value = setting.single()
    word = value.text.lower()
    if word in ("python", "py"):
        return FunctionConfig.runtime
    if word in _SHORT:
        return word
    if _OLD_PYTHON.fullmatch(value.text):
        version = value.text.removeprefix("python")
        message = f"Python {version} is too old: arc-sessions needs Python 3.11 or newer."
        raise InvalidValue(value, f"Write a version such as {FunctionConfig.runtime}.", message)
    if value.text in (*PYTHONS, *_OTHERS, *_RETIRED) or (has_plugins and not value.text.startswith("python")):
        return value.text
    meant = did_you_mean(word, (*PYTHONS, *_OTHERS), cutoff=_CLOSE)
    hint = f"{meant}{choose(('python', *PYTHONS))} Other languages have {', '.join(_OTHERS)}."
    raise InvalidValue(value, hint, f"Unknown runtime '{value.text}'.")


_ARC_READERS: dict[str, Reader] = {"env": read_boolean, "shared": read_boolean}
_APP_READERS: dict[str, Reader] = {
    "apigateway": read_word("http", "httpv1", "httpv2", "rest"),
    "bucket": read_word(),
    "profile": read_word(),
    "region": _read_region,
}


def _function_readers(config: FunctionConfig) -> dict[str, Reader]:
    return {
        "architecture": read_word("arm64", "x86_64"),
        "concurrency": _read_number(0, 1000, "simultaneous invocations, or unthrottled", none="unthrottled"),
        "layers": _read_layers,
        "memory": _read_number(128, 10240, "megabytes"),
        "policies": _read_policies,
        "runtime": partial(_read_runtime, has_plugins=config.has_plugins),
        "storage": _read_number(512, 10240, "megabytes"),
        "timeout": _read_number(1, 900, "seconds"),
    }
