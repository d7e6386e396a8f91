"""A rotation changes the secret of an environment in two phases, and signs no one out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cloud_faults import FaultyCloud
from tests.engines import Engine
from tests.tools.env.rotating import FALLBACKS, FUNCTIONS, NEW, OLD, OLDER, SECRET, Rotating, watched

BEFORE = {SECRET: OLD, FALLBACKS: json.dumps([OLDER])}
AFTER = {(NEW, (OLD, OLDER, NEW))}


def test_every_function_accepts_the_new_secret_before_any_seals_with_it(cloud: Engine, tmp_path: Path) -> None:
    """Each of the two phases is reported once all functions have completed it."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    seen = []
    rotating.rotation(say=lambda sentence: seen.append((sentence, rotating.everywhere()))).rotate(NEW)
    assert seen == [
        ("1 of 2: every function in staging accepts the new secret.", {(OLD, (OLD, OLDER, NEW))}),
        ("2 of 2: every function in staging seals with the new secret, and still accepts the old one.", AFTER),
        ("When the idle lifetime has passed, run `arc secret rotate staging --retire`.", AFTER),
    ]
    assert rotating.noted() is None
    assert rotating.warned == []


def test_functions_accept_the_secrets_of_others_at_every_call(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path
) -> None:
    """Also the secrets that were known before the rotation."""
    rotating = Rotating(cloud, tmp_path, BEFORE, functions=["A", "B", "C"])
    faulty.begin(watched(rotating, OLD, OLDER))
    rotating.rotate(url=faulty.url)
    assert rotating.everywhere() == AFTER
    assert faulty.calls.count("lambda.UpdateFunctionConfiguration") == 6


def test_rotating_again_keeps_every_old_secret(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """In the order in which they sealed, each once."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.rotate()
    faulty.begin(watched(rotating, NEW, OLD, OLDER))
    rotating.rotate("another-new-secret-of-the-tests-that-is-long-enough", url=faulty.url)
    ((secret, fallbacks),) = rotating.everywhere()
    assert secret == "another-new-secret-of-the-tests-that-is-long-enough"
    assert fallbacks == (NEW, OLD, OLDER, secret)


def test_the_new_secret_is_random_by_default(cloud: Engine, tmp_path: Path) -> None:
    """It has 43 characters, and each one is different."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    made = []
    for _ in range(2):
        rotating.rotate(None)
        ((secret, _),) = rotating.everywhere()
        made.append(secret or "")
    assert [len(one) for one in made] == [43, 43]
    assert len({OLD, *made}) == 3
    rotating.check(OLD, OLDER, *made)


def test_an_environment_without_a_secret_gets_one(cloud: Engine, tmp_path: Path) -> None:
    """It does so in one phase, because there are no sessions to keep."""
    rotating = Rotating(cloud, tmp_path, {"GREETING": "hello"})
    rotating.rotate()
    assert rotating.everywhere() == {(NEW, ())}
    assert rotating.said == ["staging had no secret, and has one now. Every function has it."]
    assert (rotating.noted(), rotating.noted("rotated")) == (None, None)


def test_a_rotation_without_functions_changes_ssm(cloud: Engine, tmp_path: Path) -> None:
    """Functions get the secret when they are deployed; the message names the region, which may be the wrong one."""
    rotating = Rotating(cloud, tmp_path, BEFORE, functions=[])
    rotating.rotate()
    assert rotating.everywhere() == AFTER
    assert rotating.warned[-1].startswith("No functions are deployed to staging in us-east-1 yet. If the app")


def test_a_function_that_opted_out_is_left_alone(cloud: Engine, tmp_path: Path) -> None:
    """It keeps a secret of its own."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.opt_out()
    own = {**rotating.functions.variables("PostLogin"), SECRET: "a secret of its own that no other function has"}
    own.pop(FALLBACKS)
    rotating.functions.set_variables(own, "PostLogin")
    rotating.rotate()
    assert rotating.functions.variables("PostLogin") == own
    assert rotating.secrets("GetIndex") == (NEW, [OLD, OLDER, NEW])


def test_a_function_that_opted_out_with_the_old_secret_stops_a_rotation(cloud: Engine, tmp_path: Path) -> None:
    """It would sign visitors out until it accepts the new secret."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.opt_out()
    with pytest.raises(Exception, match=f"{rotating.app}-staging-PostLogin: its config.arc says env false"):
        rotating.rotate()
    assert rotating.secrets("GetIndex") == (OLD, [OLD, OLDER, NEW])
    rotating.functions.set_variables({**rotating.functions.variables("GetIndex")}, "PostLogin")
    rotating.rotate(None)
    assert rotating.secrets("GetIndex") == (NEW, [OLD, OLDER, NEW])
    assert "still seal with an old secret" in rotating.warned[-1]


def test_the_secret_of_a_function_out_of_sync_is_kept(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """That function has sealed sessions with a secret of its own."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    own = "a secret that this function alone had till now"
    rotating.functions.set_variables({**rotating.functions.variables("GetIndex"), SECRET: own}, "GetIndex")
    rotating.rotate()
    assert rotating.everywhere() == {(NEW, (OLD, OLDER, own, NEW))}
    assert rotating.warned == [
        f"{rotating.app}-staging-GetIndex seals with a secret of its own. It is kept as an old secret."
    ]


def test_functions_keep_sealing_with_a_secret_that_ssm_does_not_have(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path
) -> None:
    """They do so until all accept the new secret."""
    rotating = Rotating(cloud, tmp_path)
    for name in FUNCTIONS:
        rotating.functions.set_variables({**rotating.functions.variables(name), SECRET: OLD}, name)
    faulty.begin(watched(rotating, OLD))
    rotating.rotate(url=faulty.url)
    assert rotating.everywhere() == {(NEW, (OLD, NEW))}


@pytest.mark.parametrize("fallbacks", [[], [OLDER], ["too short"]])
def test_an_invalid_old_secret_is_left_out(cloud: Engine, tmp_path: Path, fallbacks: list[str]) -> None:
    """Among the fallbacks it would stop sessions in all functions."""
    weak = {SECRET: "weak"} | ({FALLBACKS: json.dumps(fallbacks)} if fallbacks else {})
    rotating = Rotating(cloud, tmp_path, weak)
    rotating.rotate()
    assert rotating.everywhere() == {(NEW, (OLDER, NEW) if OLDER in fallbacks else ())}
    assert rotating.warned[0] == (
        "An old secret is left out, because no function can run with it: ARC_APP_SECRET has 4 characters, and at "
        "least 16 are required."
    )


def test_a_failed_function_pauses_the_rotation(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """All other functions are in the same phase, and the same command continues with the same secret."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    for failing in (1, 2):
        done = 0

        def plan(name: str, _number: int, failing: int = failing) -> str | None:
            nonlocal done
            if name == "lambda.UpdateFunctionConfiguration":
                done += 1
                return "error" if done >= failing else None
            return None

        faulty.begin(watched(rotating, OLD, OLDER, plan=plan))
        with pytest.raises(Exception, match="out of sync") as raised:
            rotating.rotate(None if failing > 1 else NEW, url=faulty.url)
        assert "To continue, run `arc secret rotate staging`." in str(raised.value)
        assert "arc env verify" not in str(raised.value)
        assert (rotating.noted() or {})["secret"] == NEW
    rotating.rotate(None)
    assert rotating.everywhere() == AFTER
    assert "Continuing the rotation that is in progress in staging." in rotating.said


def test_removed_fallbacks_are_restored(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """An operator removed the fallbacks from SSM while the rotation was interrupted."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    faulty.begin(lambda name, _number: "error" if name == "lambda.UpdateFunctionConfiguration" else None)
    with pytest.raises(Exception, match="out of sync"):
        rotating.rotate(url=faulty.url)
    cloud.client("ssm").delete_parameter(Name=f"/{rotating.app}/staging/{FALLBACKS}")
    rotating.rotate(None)
    assert rotating.everywhere() == AFTER
