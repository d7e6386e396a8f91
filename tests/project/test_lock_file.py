"""Node's packages for the tests: pinned to the letter, and bound to no registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

INTEROP = Path(__file__).parents[1] / "interop"


def locked() -> dict[str, dict[str, Any]]:
    """Every package of the lock file by its place, the project itself under the empty one."""
    packages: dict[str, dict[str, Any]] = json.loads((INTEROP / "package-lock.json").read_text())["packages"]
    return packages


def test_every_package_is_pinned_and_comes_from_any_registry() -> None:
    """Each has its digest and no address, so that npm asks the registry that the machine is set up for."""
    packages = {place: package for place, package in locked().items() if place}
    assert {"node_modules/@architect/functions", "node_modules/dynalite"} <= packages.keys()
    assert [place for place, package in packages.items() if "resolved" in package] == []
    assert [place for place, package in packages.items() if not package["integrity"].startswith("sha512-")] == []


def test_the_lock_file_is_the_manifest_s() -> None:
    """Both name the same exact versions, so that `npm ci` takes them."""
    wanted = json.loads((INTEROP / "package.json").read_text())["dependencies"]
    packages = locked()
    assert packages[""]["dependencies"] == wanted
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
