"""Architect's inventory and this package read preferences alike."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from arc import inventory
from arc.errors import ToolError
from arc.inventory.preferences import ENVIRONMENTS, PREFERENCE_FILES
from arc.manifest.lexer import written_for_both
from arc.tools.env import preferences_file
from arc.tools.env.testing_variables import change_testing
from tests.tools.env.test_any_value import VALUES

if TYPE_CHECKING:
    from tests.interop.peer import Peer

NAMES = ["A1", "B2", "C3", "D4", "E5", "true", "tt", "Infinity"]
VALUE = st.one_of(
    VALUES.map(lambda text: text.replace("\r", "")),
    st.sampled_from(
        ["", "0x1F", "-1", "1.", "-Infinity", "1e3", "false", "t", "a'b\"c`d", 'it\'s "so" `now`', "C:\\new"]
    ),
)
PIECES = [
    *("testing\n  A1 one # c\n", "# a comment\n", "\n", "staging\n  A1 1\n", 'testing\n  # c\n\n  B2 "x\n# y"\n'),
    *(
        "testing\n  D4 1\n  # c\n  E5 2 # d\n",
        "production\n  A1 two words\n",
    ),
]
# Values below a key make Architect's parser skip some of what follows their environment, so there is nothing more.
LAST = st.sampled_from(["", "testing\n  A1\n    one\n    two\n  B2 b\n"])
START = st.just("") | st.builds(
    lambda pieces, last: "@sandbox\nlivereload true\n\n@env\n" + "".join(pieces) + last,
    st.lists(st.sampled_from(PIECES), max_size=5),
    LAST,
)
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), VALUE | st.none()), min_size=1, max_size=6)
PREFERENCES = st.none() | st.dictionaries(
    st.sampled_from(ENVIRONMENTS),
    st.dictionaries(st.sampled_from(NAMES[:4]), VALUE, min_size=1, max_size=3),
    max_size=3,
)
five_hundred = settings(
    max_examples=settings().max_examples * 5 // 2, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Place:
    """An app's folder and a home beside it, which both libraries read."""

    def __init__(self, folder: Path, node: Peer) -> None:
        self.app, self.home, self._node = folder / "app", folder / "home", node
        self.app.mkdir()
        self.home.mkdir()
        (self.app / "app.arc").write_text("@app\nmyapp\n@http\nget /\n")

    def ours(self) -> inventory.Inventory:
        """The app as this package reads it."""
        return inventory.read(self.app, environ={}, home=self.home)

    def nodes(self) -> dict[str, Any]:
        """The variables of each environment as Architect reads them."""
        preferences = self._node.ask("preferences", {"HOME": str(self.home)}, cwd=str(self.app)) or {}
        return {name: variables for name, variables in preferences.get("env", {}).items() if variables is not None}


@five_hundred
@given(START, st.sampled_from(PREFERENCE_FILES), STEPS)
@example("@env\ntesting\n  # c\n\n  B2 b # d\n", "prefs.arc", [("B2", "x"), ("A1", "00123")])
@example("@env\ntesting\n  A1\n    one\n\n", ".prefs.arc", [("true", "false"), ("A1", "two words")])
@example("@env\ntesting\n  A1\n    one\n    two\n  B2 b\n", "prefs.arc", [("A1", 'it\'s "so" `now`')])
def test_written_preferences_are_read_alike(
    node_peer: Peer, start: str, name: str, steps: list[tuple[str, str | None]]
) -> None:
    """Variables are set and removed in any surroundings, or the change is refused."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), node_peer)
        (place.home / "prefs.arc").write_text("@env\ntesting\n  H1 'home'\n")
        if start:  # Architect refuses an empty file.
            (place.app / name).write_bytes(start.encode())
        expected: dict[str, str] = {}
        for variable, value in steps:
            app = place.ours()
            if (place.app / ".env").exists() or not app.env.get("testing"):
                break  # It would write a `.env`, which has separate tests.
            try:
                change_testing(app, {variable: value})
            except ToolError:
                assert value is None or not preferences_file.can_hold(value)
                continue
            expected.pop(variable, None)
            if value is not None:
                expected[variable] = value
        assert expected.items() <= dict(place.ours().env.get("testing", {})).items()
        assert expected.items() <= place.nodes().get("testing", {}).items()


def text_of(preferences: dict[str, dict[str, str]]) -> str:
    """An `@env` with these variables, as far as both libraries can read their values."""
    lines = ["@env"]
    for environment, variables in preferences.items():
        words = {name: written_for_both(value) for name, value in variables.items()}
        lines += [environment, *(f"  {name} {word or 'x'}" for name, word in words.items())]
    return "\n".join([*lines, ""])


@five_hundred
@given(PREFERENCES, PREFERENCES)
def test_preferences_are_read_as_in_architect(
    node_peer: Peer, home: dict[str, dict[str, str]] | None, local: dict[str, dict[str, str]] | None
) -> None:
    """The app's preferences replace those of the home, in every environment."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), node_peer)
        for file, preferences in ((place.home / ".preferences.arc", home), (place.app / ".prefs.arc", local)):
            if preferences is not None:
                file.write_bytes(text_of(preferences).encode())
        assert place.ours().env == place.nodes()
