"""`arc init`: templates, first tests and the app's name."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.tools import warm

ROOT = Path(__file__).parents[3]
SHOP = ROOT / "examples/shop"


def arc(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `arc` with these arguments in `folder`, without a terminal."""
    return warm.arc(arguments, folder, {"HOME": str(folder), "PATH": os.environ["PATH"]}, "")


def run_pytest(app: Path) -> str:
    """Run pytest in an app as a newcomer does, and return the last line of its output."""
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    environ = {"HOME": str(app), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=app, env=environ, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(("template", "passed"), [("counter", 2), ("shop", 6), ("empty", 1)])
def test_first_tests_of_every_template_pass_at_once(template: str, passed: int, tmp_path: Path) -> None:
    """`arc init --tests` writes them, names pytest for development alone, and says how to run them."""
    done = arc("init", "My App", "--template", template, "--tests", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Tests: cd 'My App' && pip install -r requirements-dev.txt && pytest" in done.stdout.splitlines()
    assert "pytest" in (tmp_path / "My App/requirements-dev.txt").read_text().splitlines()
    assert "pytest" not in (tmp_path / "My App/requirements.txt").read_text()
    assert run_pytest(tmp_path / "My App").startswith(f"{passed} passed")


@pytest.mark.parametrize(
    ("manifest", "page"), [("get /about\nget /:page\npost /\n", "/about"), ("any /\nget /x\n", "/"), ("post /a\n", "/")]
)
def test_existing_app_gets_a_test_of_one_of_its_pages(manifest: str, page: str, tmp_path: Path) -> None:
    """The page needs no parameter, and the test passes."""
    (tmp_path / "app.arc").write_text(f"@app\ngrown\n\n@http\n{manifest}")
    done = arc("init", "--tests", folder=tmp_path)
    assert done.stdout.splitlines()[-1] == "Tests: pip install -r requirements-dev.txt && pytest"
    assert f'.get("{page}")' in (tmp_path / "tests/test_app.py").read_text()
    assert run_pytest(tmp_path).startswith("1 passed")


def test_existing_tests_and_requirements_are_kept(tmp_path: Path) -> None:
    """A second run writes nothing either."""
    (tmp_path / "tests").mkdir()
    for path in ("tests/test_app.py", "requirements-dev.txt"):
        (tmp_path / path).write_text("mine")
    done = arc("init", "--tests", folder=tmp_path)
    assert "tests" not in done.stdout.lower()
    assert (tmp_path / "tests/test_app.py").read_text() == "mine"
    assert (tmp_path / "requirements-dev.txt").read_text() == "mine"
    assert arc("init", "--tests", folder=tmp_path).stdout.startswith("Nothing was changed.")


@pytest.mark.parametrize(
    ("requirements", "lines"), [("pytest>=8\n", []), ("ruff\n", ["The tests need pytest. Add it to"])]
)
def test_existing_requirements_that_lack_pytest_are_reported(
    requirements: str, lines: list[str], tmp_path: Path
) -> None:
    """They are kept, and the tests are written."""
    (tmp_path / "requirements-dev.txt").write_text(requirements)
    shown = arc("init", "--tests", folder=tmp_path).stdout.splitlines()
    assert shown[shown.index("Tests: pytest") + 1 :] == [
        f"{line} requirements-dev.txt, which was kept as it is." for line in lines
    ]
    assert (tmp_path / "requirements-dev.txt").read_text() == requirements


def test_shop_is_the_example_under_another_name(tmp_path: Path) -> None:
    """Every file is the same except for the app's name, and tests are written only on request."""
    assert arc("init", "store", "-t", "shop", "--runtime", "python3.12", folder=tmp_path).returncode == 0
    manifest = (SHOP / "app.arc").read_text().replace("@app\nshop\n", "@app\nstore\n")
    assert (tmp_path / "store/app.arc").read_text() == f"{manifest}\n@aws\nruntime python3.12\n"
    for file in (SHOP / "src").rglob("*.py"):
        assert (tmp_path / "store" / file.relative_to(SHOP)).read_text() == file.read_text()
    assert not (tmp_path / "store/tests").exists()


def test_template_keeps_files_that_exist(tmp_path: Path) -> None:
    """A handler that was there before the manifest is not replaced."""
    mine = tmp_path / "src/http/get-index/handler.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = arc("init", "--template", "shop", folder=tmp_path)
    assert "wrote  src/http/get-account/handler.py" in done.stdout
    assert mine.read_text() == "mine"


def test_run_that_failed_is_continued_with_the_same_template(tmp_path: Path) -> None:
    """The manifest is written last, so the next run begins the same app again and keeps what is there."""
    (tmp_path / "src/http").mkdir(parents=True)
    (tmp_path / "src/shared").write_text("a file in the way")
    failed = arc("init", "-t", "shop", folder=tmp_path)
    assert (failed.returncode, failed.stderr.count("is not a folder. Move it away and run the command again.")) == (
        1,
        1,
    )
    assert not (tmp_path / "app.arc").exists()
    (tmp_path / "src/shared").unlink()
    done = arc("init", "-t", "shop", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "wrote  src/shared/page.py" in done.stdout
    assert "get-account" not in done.stdout


def test_template_of_an_existing_app_is_ignored_with_a_warning(tmp_path: Path) -> None:
    """Its manifest decides which files are missing."""
    arc("init", "hello", folder=tmp_path)
    done = arc("init", "hello", "--template", "shop", folder=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Nothing was changed.")
    assert done.stderr == "Warning: --template shop was ignored. The folder already contains an app.\n"


def test_empty_app_has_no_route_and_says_what_to_do(tmp_path: Path) -> None:
    """After a route is added, `arc init` writes its handler."""
    done = arc("init", "bare", "--template", "empty", folder=tmp_path)
    assert (
        done.stdout.splitlines()[-1]
        == "Next: write a route below @http in app.arc, such as get /, and run: arc init bare"
    )
    assert (tmp_path / "bare/app.arc").read_text() == "@app\nbare\n\n@http\n"
    with (tmp_path / "bare/app.arc").open("a") as manifest:
        manifest.write("get /\n")
    assert "wrote  src/http/get-index/handler.py" in arc("init", "bare", folder=tmp_path).stdout


def test_unknown_template_is_refused(tmp_path: Path) -> None:
    """The message suggests one, and nothing is written."""
    done = arc("init", "hello", "--template", "shpo", folder=tmp_path)
    assert done.returncode == 2
    assert "Unknown template 'shpo'. Did you mean 'shop'? Choose counter, shop or empty." in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        *(("My Blog", "my-blog"), ("Über uns!", "uber-uns"), ("Shop", "shop"), ("2024 日本 blog", "blog")),
        *(("日本", "app-cf2abf"), ("日本語", "app-77710a"), ("123", "app-a665a4"), ("a", "app-ca9781")),
    ],
)
def test_name_is_derived_from_the_folders(folder: str, name: str, tmp_path: Path) -> None:
    """A folder without a usable name gets one of its own, and the output says how the app is called."""
    done = arc("init", folder, folder=tmp_path)
    assert (tmp_path / folder / "app.arc").read_text().startswith(f"@app\n{name}\n")
    assert f"The app's name is {name}. To change it, edit the line below @app in app.arc." in done.stdout.splitlines()


def test_derived_name_does_not_depend_on_the_form_of_the_folders_characters(tmp_path: Path) -> None:
    """A file system may compose the characters of a name or take them apart."""
    names = set()
    for form in ("NFC", "NFD"):
        folder = tmp_path / form / unicodedata.normalize(form, "ガ")
        folder.mkdir(parents=True)
        arc("init", folder=folder)
        names.add((folder / "app.arc").read_text())
    assert len(names) == 1


def test_name_that_is_given_or_the_folders_own_is_not_explained(tmp_path: Path) -> None:
    """The line would say nothing new."""
    for arguments in (["my-blog"], ["My Blog", "--name", "journal"]):
        assert "The app's name" not in arc("init", *arguments, folder=tmp_path).stdout
