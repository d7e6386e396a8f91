"""Links that lead out of the app's folder are refused before they are followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from arc import inventory as inventories
from arc.errors import InventoryError, ToolError

MANIFEST = "@app\nshop\n\n@http\nget /\n"
HANDLER = "src/http/get-index/handler.py"
FOLDERS = ("src", "src/http", "src/http/get-index", "src/shared")
FILES = (
    "app.arc",
    ".env",
    ".gitignore",
    "preferences.arc",
    "requirements.txt",
    "sandbox-seed.json",
    HANDLER,
    "src/http/get-index/config.arc",
    *FOLDERS,
)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app with a folder of someone else's beside it."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/app.arc").write_text(MANIFEST)
    (tmp_path / "outside/http/get-index").mkdir(parents=True)
    return tmp_path / "app"


def link(app: Path, name: str, target: Path) -> None:
    """Put a link to `target` in place of a file or folder of the app."""
    (app / name).parent.mkdir(parents=True, exist_ok=True)
    (app / name).unlink(missing_ok=True)
    (app / name).symlink_to(target)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("exists", [True, False], ids=["there", "dangling"])
def test_a_link_out_of_the_app_is_refused(app: Path, name: str, *, exists: bool) -> None:
    """The message names the link and its target, and shows nothing of the target's content."""
    target = app.parent / "outside" if name in FOLDERS else app.parent / "file"
    if not exists:
        target = app.parent / "nowhere"
    elif name not in FOLDERS:
        target.write_text("hunter2 hunter2\n")
    link(app, name, target)
    with pytest.raises((InventoryError, ToolError)) as refused:
        inventories.read(app, environ={})
    if name == "app.arc" and not exists:
        return  # as good as no manifest
    assert f"{name} leads out of the app, to {target}" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", FILES)
def test_a_link_within_the_app_is_followed(app: Path, name: str) -> None:
    """Files and folders may be anywhere in the app."""
    target = app / "kept" / Path(name).name
    if name in FOLDERS:
        target.mkdir(parents=True)
    else:
        target.parent.mkdir()
        target.write_text(MANIFEST if name == "app.arc" else "{}" if name.endswith("json") else "")
    link(app, name, target)
    assert inventories.read(app, environ={}).app == "shop"


def test_an_app_in_a_linked_folder_is_read(app: Path) -> None:
    """The app's folder itself may be a link."""
    (app.parent / "link").symlink_to(app)
    assert inventories.read(app.parent / "link", environ={}).app == "shop"
