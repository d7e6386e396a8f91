"""A rotation that cannot complete is refused before anything is written."""

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
    ("the one that seals", OLD, "has the same key"),
    ("an old one", OLDER, "has the same key"),
    ("the same first 32 characters", OLD[:32] + " and something else", "has the same key"),
    ("too short", "fifteen letters", "ARC_APP_SECRET has 15 characters, and at least 16 are required"),
    ("blank", " " * 40, "ARC_APP_SECRET is blank"),
    ("a development key", "12345678901234567890123456789012", "a published development key"),
    ("a beginning of one", "1234567890123456", "a published development key"),
    ("empty", "", "is empty"),
    ("a NUL", NEW + "\0", "NUL character"),
    ("a reference", NEW + "{{x}}", "which SSM refuses"),
    ("too large", NEW * 80, "SSM's limit is 4,096"),
]


@pytest.mark.parametrize(("secret", "complaint"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
@pytest.mark.sampled(4)
def test_a_refused_secret_changes_nothing(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, secret: str, complaint: str
) -> None:
    """SSM, functions and the memo are as before, and the message does not show the secret."""
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
def test_invalid_fallbacks_stop_a_rotation(cloud: Engine, faulty: FaultyCloud, tmp_path: Path, fallbacks: str) -> None:
    """Their intended value is unknown."""
    rotating = Rotating(cloud, tmp_path, {SECRET: OLD})
    rotating.set_in_ssm({FALLBACKS: fallbacks})
    faulty.begin(lambda _name, _number: None)
    with pytest.raises(ToolError, match="is not a JSON list of secrets"):
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
def test_variables_over_lambdas_limit_are_refused(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path, spare: int
) -> None:
    """Also when the first phase would fit, and the second would not."""
    rotating = filled(cloud, tmp_path, spare)
    faulty.begin(lambda _name, _number: None)
    with pytest.raises(ToolError, match="Lambda's limit is 4,096 in total"):
        rotating.rotate(LONG, url=faulty.url)
    assert [name for name in faulty.calls if is_change(name)] == []
    assert rotating.noted() is None


def test_variables_at_lambdas_limit_are_accepted(cloud: Engine, tmp_path: Path) -> None:
    """To the last byte."""
    rotating = filled(cloud, tmp_path, len(LONG) - len(SHORT))
    rotating.rotate(LONG)
    assert rotating.everywhere() == {(LONG, (SHORT, LONG))}
    assert set_bytes(rotating.functions.variables("GetIndex")) == 4096


def test_another_secret_during_a_rotation_is_refused(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """With the same secret or none, the rotation continues."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    faulty.begin(on("lambda.UpdateFunctionConfiguration", "error", times=100))
    with pytest.raises(ToolError, match="out of sync"):
        rotating.rotate(url=faulty.url)
    with pytest.raises(ToolError, match="A rotation to another secret is in progress in staging"):
        rotating.rotate("another-secret-of-the-tests-that-is-long-enough")
    rotating.rotate(NEW)
    assert rotating.everywhere() == {(NEW, (OLD, OLDER, NEW))}


def test_a_weak_secret_is_accepted_with_a_warning(cloud: Engine, tmp_path: Path) -> None:
    """It has 16 to 31 characters."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.rotate("sixteen letters!")
    assert len(rotating.warned) == 1
    assert rotating.warned[0].startswith("ARC_APP_SECRET has 16 characters")
    assert rotating.secrets("GetIndex")[0] == "sixteen letters!"
