"""`@aws`: where the app is deployed, and how its functions run unless they say otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.inventory.function_config import FUNCTION_SETTINGS, FunctionConfig, configure
from arc.inventory.setting import settings_in

if TYPE_CHECKING:
    from arc.inventory.findings import Findings
    from arc.inventory.setting import Setting
    from arc.manifest import Manifest

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
