"""Node's dotenv, which Architect uses, and python-dotenv read a `.env` file from this package alike."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from arc.tools.env.dotenv_file import variables_in_node, with_variable
from tests.tools.env.test_dotenv_file import PIECES, TEXT

if TYPE_CHECKING:
    from tests.interop.peer import Peer

LINES = st.lists(
    st.sampled_from(
        [
            "A1",
            "export ",
            "=",
            ": ",
            " ",
            "\n",
            "\r\n",
            "\t",
            "'",
            '"',
            "`",
            "\\",
            "\\n",
            "#",
            "x",
            "é",
            "\u2028",
            "\xa0",
            "\x1f",
        ]
    ),
    max_size=24,
).map("".join)
many = settings(max_examples=2 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(PIECES.map("".join), TEXT)
@example("", 'it\'s "C:\\new"')
@example("", "a \\b 'c'")
@example("A1=1 # why\n", "\\\\server\\share dir")
@example("B2=2\r\n", "two\nlines 'and' \"quotes\"")
def test_written_value_is_read_alike(node_peer: Peer, text: str, value: str) -> None:
    """Both libraries read any value in any surroundings, or it is refused."""
    changed = with_variable(text, "A1", value)
    if changed is not None:
        assert node_peer.ask("dotenv", text=changed).get("A1") == value
        assert dotenv_values(stream=io.StringIO(changed, newline=""), interpolate=False)["A1"] == value


@pytest.mark.parametrize(
    "value",
    [
        'it\'s "C:\\new"',
        "a \\b 'c'",
        "\\\\server\\share dir",
        "C:\\new\\",
        "pass'word\"\\`1",
        "it's",
        'say "hi"',
        "two\nlines",
    ],
)
def test_value_with_backslashes_and_quotes_can_be_written(node_peer: Peer, value: str) -> None:
    """Both libraries read its notation."""
    changed = with_variable("", "A1", value)
    assert changed is not None
    assert node_peer.ask("dotenv", text=changed) == {"A1": value}


@many
@given(LINES)
def test_any_text_is_read_as_in_node(node_peer: Peer, text: str) -> None:
    """This package's reading of a line equals Node's."""
    assert variables_in_node(text) == node_peer.ask("dotenv", text=text)
