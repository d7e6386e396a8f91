"""`@static`: its settings, its defaults, and what turns static files off."""

from __future__ import annotations

from pathlib import Path

import pytest

from arc.inventory import Static
from tests.inventory.writing import app, faults


def static_of(folder: Path, rest: str = "", http: str = "get /") -> Static:
    """The settings of an app that has static files."""
    static = app(folder, http, rest).static
    assert static is not None
    return static


def test_settings_have_architects_defaults(tmp_path: Path) -> None:
    """An app without `@static` serves `public`."""
    assert static_of(tmp_path) == Static(tmp_path / "public")
    assert static_of(tmp_path, "@static\n") == Static(tmp_path / "public")


def test_every_setting_is_read(tmp_path: Path) -> None:
    """Folder, fingerprints, ignored texts, prefix and pruning."""
    (tmp_path / "site/dist").mkdir(parents=True)
    rest = "@static\nfolder ./site/dist\nfingerprint true\nprefix /assets/\nprune true\nignore\n  draft\n  .psd\n"
    assert static_of(tmp_path, rest) == Static(
        tmp_path / "site/dist", fingerprint=True, ignore=("draft", ".psd"), prefix="assets", prune=True
    )
    assert static_of(tmp_path, "@static\nignore draft\n").ignore == ("draft",)


@pytest.mark.parametrize("word", ["false", "disable", "disabled"])
def test_one_word_turns_static_files_off(tmp_path: Path, word: str) -> None:
    """As in Architect."""
    assert app(tmp_path, "get /", f"@static\n{word}\n").static is None


@pytest.mark.parametrize("route", ["get /_static/*", "any /_static", "get /_static/:file"])
def test_routes_below_the_path_of_static_files_replace_them(tmp_path: Path, route: str) -> None:
    """API Gateway refuses two routes with one key; a warning says that the pragma has no effect."""
    assert app(tmp_path, route).static is None
    inventory = app(tmp_path, route, "@static\nprune true\n")
    assert inventory.static is None
    assert f"@static has no effect, because '{route}' answers its addresses." in inventory.warnings[0]
    assert app(tmp_path, "get /_statics").static is not None


def test_a_missing_folder_is_a_warning_where_the_manifest_has_the_pragma(tmp_path: Path) -> None:
    """It may be the result of a build that has not run yet."""
    assert app(tmp_path, "get /").warnings == ()
    (warning,) = app(tmp_path, "get /", "@static\nfolder dist\n").warnings
    assert warning == "app.arc:7: @static has no effect, because the folder 'dist' does not exist."


@pytest.mark.parametrize("setting", ["spa true", "staging a-bucket", "production a-bucket"])
def test_settings_without_an_effect_are_warnings(tmp_path: Path, setting: str) -> None:
    """Architect's other settings."""
    (tmp_path / "public").mkdir()
    (warning,) = app(tmp_path, "get /", f"@static\n{setting}\n").warnings
    assert warning == f"app.arc:6: '{setting.partition(' ')[0]}' in @static is not supported and has no effect."
    assert app(tmp_path, "get /", "@static\nspa false\n").warnings == ()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("folder ../other", "The folder '../other' is outside the app.|Write a path such as public."),
        ("folder .", "@static cannot serve the app's own folder.|Write a path such as public."),
        ("folder src", "@static cannot serve 'src', which has code or is hidden.|Write a path such as public."),
        ("folder src/shared/", "@static cannot serve 'src/shared', which has code"),
        ("folder ./src/http/get-index", "@static cannot serve 'src/http/get-index', which has code"),
        ("folder .git", "@static cannot serve '.git', which has code or is hidden."),
        ("prefix a*", "Invalid prefix 'a*'.|Write a folder's name, such as assets."),
        ('prefix "${AWS::Region}"', "Invalid prefix '${AWS::Region}'."),
        ("fingerprint external", "`fingerprint external` is not supported.|Write true or false."),
        ("fingerprint maybe", "Invalid fingerprint 'maybe'.|Choose true or false."),
        ("prune 1", "Invalid prune '1'.|Choose true or false."),
        ("prefix ..", "Invalid prefix '..'.|Write a folder's name, such as assets."),
    ],
)
def test_invalid_settings_are_faults(tmp_path: Path, setting: str, message: str) -> None:
    """Each says what is wrong, and what to write."""
    (fault,) = faults(tmp_path, f"@app\nmyapp\n\n@http\nget /\n\n@static\n{setting}\n")
    assert all(sentence in fault for sentence in message.split("|"))


def test_a_folder_that_is_a_link_out_of_the_app_is_a_fault(tmp_path: Path) -> None:
    """It would publish what another place contains."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "app").mkdir()
    (tmp_path / "app/public").symlink_to(tmp_path / "secrets")
    (fault,) = faults(tmp_path / "app", "@app\nmyapp\n\n@http\nget /\n")
    assert fault.startswith("public leads out of the app")
