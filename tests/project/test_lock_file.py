"""Node's packages for the tests, with exact versions and without a registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

INTEROP = Path(__file__).parents[1] / "interop"


def locked() -> dict[str, dict[str, Any]]:
    """Return every package of the lock file by its path; the project itself has an empty one."""
    packages: dict[str, dict[str, Any]] = json.loads((INTEROP / "package-lock.json").read_text())["packages"]
    return packages


def test_every_package_has_a_digest_and_no_address() -> None:
    """Therefore npm uses the registry that the machine is configured for."""
    packages = {place: package for place, package in locked().items() if place}
    assert {"node_modules/@architect/functions", "node_modules/dynalite"} <= packages.keys()
    assert [place for place, package in packages.items() if "resolved" in package] == []
    assert [place for place, package in packages.items() if not package["integrity"].startswith("sha512-")] == []


def test_lock_file_matches_the_manifest() -> None:
    """Both have the same exact versions, so that `npm ci` accepts them."""
    wanted = json.loads((INTEROP / "package.json").read_text())["dependencies"]
    packages = locked()
    assert packages[""]["dependencies"] == wanted
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
