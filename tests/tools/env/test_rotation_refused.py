"""What cannot come to its end is refused before anything is written or noted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arc.errors import ArcError, ToolError
from arc.tools.env.variables import set_bytes
from tests.cloud_faults import FaultyCloud, on
from tests.engines import Engine
from tests.tools.env.rotating import FALLBACKS, NEW, OLD, OLDER, SECRET, Rotating, is_change

BEFORE = {SECRET: OLD, FALLBACKS: json.dumps([OLDER])}
SHORT, LONG = "an old secret of 32 characters..", "a new secret of 171 characters".ljust(171, ".")
REFUSED = [
    ("the one that seals", OLD, "gives the same key"),
    ("an old one", OLDER, "gives the same key"),
    ("the same first 32 characters", OLD[:32] + " and something else", "gives the same key"),
    ("too short", "fifteen letters", "ARC_APP_SECRET has 15 characters, and at least 16 are needed"),
    ("blank", " " * 40, "ARC_APP_SECRET is blank"),
    ("a development key", "12345678901234567890123456789012", "a published development key"),
    ("a beginning of one", "1234567890123456", "a published development key"),
    ("empty", "", "is empty"),
    ("a NUL", NEW + "\0", "NUL character"),
    ("a reference", NEW + "{{x}}", "which SSM refuses"),
    ("too large", NEW * 80, "SSM takes 4,096"),
]


@pytest.mark.parametrize(("secret", "complaint"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
@pytest.mark.sampled(4)
def test_a_secret_that_is_refused_changes_nothing(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, secret: str, complaint: str
) -> None:
    """With SSM, functions and what the command remembers as before; the message does not show it."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    before = rotating.everywhere()
    faulty.begin(lambda _name, _number: None)
    with pytest.raises(ArcError, match=complaint) as raised:
        rotating.rotate(secret, url=faulty.url)
    assert [name for name in faulty.calls if is_change(name)] == []
    assert rotating.noted() is None
    assert rotating.everywhere() == before
    assert not secret.strip() or secret not in str(raised.value)
    assert "arc env staging ARC_APP_SECRET" not in str(raised.value)  # which would sign people out


@pytest.mark.parametrize("fallbacks", ["no list", '{"a": 1}', "[1]", '[""]'])
def test_fallbacks_that_no_function_can_read_are_to_be_mended_first(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, fallbacks: str
) -> None:
    """Nobody knows what they were meant to be."""
    rotating = Rotating(cloud, tmp_path, {SECRET: OLD})
    rotating.set_in_ssm({FALLBACKS: fallbacks})
    faulty.begin(lambda _name, _number: None)
    with pytest.raises(ToolError, match="is no JSON list of secrets"):
        rotating.rotate(url=faulty.url)
    assert [name for name in faulty.calls if is_change(name)] == []


def filled(cloud: Engine, folder: Path, spare: int) -> Rotating:
    """An environment whose function has so many bytes to spare in the first phase of a rotation to `LONG`."""
    rotating = Rotating(cloud, folder, {SECRET: SHORT, "LARGE": "x"}, functions=["GetIndex"])
    first_phase = {**rotating.functions.variables("GetIndex"), FALLBACKS: json.dumps([SHORT, LONG])}
    large = {"LARGE": "x" * (4096 + 1 + len(" ") - set_bytes(first_phase) - spare)}
    rotating.set_in_ssm(large)
    rotating.functions.set_variables({**rotating.functions.variables("GetIndex"), **large}, "GetIndex")
    return rotating


@pytest.mark.parametrize("spare", [-1, 0, len(LONG) - len(SHORT) - 1])
def test_a_set_over_lambdas_4_kb_is_refused(cloud: Engine, faulty: FaultyCloud, tmp_path: Path, spare: int) -> None:
    """Also when the first phase would leave some bytes to spare, and the second not."""
    rotating = filled(cloud, tmp_path, spare)
    faulty.begin(lambda _name, _number: None)
    with pytest.raises(ToolError, match="Lambda takes 4,096 in all"):
        rotating.rotate(LONG, url=faulty.url)
    assert [name for name in faulty.calls if is_change(name)] == []
    assert rotating.noted() is None


def test_a_set_of_lambdas_4_kb_is_taken(cloud: Engine, tmp_path: Path) -> None:
    """To the last byte."""
    rotating = filled(cloud, tmp_path, len(LONG) - len(SHORT))
    rotating.rotate(LONG)
    assert rotating.everywhere() == {(LONG, (SHORT, LONG))}
    assert set_bytes(rotating.functions.variables("GetIndex")) == 4096


def test_another_secret_than_that_of_the_rotation_under_way_is_refused(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path
) -> None:
    """The same one, or none, goes on."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    faulty.begin(on("lambda.UpdateFunctionConfiguration", "error", times=100))
    with pytest.raises(ToolError, match="not in step"):
        rotating.rotate(url=faulty.url)
    with pytest.raises(ToolError, match="A rotation of staging to another secret has begun and not ended"):
        rotating.rotate("another-secret-of-the-tests-that-is-long-enough")
    rotating.rotate(NEW)
    assert rotating.everywhere() == {(NEW, (OLD, OLDER, NEW))}


def test_a_poor_secret_is_taken_with_a_warning(cloud: Engine, tmp_path: Path) -> None:
    """Of 16 characters to 31."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.rotate("sixteen letters!")
    assert len(rotating.warned) == 1
    assert rotating.warned[0].startswith("ARC_APP_SECRET has 16 characters")
    assert rotating.secrets("GetIndex")[0] == "sixteen letters!"
