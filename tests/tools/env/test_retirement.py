"""Old secrets are dropped when no living session can be sealed with one, and not a second before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arc.errors import ToolError
from tests.cloud_faults import FaultyCloud, on
from tests.engines import Engine
from tests.tools.env.rotating import FALLBACKS, NEW, OLD, OLDER, SECRET, Rotating

WEEK = 604_800
BEFORE = {SECRET: OLD, FALLBACKS: json.dumps([OLDER])}
AFTER = {(NEW, (OLD, OLDER, NEW))}
RETIRED = {(NEW, ())}


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [({}, WEEK), ({"ARC_SESSION_TTL": "3600"}, 3600), ({"SESSION_TTL": "90"}, 90)],
    ids=["a week", "an hour", "the older name"],
)
def test_retiring_waits_for_the_idle_lifetime(
    cloud: Engine, tmp_path: Path, variables: dict[str, str], seconds: int
) -> None:
    """A visitor may have been away since the end of the rotation, to the second."""
    rotating = Rotating(cloud, tmp_path, BEFORE | variables)
    rotating.rotate()
    rotating.time += seconds - 1
    with pytest.raises(ToolError, match=r"may be sealed with an old secret until .* UTC \(in 1 second\)"):
        rotating.retire()
    assert rotating.everywhere() == AFTER
    rotating.time += 1
    rotating.retire()
    assert rotating.everywhere() == RETIRED
    assert rotating.said[-1] == "The old secrets in staging are removed from every function."
    assert rotating.noted("rotated") is None


def test_the_longest_lifetime_counts(cloud: Engine, tmp_path: Path) -> None:
    """That at the time of the rotation, which a table's rows keep, or that of now, which sealed cookies have."""
    for first, then in (("60", "90"), ("90", "60")):
        rotating = Rotating(cloud, tmp_path, BEFORE | {"ARC_SESSION_TTL": first})
        rotating.rotate()
        rotating.set_in_ssm({"ARC_SESSION_TTL": then})
        rotating.time += 89
        with pytest.raises(ToolError, match="in 1 second"):
            rotating.retire()
        rotating.time += 1
        rotating.retire()
        assert rotating.everywhere() == RETIRED


def test_the_last_rotation_counts(cloud: Engine, tmp_path: Path) -> None:
    """The lifetime starts at the end of the last rotation."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.rotate()
    rotating.time += WEEK
    rotating.rotate("the-second-new-secret-of-the-tests-long-enough")
    with pytest.raises(ToolError, match="in 7 days"):
        rotating.retire()


def test_retiring_during_a_rotation_is_refused(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """The old secrets still seal sessions."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.rotate()
    rotating.time += WEEK
    faulty.begin(on("lambda.UpdateFunctionConfiguration", "error", times=100))
    with pytest.raises(ToolError, match="out of sync"):
        rotating.rotate(None, url=faulty.url)
    before = rotating.in_ssm()
    with pytest.raises(ToolError, match="A rotation is in progress in staging"):
        rotating.retire()
    assert rotating.in_ssm() == before


def test_old_secrets_of_unknown_age_are_kept(cloud: Engine, tmp_path: Path) -> None:
    """A rotation did not put them there, or another secret has sealed since."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    with pytest.raises(ToolError, match="it is unknown when they last sealed a session") as raised:
        rotating.retire()
    assert "arc env remove staging ARC_APP_SECRET_FALLBACKS" in str(raised.value)
    rotating.rotate()
    rotating.time += WEEK
    rotating.set_in_ssm({SECRET: OLD, FALLBACKS: json.dumps([NEW])})
    with pytest.raises(ToolError, match="it is unknown when they last sealed a session"):
        rotating.retire()
    assert rotating.in_ssm()[FALLBACKS] == json.dumps([NEW])


def test_nothing_to_retire_is_reported(cloud: Engine, tmp_path: Path) -> None:
    """Nothing is changed."""
    rotating = Rotating(cloud, tmp_path, {SECRET: OLD})
    rotating.retire()
    assert rotating.said == ["staging has no old secrets. Nothing was changed."]
    assert rotating.everywhere() == {(OLD, ())}


def test_a_function_that_seals_with_an_old_secret_stops_retiring(cloud: Engine, tmp_path: Path) -> None:
    """After another process has set it back, the lifetime starts when the function is in sync."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.rotate()
    rotating.time += WEEK
    current = rotating.functions.variables("GetIndex")
    rotating.functions.set_variables({**current, SECRET: OLD}, "GetIndex")
    with pytest.raises(ToolError, match=f"still sealed with an old secret by\n  {rotating.app}-staging-GetIndex\n"):
        rotating.retire()
    rotating.functions.set_variables(current, "GetIndex")
    with pytest.raises(ToolError, match="in 7 days"):
        rotating.retire()
    rotating.time += WEEK
    rotating.retire()
    assert rotating.everywhere() == RETIRED


def test_the_next_run_completes_a_failed_retirement(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """It does not wait again, because other functions have no old secrets any more."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.rotate()
    rotating.time += WEEK
    faulty.begin(on("lambda.UpdateFunctionConfiguration", "error", first=2, times=100))
    with pytest.raises(ToolError, match="To continue, run `arc secret rotate staging --retire`"):
        rotating.retire(url=faulty.url)
    rotating.retire()
    assert rotating.everywhere() == RETIRED
