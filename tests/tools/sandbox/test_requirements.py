"""Reports about requirements.txt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import arc
from arc.tools.sandbox.functions.requirements import conflicting_packages, needs_pip, unsatisfied


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# only a comment",
        "pytest  # met",
        "PyTest >= 7, < 1000",
        "no-such-distribution; sys_platform == 'no-such-system'",
        "-r other.txt",
        "--index-url https://example.org",
        "no-such-distribution @ https://example.org/x.whl",
        "not a requirement!",
        "architect-functions",
        "architect-functions==1.0.0",
        "Architect_Functions>=0.2.1.dev88",
    ],
)
def test_satisfied_and_unsupported_lines_are_not_reported(tmp_path: Path, line: str) -> None:
    """The latter are options, URLs, and requirements for other platforms."""
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    assert unsatisfied(tmp_path / "requirements.txt") == []


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("no-such-distribution", "no-such-distribution"),
        ("no-such-distribution[b,a]>=2 # why", "no-such-distribution[a,b]>=2"),
        ("no-such-distribution \\\n  >=2 --hash=sha256:abc", "no-such-distribution>=2"),
        ("pytest<1", f"pytest<1 (installed: {pytest.__version__})"),
    ],
)
def test_unsatisfied_requirement_is_reported(tmp_path: Path, line: str, named: str) -> None:
    """It has no comments and hashes, and says which other version is installed."""
    (tmp_path / "requirements.txt").write_text(f"pytest\n{line}\n")
    assert unsatisfied(tmp_path / "requirements.txt") == [named]


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("", False),
        ("pytest", False),
        ("no-such-distribution; sys_platform == 'no-such-system'", False),
        ("no-such-distribution", True),
        ("-r other.txt", True),
        ("no-such-distribution @ https://example.org/x.whl", True),
        ("not a requirement!", True),
    ],
)
def test_pip_is_needed_for_what_may_be_missing(tmp_path: Path, line: str, needed: bool) -> None:
    """Only pip understands options and URLs."""
    (tmp_path / "requirements.txt").write_text(f"pytest # here\n{line}\n")
    assert needs_pip(tmp_path / "requirements.txt") is needed


def test_packages_in_the_functions_folder_count(tmp_path: Path) -> None:
    """`pip install -t` installs them beside the handler or into its vendor folder."""
    (tmp_path / "requirements.txt").write_text("beside==1.5\n")
    info = tmp_path / "beside-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: beside\nVersion: 1.5\n")
    assert len(unsatisfied(tmp_path / "requirements.txt")) == 1
    assert unsatisfied(tmp_path / "requirements.txt", [tmp_path]) == []


def test_conflicting_arc_package_is_reported(tmp_path: Path) -> None:
    """Old apps have `architect-functions` in `vendor`; a deployment may copy this package there."""
    vendor = tmp_path / "vendor"
    assert conflicting_packages([tmp_path, vendor]) == []
    (vendor / "arc").mkdir(parents=True)
    (vendor / "arc/__init__.py").touch()
    assert conflicting_packages([tmp_path, vendor]) == [
        "vendor/arc is imported instead of arc-sessions, which replaces architect-functions. Delete it."
    ]
    shutil.copytree(Path(arc.__file__).parent / "sessions", vendor / "arc/sessions")
    assert conflicting_packages([tmp_path, vendor]) == []


def test_missing_file_has_no_requirements(tmp_path: Path) -> None:
    """Nothing is reported."""
    assert unsatisfied(tmp_path / "requirements.txt") == []
