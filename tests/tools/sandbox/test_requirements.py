"""Which lines of requirements.txt are named as not met."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import arc
from arc.tools.sandbox.functions.requirements import others_in_our_place, unmet


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
def test_what_is_met_or_not_ours_to_judge_is_not_named(tmp_path: Path, line: str) -> None:
    """Options, addresses and other platforms are passed over."""
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    assert unmet(tmp_path / "requirements.txt") == []


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("no-such-distribution", "no-such-distribution is not installed. Run: pip install 'no-such-distribution'"),
        ("no-such-distribution[b,a]>=2 # why", "Run: pip install 'no-such-distribution[a,b]>=2'"),
        ("no-such-distribution \\\n  >=2 --hash=sha256:abc", "Run: pip install 'no-such-distribution>=2'"),
        ("pytest<1", "pytest<1 is not met by the"),
    ],
)
def test_what_is_not_met_is_named_with_its_command(tmp_path: Path, line: str, named: str) -> None:
    """As pip takes it, without comments and hashes."""
    (tmp_path / "requirements.txt").write_text(f"pytest\n{line}\n")
    assert [named in str(found) for found in unmet(tmp_path / "requirements.txt")] == [True]


def test_a_package_installed_into_the_function_counts(tmp_path: Path) -> None:
    """`pip install -t` puts it beside the handler or into its vendor folder."""
    (tmp_path / "requirements.txt").write_text("beside==1.5\n")
    info = tmp_path / "beside-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: beside\nVersion: 1.5\n")
    assert len(unmet(tmp_path / "requirements.txt")) == 1
    assert unmet(tmp_path / "requirements.txt", [tmp_path]) == []


def test_another_package_called_arc_is_named(tmp_path: Path) -> None:
    """Old apps have `architect-functions` in `vendor`; a copy of this package is what a deployment may bring."""
    vendor = tmp_path / "vendor"
    assert others_in_our_place([tmp_path, vendor]) == []
    (vendor / "arc").mkdir(parents=True)
    (vendor / "arc/__init__.py").touch()
    assert others_in_our_place([tmp_path, vendor]) == [
        "vendor/arc is imported instead of arc-sessions, which does what architect-functions does. Delete it."
    ]
    shutil.copytree(Path(arc.__file__).parent / "sessions", vendor / "arc/sessions")
    assert others_in_our_place([tmp_path, vendor]) == []


def test_no_file_has_no_unmet_lines(tmp_path: Path) -> None:
    """Most functions have none."""
    assert unmet(tmp_path / "requirements.txt") == []
