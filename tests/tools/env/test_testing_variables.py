"""Variables of testing are written into the developer's files so that they read back the same."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc import inventory as inventories
from arc.errors import ToolError
from arc.tools.env.testing_variables import Written, change_testing
from tests.tools.env.test_any_value import VALUES
from tests.tools.env.test_dotenv_file import is_hard

MANIFEST = "@app\nshop\n\n@http\nget /\n"


class Place:
    """An app's folder and a home beside it."""

    def __init__(self, folder: Path) -> None:
        self.app, self.home = folder / "app", folder / "home"
        self.app.mkdir()
        self.home.mkdir()
        (self.app / "app.arc").write_text(MANIFEST)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the app, byte for byte."""
        file = self.app / name
        file.write_bytes(text.encode())
        return file

    def read(self, name: str) -> str:
        """A file of the app, byte for byte."""
        return (self.app / name).read_bytes().decode()

    def change(self, **changes: str | None) -> Written:
        """Change variables as `arc env testing` does."""
        return change_testing(inventories.read(self.app, environ={}, home=self.home), changes)

    @property
    def variables(self) -> dict[str, str]:
        """Testing's variables, as the sandbox reads them."""
        return dict(inventories.read(self.app, environ={}, home=self.home).env.get("testing", {}))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An app without files of its developer's."""
    return Place(tmp_path)


def test_the_first_variable_creates_an_ignored_file(place: Place) -> None:
    """A `.env` that only its owner can read, which `.gitignore` names."""
    done = place.change(GREETING="hello there")
    assert done.file == place.app / ".env"
    assert place.read(".env") == "GREETING='hello there'\n"
    assert done.file.stat().st_mode & 0o777 == 0o600
    assert place.read(".gitignore") == ".env\n"
    assert (place.app / ".gitignore").stat().st_mode & 0o777 == 0o644
    assert done.notes == ("Added .env to .gitignore, because it may contain secrets.",)
    assert place.variables == {"GREETING": "hello there"}
    assert sorted(file.name for file in place.app.iterdir()) == [".env", ".gitignore", "app.arc"]


def test_everything_else_in_the_file_is_kept(place: Place) -> None:
    """Comments, order, blank lines and other notations."""
    place.write(".env", "# mine\n\nexport A1='one' # first\nB2=two\n\n  C3 = \"th\\tree\"\n# end")
    place.change(B2="2 two", D4="four")
    assert (
        place.read(".env") == "# mine\n\nexport A1='one' # first\nB2='2 two'\n\n  C3 = \"th\\tree\"\n# end\nD4=four\n"
    )
    place.change(A1=None)
    assert place.read(".env") == "# mine\n\nB2='2 two'\n\n  C3 = \"th\\tree\"\n# end\nD4=four\n"
    assert place.variables == {"B2": "2 two", "C3": "th\tree", "D4": "four"}


def test_one_line_of_a_repeated_name_is_left(place: Place) -> None:
    """It is in the place of the last one, which counts."""
    place.write(".env", "A1=1\nB2=2\nA1=3\nC3=3\n")
    place.change(A1="4")
    assert place.read(".env") == "B2=2\nA1=4\nC3=3\n"


def test_line_ends_are_kept(place: Place) -> None:
    """Also those of Windows; a missing last one is added."""
    place.write(".env", "A1=1\r\nB2=2")
    place.change(A1="one", C3="3")
    assert place.read(".env") == "A1=one\r\nB2=2\r\nC3=3\r\n"


def test_a_link_within_the_app_is_followed(place: Place) -> None:
    """Its target is written, and the link is kept."""
    real = place.app / "real.env"
    real.write_text("A1=1\n")
    (place.app / ".env").symlink_to(real)
    place.change(A1="2")
    assert real.read_text() == "A1=2\n"
    assert (place.app / ".env").is_symlink()


@pytest.mark.parametrize("name", [".env", ".gitignore", "preferences.arc"])
def test_a_file_that_becomes_a_link_out_of_the_app_is_not_written(place: Place, tmp_path: Path, name: str) -> None:
    """Nor is one that was read before it became a link."""
    place.write("preferences.arc", "@env\ntesting\n  A1 1\n" if name == "preferences.arc" else "")
    inventory = inventories.read(place.app, environ={}, home=place.home)
    (tmp_path / "outside").write_text("theirs\n")
    (place.app / name).unlink(missing_ok=True)
    (place.app / name).symlink_to(tmp_path / "outside")
    with pytest.raises(ToolError, match="leads out of the app"):
        change_testing(inventory, {"A1": "2"})
    assert (tmp_path / "outside").read_text() == "theirs\n"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o666, 0o604])
def test_a_readable_file_is_closed_to_other_users(place: Place, mode: int) -> None:
    """A value may be secret; a note reports the new mode."""
    file = place.write(".env", "A1=1\n")
    place.write(".gitignore", ".env\n")
    file.chmod(mode)
    done = place.change(A1="2")
    assert file.stat().st_mode & 0o777 == 0o600
    assert done.notes == (f"Other users of this machine could read .env (mode {mode:o}). Now only you can (600).",)
    assert place.change(A1="3").notes == ()


def test_a_file_without_a_new_secret_keeps_its_mode(place: Place) -> None:
    """A removal and a table's name are not secret; a stricter mode is kept too."""
    file = place.write(".env", "A1=1\nB2=2\n")
    file.chmod(0o644)
    place.change(A1=None)
    place.change(SESSION_TABLE_NAME="jwe")
    assert file.stat().st_mode & 0o777 == 0o644
    file.chmod(0o400)
    place.change(B2="3")
    assert file.stat().st_mode & 0o777 == 0o400


PREFERENCES = """@sandbox
no-hydrate true

# secrets below
@env
testing
  # of mine
  A1 one
  B2 "two
lines"
staging
  A1 other
"""


def test_variables_in_preferences_stay_there(place: Place) -> None:
    """With comments and other environments; a `.env`, which would hide them, is not created."""
    place.write("preferences.arc", PREFERENCES)
    done = place.change(A1="changed", C3="new # value")
    assert done.file == place.app / "preferences.arc"
    assert not (place.app / ".env").exists()
    assert place.variables == {"A1": "changed", "B2": "two\nlines", "C3": "new # value"}
    wanted = PREFERENCES.replace("  A1 one\n", "")
    wanted = wanted.replace("testing\n", 'testing\n  C3 "new # value"\n  A1 changed\n')
    assert place.read("preferences.arc") == wanted
    assert place.change(B2=None).notes == ()
    assert place.read("preferences.arc") == wanted.replace('  B2 "two\nlines"\n', "")
    place.change(A1=None)
    place.change(C3=None)
    assert place.variables == {}
    assert "staging\n  A1 other\n" in place.read("preferences.arc")
    assert place.read(".gitignore") == "preferences.arc\n"


def test_a_dotenv_file_comes_before_preferences(place: Place) -> None:
    """It hides the preferences, so it is written."""
    place.write("preferences.arc", PREFERENCES)
    place.write(".env", "B2=2\n")
    assert place.change(A1="1").file.name == ".env"
    assert place.read("preferences.arc") == PREFERENCES
    assert place.variables == {"A1": "1", "B2": "2"}


def test_variables_of_the_home_folder_are_copied(place: Place) -> None:
    """The first `@env` of the app's preferences would hide them."""
    home = place.home / "prefs.arc"
    home.write_text("@env\ntesting\n  A1 home\n  B2 two words\nstaging\n  S3 x\n")
    with pytest.raises(ToolError) as refused:
        place.change(B2=None)
    assert str(refused.value) == f"B2 is set in {home}. Remove it there. Nothing was changed."
    with pytest.raises(ToolError, match=r"Z9 is not set in testing\. Choose A1 or B2\."):
        place.change(Z9=None)
    done = place.change(A1="app")
    assert done == Written(
        place.app / "preferences.arc",
        (
            "Added preferences.arc to .gitignore, because it may contain secrets.",
            f"The @env in preferences.arc replaces the one in {home}, so these variables were copied from there: B2.",
        ),
    )
    assert done.file.stat().st_mode & 0o777 == 0o600
    assert place.variables == {"A1": "app", "B2": "two words"}
    assert place.read("preferences.arc") == '@env\ntesting\n  B2 "two words"\n  A1 app\n'
    assert place.change(A1="again").notes == ()


def test_variables_of_the_home_are_hidden_by_those_of_the_app(place: Place) -> None:
    """They do not return when the app's are removed, and cannot be removed themselves."""
    (place.home / ".preferences.arc").write_text("@env\ntesting\n  A1 hunter2\n  D4 x\nstaging\n  C3 x\n")
    place.write(".prefs.arc", "@env\ntesting\n  A1 one\n  B2 two\n")
    with pytest.raises(ToolError, match=r"D4 is not set in testing\. Choose A1 or B2\."):
        place.change(D4=None)
    assert place.change(A1=None, B2=None).notes == ("Added .prefs.arc to .gitignore, because it may contain secrets.",)
    assert place.read(".prefs.arc") == "@env\n"
    assert place.variables == {}


def test_a_dotenv_file_hides_the_home_folder(place: Place) -> None:
    """The preferences in the home folder are not read, so nothing can be removed there."""
    (place.home / "prefs.arc").write_text("@env\ntesting\n  A1 home\n")
    place.write(".env", "B2=2\nA1=1\n")
    place.write(".gitignore", ".env\n")
    assert place.change(A1=None).notes == ()
    with pytest.raises(ToolError, match=r"A1 is not set in testing\. Choose B2\."):
        place.change(A1=None)


def test_preferences_under_their_other_name_are_used(place: Place) -> None:
    """No `preferences.arc`, which would hide it, is created beside `prefs.arc`."""
    place.write("prefs.arc", "@env\ntesting\n  A1 one\n")
    assert place.change(B2="two").file.name == "prefs.arc"
    assert place.variables == {"A1": "one", "B2": "two"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"A1": "hunter2\r"}, "The value of A1 contains a carriage return"),
        ({"A1": "hunter2\0"}, "The value of A1 contains a NUL"),
        ({"A1": "hunter2\udc80"}, "is not valid UTF-8"),
        ({"ARC_ENV": "hunter2"}, "ARC_ENV is reserved"),
        ({"1A": "hunter2"}, "Invalid variable name '1A'"),
        ({"A1": "fine", "Z9": None}, "Z9 is not set in testing. Choose B2."),
    ],
)
@pytest.mark.parametrize("file", [".env", "preferences.arc"])
def test_a_refused_change_writes_no_file(place: Place, file: str, changes: dict[str, str | None], message: str) -> None:
    """The message has the name and not the value."""
    text = "B2=2\n" if file == ".env" else "@env\ntesting\n  B2 2\n"
    place.write(file, text)
    with pytest.raises(ToolError) as refused:
        place.change(**changes)
    assert message in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert place.read(file) == text


@pytest.mark.parametrize("value", ["hunter2\\", "hunter2 \\\\share", "hunter2 é'\"`"])
def test_a_value_that_architect_would_change_is_refused(place: Place, value: str) -> None:
    """In preferences; the message has the name and not the value."""
    place.write("preferences.arc", PREFERENCES)
    with pytest.raises(ToolError) as refused:
        place.change(A1=value)
    assert str(refused.value) == (
        "The value of A1 cannot be written to preferences.arc so that Architect reads it back: a word in it has two "
        "backslashes in a row, a backslash at its end, or all three kinds of quotes beside a character that needs "
        "quotes. Move testing's variables to .env, or encode the value with base64. Nothing was changed."
    )
    assert place.read("preferences.arc") == PREFERENCES


@pytest.mark.parametrize(
    ("text", "after"), [(".env*\n", ".env*\n"), ("src", "src\n.env\n"), ("!.env\n", "!.env\n.env\n")]
)
def test_gitignore_is_changed_once(place: Place, text: str, after: str) -> None:
    """A line is added when none ignores the file, and the mode is kept."""
    file = place.write(".gitignore", text)
    file.chmod(0o664)
    assert bool(place.change(A1="1").notes) == (text != after)
    assert place.change(A1="2").notes == ()
    assert place.read(".gitignore") == after
    assert file.stat().st_mode & 0o777 == 0o664


def test_an_invalid_gitignore_stops_the_change(place: Place) -> None:
    """A secret is not written where git would track it."""
    file = place.write(".gitignore", "")
    file.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ToolError, match=r"\.gitignore:1: The file is not UTF-8"):
        place.change(A1="1")
    file.unlink()
    file.symlink_to(place.app / "nowhere" / "file")
    with pytest.raises(ToolError, match=r"Cannot write .*\.gitignore: No such file or directory"):
        place.change(A1="1")
    file.unlink()
    file.mkdir()
    with pytest.raises(ToolError, match=r"\.gitignore cannot be read: Is a directory"):
        place.change(A1="1")
    assert not (place.app / ".env").exists()


def test_an_unusable_dotenv_file_is_reported(place: Place) -> None:
    """It is a folder or a broken link; no temporary file is left."""
    file = place.app / ".env"
    file.mkdir()
    with pytest.raises(ToolError, match=r"\.env cannot be read: Is a directory"):
        place.change(A1="1")
    file.rmdir()
    file.symlink_to(place.app / "nowhere" / "file")
    with pytest.raises(ToolError, match=r"Cannot write .*\.env: No such file.*No variable was changed"):
        place.change(A1="1")
    file.unlink()
    file.symlink_to(file)
    place.change(A1="1")
    assert place.variables == {"A1": "1"}
    assert sorted(each.name for each in place.app.iterdir()) == [".env", ".gitignore", "app.arc"]


def test_a_full_disk_changes_nothing(place: Place) -> None:
    """The unfinished file is removed."""
    text = f"A1={'1' * 5000}\n"
    place.write(".env", text)
    place.write(".gitignore", ".env\n")
    code = """
import resource, sys
from pathlib import Path
from arc import inventory
from arc.errors import ToolError
from arc.tools.env.testing_variables import change_testing

found = inventory.read(Path.cwd(), environ={})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    change_testing(found, {"B2": "hunter2"})
except ToolError as error:
    print(error)
"""
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=place.app, env=environ, capture_output=True, text=True, check=True
    )
    assert run.stdout == f"Cannot write {place.app / '.env'}: File too large. No variable was changed.\n"
    assert place.read(".env") == text
    assert sorted(file.name for file in place.app.iterdir()) == [".env", ".gitignore", "app.arc"]


def test_removing_from_an_empty_environment_is_refused(place: Place) -> None:
    """No file is created."""
    with pytest.raises(ToolError, match=r"A1 is not set in testing\. testing has no variables\. Nothing was changed\."):
        place.change(A1=None)
    assert [file.name for file in place.app.iterdir()] == ["app.arc"]


def test_a_message_does_not_quote_broken_preferences(place: Place) -> None:
    """They may have changed while a value was typed, and the line may contain a secret."""
    file = place.write("preferences.arc", "@env\ntesting\n  A1 one\n")
    inventory = inventories.read(place.app, environ={}, home=place.home)
    for broken, message in [
        (b"@env\ntesting\n  A1 hunter2 \xff\n", r"preferences\.arc:3: The file is not UTF-8"),
        (
            b"@env\ntesting\n  A1 'hunter2\n",
            r"A1 cannot be written to preferences\.arc so that Architect reads back all of it\. Fix the file, or enc",
        ),
    ]:
        file.write_bytes(broken)
        with pytest.raises(ToolError, match=message) as refused:
            change_testing(inventory, {"A1": "two"})
        assert "hunter2" not in str(refused.value)
        with pytest.raises(ToolError, match=message.replace("written to", "removed from").replace(", or enc", r"\.")):
            change_testing(inventory, {"A1": None})
        assert file.read_bytes() == broken


START = st.sampled_from(
    [
        None,
        ("other.txt", ""),
        (".env", ""),
        (".env", "# c\nB2='a\\'b' # x\nexport C3=\"q\\\"\"\nD4=x\\\n"),
        (".env", "B2=2\r\n"),
        ("preferences.arc", PREFERENCES),
        ("preferences.arc", "@env\ntesting\n  B2 b"),
        ("prefs.arc", "@env\ntesting\n  B2 b\n"),
    ]
)
TEXT = (VALUES | st.just("")).map(lambda text: text.replace("\r", ""))


@given(START, st.lists(st.tuples(st.sampled_from(["A1", "B2", "C3", "D4"]), TEXT | st.none()), min_size=1, max_size=6))
def test_any_text_reads_back_the_same(start: tuple[str, str] | None, changes: list[tuple[str, str | None]]) -> None:
    """After any changes the sandbox reads what a dict would contain."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        if start is not None:
            place.write(*start)
        wanted = place.variables
        for name, value in changes:
            if value is None and name not in wanted:
                continue
            try:
                place.change(**{name: value})
            except ToolError:
                assert is_hard(value or "")
                continue
            if value is None:
                del wanted[name]
            else:
                wanted[name] = value
            assert place.variables == wanted
