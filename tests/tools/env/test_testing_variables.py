"""Variables of testing are written into the developer's files so that they read back the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc import inventory as inventories
from arc.errors import ArcError, ToolError
from arc.tools.env.testing_variables import Written, change_testing
from tests.tools.env.test_any_value import VALUES

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
        """What `arc env testing` does."""
        return change_testing(inventories.read(self.app, environ={}, home=self.home), changes)

    @property
    def variables(self) -> dict[str, str]:
        """Testing's variables, as the sandbox reads them."""
        return dict(inventories.read(self.app, environ={}, home=self.home).env.get("testing", {}))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An app without files of its developer's."""
    return Place(tmp_path)


def test_the_first_variable_makes_a_file_that_git_ignores(place: Place) -> None:
    """A `.env` for its owner's eyes alone, named in `.gitignore`."""
    done = place.change(GREETING="hello there")
    assert done.file == place.app / ".env"
    assert place.read(".env") == "GREETING='hello there'\n"
    assert done.file.stat().st_mode & 0o777 == 0o600
    assert place.read(".gitignore") == ".env\n"
    assert done.notes == (".env is named in .gitignore now: it may hold secrets.",)
    assert place.variables == {"GREETING": "hello there"}
    assert sorted(file.name for file in place.app.iterdir()) == [".env", ".gitignore", "app.arc"]


def test_everything_else_in_the_file_stays(place: Place) -> None:
    """Comments, order, blank lines, other ways of writing, and its mode."""
    file = place.write(".env", "# mine\n\nexport A1='one' # first\nB2=two\n\n  C3 = \"th\\tree\"\n# end")
    file.chmod(0o644)
    place.change(B2="2 two", D4="four")
    assert (
        place.read(".env") == "# mine\n\nexport A1='one' # first\nB2='2 two'\n\n  C3 = \"th\\tree\"\n# end\nD4=four\n"
    )
    assert file.stat().st_mode & 0o777 == 0o644
    place.change(A1=None)
    assert place.read(".env") == "# mine\n\nB2='2 two'\n\n  C3 = \"th\\tree\"\n# end\nD4=four\n"
    assert place.variables == {"B2": "2 two", "C3": "th\tree", "D4": "four"}


def test_of_a_name_that_is_there_twice_one_is_left(place: Place) -> None:
    """The last one counted, and so its place is kept."""
    place.write(".env", "A1=1\nB2=2\nA1=3\nC3=3\n")
    place.change(A1="4")
    assert place.read(".env") == "B2=2\nA1=4\nC3=3\n"


def test_line_ends_stay_what_they_are(place: Place) -> None:
    """A file from Windows stays one; a missing last line end is added."""
    place.write(".env", "A1=1\r\nB2=2")
    place.change(A1="one", C3="3")
    assert place.read(".env") == "A1=one\r\nB2=2\r\nC3=3\r\n"


def test_a_link_is_followed(place: Place, tmp_path: Path) -> None:
    """The file that it leads to is written, and the link stays."""
    real = tmp_path / "real.env"
    real.write_text("A1=1\n")
    (place.app / ".env").symlink_to(real)
    place.change(A1="2")
    assert real.read_text() == "A1=2\n"
    assert (place.app / ".env").is_symlink()


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
    """In their place, with comments and other environments; no `.env` is made that would hide them."""
    place.write("preferences.arc", PREFERENCES)
    done = place.change(A1="changed", C3="new # value")
    assert done.file == place.app / "preferences.arc"
    assert not (place.app / ".env").exists()
    assert place.variables == {"A1": "changed", "B2": "two\nlines", "C3": "new # value"}
    wanted = PREFERENCES.replace("A1 one", "A1 changed").replace("staging\n", '  C3 "new # value"\nstaging\n')
    assert place.read("preferences.arc") == wanted
    place.change(B2=None)
    assert place.read("preferences.arc") == wanted.replace('  B2 "two\nlines"\n', "")
    place.change(A1=None)
    place.change(C3=None)
    assert place.variables == {}
    assert "staging\n  A1 other\n" in place.read("preferences.arc")
    assert place.read(".gitignore") == "preferences.arc\n"


def test_a_dotenv_file_comes_before_preferences(place: Place) -> None:
    """It hides what they say, and so it is the one that is written."""
    place.write("preferences.arc", PREFERENCES)
    place.write(".env", "B2=2\n")
    assert place.change(A1="1").file.name == ".env"
    assert place.read("preferences.arc") == PREFERENCES
    assert place.variables == {"A1": "1", "B2": "2"}


def test_what_the_home_says_is_not_hidden(place: Place) -> None:
    """With variables in the home's preferences, the app's preferences are made beside them."""
    (place.home / "prefs.arc").write_text("@env\ntesting\n  A1 home\n  B2 home\n")
    done = place.change(A1="app")
    assert done.file == place.app / "preferences.arc"
    assert place.variables == {"A1": "app", "B2": "home"}
    with pytest.raises(ToolError, match=r"B2 is set in the preferences of your home\. Remove it there\."):
        place.change(B2=None)


def test_preferences_under_their_other_name_are_used(place: Place) -> None:
    """`prefs.arc` is not joined by a `preferences.arc`, which would hide it."""
    place.write("prefs.arc", "@env\ntesting\n  A1 one\n")
    assert place.change(B2="two").file.name == "prefs.arc"
    assert place.variables == {"A1": "one", "B2": "two"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"A1": "hunter2\r"}, "The value of A1 holds a carriage return"),
        ({"A1": "hunter2\0"}, "The value of A1 holds a NUL"),
        ({"A1": "hunter2\udc80"}, "its bytes are not UTF-8"),
        ({"ARC_ENV": "hunter2"}, "ARC_ENV is reserved"),
        ({"1A": "hunter2"}, "cannot be the name"),
        ({"A1": "fine", "Z9": None}, "Z9 is not set in testing. There are: B2."),
    ],
)
@pytest.mark.parametrize("file", [".env", "preferences.arc"])
def test_what_cannot_be_written_is_refused(place: Place, file: str, changes: dict[str, str | None], told: str) -> None:
    """By name, without the value, and with every file as it was."""
    text = "B2=2\n" if file == ".env" else "@env\ntesting\n  B2 2\n"
    place.write(file, text)
    with pytest.raises(ToolError) as refused:
        place.change(**changes)
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert place.read(file) == text


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        (".env\n", True),
        ("/.env\n", True),
        (".env*", True),
        ("*.env\n", True),
        ("**/.env\n", True),
        ("# .env\n", False),
        (".env.local\n", False),
        (".env\n!.env\n", False),
        ("!.env\n.env\n", True),
        ("src", False),
    ],
)
def test_git_is_told_once(place: Place, text: str, *, is_there: bool) -> None:
    """A line is added when none ignores the file."""
    place.write(".gitignore", text)
    place.change(A1="1")
    end = "" if text.endswith("\n") else "\n"
    assert place.read(".gitignore") == (text if is_there else f"{text}{end}.env\n")


def test_files_that_cannot_be_used_say_so(place: Place) -> None:
    """A folder in the way, and bytes that are no text."""
    (place.app / ".env").mkdir()
    with pytest.raises(ArcError, match=r"\.env"):
        place.change(A1="1")


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
    """After any changes one after the other, the sandbox reads what a dict would hold."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        if start is not None:
            place.write(*start)
        wanted = place.variables
        for name, value in changes:
            if value is None and name not in wanted:
                continue
            place.change(**{name: value})
            if value is None:
                del wanted[name]
            else:
                wanted[name] = value
            assert place.variables == wanted
